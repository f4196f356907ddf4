"""People who leave before the end point: beside the analysed people, and in one table with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ldnstats.designs import Trials
from ldnstats.simulate.printed.arm_columns import Left
from ldnstats.simulate.ttests import FloatArray


def with_leavers(stayed: FloatArray, normals: FloatArray) -> FloatArray:
    """Put people who leave beside those who stay, in a sample of mean 0 and SD 1 over all.

    Of independent standard normals of n + m people the first n have a mean, an SD, and a direction
    around the mean that is uniform and independent of these and of the others. Another uniform
    direction may take its place: what people have is still that of independent Gaussian people,
    whatever the direction goes with.

    Parameters
    ----------
    stayed : ndarray, shape (n, B)
        Of those who stay, with mean 0 and SD 1.
    normals : ndarray, shape (n + m, B)
        Standard normals, independent of these and between people.

    Returns
    -------
    ndarray, shape (n + m, B)

    References
    ----------
    Eaton ML. Multivariate Statistics, 1983, chapter 7.

    Examples
    --------
    >>> stayed, normals = np.array([-1.0, 0.0, 1.0]), np.array([4.0, 2.0, 0.0, 2.0])
    >>> found = with_leavers(stayed[:, None], normals[:, None])
    >>> (found / found[2]).ravel().tolist()
    [-1.0, 0.0, 1.0, 0.0]
    """
    offset, ratio, others = shares(normals, len(stayed))
    return np.concatenate([offset + ratio * stayed, others])


def shares(normals: FloatArray, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Say how the first n people differ from all, in a sample of mean 0 and SD 1 over all.

    Parameters
    ----------
    normals : ndarray, shape (people, B)
        Independent standard normals.
    n : int

    Returns
    -------
    offset, ratio : ndarray, shape (B,)
        Mean and SD of the first n.
    others : ndarray, shape (people - n, B)
        What the others have.

    Examples
    --------
    >>> offset, ratio, _ = shares(np.array([[4.0], [2.0], [0.0], [2.0]]), 3)
    >>> offset.tolist(), (ratio**2).round(9).tolist()
    ([0.0], [1.5])
    """
    own, spread = normals[:n], normals.std(axis=0, ddof=1)
    away = (normals - normals.mean(axis=0)) / spread
    return away[:n].mean(axis=0), own.std(axis=0, ddof=1) / spread, away[n:]


def side_by_side(left: Left) -> FloatArray:
    """Return outcomes of people who left, by visit, arm and person, shape (people, B).

    Parameters
    ----------
    left : tuple of (str, tuple of ndarray of shape (B, people))

    Returns
    -------
    ndarray

    Examples
    --------
    >>> side_by_side((("week 4", (np.ones((2, 1)), np.zeros((2, 3)))),)).shape
    (4, 2)
    """
    return np.concatenate([one.T for _, arms in left for one in arms])


def taken_apart(
    values: FloatArray, names: tuple[str, ...], beyond: tuple[tuple[int, ...], ...]
) -> Left:
    """Undo `side_by_side`.

    Parameters
    ----------
    values : ndarray, shape (B, people)
    names : tuple of str
        Of the visits.
    beyond : tuple of tuple of int
        People by visit and arm.

    Returns
    -------
    tuple of (str, tuple of ndarray of shape (B, people))
        Read-only, of visits that have any.

    Examples
    --------
    >>> taken_apart(np.array([[1.0, 2.0, 3.0]]), ("week 4",), ((1, 2),))[0][1][1]
    array([[2., 3.]])
    """
    found, start = [], 0
    for name, counts in zip(names, beyond, strict=True):
        arms = []
        for count in counts:
            own = values[:, start : start + count].copy()
            own.setflags(write=False)
            arms.append(own)
            start += count
        if any(counts):
            found.append((name, tuple(arms)))
    return tuple(found)


def whole(stack: Trials, left: Left) -> Trials:
    """Return trials with the people who left among the others, arm by arm.

    Parameters
    ----------
    stack : Trials
        Of parallel groups.
    left : tuple of (str, tuple of ndarray of shape (trials, people))

    Returns
    -------
    Trials
        The people who left have no outcome: NaN. They stand behind the others of their arm, those
        who stayed longest first.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["parallel"], treatments=("A", "B"), sizes=(1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=design, layout=design.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 2.0]]))
    >>> whole(one, (("week 4", (np.ones((1, 1)), np.ones((1, 0)))),)).outcome
    array([[ 1., nan,  2.]])
    """
    most = [max(arms[j].shape[1] for _, arms in left) for j in range(len(stack.design.sizes))]
    sizes = tuple(n + m for n, m in zip(stack.design.sizes, most, strict=True))
    design = replace(stack.design, sizes=sizes, people=0)
    nobody = tuple(np.empty((len(stack), 0)) for _ in most)
    return replace(
        stack,
        design=design,
        layout=design.layout(),
        outcome=among(stack.outcome, nobody, stack.design.sizes, sizes),
    )


def among(
    values: FloatArray,
    left: tuple[FloatArray, ...],
    sizes: tuple[int, ...],
    all_sizes: tuple[int, ...],
) -> FloatArray:
    """Put people who left among the others.

    Parameters
    ----------
    values : ndarray, shape (trials, people)
        Of people who stayed, arm by arm.
    left : tuple of ndarray, shape (trials, people)
        Of those who left, by arm.
    sizes, all_sizes : tuple of int
        People by arm: who stayed; all.

    Returns
    -------
    ndarray, shape (trials, all people)
        NaN for people who have no value.

    Examples
    --------
    >>> among(np.array([[1.0, 2.0]]), (np.array([[3.0]]), np.empty((1, 0))), (1, 1), (2, 2))
    array([[ 1.,  3.,  2., nan]])
    """
    found, start, first = np.full((len(values), sum(all_sizes)), np.nan), 0, 0
    for n, every, others in zip(sizes, all_sizes, left, strict=True):
        found[:, first : first + n] = values[:, start : start + n]
        found[:, first + n : first + n + others.shape[1]] = others
        start, first = start + n, first + every
    return found
