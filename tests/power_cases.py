"""Worked power cases mapped onto the public calls; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ldnstats import planning as pl
from ldnstats.planning.formulas import f_power, t_power
from ldnstats.planning.results import Power, SampleSize

Inputs = Mapping[str, Any]


def _parallel(i: Inputs, **more: Any) -> Power:
    words = {"design": "parallel", "alpha": i.get("alpha", 0.05), "tails": i.get("sides", 2)}
    return pl.power(**(words | more))


def _two(i: Inputs) -> tuple[int, int]:
    return (i["n1"], i["n2"]) if "n1" in i else (i["n"], i["n"])


def _parallel_n(i: Inputs, **more: Any) -> SampleSize:
    words = {
        "design": "parallel",
        "power": i["power"],
        "alpha": i.get("alpha", 0.05),
        "tails": i.get("sides", 2),
    }
    return pl.sample_size(**(words | more))


def _per_arm(size: SampleSize) -> float:
    assert size.exact_sizes is not None
    return size.exact_sizes[0]


def _ancova(i: Inputs, analysis: str) -> float:
    return _parallel(
        i, analysis=analysis, n=_two(i), effect=i["d"], sd=1.0, correlation=math.sqrt(i["r2"])
    ).estimate


def _paired_means(i: Inputs) -> float:
    return pl.power(
        design="paired",
        n=i["n"],
        effect=i["mean1"] - i["mean2"],
        sd=(i["sd1"], i["sd2"]),
        correlation=i["rho"],
        alpha=i["alpha"],
        tails=i["sides"],
    ).estimate


def _crossover(i: Inputs) -> float:
    # Uncorrelated measurements have the within-person SD as their own.
    return pl.power(
        design="ab/ba",
        n=_two(i),
        effect=i["delta"],
        sd=i["sigma_w"],
        correlation=0.0,
        alpha=i["alpha"],
        tails=i["sides"],
    ).estimate


def _ancova_n_total(i: Inputs) -> float:
    return _parallel_n(
        i, analysis="ancova", effect=i["delta"], sd=i["sd"], correlation=i["rho"]
    ).n_total


def _crossover_n_total(i: Inputs) -> float:
    size = pl.sample_size(
        design="ab/ba", effect=i["delta"], sd=i["sigma_w"], correlation=0.0, power=i["power"]
    )
    return size.n_total


def _assurance_raw(i: Inputs) -> float:
    return pl.assurance(
        design="parallel",
        n=(i["n"], i["n"]),
        prior_mean=i["m"],
        prior_sd=i["s"],
        sd=i["sd"],
        alpha=i["alpha"],
    ).estimate


def _assurance_limit(i: Inputs) -> float:
    return pl.assurance(
        design="parallel", n=100, prior_mean=i["m"], prior_sd=i["s"], sd=1.0, tails=1
    ).limit


def _assurance_z(i: Inputs) -> float:
    # Two-sided level of which one tail counts.
    return pl.predictive_probability(
        prior_mean=i["m"], prior_sd=i["s"], standard_error=i["se"], alpha=i["alpha"] / 2, tails=1
    ).probability_significant


def _paired_effect(i: Inputs) -> pl.PairedEffect:
    return pl.effect_from_paired(mean=i["mean_active"] - i["mean_placebo"], n=i["n"], p=i["p"])


def _d_parallel(i: Inputs) -> float:
    # The standard error is not looked at; the one given keeps the correlation possible.
    effect = pl.effect_from_paired(
        mean=i["delta"], n=2, standard_error=i["sd1"], sds=(i["sd1"], i["sd2"])
    )
    assert effect.d_parallel is not None
    return effect.d_parallel


def _interval(i: Inputs) -> pl.IntervalEffect:
    return pl.effect_from_interval(i["lo"], i["hi"], estimate=i.get("est"), df=i["df"])


_PRIORS: dict[str, Any] = {"EB": "empirical-bayes"}


def _replication(i: Inputs) -> float:
    prior = _PRIORS.get(i["prior"], i["prior"])
    return pl.replication_power(
        i["p"],
        variance_ratio=i["c"],
        prior=prior,
        alpha=i["level"],
        shrinkage=i.get("shrinkage", 0.0),
    )


def _zwet_mean(i: Inputs) -> float:
    return pl.cochrane_posterior(pl.z_from_p(i["p"])).mean


def _proportions(i: Inputs, test: Any) -> float:
    return pl.two_proportions_power(
        i["p1"],
        i["p2"],
        n=_two(i),
        test=test,
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    )


def _mcnemar(i: Inputs, **more: Any) -> float:
    return pl.mcnemar_power(i["p10"], i["p01"], n=i["n"], alpha=i["alpha"], **more)


def _equivalence(i: Inputs, **more: Any) -> pl.DesignPower:
    # Sequences of unequal size have equal weights, as in PowerTOST.
    words = {
        "n": i["n"],
        "effect": i["theta0"],
        "alpha": i.get("alpha", 0.05),
        "weights": "equal",
        "robust": i.get("robust", False),
    }
    return pl.equivalence_power(i.get("design", "2x2"), **(words | more))


def _bioequivalence(i: Inputs) -> float:
    return _equivalence(i, limits=(i["theta1"], i["theta2"]), cv=i["CV"]).estimate


def _bioequivalence_n(i: Inputs) -> float:
    return pl.equivalence_sample_size(
        i.get("design", "2x2"),
        power=i["power"],
        effect=i["theta0"],
        limits=(i["theta1"], i["theta2"]),
        cv=i["CV"],
        alpha=i.get("alpha", 0.05),
        robust=i.get("robust", False),
    ).n_total


def _equivalence_n(i: Inputs, design: str, effect: float) -> float:
    return pl.equivalence_sample_size(
        design,
        power=i["power"],
        effect=effect,
        limits=(i["lo"], i["hi"]),
        sd=i["sd"],
        alpha=i.get("alpha", 0.05),
    ).n_total


def _noninferiority_n(i: Inputs) -> float:
    # The margin is the width of what may be lost.
    return pl.noninferiority_sample_size(
        "parallel",
        power=i["power"],
        effect=i["delta"],
        margin=-abs(i["margin"]),
        sd=i["sd"],
        alpha=i.get("alpha", 0.025),
    ).n_total


def _carry_over_n(i: Inputs) -> float:
    return pl.carry_over_test_sample_size(
        difference=i["gamma"],
        sd_totals=(i["sigma1"], i["sigma2"]),
        power=1.0 - i["beta"],
        alpha=i["alpha"],
        tails=i.get("sides", 2),
    ).exact_n_per_sequence


def _sized(i: Inputs, found: pl.ArmsPower) -> float:
    assert found.exact_n_per_arm is not None
    return found.n_per_arm[0] if i.get("ceil") else found.exact_n_per_arm[0]


def _slopes_n(i: Inputs) -> float:
    found = pl.slope_sample_size(
        i["t"],
        power=i["power"],
        effect=i["d"],
        sd=math.sqrt(i["sigma2"]),
        correlation=i["R"] if "R" in i else i["rho"],
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    )
    return _sized(i, found)


def _random_slopes(i: Inputs) -> float:
    return pl.random_slope_power(
        i["t"],
        n=_two(i),
        effect=i["delta_end"],
        effect_of="end",
        sd_slope=i["sd1"],
        sd_error=i["se"],
        sd_intercept=i["sd0"],
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    ).estimate


def _mmrm_n(i: Inputs) -> float:
    found = pl.mmrm_sample_size(
        power=i["power"],
        effect=i["delta"],
        sd=i["sigma"],
        correlation=i["Ra"],
        retention=i["ra"],
        control_correlation=i.get("Rb"),
        control_retention=i.get("rb"),
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
        allocation=(i.get("lambda", 1), 1),
    )
    return _sized(i, found)


def _mmrm_phi(i: Inputs) -> float:
    R = pl.ar1_correlation(visits=i["J"], first_last=i["p1J"])
    return pl.retention_factor(R, retention=pl.linear_retention(i["a"], visits=i["J"]))


def _proportions_n(i: Inputs, test: Any) -> float:
    found = pl.two_proportions_sample_size(
        i["p1"],
        i["p2"],
        power=i["power"],
        test=test,
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    )
    assert found.exact_n is not None
    assert found.n_per_arm is not None
    return found.n_per_arm[0] if i.get("ceil") else found.exact_n


def _mcnemar_n(i: Inputs) -> float:
    return pl.mcnemar_sample_size(
        i["p10"],
        i["p01"],
        power=i["power"],
        test="normal",
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    ).n_total


def _time_averaged(i: Inputs) -> float:
    return pl.repeated_measures_power(
        "post",
        n=_two(i),
        effect=i["d"],
        sd=1.0,
        correlation=i["rho"],
        follow_ups=i["r"],
        test="z",
        alpha=i.get("alpha", 0.05),
        tails=i.get("sides", 2),
    ).estimate


_METHODS = {"clopper": "clopper-pearson", "wilson": "wilson"}


def _interval_end(i: Inputs) -> float:
    ends = pl.proportion_interval(
        i["x"], n=i["n"], level=i.get("level", 0.95), method=_METHODS[i["fn"]]
    )
    return ends[i["which"] - 1]


_SHAPES = {"OF": "obrien-fleming", "P": "pocock", "WT": "wang-tsiatis"}
_SPENDING = {
    "asOF": "spending-obrien-fleming",
    "asP": "spending-pocock",
    "asKD": "spending-kim-demets",
    "asHSD": "spending-hwang-shih-decani",
}


def _shaped(i: Inputs) -> pl.SequentialBoundary:
    return pl.sequential_boundary(
        i.get("info", i.get("K")),
        boundary=_SHAPES[i.get("type", "WT")],
        parameter=i.get("Delta"),
        alpha=i["alpha"],
        tails=i.get("sides", 2),
    )


def _spent(i: Inputs) -> float:
    found = pl.sequential_boundary(
        i["info"],
        boundary=_SPENDING[i["type"]],
        parameter=i.get("gamma"),
        alpha=i["alpha"],
        tails=i.get("sides", 1),
    )
    return found.critical_values[i["k"] - 1]


def _corrected(i: Inputs, n: Any) -> float:
    # BUCSS seeks the noncentrality on this grid, and takes 0.999 for an alpha of 1.
    size = pl.corrected_sample_size(
        i["t"],
        n=n,
        power=i["power"],
        alpha=i.get("alpha", 0.05),
        alpha_prior=min(i["alpha_prior"], 0.999),
        assurance=i["assurance"],
        resolution=0.001,
    )
    return size.n_per_group


def _expected_sd(i: Inputs) -> float:
    return pl.power_with_uncertain_sd(
        design="parallel",
        n=_two(i),
        effect=i["delta"],
        sd=i["sd"],
        sd_df=i["df"],
        alpha=i["alpha"],
        tails=i.get("sides", 2),
    )


def _replication_ratio(i: Inputs) -> float:
    return pl.replication_variance_ratio(
        i["p"],
        power=i["power"],
        prior=_PRIORS.get(i["prior"], i["prior"]),
        alpha=i["level"],
        shrinkage=i.get("shrinkage", 0.0),
    )


_ERRORS = {"power": "power", "typeS": "type_s", "typeM": "type_m"}


def _design_errors(i: Inputs) -> float:
    errors = pl.design_errors(
        i["A"], standard_error=i["s"], alpha=i.get("alpha", 0.05), df=i.get("df", math.inf)
    )
    return getattr(errors, _ERRORS[i["what"]])


_CASES: dict[str, Callable[[Inputs], float]] = {
    "ttest2": lambda i: _parallel(i, n=_two(i), effect=i["d"], sd=1.0).estimate,
    "ttest2_onetail": lambda i: (
        _parallel(i, n=_two(i), effect=i["d"], sd=1.0, alpha=i["alpha"] / 2, tails=1).estimate
    ),
    "ttest2_n": lambda i: _per_arm(_parallel_n(i, effect=i["d"], sd=1.0)),
    "itt_dilution": lambda i: (
        _parallel(
            i, n=_two(i), effect=pl.diluted_effect(i["d"], adherence=i["adherence"]), sd=1.0
        ).estimate
    ),
    "welch_raw": lambda i: (
        _parallel(
            i, analysis="welch", n=_two(i), effect=i["delta"], sd=(i["sd1"], i["sd2"])
        ).estimate
    ),
    "z2_raw": lambda i: (
        _parallel(i, analysis="z", n=_two(i), effect=i["delta"], sd=(i["sd1"], i["sd2"])).estimate
    ),
    "z2_power": lambda i: (
        _parallel(i, analysis="z", n=_two(i), effect=i["delta"], sd=i["sd"]).estimate
    ),
    # The textbook formula leaves the far tail out.
    "z2_n": lambda i: _per_arm(
        _parallel_n(
            i, analysis="z", effect=i["delta"], sd=i["sd"], alpha=i["alpha"] / i["sides"], tails=1
        )
    ),
    "ancova_shieh": lambda i: _ancova(i, "ancova"),
    "ancova_approx": lambda i: _ancova(i, "ancova-approximate"),
    "ancova_n_total": _ancova_n_total,
    "paired": lambda i: (
        pl.power(
            design="paired", n=i["n"], effect=i["dz"], sd=1.0, alpha=i["alpha"], tails=i["sides"]
        ).estimate
    ),
    "paired_means": _paired_means,
    "crossover": _crossover,
    "crossover_n_total": _crossover_n_total,
    "mdd": lambda i: pl.minimal_detectable_difference(
        design="parallel", n=_two(i), sd=1.0, power=i["power"], alpha=i["alpha"]
    ),
    "assurance_raw": _assurance_raw,
    "assurance_limit": _assurance_limit,
    "assurance_zwet": lambda i: (
        pl.assurance(
            design="parallel",
            n=_two(i),
            prior=pl.shrunken_effect(i["est"], p=i["p"]),
            sd=i["sd"],
            alpha=i["alpha"],
            tails=1,
        ).estimate
    ),
    "assurance_z": _assurance_z,
    "t_from_p": lambda i: _paired_effect(i).t,
    "se_from_p": lambda i: _paired_effect(i).standard_error,
    "sdd_from_p": lambda i: _paired_effect(i).sd_difference,
    "dz_from_p": lambda i: _paired_effect(i).dz,
    "sigmaw": lambda i: _paired_effect(i).sd_within,
    "sd_from_ci": lambda i: pl.sd_from_half_width(i["half"], n=i["n"], level=i["level"]),
    "rho_from_sds": lambda i: pl.within_person_correlation(
        i["sd1"], i["sd2"], sd_difference=i["sd_diff"]
    ),
    "d_parallel": _d_parallel,
    "d_from_dz": lambda i: pl.parallel_effect_from_dz(i["dz"], correlation=i["rho_pooled"]),
    "n_equiv": lambda i: pl.same_information_n(i["n"], correlation=i["rho"]),
    "se_from_ci": lambda i: _interval(i).standard_error,
    "p_from_ci": lambda i: _interval(i).p_value,
    "rep_power": _replication,
    "zwet_rep": lambda i: pl.replication_power(i["p"], variance_ratio=i["c"]),
    "zwet_mean": _zwet_mean,
    "prop2_h": lambda i: _proportions(i, "arcsine"),
    "prop2_pooled_both": lambda i: _proportions(i, "pooled"),
    "prop2_pooled_uneq": lambda i: _proportions(i, "pooled"),
    "prop2_unpooled_power": lambda i: _proportions(i, "unpooled"),
    "fisher": lambda i: _proportions(i, "fisher"),
    "mcnemar_exact": lambda i: _mcnemar(i),
    "mcnemar_exact1": lambda i: pl.mcnemar_power(
        max(i["p10"], i["p01"]), min(i["p10"], i["p01"]), n=i["n"], alpha=i["alpha"], tails=1
    ),
    "mcnemar_z": lambda i: _mcnemar(i, test="normal"),
    "zwet_shrink": lambda i: pl.shrinkage_factor(pl.z_from_p(i["p"])),
    "inflate": lambda i: pl.inflate_for_dropout(i["n"], rate=i["rate"]),
    "mcse": lambda i: pl.monte_carlo_error(i["p"], replicates=i["n"]),
    "mcse_n": lambda i: pl.replicates_for(i["se"], probability=i["p"]),
    "clopper": _interval_end,
    "wilson": _interval_end,
    "carry_n": _carry_over_n,
    "cvci": lambda i: pl.cv_from_interval(
        i["lower"],
        i["upper"],
        n=i["n"],
        design=i.get("design", "2x2"),
        level=1.0 - 2.0 * i.get("alpha", 0.05),
    ),
    "diggle_slope": _slopes_n,
    "frison_pocock": lambda i: pl.repeated_measures_factor(
        i["method"], baselines=i["p"], follow_ups=i["r"], correlation=i["rho"]
    ),
    "lmm_slope": _random_slopes,
    "mcnemar_n_chow": _mcnemar_n,
    "mmrm_n": _mmrm_n,
    "mmrm_phi": _mmrm_phi,
    "mmrm_phi_R": lambda i: pl.retention_factor(i["R"], retention=i["r"]),
    "noninf_par_n": _noninferiority_n,
    "norm_sf": lambda i: pl.responder_share(i["mean"], sd=i["sd"], cut=i["cut"]),
    "prop2_pooled_n": lambda i: _proportions_n(i, "pooled"),
    "prop2_unpooled_n": lambda i: _proportions_n(i, "unpooled"),
    "ratio": lambda i: pl.cohens_d(i["a"], sd=i["b"]),
    "sdd_from_components": lambda i: pl.sd_of_difference(sd_within=i["sigma_w"]),
    "time_avg": _time_averaged,
    "tost": _bioequivalence,
    "tost_n": _bioequivalence_n,
    "tost_one_n": lambda i: _equivalence_n(i, "one-sample", i["mean"]),
    "tost_par_n": lambda i: _equivalence_n(i, "parallel", i["delta"]),
    "tost_raw": lambda i: _equivalence(i, limits=(i["lo"], i["hi"]), sd=i["sd"]).estimate,
    "tost_unb": _bioequivalence,
    "gs_const": lambda i: _shaped(i).critical_values[-1],
    "gs_wt": lambda i: _shaped(i).critical_values[i["k"] - 1],
    "gs_infl": lambda i: pl.sequential_size(_shaped(i), power=i["power"]).inflation,
    "gs_spend": _spent,
    "cp_gs": lambda i: pl.conditional_power(
        i["z"], information=i["t"], critical_values=i["crit"], drift=i.get("theta")
    ),
    "bucss_dt": lambda i: _corrected(i, i["N"]),
    "bucss_it": lambda i: _corrected(i, _two(i)),
    "c_ratio": lambda i: pl.variance_ratio(i["se_orig"], sd=i["sd"], n=_two(i)),
    "sd_from_se": lambda i: pl.sd_from_standard_error(i["se"], sizes=_two(i)),
    "expected_sd": _expected_sd,
    "rep_c": _replication_ratio,
    "retro": _design_errors,
    "safeguard_dz": lambda i: pl.safeguard_effect(i["t"], n=i["n"], level=i["level"]).standardised,
    "nct": lambda i: float(t_power(i["ncp"], i["df"], alpha=i["alpha"], tails=i["sides"])),
    "ncf": lambda i: f_power(i["lambda"], (i["df1"], i["df2"]), alpha=i["alpha"]),
}


def evaluate(inputs: Mapping[str, Any]) -> float:
    """Return the quantity that a worked case names."""
    name = inputs["fn"]
    if name not in _CASES:
        message = f"fn={name!r} is not one of {', '.join(sorted(_CASES))}"
        raise KeyError(message)
    return float(_CASES[name](inputs))
