"""Linear mixed models on arrays: design and responses in, estimates and tests out.

The files in the order in which a fit passes through them: ``covariance`` (which
structures there are), ``spectrum`` (what depends on the design alone), ``reml`` (the
fit of all responses at once), ``inference`` (contrasts and their degrees of freedom).
Nothing here knows the name of a column.
"""
