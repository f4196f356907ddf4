"""The range of every analysis over the members of one ensemble."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.analyses import Regression, Tests, analyse, fits, regress
from ldnstats.conclusions.results import Share
from ldnstats.designs import Trials
from ldnstats.display import NOT_ADVICE, format_p, html_table, text_table
from ldnstats.simulate import Ensemble, SplitEnsembles
from ldnstats.simulate.ttests import FloatArray

if TYPE_CHECKING:
    import pandas as pd

MEASURED = (
    "paired t",
    "period-adjusted t",
    "one-sample t",
    "two-sample t",
    "wilcoxon",
    "ancova",
    "random intercept, Kenward-Roger",
)
"""The analyses of measured outcomes, of which each is made where the design has room for it."""

COUNTED = ("mcnemar", "mcnemar mid-p", "mcnemar uncorrected")
"""The analyses of responders."""

SHARES = (0.025, 0.25, 0.5, 0.75, 0.975)
"""The quantiles that make a 95% range, a 50% range and a median."""

_COLUMNS = ("analysis", "effect", "95% of members", "p", "95% of members", "p below 0.05")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One analysis over the members of an ensemble.

    Attributes
    ----------
    analysis : str
        Its name.
    members, failed : int
        Members in all, and those without a p.
    effect, p : tuple of 5 float
        Quantiles over the members, at `SHARES`; NaN where no member has the quantity.
    low, high : float
        Medians of the limits of the members' 95% intervals; NaN where the analysis has none.
    significant : int
        Members with p below 0.05.
    on_boundary : int
        Members with a variance estimated at its least value.
    worth : float or None
        How many independent members one of them is worth, as of `Share`.
    """

    analysis: str
    members: int
    failed: int
    effect: tuple[float, ...]
    p: tuple[float, ...]
    low: float
    high: float
    significant: int
    on_boundary: int
    worth: float | None = 1.0

    @property
    def share(self) -> float:
        """The share of the members with a p for whom it is below 0.05; NaN if no member has one.

        Examples
        --------
        >>> one = Range(analysis="t", members=12, failed=2, effect=(), p=(), low=0.0, high=1.0,
        ...             significant=5, on_boundary=0)
        >>> one.share, round(one.mcse, 3)
        (0.5, 0.158)
        """
        done = self.members - self.failed
        return self.significant / done if done else float("nan")

    @property
    def mcse(self) -> float:
        """The Monte-Carlo standard error of the share; NaN if it is not known."""
        done = self.members - self.failed
        if not done or self.worth is None:
            return float("nan")
        return float((self.share * (1.0 - self.share) / (self.worth * done)) ** 0.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Answers:
    """What every analysis says on the members of an ensemble.

    The ranges are over members that all print the same figures. They show what these figures and
    the priors leave open; they are no confidence intervals.

    Attributes
    ----------
    study : str
        Key of the study.
    unit : str
        Of the effects.
    tests : tuple of Tests
        One an analysis, each on every member.
    regressions : tuple of Regression
        One a published column that the outcomes were tied to.
    worth : float or None
        How many independent members one of them is worth, as of `Share`.
    """

    study: str
    unit: str
    tests: tuple[Tests, ...]
    regressions: tuple[Regression, ...]
    worth: float | None = 1.0

    def ranges(self) -> tuple[Range, ...]:
        """Return the range of each analysis, and of each regression's slope.

        Returns
        -------
        tuple of Range

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> [one.analysis for one in analyse_members(reconstruct(study, draws=2)).ranges()]
        ['one-sample t', 'wilcoxon', 'regression on esr']
        """
        slopes = (regression.tests for regression in self.regressions)
        return tuple(range_of(tests, worth=self.worth) for tests in (*self.tests, *slopes))

    def table(self) -> pd.DataFrame:
        """Return the ranges as a frame.

        Returns
        -------
        DataFrame
            One row an analysis: analysis, members, failed; quantiles of the effect (effect_2.5 to
            effect_97.5) and of p (p_2.5 to p_97.5) over the members; medians of the limits of the
            95% intervals (low, high; NaN where an analysis has none); the share of members with p
            below 0.05 and its Monte-Carlo standard error (share, mcse); on_boundary, the members
            with a variance estimated at its least value.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> table = analyse_members(reconstruct(study, draws=100)).table()
        >>> table.set_index("analysis").loc["paired t", ["effect_50", "p_50"]].round(3).tolist()
        [10.795, 0.016]
        """
        import pandas as pd

        return pd.DataFrame([_frame_row(one) for one in self.ranges()])

    def equals(self, other: Answers) -> bool:
        """Say whether two are the same numbers.

        Parameters
        ----------
        other : Answers

        Returns
        -------
        bool

        Examples
        --------
        >>> none = Answers(study="a", unit="", tests=(), regressions=())
        >>> none.equals(none)
        True
        """
        return (
            (self.study, self.unit, self.worth) == (other.study, other.unit, other.worth)
            and len(self.tests) == len(other.tests)
            and len(self.regressions) == len(other.regressions)
            and all(a.equals(b) for a, b in zip(self.tests, other.tests, strict=True))
            and all(a.equals(b) for a, b in zip(self.regressions, other.regressions, strict=True))
        )

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the printed table."""
        return [
            (
                one.analysis,
                f"{one.effect[2]:.4g}",
                f"{one.effect[0]:.4g} to {one.effect[-1]:.4g}",
                format_p(one.p[2], 4),
                f"{format_p(one.p[0], 4)} to {format_p(one.p[-1], 4)}",
                share_text(one.significant, one.members - one.failed, worth=one.worth),
            )
            for one in self.ranges()
        ]

    def __str__(self) -> str:
        members = len(self.tests[0]) if self.tests else 0
        head = f"{self.study}: {members} rebuilt trials, effects in {self.unit or 'their own unit'}"
        lines = [head, "", text_table(_COLUMNS, self._rows()), "", *self._influence(), NOT_ADVICE]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        caption = f"Analyses of rebuilt trials of {self.study}; effects in {self.unit}"
        notes = "".join(f"<p>{html.escape(line)}</p>" for line in (*self._influence(), NOT_ADVICE))
        return html_table(_COLUMNS, self._rows(), caption) + notes

    def _influence(self) -> list[str]:
        """Say how far each correlation may fall without one person."""
        return [influence_text(regression) for regression in self.regressions]


def influence_text(regression: Regression) -> str:
    """Say how far a correlation falls, and its p rises, without the one person it rests on most.

    Parameters
    ----------
    regression : Regression

    Returns
    -------
    str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> members = reconstruct(study, draws=50)
    >>> influence_text(regress(members.stack, members.covariates[0]))[:58]
    'Without the one person on whom it rests most, the squared '
    """
    weakest = (regression.r_without**2).min(axis=1)
    p = regression.p_without.max(axis=1)
    low, middle, high = np.quantile(weakest, [0.025, 0.5, 0.975])
    return (
        "Without the one person on whom it rests most, the squared correlation with "
        f"{regression.covariate.name} is {middle:.2f} (median; 95% of members {low:.2f} to "
        f"{high:.2f}), and p is at most {format_p(float(p.max()), 4)} in every member"
    )


def analyse_members(ensemble: Ensemble | SplitEnsembles) -> Answers:
    """Analyse every member of an ensemble in every way that its design has room for.

    Parameters
    ----------
    ensemble : Ensemble or SplitEnsembles
        Of a trial whose split is not known: the members of all splits, which have room for
        what the members of each of them have.

    Returns
    -------
    Answers
        Analyses of measured outcomes; McNemar's tests where responders were given; regressions
        on the published columns that the outcomes were tied to.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> [tests.analysis for tests in analyse_members(reconstruct(study, draws=2)).tests][:3]
    ['paired t', 'period-adjusted t', 'wilcoxon']
    """
    if isinstance(ensemble, SplitEnsembles):
        return _joined([analyse_members(one) for one in ensemble.ensembles], ensemble.worth)
    stack = stack_of(ensemble)
    tests = [analyse(stack, name) for name in measured_analyses(stack)]
    if ensemble.flags is not None:
        tests += [analyse(ensemble.responders(), name) for name in COUNTED]
    return Answers(
        study=ensemble.study,
        unit=stack.design.end_point.unit,
        tests=tuple(tests),
        regressions=tuple(regress(stack, column) for column in ensemble.covariates),
        worth=ensemble.diagnostics.worth,
    )


def _joined(answers: Sequence[Answers], worth: float | None) -> Answers:
    """Join the answers of members under several splits, for the analyses that all have."""
    by_name = [{tests.analysis: tests for tests in one.tests} for one in answers]
    shared = [name for name in by_name[0] if all(name in own for own in by_name)]
    tests = [by_name[0][name].followed_by([own[name] for own in by_name[1:]]) for name in shared]
    return replace(answers[0], tests=tuple(tests), worth=worth)


def stack_of(ensemble: Ensemble) -> Trials:
    """Return the members with their baselines, where they have any.

    Parameters
    ----------
    ensemble : Ensemble

    Returns
    -------
    Trials
        Where outcomes are changes, an analysis of covariance of these with the baseline has the
        same effect as one of the values at follow-up.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> stack_of(reconstruct(study, draws=1)).baseline is None
    True
    """
    if ensemble.baseline is None:
        return ensemble.stack
    return replace(ensemble.stack, baseline=ensemble.baseline)


def measured_analyses(stack: Trials) -> tuple[str, ...]:
    """Name the analyses of measured outcomes that trials of a design can have.

    Parameters
    ----------
    stack : Trials

    Returns
    -------
    tuple of str
        A random intercept a person needs more than one outcome a person.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> measured_analyses(reconstruct(study, draws=1).stack)
    ('one-sample t', 'wilcoxon')
    """
    within = stack.design.row.within
    return tuple(
        name
        for name in MEASURED
        if fits(stack, name) and (within or not name.startswith("random intercept"))
    )


def share_text(count: int, total: int, *, worth: float | None = 1.0) -> str:
    """Write a share with its Monte-Carlo error; none or all with the 95% limit of the exceptions.

    Parameters
    ----------
    count, total : int
    worth : float or None
        How many independent members one of them is worth; None if that is not known.

    Returns
    -------
    str
        By the rule of three, fewer than 3 in `total` are to be expected where none was seen.

    Examples
    --------
    >>> share_text(300, 1000), share_text(1000, 1000)
    ('30.0% (Monte-Carlo SE 1.4)', 'all 1000 (exceptions below 0.30%)')
    >>> share_text(300, 1000, worth=0.5)
    '30.0% (Monte-Carlo SE 2.0)'
    """
    if not total:
        return "no member"
    found = Share(setting=(), held=count, members=total, worth=worth)
    if found.limit is not None:
        word = "all" if count else "none of"
        kind = "exceptions" if count else "cases"
        most = "an unknown share" if worth is None else f"{100 * found.limit:.2f}%"
        return f"{word} {total} ({kind} below {most})"
    share = 100 * found.share
    digits = 1 if 0.05 <= share < 99.95 else 3
    error = "not known" if worth is None else f"{100 * found.mcse:.{digits}f}"
    return f"{share:.{digits}f}% (Monte-Carlo SE {error})"


def range_of(tests: Tests, *, worth: float | None) -> Range:
    """Return the range of one analysis over the members.

    Parameters
    ----------
    tests : Tests
    worth : float or None
        How many independent members one of them is worth; None if that is not known.

    Returns
    -------
    Range

    Examples
    --------
    >>> from ldnstats.analyses import analyse
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> range_of(analyse(reconstruct(study, draws=20).stack), worth=1.0).members
    20
    """
    return Range(
        analysis=tests.analysis,
        members=len(tests),
        failed=tests.n_failed,
        effect=quantiles_of(tests.estimate),
        p=quantiles_of(tests.p_value),
        low=_median(tests.conf_low),
        high=_median(tests.conf_high),
        significant=int((tests.p_value < 0.05).sum()),
        on_boundary=int(tests.on_boundary.sum()),
        worth=worth,
    )


def _frame_row(one: Range) -> dict[str, object]:
    """Return one row of the frame."""
    row: dict[str, object] = {
        "analysis": one.analysis,
        "members": one.members,
        "failed": one.failed,
    }
    row |= {f"effect_{100 * at:g}": q for at, q in zip(SHARES, one.effect, strict=True)}
    row |= {f"p_{100 * at:g}": q for at, q in zip(SHARES, one.p, strict=True)}
    row |= {"low": one.low, "high": one.high, "share": one.share, "mcse": one.mcse}
    return row | {"on_boundary": one.on_boundary}


def quantiles_of(values: FloatArray) -> tuple[float, ...]:
    """Return the quantiles of what is there, at `SHARES`; NaN if nothing is.

    Parameters
    ----------
    values : ndarray, shape (B,)

    Returns
    -------
    tuple of 5 float

    Examples
    --------
    >>> quantiles_of(np.array([3.0, np.nan]))
    (3.0, 3.0, 3.0, 3.0, 3.0)
    """
    there = values[np.isfinite(values)]
    found = np.quantile(there, SHARES) if len(there) else np.full(len(SHARES), np.nan)
    return tuple(float(q) for q in found)


def _median(values: FloatArray) -> float:
    """Return the median of what is there; NaN if nothing is."""
    there = values[np.isfinite(values)]
    return float(np.median(there)) if len(there) else float("nan")
