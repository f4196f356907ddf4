"""Printed figures of a diary's mixed model as windows of the effect's size, in units of the noise.

With M the baseline's mean, contrasts of the phases with it are c = -M k (k the printed reductions);
a phase without one lies where its printed p puts it, and F = c' V^-1 c / q is quadratic in M.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
import scipy.special

from ldnstats.claims import StudyError
from ldnstats.claims.diaries import BASELINE
from ldnstats.simulate.diaries.claims import ModelClaims, t_window
from ldnstats.simulate.printed.targets import Span, span
from ldnstats.simulate.ttests import FloatArray

Window = tuple[FloatArray, FloatArray]
_TRIED = np.arange(-60.0, 61.0, 2.0)
"""Reductions, in %, that are tried in place of a printed one."""
_MEDIAN_ERROR = np.sqrt(np.pi / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseFits:
    """Fits of simulated noise: all that does not depend on the phases' means.

    Attributes
    ----------
    people : int
    f_df : ndarray, shape (B,)
        Denominator df of F.
    precision : ndarray, shape (B, q, q)
        Inverse covariance of the contrasts with the baseline.
    std_error, df : tuple of ndarray, shape (B,)
        Of each pair.
    """

    people: int
    f_df: FloatArray
    precision: FloatArray
    std_error: tuple[FloatArray, ...]
    df: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeWindows:
    """Sizes of the baseline's mean that print each claim, by rounding (K) and replicate (B).

    Attributes
    ----------
    claims : dict of str to (ndarray, ndarray), shape (K, B)
        Least and most size; F first.
    f_at : ndarray, shape (K, 2, B)
        F at the ends of the first pair's window.
    first : str
        Which claim that is.
    """

    claims: dict[str, Window]
    f_at: FloatArray
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedSystem:
    """The printed figures as windows of the baseline's size, in units of the noise."""

    claims: ModelClaims
    phases: tuple[str, ...]

    @property
    def _reduced(self) -> dict[str, tuple[float, float]]:
        """Shares of the baseline by which each phase with a printed reduction is below it."""
        printed = {arm: (low / 100, high / 100) for arm, (low, high) in self.claims.reduced}
        return {BASELINE: (0.0, 0.0), **printed}

    def _tied(self) -> list[int]:
        """Positions of the pairs whose phases both have a printed reduction."""
        return [
            i for i, (_, pair, _) in enumerate(self.claims.pairwise)
            if set(pair) <= self._reduced.keys()
        ]  # fmt: skip

    def _free(self) -> list[tuple[int, str, str]]:
        """Pairs that fix a phase without a printed reduction: position, that phase, the other."""
        found = []
        for i, (_, (a, b), _) in enumerate(self.claims.pairwise):
            loose = [name for name in (a, b) if name not in self._reduced]
            if len(loose) == 1:
                found.append((i, loose[0], b if loose[0] == a else a))
        missing = set(self.phases) - set(self._reduced) - {name for _, name, _ in found}
        if missing or len({name for _, name, _ in found}) != len(found):
            message = (
                f"{self.claims.model.key}: the mean of phase {', '.join(sorted(missing))} must be "
                "fixed by a reduction or by one pairwise p"
            )
            raise StudyError(message)
        return found

    def _windows(self, noise: NoiseFits, reduced: Mapping[str, Span]) -> SizeWindows:
        """Return the windows for every rounding of the reductions and side of the free phases.

        Parameters
        ----------
        noise : NoiseFits
        reduced : Mapping
            Intervals of the shares by which phases lie below the baseline.

        Returns
        -------
        SizeWindows
        """
        names, loose = list(reduced), self._free()
        limits = span(self.claims.statistic, low=0.0)
        roots: list[list[FloatArray]] = []
        at: list[FloatArray] = []
        pairs: list[dict[str, Window]] = []
        for shares in product(*(sorted(set(reduced[name])) for name in names)):
            k = dict(zip(names, shares, strict=True))
            own = {self.claims.pairwise[i][0].key: self._pair_window(noise, i, k)
                   for i in self._tied()}  # fmt: skip
            first = self._first(own)
            size = np.stack(own[first])
            for sides in product((-1.0, 1.0), (0, 1), repeat=len(loose)):
                a, b, c = _quadratic(noise.precision, *self._contrasts(noise, k, loose, sides))
                roots.append([_root(a, b, c - f) for f in limits])
                at.append(a * size**2 + b * size + c)
                pairs.append(own)
        stacked = {key: _stacked([list(own[key]) for own in pairs]) for key in pairs[0]}
        claims = {self.claims.model.key: _stacked(roots), **stacked}
        return SizeWindows(claims=claims, f_at=np.array(at), first=first)

    def _first(self, pairs: Mapping[str, Window]) -> str:
        """Return the first claim whose window is closed."""
        for key, (_, most) in pairs.items():
            if np.isfinite(most).all():
                return key
        message = f"{self.claims.model.key}: no pairwise p fixes the size of the effect"
        raise StudyError(message)

    def _pair_window(self, noise: NoiseFits, i: int, k: dict[str, float]) -> Window:
        """Return the sizes of the baseline at which a pair's p prints."""
        _, (a, b), p = self.claims.pairwise[i]
        least, most = t_window(p, noise.df[i])
        gap = abs(k[a] - k[b])
        scale = noise.std_error[i] / gap if gap else np.full_like(least, np.inf)
        return least * scale, most * scale

    def _contrasts(
        self,
        noise: NoiseFits,
        k: dict[str, float],
        loose: list[tuple[int, str, str]],
        sides: tuple[float | int, ...],
    ) -> tuple[FloatArray, FloatArray]:
        """Return contrasts with the baseline as slope times its size plus offset, (B, w - 1)."""
        many = len(noise.f_df)
        slope, offset = np.zeros((2, many, len(self.phases) - 1))
        level = {name: (-share, np.zeros(many)) for name, share in k.items()}
        for position, (i, name, other) in enumerate(loose):
            side, end = sides[2 * position], int(sides[2 * position + 1])
            t = t_window(self.claims.pairwise[i][2], noise.df[i])[end]
            level[name] = (level[other][0], level[other][1] + side * t * noise.std_error[i])
        for j, name in enumerate(self.phases[1:]):
            slope[:, j], offset[:, j] = level[name]
        return slope, offset

    def row(self, noise: NoiseFits) -> dict[str, object]:
        """Return what one set of noises says, as a row of the table of conflicts.

        Parameters
        ----------
        noise : NoiseFits

        Returns
        -------
        dict

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.claims import model_claims
        >>> claims = model_claims(load_study(data_root() / "claims" / "younger2009.toml"))
        >>> system = PrintedSystem(claims=claims, phases=("baseline", "placebo", "LDN", "washout"))
        >>> two, three = np.full(2, 254.0), np.tile(np.eye(3), (2, 1, 1))
        >>> noise = NoiseFits(people=10, f_df=two, precision=three, std_error=(np.ones(2),) * 3,
        ...                   df=(two,) * 3)
        >>> row = system.row(noise)
        >>> row["df_reached"], row["all"], round(row["f_high"], 2)
        (True, 0.0, 7.55)
        """
        found = self._windows(noise, self._reduced)
        few = replace(noise, df=tuple(np.full_like(df, noise.people - 1.0) for df in noise.df))
        fewer = self._windows(few, self._reduced).f_at
        df_low, df_high = span(self.claims.df)
        middle = np.median(found.f_at, axis=(0, 1))
        return {
            "fits": len(noise.f_df),
            "df_low": float(noise.f_df.min()),
            "df_median": float(np.median(noise.f_df)),
            "df_high": float(noise.f_df.max()),
            "df_reached": bool(noise.f_df.min() < df_high and noise.f_df.max() > df_low),
            "f_low": float(found.f_at.min()),
            "f_median": float(np.median(middle)),
            "f_mcse": float(_MEDIAN_ERROR * middle.std(ddof=1) / np.sqrt(len(middle))),
            "f_high": float(found.f_at.max()),
            "f_low_few_df": float(fewer.min()),
            "f_high_few_df": float(fewer.max()),
            **self._other_p(noise, found),
            **self._shares(found),
        }

    def _shares(self, found: SizeWindows) -> dict[str, float]:
        """Return the shares of replicates in which sets of claims hold together."""
        claims = found.claims
        shares = {"all": overlap(list(claims.values()))}
        for key in claims:
            others = [window for other, window in claims.items() if other != key]
            shares[f"without {_short(key)}"] = overlap(others)
        for one, other in combinations(claims, 2):
            name = f"{_short(one)} with {_short(other)}"
            shares[name] = overlap([claims[one], claims[other]])
        return shares

    def _other_p(self, noise: NoiseFits, found: SizeWindows) -> dict[str, float]:
        """Return p of tied pairs: of the first where F prints, of the others where that does."""
        result: dict[str, float] = {}
        model = self.claims.model.key
        for i in self._tied():
            claim, (a, b), _ = self.claims.pairwise[i]
            gaps = [abs(x - y) for x, y in product(self._reduced[a], self._reduced[b])]
            sizes = found.claims[model if claim.key == found.first else found.first]
            t = [size * gap / noise.std_error[i] for size in sizes for gap in gaps]
            p = 2.0 * scipy.special.stdtr(noise.df[i], -np.array(t))
            result[f"p_low {claim.id}"], result[f"p_high {claim.id}"] = (
                float(p.min()),
                float(p.max()),
            )
        return result

    def other_reduction(self, noise: NoiseFits) -> tuple[str, Span] | None:
        """Look for other reductions on the treatment reduced least with which all holds.

        Parameters
        ----------
        noise : NoiseFits

        Returns
        -------
        (str, (float, float)) or None
            That treatment, and the least and greatest of the reductions tried, in %, with which
            all claims hold in some replicate; None if there is none.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.claims import model_claims
        >>> claims = model_claims(load_study(data_root() / "claims" / "younger2009.toml"))
        >>> system = PrintedSystem(claims=claims, phases=("baseline", "placebo", "LDN", "washout"))
        >>> two, three = np.full(2, 254.0), np.tile(np.eye(3), (2, 1, 1))
        >>> noise = NoiseFits(people=10, f_df=two, precision=three, std_error=(np.ones(2),) * 3,
        ...                   df=(two,) * 3)
        >>> system.other_reduction(noise)
        ('placebo', (6.0, 6.0))
        """
        name, (low, _) = min(self.claims.reduced, key=lambda entry: abs(sum(entry[1])))
        right = []
        for tried in (*_TRIED, low):
            reduced = {**self._reduced, name: (tried / 100, tried / 100)}
            if overlap(list(self._windows(noise, reduced).claims.values())) > 0:
                right.append(float(tried))
        return (name, (min(right), max(right))) if right else None


