"""Designs with any covariance for independent subjects: random effects, rows, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.charts import cholesky_chart, variance_chart
from ldnstats.lmm.likelihood import SMALL, CovarianceModel, FloatArray, IndexArray
from ldnstats.lmm.parts import LinearPart, Part, element_basis, row_part
from ldnstats.lmm.patterns import Packed, Pattern, group_rows, pack
from ldnstats.lmm.separability import Slopes, separable
from ldnstats.lmm.series import SeriesDesign, series_design, series_slopes

ROW_KINDS = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
"""The covariances of rows that are known by name."""

_DIGITS = 12
_IID = "iid"
_RESIDUAL = "residual variance"
_RANK = 1e-9
_WIDEST = 12
_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEffects:
    """Random effects of subjects, or of groups of rows within subjects.

    Attributes
    ----------
    Z : ndarray of shape (n, r)
        Columns whose coefficients vary, with one covariance matrix G.
    within : ndarray of shape (n,) or None
        Groups of rows within a subject that have coefficients of their own.
    names : tuple of str
        The columns.
    """

    Z: FloatArray
    within: NDArray[np.int64] | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowCovariance:
    """The covariance of the rows of a subject.

    Attributes
    ----------
    kind : str
        One of ``ROW_KINDS``.
    slot : ndarray of shape (n,)
        Which visit each row is, as integers from 0.
    time : ndarray of shape (T,)
        When the visits are (ar1).
    group : ndarray of shape (n,) or None
        Groups of subjects with parameters of their own, as integers from 0.
    """

    kind: str
    slot: NDArray[np.int64]
    time: FloatArray
    group: NDArray[np.int64] | None


@dataclass(slots=True, kw_only=True, eq=False)
class _Template:
    """What subjects of one class have in common; filled in as they are met."""

    group: int
    Z: list[FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovarianceDesign:
    """A design with its covariance, ready for any response.

    Attributes
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    subject : ndarray of shape (n,)
        Subject of each row.
    effects : tuple of RandomEffects
        Random effects.
    rows : RowCovariance or None
        Covariance of rows; None for independent rows with one variance.
    model : CovarianceModel
        The parts: first random effects, then rows.
    packed : Packed or SeriesDesign
        The units, in columns of ``X`` made orthonormal; time series for ar1 of many rows.
    triangle : ndarray of shape (p, p)
        Maps coefficients of the orthonormal columns to those of ``X``.
    logdet_cross : float
        ``log |X'X|``.
    lengths : tuple of ndarray
        Root mean square of the columns of each random effect.
    each : bool
        Whether every subject is kept by itself.
    """

    X: FloatArray
    subject: NDArray[np.int64]
    effects: tuple[RandomEffects, ...]
    rows: RowCovariance | None
    model: CovarianceModel
    packed: Packed | SeriesDesign
    triangle: FloatArray
    logdet_cross: float
    lengths: tuple[FloatArray, ...]
    each: bool

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.X)

    @property
    def n_coef(self) -> int:
        """The number of fixed effects."""
        return len(self.X.T)

    @property
    def n_subjects(self) -> int:
        """The number of subjects."""
        return int(self.subject.max()) + 1

    @property
    def expects(self) -> bool:
        """Whether Kenward-Roger takes the expected information: with random effects."""
        return bool(self.effects)

    @property
    def n_parameters(self) -> int:
        """The number of covariance parameters."""
        return len(self.model.names)


def covariance_design(
    X: FloatArray,
    subject: NDArray[np.int64],
    *,
    effects: Sequence[RandomEffects] = (),
    rows: RowCovariance | None = None,
    each: bool = False,
    restricted: bool = True,
) -> CovarianceDesign:
    """Prepare a design with random effects, a covariance of rows, or both.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    subject : ndarray of shape (n,)
        Subject of each row, as integers from 0 without gaps.
    effects : sequence of RandomEffects
        Random effects.
    rows : RowCovariance, optional
        Covariance of rows; without it they are independent with one variance.
    each : bool
        Keep every subject by itself, so that each response may miss rows of its own and
        have fixed effects of its own.
    restricted : bool
        Whether the likelihood will be the restricted one, which sees only what the fixed
        effects leave of the rows.

    Returns
    -------
    CovarianceDesign
        ``V_i = Z_i G Z_i' + R_i`` with all that does not depend on the response.

    Raises
    ------
    ValueError
        If the rows cannot tell the covariance parameters apart.

    Examples
    --------
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> design.model.names
    ('G1 (1, 1)', 'residual variance')
    """
    Q, R = scipy.linalg.qr(X, mode="economic")
    effects = tuple(effects)
    orthonormal = np.asarray(Q, dtype=np.float64)
    packed: Packed | SeriesDesign
    if rows is not None and _serial(subject, effects, rows):
        packed, parts = _series(orthonormal, subject, effects, rows, each=each)
    else:
        grid = _independent(subject) if rows is None else rows
        if rows is None and not each:
            patterns, parts, slots = _effect_patterns(subject, effects)
        else:
            patterns, parts, slots = _row_patterns(subject, effects, grid, each=each)
        packed = pack(orthonormal, patterns, slots, compress=not each)
    design = CovarianceDesign(
        X=X,
        subject=subject,
        effects=effects,
        rows=rows,
        model=CovarianceModel(parts=parts),
        packed=packed,
        triangle=scipy.linalg.solve_triangular(R, np.eye(len(R))),
        logdet_cross=2.0 * float(np.log(np.abs(np.diag(R))).sum()),
        lengths=tuple(np.sqrt((e.Z**2).mean(axis=0)) for e in effects),
        each=each,
    )
    _check_separable(design, restricted=restricted)
    if not restricted and rows is None:
        _check_bounded(design)
    return design


def _check_separable(design: CovarianceDesign, *, restricted: bool) -> None:
    """Raise if some covariance parameters change the covariance of every subject alike."""
    m = design.n_parameters
    theta = design.model.theta(np.linspace(0.1, 0.7, m)[None])
    enough = len(design.X) > design.n_coef + 1
    if enough and separable(_slopes_at(design, theta), restricted=restricted):
        return
    names = ", ".join(design.model.names[:_LISTED]) + ", ..." * (m > _LISTED)
    left = ", once the fixed effects are taken out," if restricted else ""
    message = (
        f"the {m} covariance parameters ({names}) cannot be told apart: some of them"
        f" change the covariance of the rows used{left} in the same way, or not at all; more rows"
        " a subject or a simpler covariance is needed"
    )
    raise ValueError(message)


def _check_bounded(design: CovarianceDesign) -> None:
    """Raise if fixed and random effects together fit any response exactly.

    Then ``log |V|`` falls without bound as the residual variance goes to zero, and the
    quadratic form of the likelihood does not rise; the restricted likelihood is bounded.
    """
    Q = np.linalg.qr(design.X)[0]
    left, spanned = np.zeros_like(Q), 0
    for rows in group_rows(design.subject):
        Z = np.concatenate([np.concatenate(_copies(e, rows), axis=1) for e in design.effects], 1)
        basis = scipy.linalg.orth(Z)
        spanned += basis.shape[1]
        left[rows] = Q[rows] - basis @ (basis.T @ Q[rows])
    n = design.n_rows
    if spanned < n <= spanned + int(np.linalg.matrix_rank(left, tol=_RANK)):
        message = (
            f"fixed and random effects together fit any {n} rows exactly, so that the likelihood"
            " rises without bound as the residual variance goes to zero; REML or fewer effects"
            " are needed"
        )
        raise ValueError(message)


def _slopes_at(design: CovarianceDesign, theta: FloatArray) -> Iterator[Slopes]:
    """Yield the derivatives of the covariance of one unit after another."""
    if isinstance(design.packed, SeriesDesign):
        for rows, V in series_slopes(design.packed, theta[0]):
            yield Slopes(V=V, X=design.packed.X[rows][None], count=1.0)
        return
    units = design.packed.template
    D = design.model.slopes(theta)[0]
    starts = np.searchsorted(units.unit, np.arange(len(units.unit_class) + 1))
    for u, (mask, block) in enumerate(zip(units.mask[0], units.unit_class, strict=True)):
        X = units.X[0, starts[u] : starts[u + 1]]
        yield Slopes(V=D[block] * mask[:, None] * mask, X=X, count=float(units.count[0, u]))


def _serial(
    subject: NDArray[np.int64], effects: Sequence[RandomEffects], rows: RowCovariance
) -> bool:
    """Tell whether rows are worked on as time series: ar1 with many rows and few random effects."""
    if rows.kind != "ar1" or len(rows.time) <= SMALL:
        return False
    copies = [1 if e.within is None else _most_copies(subject, e.within) for e in effects]
    return sum(len(e.names) * c for e, c in zip(effects, copies, strict=True)) <= _WIDEST


def _most_copies(subject: NDArray[np.int64], within: NDArray[np.int64]) -> int:
    """Return the largest number of groups within a subject."""
    pairs = np.unique(np.stack([subject, within]), axis=1)
    return int(np.bincount(pairs[0]).max())


def _series(
    X: FloatArray,
    subject: NDArray[np.int64],
    effects: Sequence[RandomEffects],
    rows: RowCovariance,
    *,
    each: bool,
) -> tuple[SeriesDesign, tuple[Part, ...]]:
    """Return rows as time series and the parts of their covariance."""
    people = group_rows(subject)
    wide = [_wide(e, people) for e in effects]
    columns = np.concatenate([np.zeros((len(X), 0)), *wide], axis=1)
    total, at = max(columns.shape[1], 1), 0
    parts: list[LinearPart] = []
    for e, Z, names in zip(effects, wide, _names(effects), strict=True):
        r = e.Z.shape[1]
        placed = np.zeros((1, Z.shape[1] // r, total, r))
        for copy in range(placed.shape[1]):
            placed[0, copy, at + copy * r : at + (copy + 1) * r] = np.eye(r)
        at += Z.shape[1]
        parts.append(LinearPart(names=names, chart=cholesky_chart(r), basis=element_basis(placed)))
    basis = np.concatenate([np.zeros((0, total, total)), *(part.basis[0] for part in parts)])
    group = np.zeros(len(people), dtype=np.int64)
    if rows.group is not None:
        group = rows.group[[own[0] for own in people]]
    row_parts = [_series_part(rows, g, int(group.max()) + 1) for g in range(int(group.max()) + 1)]
    members = [[people[i] for i in np.flatnonzero(group == g)] for g in np.unique(group)]
    places = [len(basis) + 2 * j for j in range(len(members))]
    design = series_design(
        X,
        columns if effects else np.zeros((len(X), 1)),
        rows.time[rows.slot],
        basis=basis,
        subjects=members,
        places=places,
        each=each,
    )
    return design, (*parts, *row_parts)


def _series_part(rows: RowCovariance, group: int, groups: int) -> Part:
    """Return names and chart of an AR(1) series; its matrices are never written out."""
    since = (rows.time - rows.time.min())[None, None]
    label = f"group {group + 1} " if groups > 1 else ""
    return row_part(rows.kind, 2, since, np.ones(1), label=label)


def _wide(e: RandomEffects, people: Sequence[IndexArray]) -> FloatArray:
    """Return a random-effects design with the copies of a subject side by side, (n, c r)."""
    copies = [_copies(e, rows) for rows in people]
    most, r = max(len(c) for c in copies), e.Z.shape[1]
    Z = np.zeros((len(e.Z), most * r))
    for rows, own in zip(people, copies, strict=True):
        Z[rows, : len(own) * r] = np.moveaxis(own, 0, 1).reshape(len(rows), -1)
    return Z


def _names(effects: Sequence[RandomEffects]) -> list[tuple[str, ...]]:
    """Name the elements of each G."""
    found = []
    for j, e in enumerate(effects):
        rows, columns = np.tril_indices(e.Z.shape[1])
        pairs = zip(rows, columns, strict=True)
        found.append(tuple(f"G{j + 1} ({a + 1}, {b + 1})" for a, b in pairs))
    return found


def _copies(e: RandomEffects, rows: IndexArray) -> FloatArray:
    """Return the design of one random effect for one subject, (copies, n_i, r)."""
    Z = e.Z[rows]
    if e.within is None:
        return Z[None]
    groups = np.unique(e.within[rows])
    own: FloatArray = Z[None] * (e.within[rows][None, :] == groups[:, None])[:, :, None]
    return own


def _key(values: Sequence[FloatArray]) -> bytes:
    """Return what tells designs apart, rounding aside."""
    shapes = str([v.shape for v in values]).encode()
    return shapes + b"".join((np.round(v, _DIGITS) + 0.0).tobytes() for v in values)


def _sorted_rows(rows: IndexArray, effects: Sequence[RandomEffects]) -> IndexArray:
    """Return the rows of a subject in an order that depends on its random effects alone."""
    columns = [column for e in effects for column in e.Z[rows].T]
    inner = [e.within[rows] for e in effects if e.within is not None]
    return rows[np.lexsort([*columns, *inner])]


def _effect_patterns(
    subject: NDArray[np.int64], effects: Sequence[RandomEffects]
) -> tuple[list[Pattern], tuple[Part, ...], int]:
    """Return patterns and parts where the rows are independent given random effects."""
    groups: dict[bytes, list[IndexArray]] = {}
    for rows in group_rows(subject):
        ordered = _sorted_rows(rows, effects)
        key = _key([_copies(e, ordered) for e in effects])
        groups.setdefault(key, []).append(ordered)
    patterns, bases = [], []
    for block, members in enumerate(groups.values()):
        copies = [_copies(e, members[0]) for e in effects]
        flat = np.concatenate([np.moveaxis(c, 1, 0).reshape(c.shape[1], -1) for c in copies], 1)
        Q = np.linalg.qr(flat)[0]
        patterns.append(
            Pattern(rows=np.stack(members), slots=np.arange(Q.shape[1]), rotation=Q, block=block)
        )
        bases.append([element_basis((Q.T @ c)[None])[0] for c in copies])
    slots = max(len(pattern.slots) for pattern in patterns)
    classes = len(patterns) + 1
    parts: list[Part] = []
    for j, (e, names) in enumerate(zip(effects, _names(effects), strict=True)):
        basis = np.zeros((classes, len(names), slots, slots))
        for block, found in enumerate(bases):
            size = found[j].shape[-1]
            basis[block, :, :size, :size] = found[j]
        parts.append(LinearPart(names=names, chart=cholesky_chart(e.Z.shape[1]), basis=basis))
    identity = np.broadcast_to(np.eye(slots), (classes, 1, slots, slots))
    parts.append(LinearPart(names=(_RESIDUAL,), chart=variance_chart(), basis=identity))
    return patterns, tuple(parts), slots


def _row_patterns(
    subject: NDArray[np.int64],
    effects: Sequence[RandomEffects],
    rows: RowCovariance,
    *,
    each: bool,
) -> tuple[list[Pattern], tuple[Part, ...], int]:
    """Return patterns and parts where the rows of a subject have a covariance by name."""
    slots = len(rows.time)
    templates: list[_Template] = []
    groups: dict[tuple[int, bytes], list[IndexArray]] = {}
    for person, own in enumerate(group_rows(subject)):
        ordered = own[np.argsort(rows.slot[own], kind="stable")]
        block = _template_of(templates, effects, rows, ordered)
        present = str(person).encode() if each else rows.slot[ordered].tobytes()
        groups.setdefault((block, present), []).append(ordered)
    patterns = [
        Pattern(rows=np.stack(members), slots=rows.slot[members[0]], rotation=None, block=block)
        for (block, _), members in sorted(groups.items(), key=lambda item: item[0][0])
    ]
    parts: list[Part] = []
    for j, (e, names) in enumerate(zip(effects, _names(effects), strict=True)):
        known = [np.nan_to_num(template.Z[j]) for template in templates]
        basis = np.concatenate([element_basis(Z[None]) for Z in known])
        parts.append(LinearPart(names=names, chart=cholesky_chart(e.Z.shape[1]), basis=basis))
    return patterns, (*parts, *_row_parts(rows, [t.group for t in templates], slots)), slots


def _template_of(
    templates: list[_Template],
    effects: Sequence[RandomEffects],
    rows: RowCovariance,
    own: IndexArray,
) -> int:
    """Return the class of a subject: the first with which it agrees where both have rows."""
    group = int(rows.group[own[0]]) if rows.group is not None else 0
    Z = [_placed(e, own, rows) for e in effects]
    for block, template in enumerate(templates):
        if template.group == group and all(map(_agree, template.Z, Z)):
            template.Z = [np.where(np.isnan(a), b, a) for a, b in zip(template.Z, Z, strict=True)]
            return block
    templates.append(_Template(group=group, Z=Z))
    return len(templates) - 1


def _agree(known: FloatArray, other: FloatArray) -> bool:
    """Tell whether two random-effects designs are equal where neither is unknown."""
    if known.shape != other.shape:
        return False
    return bool((np.isnan(known) | np.isnan(other) | (known == other)).all())


def _independent(subject: NDArray[np.int64]) -> RowCovariance:
    """Return independent rows, each in a slot by its place within the subject."""
    place = np.zeros(len(subject), dtype=np.int64)
    for own in group_rows(subject):
        place[own] = np.arange(len(own))
    time = np.arange(int(place.max()) + 1, dtype=np.float64)
    return RowCovariance(kind=_IID, slot=place, time=time, group=None)


def _row_parts(rows: RowCovariance, class_group: list[int], slots: int) -> list[Part]:
    """Return the covariance of rows, one part for each group of subjects."""
    if rows.kind == _IID:
        identity = np.broadcast_to(np.eye(slots), (len(class_group), 1, slots, slots))
        return [LinearPart(names=(_RESIDUAL,), chart=variance_chart(), basis=identity)]
    apart = np.abs(np.subtract.outer(rows.time, rows.time))
    groups = sorted(set(class_group))
    return [
        row_part(
            rows.kind,
            slots,
            apart[None],
            (np.array(class_group) == group).astype(np.float64),
            label=f"group {group + 1} " if len(groups) > 1 else "",
        )
        for group in groups
    ]


def _placed(e: RandomEffects, own: IndexArray, rows: RowCovariance) -> FloatArray:
    """Return a random-effects design on slots, (copies, T, r): unknown where a row is missing.

    Which group within the subject a missing row would be in is not known, so there it
    counts as having none.
    """
    copies = _copies(e, own)
    missing = np.nan if e.within is None else 0.0
    full = np.full((len(copies), len(rows.time), copies.shape[2]), missing)
    full[:, rows.slot[own]] = copies
    return full
