"""The claims of a diary's mixed model, as windows of what prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.special

from ldnstats.claims import Claim, Study, StudyError
from ldnstats.reported import Reported
from ldnstats.simulate.diaries.schedule import diary_of
from ldnstats.simulate.printed.targets import Span, span
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelClaims:
    """What a diary's mixed model is said to print.

    Attributes
    ----------
    reductions : Claim
        % reductions from the baseline, by treatment.
    reduced : tuple of (str, (float, float))
        Each treatment and the interval of its printed reduction.
    model : Claim
        F of all phases, with its df.
    statistic, df : Reported
        F, and its denominator df.
    pairwise : tuple of (Claim, (str, str), Reported)
        Two-sided p of two phases.
    """

    reductions: Claim
    reduced: tuple[tuple[str, Span], ...]
    model: Claim
    statistic: Reported
    df: Reported
    pairwise: tuple[tuple[Claim, tuple[str, str], Reported], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Full names of the claims, F first.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> model_claims(load_study(data_root() / "claims" / "younger2009.toml")).keys[:2]
        ('younger2009:symptoms-f', 'younger2009:ldn-placebo-p')
        """
        return (self.model.key, *(claim.key for claim, _, _ in self.pairwise))


def model_claims(study: Study) -> ModelClaims:
    """Read the claims of a study's diary model.

    Parameters
    ----------
    study : Study
        Of two treatments in one order, whose section [diary] names reductions, model and
        pairwise.

    Returns
    -------
    ModelClaims

    Raises
    ------
    StudyError
        If one of them is missing or cannot be read.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> claims = model_claims(load_study(data_root() / "claims" / "younger2009.toml"))
    >>> str(claims.statistic), str(claims.df), [pair for _, pair, _ in claims.pairwise][0]
    ('8.67', '254', ('LDN', 'placebo'))
    """
    diary, design = diary_of(study)
    reductions, model = diary.roles.claim("reductions"), diary.roles.claim("model")
    if reductions is None or model is None or len(design.sequences) != 1:
        message = (
            f"{study.key}, diary: a mixed model is taken from a fixed order whose section [diary] "
            "names reductions and model"
        )
        raise StudyError(message)
    arms, printed = reductions.texts("arms"), reductions.numbers("mean")
    if sorted(arms) != sorted(design.treatments) or len(arms) != len(printed):
        message = f"{reductions.key}: reductions need one mean for each of {design.treatments}"
        raise StudyError(message)
    df, statistic = model.numbers("df"), model.number("value")
    others = len(diary.days) - 1
    if model.text("statistic") != "F" or len(df) != 2 or statistic is None or df[0].value != others:
        message = (
            f"{model.key}: a model of {others + 1} phases prints F with df {others} and another"
        )
        raise StudyError(message)
    pairwise = dict(diary.roles.claims).get("pairwise", ())
    read = []
    for claim, pair in zip(pairwise, diary.pairs, strict=True):
        p = claim.number("p")
        if p is None:
            message = f"{claim.key}: a pairwise claim needs a printed p"
            raise StudyError(message)
        read.append((claim, pair, p))
    return ModelClaims(
        reductions=reductions,
        reduced=tuple((arm, span(mean)) for arm, mean in zip(arms, printed, strict=True)),
        model=model,
        statistic=statistic,
        df=df[1],
        pairwise=tuple(read),
    )


def t_window(p: Reported, df: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sizes of t whose two-sided p prints so.

    Parameters
    ----------
    p : Reported
    df : ndarray, shape (B,)

    Returns
    -------
    least, most : ndarray, shape (B,)
        Most is infinite where p is printed as an upper bound.

    Examples
    --------
    >>> [end.round(3).tolist() for end in t_window(Reported("0.003"), np.array([250.0]))]
    [[2.948], [3.054]]
    """
    low, high = span(p, low=0.0, high=1.0)
    closed = p.interval().low is not None and low > 0.0 and p.relation in ("=", ">")
    least = -scipy.special.stdtrit(df, high / 2.0)
    most = -scipy.special.stdtrit(df, low / 2.0) if closed else np.full_like(df, np.inf)
    return np.asarray(least), np.asarray(most)
