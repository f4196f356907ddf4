"""Single outcomes around a person's mean, where people have a treatment more than once.

With r outcomes of a person on one treatment, each of variance v, any two of them with correlation
c over people, their mean has variance v (c + (1 - c) / r), and they scatter around it with
within-person variance w = (1 - c) v. Given the mean, the r deviations are Gaussian with variance
w (1 - 1/r), and sum to zero: they are independent Gaussian numbers less their own mean.

References
----------
Searle SR, Casella G, McCulloch CE. Variance Components. Wiley, 1992, section 3.1.
"""

from __future__ import annotations

import numpy as np

from ldnstats.designs import Design
from ldnstats.simulate.ttests import FloatArray


def deviations(normals: FloatArray, design: Design, *, zero: bool) -> FloatArray:
    """Turn normals into deviations that sum to zero within person and treatment.

    Parameters
    ----------
    normals : ndarray, shape (rows, B)
        Independent standard normals, in the order of the layout.
    design : Design
    zero : bool
        Whether they sum to zero over the people of each sequence and period too, so that the
        sample has no effect of these.

    Returns
    -------
    ndarray, shape (rows, B)
        The normals given that these sums are zero; 0 where a person has a treatment once.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["2x2x3"], treatments=("A", "B"), sizes=(1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> normals = np.array([[1.0], [5.0], [2.0], [0.0], [7.0], [4.0]])
    >>> deviations(normals, design, zero=False)[:, 0].tolist()
    [-0.5, 0.0, 0.5, -2.0, 0.0, 2.0]
    """
    shape = (design.n, design.row.n_periods, -1)
    drawn, found = normals.reshape(shape), np.empty(normals.shape)
    rows = found.reshape(shape)
    ends = np.cumsum((0, *design.sizes))
    for g, word in enumerate(design.row.sequences):
        people = slice(ends[g], ends[g + 1])
        for letter in sorted(set(word)):
            periods = [k for k, own in enumerate(word) if own == letter]
            own = drawn[people, periods]
            own = own - own.mean(axis=1, keepdims=True)
            if zero and len(own):
                own = own - own.mean(axis=0, keepdims=True)
            rows[people, periods] = own
    return found


def within_sds(sd: FloatArray, correlation: FloatArray, design: Design) -> FloatArray:
    """Return the within-person SDs that go with SDs of people's means.

    Parameters
    ----------
    sd : ndarray, shape (treatments, B)
        SDs over people of their means under each treatment.
    correlation : ndarray, shape (B,)
        c, of two outcomes of a person on the same treatment; from 0 to 1.
    design : Design

    Returns
    -------
    ndarray, shape (treatments, B)
        sqrt((1 - c) v) with v = sd^2 / (c + (1 - c) h), and h the mean over people of 1/r.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["2x2x4"], treatments=("A", "B"), sizes=(3, 3),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> within_sds(np.array([[3.0], [3.0]]), np.array([0.8]), design)[:, 0].round(6)
    array([1.414214, 1.414214])
    """
    words, sizes = design.row.sequences, np.array(design.sizes)
    letters = [chr(65 + j) for j in range(len(sd))]
    h = np.array([sizes @ [1.0 / word.count(a) for word in words] / design.n for a in letters])
    apart = 1.0 - correlation
    return np.asarray(sd * np.sqrt(apart / (correlation + apart * h[:, None])))
