"""Whether one covariance is a special case of another, and what its test then follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.layouts import RandomEffects, RowCovariance
from ldnstats.lmm.null_laws import ChiSquareMixture, one_more_effect
from ldnstats.lmm.scales import ScaleModel, scale_model

_WIDER = {
    "iid": ("cs", "ar1", "toep", "csh", "ar1h", "toeph", "ad", "adh", "us"),
    "cs": ("csh", "toep", "toeph", "us"),
    "csh": ("toeph", "us"),
    "ar1": ("ar1h", "ad", "adh", "us"),
    "ar1h": ("adh", "us"),
    "toep": ("toeph", "us"),
    "toeph": ("us",),
    "ad": ("adh", "us"),
    "adh": ("us",),
    "us": (),
}
_EVEN = {"ar1": ("toep", "toeph"), "ar1h": ("toeph",)}
_EXCHANGEABLE = ("csh", "toep", "toeph", "us")
_SAME = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """How a covariance is wider than another.

    Attributes
    ----------
    law : ChiSquareMixture or None
        What twice the gain in log-likelihood follows in large samples if the smaller
        model is true; None where no mixture is known.
    reason : str
        Why there is none.
    """

    law: ChiSquareMixture | None
    reason: str = ""


def nesting(small: AnyFit, large: AnyFit, more_fixed: int) -> Nesting | None:
    """Tell how one covariance is a special case of another.

    Parameters
    ----------
    small, large : StackedFit or GeneralFit
        Fits of the same rows.
    more_fixed : int
        How many more fixed effects the larger has.

    Returns
    -------
    Nesting or None
        None if the smaller is not known to be a special case.

    Notes
    -----
    Parameters whose special value is inside their range each add a degree of freedom. One
    random effect that joins q others gives the mixture of ``one_more_effect``. Two or more,
    or a special case that is itself estimated on its boundary, have no simple mixture.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": np.repeat(range(6), 3), "t": [0, 1, 2] * 6,
    ...                      "y": [1, 3, 2, 5, 4, 6, 2, 2, 3, 7, 5, 8, 1, 2, 3, 4, 6, 5.5]})
    >>> one, two = fit("y ~ t + (1 | id)", data), fit("y ~ t + (1 + t | id)", data)
    >>> nesting(one.stack, two.stack, 0).law.name
    '0.5 chi2(1) + 0.5 chi2(2)'
    """
    inner, outer = scale_model(small), scale_model(large)
    extra = sum(p.size for p in outer.parts) - sum(p.size for p in inner.parts)
    if _exchangeable_in(inner, outer):
        return _interior(small, extra + more_fixed)
    joined = _joined(inner, outer)
    wider = _rows_within(inner, outer)
    if joined is None or wider is None:
        return None
    q, added = joined
    halved = inner.rows is None and outer.rows is not None and outer.parts[-1].least == 0.0
    if added == 0 and not halved:
        return _interior(small, extra + more_fixed)
    if small.on_boundary[0]:
        return _on_boundary()
    if added == 1 and not halved:
        return Nesting(law=one_more_effect(q, extra - q - 1 + more_fixed))
    if added == 0 and extra == 1:
        return Nesting(law=one_more_effect(0, more_fixed))
    reason = f"{added + halved} parameters are tested at the end of their range at once"
    return Nesting(law=None, reason=reason)


def _interior(small: AnyFit, df: int) -> Nesting:
    """Return chi-squared, unless the smaller model is on its own boundary."""
    if small.on_boundary[0]:
        return _on_boundary()
    return Nesting(law=ChiSquareMixture(weights=((df, 1.0),)))


def _on_boundary() -> Nesting:
    """Say that the smaller model is on its boundary."""
    return Nesting(law=None, reason="the smaller model is itself estimated on its boundary")


def _exchangeable_in(inner: ScaleModel, outer: ScaleModel) -> bool:
    """Tell whether a random intercept alone meets a covariance of rows that contains it."""
    if inner.rows is not None or outer.effects or outer.rows is None or len(inner.effects) != 1:
        return False
    e = inner.effects[0]
    constant = e.Z.shape[1] == 1 and bool(np.ptp(e.Z) == 0.0) and e.within is None
    return constant and outer.rows.kind in _EXCHANGEABLE


def _rows_within(inner: ScaleModel, outer: ScaleModel) -> bool | None:
    """Tell whether the covariance of rows is the same or wider; None if it is not."""
    one, other = inner.rows, outer.rows
    if other is None:
        return True if one is None else None
    if one is None:
        return True
    same = np.array_equal(one.slot, other.slot) and np.array_equal(one.time, other.time)
    strata = one.group is None or _equal_groups(one.group, other.group)
    wider = one.kind == other.kind or other.kind in _WIDER[one.kind] + _evenly(one)
    return True if same and strata and wider else None


def _evenly(rows: RowCovariance) -> tuple[str, ...]:
    """Return what ar1 is a special case of where visits are equally spaced."""
    steps = np.diff(np.sort(rows.time))
    return _EVEN.get(rows.kind, ()) if np.allclose(steps, steps[0]) else ()


def _equal_groups(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> bool:
    """Tell whether two groupings are the same but for their labels."""
    if one is None or other is None:
        return one is other
    pairs = np.unique(np.stack([one, other]), axis=1).shape[1]
    return bool(pairs == np.unique(one).size == np.unique(other).size)


def _joined(inner: ScaleModel, outer: ScaleModel) -> tuple[int, int] | None:
    """Return with how many effects the new ones are correlated, and how many are new.

    None if some random effects of the smaller model are not in the larger.
    """
    left = list(inner.effects)
    q = added = 0
    for e in outer.effects:
        own = [small for small in left if _spanned(small, e)]
        left = [small for small in left if not any(small is found for found in own)]
        known = sum(small.Z.shape[1] for small in own)
        if known > e.Z.shape[1]:
            return None
        if known < e.Z.shape[1]:
            q, added = known, added + e.Z.shape[1] - known
            if len(own) > 1:
                added += 1
    return None if left else (q, added)


def _spanned(small: RandomEffects, large: RandomEffects) -> bool:
    """Tell whether the columns of some effects are combinations of those of others."""
    if not _equal_groups(small.within, large.within):
        return False
    rest = small.Z - large.Z @ np.linalg.lstsq(large.Z, small.Z, rcond=None)[0]
    return bool(np.abs(rest).max() <= _SAME * np.abs(small.Z).max())
