"""The mixed model of a diary: phases fixed, a random intercept, AR(1) noise over the days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.lmm import (
    CovarianceDesign,
    DfMethod,
    GeneralFit,
    RandomEffects,
    RowCovariance,
    contrast_of,
    covariance_design,
    fit_layout,
    joint_of,
)
from ldnstats.simulate.diaries.schedule import Timeline
from ldnstats.simulate.ttests import FloatArray

DF: DfMethod = "satterthwaite"
"""As in SPSS's MIXED, which has no other."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiaryModel:
    """y_it = phase + u_i + e_it, with u_i ~ N(0, tau^2) and e AR(1) over days.

    Attributes
    ----------
    phases : tuple of str
        The baseline first; each has a mean of its own.
    pairs : tuple of (str, str)
        Phases that are compared by least significant differences.
    design : CovarianceDesign
        Of all days of all people; missing days differ by member.
    """

    phases: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    design: CovarianceDesign

    @property
    def joint(self) -> FloatArray:
        """The contrasts of all phases with the baseline, shape (w - 1, w).

        Satterthwaite's df of F change a little with the contrasts that F is written in; these
        are against the baseline.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.schedule import timeline_of
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> diary_model(timeline_of(study), study.diary.pairs).joint[0].tolist()
        [-1.0, 1.0, 0.0, 0.0]
        """
        w = len(self.phases)
        return np.hstack([np.full((w - 1, 1), -1.0), np.eye(w - 1)])

    def contrast(self, pair: tuple[str, str]) -> FloatArray:
        """Return the weights of a difference of two phases, second minus first, shape (w,).

        A reduction on the first is then above zero.

        Parameters
        ----------
        pair : (str, str)

        Returns
        -------
        ndarray

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.schedule import timeline_of
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> diary_model(timeline_of(study), ()).contrast(("LDN", "placebo")).tolist()
        [0.0, 1.0, -1.0, 0.0]
        """
        weights = np.zeros(len(self.phases))
        weights[self.phases.index(pair[0])] = -1.0
        weights[self.phases.index(pair[1])] = 1.0
        return weights


def diary_model(timeline: Timeline, pairs: tuple[tuple[str, str], ...]) -> DiaryModel:
    """Prepare the model of a diary.

    Parameters
    ----------
    timeline : Timeline
    pairs : tuple of (str, str)
        Phases to compare.

    Returns
    -------
    DiaryModel

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> diary_model(timeline_of(study), study.diary.pairs).design.X.shape
    (980, 4)
    """
    phase = timeline.phase[timeline.sequence]
    n, days = phase.shape
    intercept = RandomEffects(Z=np.ones((n * days, 1)), within=None, names=("(Intercept)",))
    rows = RowCovariance(
        kind="ar1",
        slot=np.tile(np.arange(days), n),
        time=np.arange(days, dtype=np.float64),
        group=None,
    )
    design = covariance_design(
        np.eye(len(timeline.phases))[phase.ravel()],
        np.repeat(np.arange(n), days),
        effects=[intercept],
        rows=rows,
        each=True,
    )
    return DiaryModel(phases=timeline.phases, pairs=pairs, design=design)


def fit_diaries(model: DiaryModel, days: FloatArray) -> GeneralFit:
    """Fit the model to many diaries by REML.

    Parameters
    ----------
    model : DiaryModel
    days : ndarray, shape (B, n, T)
        NaN on days without an entry.

    Returns
    -------
    GeneralFit

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> days = np.random.default_rng(1).normal(50, 10, (2, 10, 98))
    >>> fit_diaries(diary_model(timeline_of(study), ()), days).size
    2
    """
    fit = fit_layout(model.design, days.reshape(len(days), -1).T, reml=True)
    assert isinstance(fit, GeneralFit)
    return fit


def model_figures(model: DiaryModel, days: FloatArray) -> dict[str, FloatArray]:
    """Return what the model prints of many diaries.

    Parameters
    ----------
    model : DiaryModel
    days : ndarray, shape (B, n, T)
        NaN on days without an entry.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        f, f_df, f_p (of all phases); t, p and estimate of each pair; the model's % reduction of
        each phase from the baseline; autocorrelation, sd_day and sd_person.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> days = np.random.default_rng(1).normal(50, 10, (2, 10, 98))
    >>> sorted(model_figures(diary_model(timeline_of(study), ()), days))[:4]
    ['autocorrelation', 'f', 'f_df', 'f_p']
    """
    return figures_of_fit(model, fit_diaries(model, days))


def figures_of_fit(model: DiaryModel, fit: GeneralFit) -> dict[str, FloatArray]:
    """Return what the model prints of fits.

    Parameters
    ----------
    model : DiaryModel
    fit : GeneralFit

    Returns
    -------
    dict of str to ndarray, shape (B,)
        As `model_figures`.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> model = diary_model(timeline_of(study), ())
    >>> fit = fit_diaries(model, np.random.default_rng(1).normal(50, 10, (1, 10, 98)))
    >>> bool(figures_of_fit(model, fit)["f_df"][0] > 100)
    True
    """
    joint = joint_of(fit, model.joint, method=DF)
    found = {"f": joint.statistic, "f_df": joint.den_df, "f_p": joint.p_value}
    for first, second in model.pairs:
        test = contrast_of(fit, model.contrast((first, second)), method=DF)
        name = f"{first}_{second}"
        found[f"t_{name}"], found[f"p_{name}"] = test.statistic, test.p_value
        found[f"estimate_{name}"] = test.estimate
    for code, name in enumerate(model.phases[1:], start=1):
        found[f"model_reduction_{name}"] = 100.0 * (
            1 - fit.coefficients[code] / fit.coefficients[0]
        )
    between, *own = fit.theta
    found["sd_person"] = np.sqrt(np.maximum(between, 0.0))
    found["sd_day"], found["autocorrelation"] = np.sqrt(own[0]), own[1]
    return found
