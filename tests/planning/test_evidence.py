"""From a printed crossover to the trial that came after it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from ldnstats.planning import (
    cochrane_posterior,
    diluted_effect,
    effect_from_interval,
    effect_from_paired,
    inflate_for_dropout,
    parallel_effect_from_dz,
    percent_to_points,
    power,
    predictive_probability,
    replication_power,
    same_information_n,
    sd_from_half_width,
    shrunken_effect,
    within_person_correlation,
    z_from_p,
)


def test_the_printed_crossover_is_a_paired_t_with_its_p() -> None:
    sds = (sd_from_half_width(9.3, n=28), sd_from_half_width(10.8, n=28))
    effect = effect_from_paired(mean=10.8, n=28, p=0.016, sds=sds)
    assert stats.t.sf(effect.t, 27) * 2 == pytest.approx(0.016, abs=1e-12)
    assert effect.correlation == pytest.approx(0.641, abs=5e-4)
    same = effect_from_paired(mean=10.8, n=28, t=-effect.t, sds=sds)
    assert same == effect
    assert effect_from_paired(
        mean=10.8, n=28, standard_error=effect.standard_error
    ).dz == pytest.approx(effect.dz)
    assert effect_from_paired(mean=-10.8, n=28, p=0.016).t == pytest.approx(-effect.t)


def test_same_information_means_the_same_standard_error() -> None:
    for rho, r in ((0.64, 0.0), (0.64, 0.5), (0.3, 0.7)):
        n = same_information_n(28, correlation=rho, baseline_correlation=r)
        crossover = math.sqrt(2 * (1 - rho) / 28)
        parallel = math.sqrt((1 - r**2) * 4 / n)
        assert parallel == pytest.approx(crossover, rel=1e-12)
    assert round(same_information_n(28, correlation=0.64)) == 156


def test_what_the_crossover_predicted_for_the_parallel_trial() -> None:
    crossover = effect_from_paired(mean=10.8, n=28, p=0.016)
    points = percent_to_points(10.8, baseline_mean=6.3)
    error = percent_to_points(crossover.standard_error, baseline_mean=6.3)
    later = effect_from_interval(-0.27, 0.95, df=96, sizes=(49, 50))
    seen = predictive_probability(
        prior_mean=points,
        prior_sd=error,
        standard_error=later.standard_error,
        observed=later.estimate,
    )
    assert points == pytest.approx(0.68, abs=0.001)
    assert error == pytest.approx(0.265, abs=0.0005)
    assert later.estimate == pytest.approx(0.34)
    assert seen.interval == pytest.approx((-0.115, 1.476), abs=0.002)
    assert seen.probability_as_far == pytest.approx(0.40, abs=0.005)
    assert seen.probability_below == pytest.approx(seen.probability_as_far / 2)
    assert seen.probability_positive == pytest.approx(stats.norm.cdf(points / error))


def test_the_predictive_distribution_is_that_of_simulated_trials() -> None:
    rng = np.random.default_rng(12)
    R = 400_000
    estimate = rng.normal(rng.normal(0.5, 0.3, R), 0.25)
    seen = predictive_probability(
        prior_mean=0.5, prior_sd=0.3, standard_error=0.25, observed=0.1, level=0.9
    )
    significant = (np.abs(estimate) > 1.959964 * 0.25).mean()
    for found, expected in (
        (significant, seen.probability_significant),
        ((estimate <= 0.1).mean(), seen.probability_below),
        ((np.abs(estimate - 0.5) >= 0.4).mean(), seen.probability_as_far),
        (((estimate > seen.interval[0]) & (estimate < seen.interval[1])).mean(), 0.9),
    ):
        assert found == pytest.approx(expected, abs=4 * math.sqrt(0.25 / R))


def test_a_known_effect_is_predicted_with_the_power_of_the_test() -> None:
    trial = power(design="parallel", n=40, effect=0.8, sd=1.0)
    assert trial.standard_error is not None
    seen = predictive_probability(
        prior_mean=0.8, prior_sd=0.0, standard_error=trial.standard_error, df=38
    )
    assert seen.probability_significant == pytest.approx(trial.estimate, abs=1e-14)
    assert seen.probability_positive == 1.0
    assert (seen.observed, seen.z, seen.probability_below) == (None, None, None)


def test_an_interval_gives_back_its_standard_error_and_p() -> None:
    effect = effect_from_interval(-0.95, 0.27, estimate=-0.34, df=96, sizes=(49, 50))
    assert effect.p_value == pytest.approx(
        2 * stats.t.sf(0.34 / effect.standard_error, 96), abs=1e-12
    )
    normal = effect_from_interval(-1.959964, 1.959964, level=0.95)
    assert normal.standard_error == pytest.approx(1.0, abs=1e-6)
    assert (normal.sd, normal.d, normal.p_value) == (None, None, 1.0)


def test_the_posterior_of_the_cochrane_mixture_is_bayes_theorem() -> None:
    z = 2.4
    shares, spreads = (0.32, 0.31, 0.30, 0.07), (0.61, 1.42, 2.16, 5.64)

    def joint(snr: float) -> float:
        prior = sum(p * stats.norm.pdf(snr, scale=t) for p, t in zip(shares, spreads, strict=True))
        return float(prior * stats.norm.pdf(z - snr))

    total = integrate.quad(joint, -15, 20)[0]
    mean = integrate.quad(lambda snr: snr * joint(snr), -15, 20)[0] / total
    posterior = cochrane_posterior(z)
    assert posterior.mean == pytest.approx(mean, abs=1e-7)
    again = integrate.quad(lambda s: joint(s) * stats.norm.sf(1.959964 - s), -15, 20)[0] / total
    p = 2 * stats.norm.sf(z)
    assert z_from_p(p) == pytest.approx(z)
    assert replication_power(p) == pytest.approx(again, abs=1e-6)


def test_what_is_not_possible_is_refused() -> None:
    with pytest.raises(ValueError, match=r"correlation=1.0 must lie from -1 to below 1"):
        same_information_n(28, correlation=1.0)
    with pytest.raises(ValueError, match=r"baseline_correlation=1.2 must lie from -1"):
        same_information_n(28, correlation=0.5, baseline_correlation=1.2)
    with pytest.raises(ValueError, match=r"correlation=-2 must lie"):
        parallel_effect_from_dz(0.5, correlation=-2)
    with pytest.raises(ValueError, match=r"would need a correlation of -1.45"):
        within_person_correlation(9.3, 10.8, sd_difference=22.235)
    with pytest.raises(ValueError, match=r"mean=0.0 with n=28: a mean other than 0"):
        effect_from_paired(mean=0.0, n=28, p=0.5)
    with pytest.raises(ValueError, match=r"p=0.5, t=2.0, standard_error=None: give exactly one"):
        effect_from_paired(mean=1.0, n=28, p=0.5, t=2.0)
    with pytest.raises(ValueError, match=r"p=1.5 must lie between 0 and 1"):
        effect_from_paired(mean=1.0, n=28, p=1.5)
    with pytest.raises(ValueError, match=r"an interval from 0.27 to -0.95 has its ends"):
        effect_from_interval(0.27, -0.95)
    with pytest.raises(ValueError, match=r"standard_error=0.0 must be positive"):
        predictive_probability(prior_mean=0.5, prior_sd=0.1, standard_error=0.0)
    with pytest.raises(ValueError, match=r"rate=1.0 must lie from 0 to below 1"):
        inflate_for_dropout(100, rate=1.0)
    with pytest.raises(ValueError, match=r"adherence=1.2 must lie from 0 to 1"):
        diluted_effect(0.5, adherence=1.2)
    with pytest.raises(ValueError, match=r"estimate=0.5 with p=1.0 has no standard error"):
        shrunken_effect(0.5, p=1.0)
    with pytest.raises(ValueError, match=r"p=0.0 must lie above 0 and at most at 1"):
        replication_power(0.0)
    with pytest.raises(ValueError, match=r"prior='flat' is not supported; use one of"):
        replication_power(0.05, prior="flat")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"variance_ratio=0.0 must be positive"):
        replication_power(0.05, variance_ratio=0.0)
