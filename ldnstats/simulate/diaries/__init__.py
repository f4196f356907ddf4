"""Daily diaries around end points that print, and around a printed daily mixed model.

``schedule`` (days, phases and windows), ``paths`` (noise conditioned on windows, whole ratings that
add up), ``ends``, ``levels`` and ``law`` (diaries around end points), ``model`` (the mixed model),
``claims``, ``system`` and ``finding`` (which printed figures of it conflict), ``model_law``,
``model_members`` and ``model_ground`` (diaries that print it), ``reconstruction`` and ``ensemble``
(what comes of it), ``timing`` (drift, carry-over and onset tried on it).
"""