def overlap(windows: list[Window]) -> float:
    """Return the share of replicates in which windows overlap in some rounding.

    Parameters
    ----------
    windows : list of (ndarray, ndarray), shape (K, B)
        Least and most.

    Returns
    -------
    float

    Examples
    --------
    >>> one, two = np.zeros((1, 2)), np.array([[0.5, 2.0]])
    >>> overlap([(one, one + 1.0), (two, two + 1.0)])
    0.5
    """
    least = np.maximum.reduce([low for low, _ in windows])
    most = np.minimum.reduce([high for _, high in windows])
    return float((least < most).any(axis=0).mean())


def _short(key: str) -> str:
    """Return the id of a full name."""
    return key.split(":")[1]


def _stacked(windows: list[list[FloatArray]]) -> Window:
    """Stack windows by rounding."""
    least, most = np.moveaxis(np.array(windows), 1, 0)
    return least, most


def _quadratic(
    precision: FloatArray, slope: FloatArray, offset: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the coefficients of F in the size, c = slope size + offset."""
    q = slope.shape[1]
    parts = [
        np.einsum("bi,bij,bj->b", one, precision, other) / q
        for one, other in ((slope, slope), (slope, offset), (offset, offset))
    ]
    return parts[0], 2.0 * parts[1], parts[2]


def _root(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Return the larger root, where F grows with the size; NaN without one."""
    with np.errstate(invalid="ignore"):
        return np.asarray((-b + np.sqrt(b**2 - 4.0 * a * c)) / (2.0 * a))
