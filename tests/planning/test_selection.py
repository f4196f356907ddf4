"""What selection does: closed forms against simulation, BUCSS, scipy, and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from ldnstats.planning import (
    corrected_effect,
    corrected_noncentrality,
    corrected_sample_size,
    design_errors,
    observed_power,
    power,
    replication_power,
    replication_variance_ratio,
    safeguard_effect,
)
from ldnstats.planning.formulas import noncentral_t_tail

Size = Callable[[str], int]

# R 4.2.2, BUCSS 1.2.1, step 0.001: t, pairs or people per arm, alpha.prior, assurance, power; then
# N and noncentrality of ss.power.dt, and n and noncentrality of ss.power.it.
BUCSS = (
    ((2.57, 28, 0.05, 0.5, 0.8), (129, 1.318), (90, 1.576)),
    ((3.0, 40, 0.05, 0.8, 0.8), (255, 1.115), (188, 1.298)),
    ((4.35, 10, 0.8, 0.5, 0.8), (7, 4.209), (6, 4.283)),
    ((2.57, 28, 0.05, 0.6, 0.9), (608, 0.697), (278, 1.031)),
    ((3.2, 28, 0.1, 0.8, 0.9), (88, 1.849), (77, 1.978)),
    ((2.8, 60, 0.05, 0.5, 0.8), (96, 2.242), (91, 2.297)),
)


@pytest.mark.parametrize(("inputs", "paired", "arms"), BUCSS)
def test_corrected_sizes_are_those_of_bucss(inputs, paired, arms) -> None:
    t, n, alpha_prior, assurance, wanted = inputs
    words = {"alpha_prior": alpha_prior, "assurance": assurance, "power": wanted}
    for groups, (size, noncentrality) in ((n, paired), ((n, n), arms)):
        found = corrected_sample_size(t, n=groups, resolution=0.001, **words)
        assert found.n_per_group == size
        assert found.effect.noncentrality == pytest.approx(noncentrality, abs=1e-9)
        assert found.power >= wanted
        exact = corrected_effect(t, n=groups, alpha_prior=alpha_prior, assurance=assurance)
        assert abs(exact.noncentrality - noncentrality) < 1e-3


def test_corrected_f_statistics_are_those_of_bucss_and_of_t() -> None:
    # ss.power.ba(F.observed=5, N=120, levels.A=3, ..., assurance=.5) and (6.3, 60, 4, .1, .8)
    assert corrected_noncentrality(5.0, df=(2, 117)) == pytest.approx(5.327, abs=5e-4)
    found = corrected_noncentrality(6.3, df=(3, 56), alpha_prior=0.1, assurance=0.8)
    assert found == pytest.approx(8.631, abs=5e-4)
    for alpha_prior in (0.05, 1.0):
        t = corrected_effect(2.8, n=(20, 24), alpha_prior=alpha_prior).noncentrality
        f = corrected_noncentrality(2.8**2, df=(1, 42), alpha_prior=alpha_prior)
        assert f == pytest.approx(t**2, rel=1e-8)
    assert corrected_noncentrality(4e3, df=(3, 200)) > 3 * 3.5e3


def test_a_corrected_effect_is_too_large_as_often_as_it_says(size: Size) -> None:
    count = size("planning.corrected-effects-are-too-large-as-often-as-they-say")
    rng = np.random.default_rng(7)
    true, df, t = 2.2, 27, 2.9
    drawn = np.abs((true + rng.normal(size=count)) / np.sqrt(rng.chisquare(df, count) / df))
    published = drawn[drawn > stats.t.isf(0.025, df)]
    share = (published < t).mean()
    error = 4 * math.sqrt(share * (1 - share) / published.size)
    above, below = (
        corrected_effect(t, n=28, assurance=float(share + e)).noncentrality for e in (-error, error)
    )
    assert below < true < above


def test_without_selection_and_assurance_the_correction_is_a_median() -> None:
    found = corrected_effect(2.57, n=28, alpha_prior=1.0, assurance=0.5)
    either = stats.nct.sf(2.57, 27, found.noncentrality) + stats.nct.cdf(
        -2.57, 27, found.noncentrality
    )
    assert either == pytest.approx(0.5, abs=1e-9)
    mirrored = corrected_effect(-2.57, n=28, alpha_prior=1.0)
    assert mirrored.standardised == -found.standardised
    assert mirrored.share == found.share


@pytest.mark.parametrize("df", [math.inf, 12.0])
def test_sign_and_magnitude_errors_are_those_of_simulated_estimates(size: Size, df: float) -> None:
    count = size("planning.design-errors-are-those-of-simulated-estimates")
    rng = np.random.default_rng(3)
    effect, error = 2.0, 3.0
    noise = rng.normal(size=count) if math.isinf(df) else rng.standard_t(df, size=count)
    estimate = effect + error * noise
    needed = stats.norm.isf(0.025) if math.isinf(df) else stats.t.isf(0.025, df)
    kept = estimate[np.abs(estimate) > error * needed]
    found = design_errors(effect, standard_error=error, df=df)
    share = kept.size / count
    assert abs(share - found.power) < 4 * math.sqrt(share / count)
    wrong = (kept < 0).mean()
    assert abs(wrong - found.type_s) < 4 * math.sqrt(wrong / kept.size)
    sizes = np.abs(kept) / effect
    assert abs(sizes.mean() - found.type_m) < 4 * sizes.std() / math.sqrt(kept.size)


def test_design_errors_on_many_df_are_those_of_the_normal() -> None:
    normal, many = (design_errors(-1.0, standard_error=0.8, df=df) for df in (math.inf, 1e7))
    assert many.power == pytest.approx(normal.power, rel=1e-5)
    assert many.type_s == pytest.approx(normal.type_s, rel=1e-5)
    assert many.type_m == pytest.approx(normal.type_m, rel=1e-5)
    sure = design_errors(30.0, standard_error=0.5)
    assert (sure.power, sure.type_s) == (1.0, 0.0)
    assert sure.type_m == pytest.approx(1.0)


def test_the_power_beside_the_errors_is_that_of_a_z_test() -> None:
    expected = power(design="parallel", analysis="z", n=60, effect=0.4, sd=1.0)
    errors = design_errors(0.4, standard_error=math.sqrt(2 / 30))
    assert errors.power == pytest.approx(expected.estimate, abs=1e-12)


@pytest.mark.parametrize(("t", "n"), [(2.57, 28), (0.4, 12), (-3.1, (20, 35)), (45.0, 200)])
def test_the_safeguard_is_a_noncentral_confidence_limit(t: float, n: object) -> None:
    for level in (0.6, 0.95):
        found = safeguard_effect(t, n=n, level=level)
        groups = (n,) if isinstance(n, int) else n
        df = sum(groups) - len(groups)
        toward = math.copysign(found.noncentrality, found.share)
        x, chi = abs(t), stats.chi(df, scale=1 / math.sqrt(df))
        ends = chi.ppf(1e-14), chi.ppf(1 - 1e-14)
        above, _ = integrate.quad(
            lambda c, x=x, chi=chi, m=toward: stats.norm.sf(x * c - m) * chi.pdf(c),
            *ends,
            epsabs=1e-12,
        )
        assert above == pytest.approx((1 - level) / 2, abs=1e-8)
        per_unit = math.sqrt(sum(1 / g for g in groups))
        assert found.standardised == pytest.approx(found.noncentrality * per_unit)
        assert found.share == pytest.approx(found.noncentrality / t)


def test_the_noncentral_tail_is_scipys_where_scipy_has_one() -> None:
    t, nc = np.linspace(-4, 4, 9)[:, None], np.linspace(-3, 3, 7)
    expected = stats.nct.sf(t, 9, nc)
    assert noncentral_t_tail(t, 9, noncentrality=nc) == pytest.approx(expected, abs=1e-10)
    far = noncentral_t_tail(40.0, [3.0, 500.0, math.inf], noncentrality=60.0)
    assert np.isfinite(far).all()


@pytest.mark.parametrize("prior", ["conditional", "predictive", "empirical-bayes", "cochrane"])
def test_the_variance_ratio_has_the_power_that_it_was_asked_for(prior) -> None:
    for p, wanted in ((0.001, 0.8), (0.016, 0.55), (0.03, 0.3)):
        ratio = replication_variance_ratio(p, power=wanted, prior=prior)
        found = replication_power(p, variance_ratio=ratio, prior=prior)
        assert found == pytest.approx(wanted, abs=1e-9)


def test_a_power_beyond_its_limit_is_refused_with_the_limit() -> None:
    limit = stats.norm.cdf(stats.norm.isf(0.025))
    with pytest.raises(ValueError, match=f"rises from alpha=0.025 to {limit:.4f}"):
        replication_variance_ratio(0.05, power=0.98, prior="predictive")
    with pytest.raises(ValueError, match=r"power=0.01 is not reached"):
        replication_variance_ratio(0.05, power=0.01)


@pytest.mark.parametrize("words", [{}, {"p": 0.016}, {"t": 2.57}])
def test_observed_power_is_refused_with_what_to_ask_instead(words) -> None:
    with pytest.raises(ValueError, match=r"p-value in another guise.*ask effect_from_interval"):
        observed_power(**words)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: design_errors(0.0, standard_error=1.0), "effect=0.0, standard_error=1.0"),
        (lambda: design_errors(1.0, standard_error=0.0), "a positive standard error"),
        (lambda: design_errors(1.0, standard_error=1.0, df=1.0), "df above 1"),
        (lambda: safeguard_effect(0.0, n=28), "t=0.0 with n=28: a finite t other than 0"),
        (lambda: safeguard_effect(2.0, n=(28, 1)), "2 people in each of two arms"),
        (lambda: safeguard_effect(2.0, n=28, level=1.0), "level=1.0 must lie between 0 and 1"),
        (lambda: corrected_effect(2.57, n=28, alpha_prior=0.0), "alpha_prior=0.0 must lie above"),
        (lambda: corrected_effect(2.57, n=28, assurance=1.0), "assurance=1.0 between 0 and 1"),
        (lambda: corrected_effect(1.9, n=28), r"\|t\|=1.9 is not beyond 2.052"),
        (lambda: corrected_effect(2.57, n=28, assurance=0.8), "t=2.57 leaves no effect at"),
        (lambda: corrected_noncentrality(0.0, df=(2, 60)), r"f=0.0 and df=\(2, 60\) must be"),
        (lambda: corrected_noncentrality(3.0, df=(2, 60)), "F=3 is not beyond 3.15"),
        (lambda: corrected_noncentrality(3.3, df=(2, 60)), "F=3.3 leaves no effect at"),
    ],
)
def test_what_cannot_be_corrected_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
