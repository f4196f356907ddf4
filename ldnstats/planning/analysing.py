"""Analyses of simulated trials, all trials of a block at once: t, ANCOVA, ranks, responders."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.inference import two_sided_p
from ldnstats.planning.checked import one_of
from ldnstats.planning.formulas import FloatArray, Tails
from ldnstats.planning.outcomes import TrialBlock
from ldnstats.planning.responding import PairTest, ResponderRule, ShareTest, pair_test, share_test

BoolArray: TypeAlias = NDArray[np.bool_]
TrialAnalysisKind: TypeAlias = Literal[
    "change",
    "ancova",
    "rank",
    "responders",
    "mmrm",
    "paired t",
    "ab/ba t",
    "ab/ba rank",
    "mcnemar",
    "mixed",
]
"""The analyses by name; see `trial_analysis`."""
Handling: TypeAlias = Literal["completers", "locf"]
BaselineTerm: TypeAlias = Literal["by visit", "main"]
MixedDf: TypeAlias = Literal["kenward-roger", "kenward-roger-linear", "satterthwaite"]
Better: TypeAlias = Literal["higher", "lower"]

PARALLEL_ONLY: tuple[TrialAnalysisKind, ...] = ("change", "ancova", "rank", "responders", "mmrm")
CROSSOVER_ONLY: tuple[TrialAnalysisKind, ...] = (
    "paired t", "ab/ba t", "ab/ba rank", "mcnemar", "mixed"
)  # fmt: skip
COUNTED: tuple[TrialAnalysisKind, ...] = ("responders", "mcnemar")
FITTED: tuple[TrialAnalysisKind, ...] = ("mmrm", "mixed")
_CHOOSES: tuple[TrialAnalysisKind, ...] = ("change", "ancova", "rank")
_NO_VARIANCE = 1e-20
"""Relative to the mean square, what rounding leaves of a variance that is zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnalysis:
    """One analysis of a simulated trial; see `trial_analysis`.

    Attributes
    ----------
    kind : str
        Which.
    missing : {"completers", "locf"}
        What stands for a last visit that is not seen.
    df : str
        Degrees of freedom of a mixed model.
    baseline : {"by visit", "main"}
        How the baseline enters an MMRM.
    rule : ResponderRule or None
        Who is a responder.
    test : str
        The test of two shares.
    tails : {1, 2}
        Tails of the test.
    better : {"higher", "lower"} or None
        Of one tail: which outcomes are the better ones, so that active treatment can win.
    """

    kind: TrialAnalysisKind
    missing: Handling = "completers"
    df: MixedDf = "kenward-roger"
    baseline: BaselineTerm = "by visit"
    rule: ResponderRule | None = None
    test: ShareTest | PairTest = "fisher mid-p"
    tails: Tails = 2
    better: Better | None = None

    @property
    def label(self) -> str:
        """The analysis with its choices, as tables name it.

        Examples
        --------
        >>> trial_analysis("ancova").label, trial_analysis("mmrm", baseline="main").label
        ('ancova, completers', 'mmrm, baseline main, kenward-roger')
        """
        choices: str = self.missing
        if self.rule is not None:
            choices = f"{self.rule.fall:g} {self.rule.unit}, {self.test}"
        elif self.kind == "mmrm":
            choices = f"baseline {self.baseline}, {self.df}"
        elif self.kind == "mixed":
            choices = self.df
        one = f", one-tailed ({self.better} is better)" if self.tails == 1 else ""
        return f"{self.kind}, {choices}{one}"

    @property
    def winning(self) -> float:
        """The sign of an estimate by which active treatment is the better one, in one tail.

        Responders are counted by a fall, so that more of them are better where lower is.

        Examples
        --------
        >>> trial_analysis("ancova", tails=1, better="lower").winning
        -1.0
        """
        higher = (self.better == "higher") != (self.kind in COUNTED)
        return 1.0 if higher else -1.0

    @property
    def estimates_effect(self) -> bool:
        """Whether the estimate is a difference of means, which the true effect is held against."""
        return self.kind not in ("rank", "ab/ba rank", *COUNTED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialTests:
    """One analysis of many simulated trials, an element a trial.

    Attributes
    ----------
    estimate : ndarray of shape (R,)
        Active minus control: of means, of shares of responders, or for ranks the probability
        that active is higher less that it is lower, halved.
    std_error : ndarray of shape (R,)
        Of the estimate; for ranks and shares that under no difference.
    df : ndarray of shape (R,)
        Degrees of freedom; infinite for a normal law or an exact test.
    p_value : ndarray of shape (R,)
        In the tails of the analysis; NaN where it failed.
    failed : ndarray of bool, shape (R,)
        No test could be made: nobody left in a group, no variance, or no convergence.
    boundary : ndarray of bool, shape (R,)
        The covariance of a mixed model lies on the boundary.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    p_value: FloatArray
    failed: BoolArray
    boundary: BoolArray

    def significant(self, alpha: float) -> BoolArray:
        """Tell which tests reject at a level; those that failed do not.

        Examples
        --------
        >>> one = judged(np.array([2.0]), np.array([0.5]), np.array([18.0]))
        >>> one.significant(0.05), one.significant(0.0001)
        (array([ True]), array([False]))
        """
        return np.asarray(~self.failed & (self.p_value <= alpha), dtype=np.bool_)


TEST_FIELDS = tuple(field.name for field in fields(TrialTests))
"""The arrays of `TrialTests`."""


def trial_analysis(
    kind: str,
    *,
    missing: str = "completers",
    df: str = "kenward-roger",
    baseline: str = "by visit",
    rule: ResponderRule | None = None,
    test: str | None = None,
    tails: int = 2,
    better: str | None = None,
) -> TrialAnalysis:
    """Name an analysis of a simulated trial, its choices checked.

    Parameters
    ----------
    kind : str
        Parallel trials: ``"change"`` (two-sample t of the change to the last visit),
        ``"ancova"`` (last visit adjusted for baseline), ``"rank"`` (Wilcoxon-Mann-Whitney of the
        change), ``"responders"``, ``"mmrm"`` (unstructured covariance of the visits, treatment by
        visit, baseline). Crossovers: ``"paired t"``, ``"ab/ba t"`` (which allows for a period
        effect), ``"ab/ba rank"`` (Wilcoxon-Mann-Whitney of the period differences by sequence,
        which allows for one too: Koch 1972), ``"mcnemar"`` (responders under either treatment, of
        people with both periods), ``"mixed"`` (random intercept, treatment and period, REML).
    missing : {"completers", "locf"}
        For change, ANCOVA and ranks: only people with the last visit, or the last value seen
        (baseline too) in its place.
    df : {"kenward-roger", "kenward-roger-linear", "satterthwaite"}
        For mixed models.
    baseline : {"by visit", "main"}
        For an MMRM: a slope of the baseline at each visit, or one.
    rule : ResponderRule, optional
        For responders and McNemar's test; in parallel groups those not seen count as no
        responders.
    test : str, optional
        For responders ``"fisher mid-p"`` (by default), ``"fisher"`` or ``"chi-square"``; for
        McNemar's test ``"exact"`` (by default), ``"mid-p"`` or ``"normal"``.
    tails : {1, 2}
        A one-tailed test rejects where active treatment is the better one.
    better : {"higher", "lower"}, optional
        Which outcomes are better, which one tail has to know. Responders have a fall of the
        outcome: where lower is better, one tail rejects for more of them.

    Returns
    -------
    TrialAnalysis

    Raises
    ------
    ValueError
        If a choice does not exist, or does not belong to the analysis.

    References
    ----------
    Koch GG. The use of non-parametric methods in the statistical analysis of the two-period
    change-over design. Biometrics 1972;28:577-584.

    Examples
    --------
    >>> trial_analysis("responders", rule=ResponderRule(fall=30)).label
    'responders, 30 percent, fisher mid-p'
    """
    choices = {
        "kind": (kind, get_args(TrialAnalysisKind)),
        "missing": (missing, get_args(Handling)),
        "df": (df, get_args(MixedDf)),
        "baseline": (baseline, get_args(BaselineTerm)),
        "better": (better, (None, *get_args(Better))),
    }
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            message = f"{name}={value!r} is not supported; use one of {allowed}"
            raise ValueError(message)
    tests = get_args(PairTest if kind == "mcnemar" else ShareTest)
    found = TrialAnalysis(
        kind=kind,  # type: ignore[arg-type]
        missing=missing,  # type: ignore[arg-type]
        df=df,  # type: ignore[arg-type]
        baseline=baseline,  # type: ignore[arg-type]
        rule=rule,
        test=tests[0] if test is None else one_of("test", test, tests),
        tails=one_of("tails", tails, get_args(Tails)),
        better=better,  # type: ignore[arg-type]
    )
    _check_choices(found)
    return found


def _check_choices(analysis: TrialAnalysis) -> None:
    """Refuse choices that the analysis would not look at."""
    own: dict[str, bool] = {
        "missing": analysis.kind in _CHOOSES,
        "df": analysis.kind in FITTED,
        "baseline": analysis.kind == "mmrm",
        "rule": analysis.kind in COUNTED,
        "test": analysis.kind in COUNTED,
        "better": analysis.tails == 1,
    }
    plain = TrialAnalysis(kind=analysis.kind)
    for name, belongs in own.items():
        value = getattr(analysis, name)
        if not belongs and value != getattr(plain, name):
            what = "tails=2" if name == "better" else f"kind={analysis.kind!r}"
            message = f"{name}={value!r} does not belong to {what}; leave it out"
            raise ValueError(message)
    if analysis.kind in COUNTED and analysis.rule is None:
        message = f'kind="{analysis.kind}" needs rule=, such as ResponderRule(fall=30)'
        raise ValueError(message)
    if analysis.tails == 1 and analysis.better is None:
        message = 'tails=1 needs better="higher" or better="lower": which outcomes are better'
        raise ValueError(message)


def judged(
    estimate: FloatArray,
    std_error: FloatArray,
    df: FloatArray,
    *,
    usable: BoolArray | None = None,
    boundary: BoolArray | None = None,
) -> TrialTests:
    """Return t or z tests, those that could not be made marked.

    Parameters
    ----------
    estimate, std_error, df : ndarray of shape (B,)
        In parts; infinite df for a normal law.
    usable, boundary : ndarray of bool, optional
        What can be judged, and which fits lie on the boundary.

    Returns
    -------
    TrialTests

    Examples
    --------
    >>> judged(np.array([2.0]), np.array([1.0]), np.array([10.0])).p_value.round(4)
    array([0.0734])
    """
    good = np.isfinite(estimate) & np.isfinite(std_error) & (std_error > 0.0) & (df > 0.0)
    good = good if usable is None else good & usable
    t = np.where(good, estimate, 0.0) / np.where(good, std_error, 1.0)
    p = two_sided_p(t, np.where(good, df, 1.0))
    return TrialTests(
        estimate=np.where(good, estimate, np.nan),
        std_error=np.where(good, std_error, np.nan),
        df=np.where(good, df, np.nan),
        p_value=np.where(good, p, np.nan),
        failed=~good,
        boundary=np.zeros(good.shape, dtype=np.bool_) if boundary is None else boundary & good,
    )


def in_its_tails(tests: TrialTests, analysis: TrialAnalysis) -> TrialTests:
    """Return t or z tests with the p-values of the tails that the analysis looks at.

    Parameters
    ----------
    tests : TrialTests
        With two-sided p-values.
    analysis : TrialAnalysis
        Which says where active treatment is the better one.

    Returns
    -------
    TrialTests
        Of one tail: half the two-sided p where active treatment is better, else the rest of 1.

    Examples
    --------
    >>> one = judged(np.array([-2.0]), np.array([1.0]), np.array([np.inf]))
    >>> in_its_tails(one, trial_analysis("change", tails=1, better="lower")).p_value.round(5)
    array([0.02275])
    """
    if analysis.tails == 2:
        return tests
    half = tests.p_value / 2.0
    better = analysis.winning * tests.estimate > 0.0
    return replace(tests, p_value=np.where(better, half, 1.0 - half))


def difference(
    y: FloatArray, first: BoolArray, *, keep: BoolArray, x: FloatArray | None = None
) -> TrialTests:
    r"""Test two groups' means of y, adjusted for x if there is one.

    Parameters
    ----------
    y, x : ndarray of shape (n, B)
        Outcome and covariate.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    keep : ndarray of bool, shape (n, B)
        Who is looked at.

    Returns
    -------
    TrialTests
        On n - 2 df, or n - 3: the pooled within-group slope b makes
        :math:`\bar y_1 - \bar y_2 - b(\bar x_1 - \bar x_2)`, whose variance is
        :math:`s^2\{1/n_1 + 1/n_2 + (\bar x_1 - \bar x_2)^2 / S_{xx}\}` (Cochran 1957, section 2).

    References
    ----------
    Cochran WG. Analysis of covariance: its nature and uses. Biometrics 1957;13:261-281.

    Examples
    --------
    >>> y, first = np.array([[3.0], [5.0], [1.0], [2.0]]), np.array([True, True, False, False])
    >>> difference(y, first, keep=np.ones((4, 1), dtype=bool)).estimate
    array([2.5])
    """
    weight = keep.astype(np.float64)
    groups = [
        _moments(y[own], x[own] if x is not None else None, weight[own]) for own in (first, ~first)
    ]
    (n1, y1, x1, *sums1), (n2, y2, x2, *sums2) = groups
    syy, sxy, sxx, square = (a + b for a, b in zip(sums1, sums2, strict=True))
    df = n1 + n2 - (2.0 if x is None else 3.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.zeros_like(syy) if x is None else sxy / sxx
        gap = np.zeros_like(syy) if x is None else x1 - x2
        tilt = np.zeros_like(syy) if x is None else gap**2 / sxx
        variance = (syy - slope * sxy) / df
        std_error = np.sqrt(np.maximum(variance, 0.0) * (1.0 / n1 + 1.0 / n2 + tilt))
        usable = (df >= 1.0) & (variance * df > _NO_VARIANCE * square)
        return judged(y1 - y2 - slope * gap, std_error, df, usable=usable)


def _moments(y: FloatArray, x: FloatArray | None, weight: FloatArray) -> tuple[FloatArray, ...]:
    """Return n, means of y and x, sums of squares and products about them, and that of y."""
    n = weight.sum(axis=0)
    count = np.maximum(n, 1.0)
    mean_y = (weight * y).sum(axis=0) / count
    ry = weight * (y - mean_y)
    square = (weight * y**2).sum(axis=0)
    zero = np.zeros_like(n)
    if x is None:
        return n, mean_y, zero, (ry**2).sum(axis=0), zero, zero, square
    mean_x = (weight * x).sum(axis=0) / count
    rx = weight * (x - mean_x)
    sxy, sxx = (rx * ry).sum(axis=0), (rx**2).sum(axis=0)
    return n, mean_y, mean_x, (ry**2).sum(axis=0), sxy, sxx, square


def rank_test(y: FloatArray, first: BoolArray, *, keep: BoolArray) -> TrialTests:
    r"""Test two groups by the ranks of y (Wilcoxon-Mann-Whitney), by the normal law with ties.

    Parameters
    ----------
    y : ndarray of shape (n, B)
        Outcome.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    keep : ndarray of bool, shape (n, B)
        Who is looked at.

    Returns
    -------
    TrialTests
        Estimate :math:`U / (n_1 n_2) - 1/2`; its variance is that of the rank sum over all
        allocations, :math:`n_1 n_2 \sum (R_i - \bar R)^2 / \{N (N - 1)\}`, which allows for ties
        (Lehmann 1975, equation 1.34); no correction for continuity.

    References
    ----------
    Lehmann EL. Nonparametrics: Statistical Methods Based on Ranks. Holden-Day 1975.

    Examples
    --------
    >>> y, first = np.array([[3.0], [5.0], [1.0], [2.0]]), np.array([True, True, False, False])
    >>> rank_test(y, first, keep=np.ones((4, 1), dtype=bool)).p_value.round(4)
    array([0.1213])
    """
    rank = np.where(keep, _mid_ranks(np.where(keep, y, np.inf)), 0.0)
    n1, n = (keep & first[:, None]).sum(axis=0), keep.sum(axis=0)
    n2 = n - n1
    total = (rank * first[:, None]).sum(axis=0)
    spread = (np.where(keep, rank - (n + 1.0) / 2.0, 0.0) ** 2).sum(axis=0)
    pairs = np.maximum(n1 * n2, 1).astype(np.float64)
    u = total - n1 * (n1 + 1.0) / 2.0
    variance = pairs * spread / np.maximum(n * (n - 1.0), 1.0)
    return judged(
        u / pairs - 0.5,
        np.sqrt(variance) / pairs,
        np.full(n.shape, np.inf),
        usable=(n1 > 0) & (n2 > 0),
    )


def _mid_ranks(y: FloatArray) -> FloatArray:
    """Return the ranks of each column, equal values sharing their mean rank."""
    order = np.argsort(y, axis=0, kind="stable")
    ordered = np.take_along_axis(y, order, axis=0)
    place = np.broadcast_to(np.arange(len(y))[:, None], y.shape)
    new = np.ones(y.shape, dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    last = np.ones(y.shape, dtype=np.bool_)
    last[:-1] = new[1:]
    low = np.maximum.accumulate(np.where(new, place, 0), axis=0)
    high = np.minimum.accumulate(np.where(last, place, len(y))[::-1], axis=0)[::-1]
    ranks = np.empty(y.shape)
    np.put_along_axis(ranks, order, (low + high) / 2.0 + 1.0, axis=0)
    return ranks


def _last_visit(block: TrialBlock, analysis: TrialAnalysis) -> tuple[FloatArray, BoolArray]:
    """Return the outcome of each person, and who is looked at."""
    if analysis.missing == "locf":
        return block.carried_forward(), np.ones(block.last.shape, dtype=np.bool_)
    return block.outcome[:, -1], block.complete


def direct_tests(block: TrialBlock, analysis: TrialAnalysis) -> TrialTests:
    """Apply an analysis that needs no iteration to a block of trials.

    Parameters
    ----------
    block : TrialBlock
        The trials.
    analysis : TrialAnalysis
        Any but a mixed model.

    Returns
    -------
    TrialTests

    Examples
    --------
    >>> block = TrialBlock(outcome=np.array([[[5.0], [3.0]], [[6.0], [3.0]], [[5.0], [5.0]],
    ...                    [[4.0], [5.0]]]), last=np.ones((4, 1), dtype=int),
    ...                    first_group=np.array([True, True, False, False]))
    >>> direct_tests(block, trial_analysis("change")).estimate
    array([-3.])
    """
    if analysis.kind == "responders":
        return _responders(block, analysis)
    if analysis.kind == "mcnemar":
        return _paired_responders(block, analysis)
    whole = _periods if analysis.kind in CROSSOVER_ONLY else _groups
    return in_its_tails(whole(block, analysis), analysis)


def _groups(block: TrialBlock, analysis: TrialAnalysis) -> TrialTests:
    """Test the last visit of two groups."""
    first, baseline = block.first_group, block.outcome[:, 0]
    y, keep = _last_visit(block, analysis)
    if analysis.kind == "ancova":
        return difference(y, first, keep=keep, x=baseline)
    if analysis.kind == "rank":
        return rank_test(y - baseline, first, keep=keep)
    return difference(y - baseline, first, keep=keep)


def _periods(block: TrialBlock, analysis: TrialAnalysis) -> TrialTests:
    """Test the differences of people with both periods."""
    gap = block.outcome[:, 1] - block.outcome[:, 2]
    first = block.first_group
    if analysis.kind == "ab/ba rank":
        return rank_test(gap, first, keep=block.complete)
    if analysis.kind == "ab/ba t":
        # Half the difference of the sequences' mean period differences (Hills and Armitage 1979).
        whole = difference(gap, first, keep=block.complete)
        return replace(whole, estimate=whole.estimate / 2.0, std_error=whole.std_error / 2.0)
    weight = block.complete.astype(np.float64)
    d = np.where(first[:, None], gap, -gap)
    n, mean, _, squares, _, _, square = _moments(d, None, weight)
    df = n - 1.0
    std_error = np.sqrt(squares / np.maximum(df, 1.0) / np.maximum(n, 1.0))
    return judged(mean, std_error, df, usable=squares > _NO_VARIANCE * square)


def _responders(block: TrialBlock, analysis: TrialAnalysis) -> TrialTests:
    """Test the shares of responders among all who were randomised."""
    assert analysis.rule is not None
    met = analysis.rule.met(block.outcome[:, 0], block.outcome[:, -1]) & block.complete
    first = block.first_group
    n = int(first.sum()), int((~first).sum())
    counts = met[first].sum(axis=0), met[~first].sum(axis=0)
    share = (counts[0] + counts[1]) / (n[0] + n[1])
    none = np.zeros(share.shape, dtype=np.bool_)
    order = (0, 1) if analysis.winning > 0.0 else (1, 0)
    return TrialTests(
        estimate=counts[0] / n[0] - counts[1] / n[1],
        std_error=np.sqrt(share * (1.0 - share) * (1.0 / n[0] + 1.0 / n[1])),
        df=np.full(share.shape, np.inf),
        p_value=share_test(
            counts[order[0]],
            counts[order[1]],
            n=(n[order[0]], n[order[1]]),
            test=one_of("test", analysis.test, get_args(ShareTest)),
            tails=analysis.tails,
        ),
        failed=none,
        boundary=none,
    )


def _paired_responders(block: TrialBlock, analysis: TrialAnalysis) -> TrialTests:
    """Test the shares of responders under either treatment, of people with both periods."""
    assert analysis.rule is not None
    baseline, first = block.outcome[:, 0], block.first_group[:, None]
    early, late = (analysis.rule.met(baseline, block.outcome[:, j]) for j in (1, 2))
    active, control = np.where(first, early, late), np.where(first, late, early)
    there = block.complete
    counts = (there & active & ~control).sum(axis=0), (there & control & ~active).sum(axis=0)
    n = there.sum(axis=0)
    people, failed = np.maximum(n, 1), n == 0
    p = pair_test(
        *(counts if analysis.winning > 0.0 else counts[::-1]),
        test=one_of("test", analysis.test, get_args(PairTest)),
        tails=analysis.tails,
    )
    return TrialTests(
        estimate=np.where(failed, np.nan, (counts[0] - counts[1]) / people),
        std_error=np.where(failed, np.nan, np.sqrt(counts[0] + counts[1]) / people),
        df=np.where(failed, np.nan, np.inf),
        p_value=np.where(failed, np.nan, p),
        failed=failed,
        boundary=np.zeros(failed.shape, dtype=np.bool_),
    )
