"""Pooled trials against R's metafor, t tests and each other; slips against trials built wrong."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from ldnstats.planning import (
    Synthesis,
    TrialEffect,
    effect_from_paired,
    slip_in_spread,
    standardised_effect,
    synthesise,
    trial_effect,
)

# Log risk ratios of the 13 trials of BCG against tuberculosis (Colditz et al. 1994), and their
# variances: R 4.2.2, metafor 3.8.1, escalc(measure="RR") of dat.bcg.
ESTIMATES = (
    *(-0.889311333920205, -1.58538865720143, -1.34807314829969, -1.44155119002131),
    *(-0.217547322211296, -0.786115585818864, -1.62089822359839, 0.0119523335238405),
    *(-0.469417648738149, -1.37134480347278, -0.339358828338391, 0.445913400571379),
    -0.0173139482168798,
)
VARIANCES = (
    *(0.325584765003961, 0.194581121398144, 0.415367965367965, 0.0200100319022476),
    *(0.0512101721696309, 0.00690561845590876, 0.223017247572315, 0.00396157929781773),
    *(0.056434210463249, 0.0730247936130289, 0.0124122139715597, 0.532505845200153),
    0.0714046596839863,
)
BCG = range(13)
# rma(method=, test=), predict: mean, error, p, interval, tau2, Q, prediction interval (which
# metafor takes from the normal where the interval is normal, and is not compared there).
METAFOR = (
    (
        (BCG, "dersimonian-laird", "normal"),
        (-0.714117222073, 0.178742089535, 6.4629243047e-05, -1.06444528008, -0.363789164062),
        (0.308760262862, 152.233008082),
        None,
    ),
    (
        (BCG, "dersimonian-laird", "hartung-knapp"),
        (-0.714117222073, 0.180696628336, 0.00192076676705, -1.10782135417, -0.320413089978),
        (0.308760262862, 152.233008082),
        (-1.98720696343, 0.558972519284),
    ),
    (
        (BCG, "paule-mandel", "normal"),
        (-0.714968153493, 0.180892191538, 7.7353646079e-05, -1.06951033399, -0.360425972995),
        (0.318068452205, 152.233008082),
        None,
    ),
    (
        (BCG, "paule-mandel", "hartung-knapp"),
        (-0.714968153493, 0.180892191538, 0.00191927183128, -1.1090983812, -0.320837925785),
        (0.318068452205, 152.233008082),
        (-2.00542592293, 0.575489615941),
    ),
    (
        ((0, 2, 4), "dersimonian-laird", "hartung-knapp"),
        (-0.615597433272, 0.328816683734, 0.202069683495, -2.03038143513, 0.799186568585),
        (0.169145902899, 3.54740406578),
        (-2.88120585327, 1.65001098673),
    ),
    (
        ((0, 2, 4), "dersimonian-laird", "hartung-knapp-modified"),
        (-0.615597433272, 0.34772913648, 0.218688911715, -2.11175515156, 0.880560285016),
        (0.169145902899, 3.54740406578),
        (-2.93289233441, 1.70169746787),
    ),
    (
        ((3, 5), "paule-mandel", "hartung-knapp"),
        (-1.10383666714, 0.327565296373, 0.183648221904, -5.26594838732, 3.05827505304),
        (0.201340090449, 15.9608192832),
        (-8.16280657567, 5.95513324139),
    ),
)


def bcg(index: range | tuple[int, ...] = BCG) -> list[TrialEffect]:
    return [
        TrialEffect(
            name=str(k), estimate=ESTIMATES[k], standard_error=VARIANCES[k] ** 0.5, sizes=(99, 99)
        )
        for k in index
    ]


def four() -> list[TrialEffect]:
    return [
        trial_effect("crossover", 0.9, n=25, p=0.02),
        trial_effect("first", 0.4, n=(40, 41), p=0.2),
        trial_effect("second", -0.2, n=(55, 50), interval=(-0.9, 0.5)),
        trial_effect("third", 0.1, n=(30, 30), t=0.2),
    ]


def mean_of(seen: Synthesis) -> tuple[float, ...]:
    return (seen.estimate, seen.standard_error, seen.p_value, *seen.interval)


@pytest.mark.parametrize(("call", "mean", "spread", "prediction"), METAFOR)
def test_pooled_trials_are_those_of_metafor(call, mean, spread, prediction) -> None:
    index, heterogeneity, interval = call
    seen = synthesise(bcg(index), heterogeneity=heterogeneity, interval=interval)
    # Its printed 12 digits, and its iteration for tau2.
    assert mean_of(seen) == pytest.approx(mean, rel=1e-8)
    assert (seen.tau2, seen.q) == pytest.approx(spread, rel=1e-8)
    if prediction is not None:
        assert seen.prediction == pytest.approx(prediction, rel=1e-8)


def test_what_else_metafor_prints_of_the_thirteen_trials() -> None:
    seen = synthesise(bcg(), heterogeneity="dersimonian-laird")
    assert seen.i2 == pytest.approx(0.921173468546, rel=1e-9)
    assert seen.q_p == pytest.approx(1.99676459085e-26, rel=1e-9)
    common = (seen.common_estimate, seen.common_error)
    assert common == pytest.approx((-0.430285163654, 0.0404987517109), rel=1e-10)
    assert sum(seen.weights) == pytest.approx(1.0)


def test_with_equal_errors_the_interval_is_that_of_a_t_test() -> None:
    values = np.array([0.3, -0.2, 0.9, 0.4, 0.35])
    trials = [
        TrialEffect(name=str(v), estimate=v, standard_error=0.21, sizes=(30, 30))
        for v in values.tolist()
    ]
    expected = stats.ttest_1samp(values, 0.0)
    for heterogeneity in ("paule-mandel", "dersimonian-laird"):
        seen = synthesise(trials, heterogeneity=heterogeneity, level=0.9)
        assert seen.p_value == pytest.approx(expected.pvalue, rel=1e-10)
        assert seen.interval == pytest.approx(expected.confidence_interval(0.9), rel=1e-10)
        assert seen.tau2 == pytest.approx(values.var(ddof=1) - 0.21**2, rel=1e-8)


def test_paule_and_mandel_is_the_iteration_of_statsmodels() -> None:
    seen = synthesise(bcg())
    found = combine_effects(np.array(ESTIMATES), np.array(VARIANCES), method_re="pm")
    assert seen.tau2 == pytest.approx(found.tau2, rel=1e-4)
    assert seen.standard_error == pytest.approx(found.sd_eff_w_re_hksj, rel=1e-4)


def test_shift_scale_and_order_do_not_matter() -> None:
    trials = bcg()
    first = synthesise(trials)
    moved = synthesise(
        [
            TrialEffect(
                name=t.name,
                estimate=1e6 + 100.0 * t.estimate,
                standard_error=100.0 * t.standard_error,
                sizes=t.sizes,
            )
            for t in reversed(trials)
        ]
    )
    assert moved.estimate - 1e6 == pytest.approx(100.0 * first.estimate, rel=1e-8)
    assert moved.standard_error == pytest.approx(100.0 * first.standard_error, rel=1e-8)
    assert moved.tau2 == pytest.approx(1e4 * first.tau2, rel=1e-8)


def test_alike_trials_have_no_variance_between_them() -> None:
    trials = [
        TrialEffect(name=k, estimate=0.5, standard_error=s, sizes=(20, 20))
        for k, s in (("A", 0.2), ("B", 0.3))
    ]
    with pytest.raises(ValueError, match=r"all 2 estimates are 0.5, to which hartung-knapp"):
        synthesise(trials)
    expected = 1 / math.sqrt(1 / 0.2**2 + 1 / 0.3**2)
    for heterogeneity in ("paule-mandel", "dersimonian-laird"):
        seen = synthesise(trials, interval="hartung-knapp-modified", heterogeneity=heterogeneity)
        assert (seen.tau2, seen.q, seen.i2, seen.df) == (0.0, 0.0, 0.0, 1.0)
        assert seen.standard_error == pytest.approx(expected)
    normal = synthesise(trials, interval="normal")
    assert normal.prediction is None
    assert normal.df == math.inf


def test_a_normal_interval_predicts_on_one_df_less() -> None:
    seen = synthesise(bcg(), interval="normal")
    half = stats.t.isf(0.025, 11) * math.sqrt(seen.tau2 + seen.standard_error**2)
    assert seen.prediction == pytest.approx((seen.estimate - half, seen.estimate + half))


def test_a_crossover_enters_with_its_paired_error() -> None:
    effect = effect_from_paired(mean=4.0, n=25, p=0.02)
    half = stats.t.isf(0.025, 24) * effect.standard_error
    for words in (
        {"p": 0.02},
        {"t": effect.t},
        {"standard_error": effect.standard_error},
        {"interval": (4.0 - half, 4.0 + half)},
    ):
        found = trial_effect("A", 4.0, n=25, **words)
        assert found.standard_error == pytest.approx(effect.standard_error, rel=1e-10)
    known = effect_from_paired(mean=4.0, n=25, p=0.02, sds=(8.0, 9.0))
    found = trial_effect("A", 4.0, n=25, sds=(8.0, 9.0), correlation=known.correlation)
    assert found.standard_error == pytest.approx(effect.standard_error, rel=1e-10)
    apart = trial_effect("A", 4.0, n=(25, 25), sds=(8.0, 9.0))
    assert apart.standard_error == pytest.approx(math.sqrt((64 + 81) / 25))
    assert apart.standard_error > 1.5 * found.standard_error


def test_the_error_of_two_arms_is_that_of_their_t_test() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(1.0, 2.0, 30), rng.normal(0.0, 2.0, 24)
    test = stats.ttest_ind(first, second)
    gap = first.mean() - second.mean()
    expected = gap / test.statistic
    for words in (
        {"p": float(test.pvalue)},
        {"t": float(test.statistic)},
        {"interval": tuple(test.confidence_interval())},
    ):
        found = trial_effect("A", gap, n=(30, 24), **words)
        assert found.standard_error == pytest.approx(expected, rel=1e-8)


def test_standardised_errors_have_their_printed_variances() -> None:
    arms = standardised_effect("A", 0.5, n=(50, 60))
    assert arms.standard_error**2 == pytest.approx(1 / 50 + 1 / 60 + 0.25 / 220)
    # Borenstein et al. 2009, page 29: d 0.4225 of 50 pairs correlated 0.7 has variance 0.0131.
    pairs = standardised_effect("B", 0.4225, n=50, correlation=0.7)
    assert pairs.standard_error**2 == pytest.approx(0.0131, abs=5e-5)


def test_half_the_spread_is_the_trial_built_with_it() -> None:
    others = four()[1:]
    right = trial_effect("A", 0.9, n=25, sds=(2.0, 2.2), correlation=0.6)
    wrong = trial_effect("A", 0.9, n=25, sds=(1.0, 1.1), correlation=0.6)
    seen = slip_in_spread([right, *others], trial="A", factor=0.5)
    assert mean_of(seen.with_slip) == pytest.approx(mean_of(synthesise([wrong, *others])))
    assert mean_of(seen.without) == pytest.approx(mean_of(synthesise([right, *others])))
    assert seen.with_slip.weights[0] > seen.without.weights[0]
    assert abs(seen.with_slip.estimate - 0.9) < abs(seen.without.estimate - 0.9)
    back = slip_in_spread([wrong, *others], trial="A", factor=2.0)
    assert mean_of(back.with_slip) == pytest.approx(mean_of(seen.without))


def test_a_standardised_effect_moves_with_its_spread() -> None:
    trials = [
        standardised_effect("A", 0.4, n=25, correlation=0.6),
        standardised_effect("B", 0.2, n=(40, 45)),
        standardised_effect("C", 0.3, n=(25, 20)),
    ]
    seen = slip_in_spread(trials, trial="A", factor=0.5)
    assert seen.with_slip.trials[0] == standardised_effect("A", 0.8, n=25, correlation=0.6)
    assert seen.with_slip.trials[1:] == seen.without.trials[1:] == tuple(trials[1:])
    arms = slip_in_spread(trials, trial="B", factor=2.0)
    assert arms.with_slip.trials[1] == standardised_effect("B", 0.1, n=(40, 45))


@pytest.mark.parametrize(("n", "factor"), [(25, 0.2), ((16, 16), 0.25)])
def test_a_standard_error_taken_for_a_standard_deviation(n, factor) -> None:
    trials = [trial_effect("A", 0.5, n=n, p=0.1), *four()[1:]]
    seen = slip_in_spread(trials, trial="A", factor="se-for-sd")
    assert seen.factor == pytest.approx(factor)
    back = slip_in_spread(trials, trial="A", factor="sd-for-se")
    assert back.factor == pytest.approx(1 / factor)


def test_standard_errors_of_unequal_arms_taken_for_standard_deviations() -> None:
    sd, n = 3.0, (16, 36)
    right = trial_effect("A", 0.5, n=n, sds=(sd, sd))
    wrong = trial_effect("A", 0.5, n=n, sds=(sd / 4.0, sd / 6.0))
    seen = slip_in_spread([right, *four()[1:]], trial="A", factor="se-for-sd")
    assert seen.with_slip.trials[0].standard_error == pytest.approx(wrong.standard_error)


def test_the_tables_show_every_trial_and_both_answers() -> None:
    seen = synthesise(four())
    table = seen.table()
    assert list(table["name"]) == ["crossover", "first", "second", "third", "mean"]
    assert table["weight"][:-1].sum() == pytest.approx(1.0)
    assert repr(seen).splitlines()[0].split() == [
        "trials",
        "mean",
        "low",
        "high",
        "p",
        "tau2",
        "I2",
    ]
    both = slip_in_spread(four(), trial="first", factor=0.5).table()
    assert list(both["slip"]) == [False, True]
    assert both["trial_error"][1] == pytest.approx(both["trial_error"][0] / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: synthesise(four()[:1]), "trials=crossover: at least two are needed"),
        (
            lambda: synthesise([*four(), standardised_effect("s", 0.2, n=(9, 9))]),
            "all standardised or none",
        ),
        (lambda: synthesise(four(), heterogeneity="reml"), "heterogeneity='reml' is not supported"),
        (lambda: synthesise(four(), interval="wald"), "interval='wald' is not supported"),
        (lambda: synthesise(four(), level=95), "level=95 must lie between 0 and 1"),
        (lambda: trial_effect("A", 1.0, n=9, p=0.1, t=2.0), "A: p=0.1, t=2.0"),
        (lambda: trial_effect("A", 1.0, n=9, sds=(1.0, 1.0)), "a correlation with the sds"),
        (
            lambda: trial_effect("A", 1.0, n=9, standard_error=-1.0),
            r"A: estimate=1.0, standard_error=-1.0, sizes=\(9,\)",
        ),
        (lambda: standardised_effect("A", 0.3, n=20), "A: correlation=None with n=20"),
        (
            lambda: standardised_effect("A", 0.3, n=(20, 20), correlation=0.5),
            "two arms have none",
        ),
        (
            lambda: slip_in_spread(four(), trial="fourth"),
            "trial='fourth' must be the name of one trial; there are crossover, first",
        ),
        (lambda: slip_in_spread(four(), trial="first", factor=0.0), "factor=0.0 must be positive"),
        (
            lambda: slip_in_spread(four(), trial="first", factor="ci-for-sd"),
            "factor='ci-for-sd' must be a number or one of",
        ),
    ],
)
def test_what_cannot_be_pooled_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
