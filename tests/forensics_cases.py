"""Worked forensic cases mapped onto the public calls; nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ldnstats import forensics as fx
from ldnstats.reported import Interval, Reported, Rounding

Inputs = Mapping[str, Any]

_ROUNDINGS: dict[str, tuple[Rounding, ...]] = {
    "up": ("half-up",),
    "down": ("half-down",),
    "even": ("half-even",),
    "up_or_down": ("either",),
    "trunc": ("truncate",),
    "floor": ("floor",),
    "ceiling": ("ceiling",),
    "ceiling_or_floor": ("ceiling", "floor"),
}
# Rules of decimal arithmetic; UP is away from zero.
_DECIMAL: dict[str, Rounding] = {
    "CEILING": "ceiling",
    "DOWN": "truncate",
    "FLOOR": "floor",
    "HALF_DOWN": "half-down",
    "HALF_EVEN": "half-even",
    "HALF_UP": "half-up",
}
_MCNEMAR = {"exact": "mcnemar_exact", "midp": "mcnemar_midp", "chi2": "mcnemar"}
_READINGS = {"sd": "sd", "se": "se", "ci95_halfwidth": "ci95"}
_PAIRED = {
    "MPORC": "conditional log odds ratio",
    "MPOR": "marginal log odds ratio",
    "MPRR": "log risk ratio",
    "MPRD": "risk difference",
    "MPPETO": "Peto log odds ratio",
}


def _word(finding: fx.Finding) -> str:
    return {"impossible": "inconsistent"}.get(finding.verdict, finding.verdict)


def _rules(i: Inputs, mean: str) -> tuple[Rounding, ...]:
    name = i.get("rounding", "up_or_down")
    if name == "anti_trunc":  # away from zero
        return ("floor",) if mean.startswith("-") else ("ceiling",)
    if name not in _ROUNDINGS:
        message = f"rounding={name!r} is not one of anti_trunc, {', '.join(_ROUNDINGS)}"
        raise KeyError(message)
    return _ROUNDINGS[name]


def _fixed(value: float, digits: int) -> str:
    return f"{Decimal(str(value)):.{digits}f}"


def _ends(interval: Interval | None, digits: int) -> list[float]:
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return [round(float(interval.low), digits), round(float(interval.high), digits)]


def _hull(finding: fx.Finding, digits: int) -> list[float]:
    ends = [_ends(choice.interval, 12) for choice in finding.choices]
    return [
        round(min(low for low, _ in ends), digits),
        round(max(high for _, high in ends), digits),
    ]


def _grim(i: Inputs, mean: str | None = None) -> str:
    text = i["mean"] if mean is None else mean
    words = [
        _word(
            fx.grim(
                text,
                n=i["n"],
                items=i.get("items", 1),
                percent=i.get("percent", False),
                rounding=rule,
            )
        )
        for rule in _rules(i, text)
    ]
    return "consistent" if "consistent" in words else words[0]


def _grim_vector(i: Inputs) -> str:
    return "".join("t" if _grim(i, mean) == "consistent" else "f" for mean in i["means"])


def _grim_by_rule(i: Inputs) -> dict[str, bool]:
    mean = i["mean"]
    away: Rounding = "floor" if mean.startswith("-") else "ceiling"
    rules = _DECIMAL | {"UP": away}
    if mean[-1] not in "0156":  # 05UP cuts off, but after a digit 0 or 5 rounds away from zero
        rules["05UP"] = "truncate"
    return {
        name: fx.grim(mean, n=i["n"], rounding=rule).verdict == "consistent"
        for name, rule in rules.items()
    }


def _power(i: Inputs) -> fx.GrimPower:
    return fx.grim_power(i["x"], n=i["n"], items=i.get("items", 1), percent=i.get("percent", False))


def _total_n(i: Inputs) -> dict[str, Any]:
    low, high = i["dispersion"][0], i["dispersion"][-1]
    splits = [
        list(split)
        for split in fx.subgroup_sizes((i["x1"], i["x2"]), n=i["n_total"], rounding="either")
        if 2 * low <= abs(split[0] - split[1]) <= 2 * high
    ]
    return {"hits_total": len(splits), "splits_x1_x2": splits}


def _unround(i: Inputs) -> str:
    stands = Reported(i["x"]).interval(_rules(i, i["x"])[0])
    low, high = _ends(stands, 12)
    signs = ("<=" if closed else "<" for closed in (stands.low_closed, stands.high_closed))
    first, last = signs
    return f"{low:g}{first}x{last}{high:g}"


def _scale(i: Inputs) -> tuple[int, int] | None:
    return (i["min"], i["max"]) if "min" in i else None


def _grimmer(i: Inputs) -> fx.Finding:
    return fx.grimmer(
        i["mean"],
        i["sd"],
        n=i["n"],
        items=i.get("items", 1),
        scale=_scale(i),
        rounding=_rules(i, i["mean"])[0],
    )


def _debit(i: Inputs) -> str:
    return _word(fx.debit(i["mean"], i["sd"], n=i["n"], rounding="either"))


def _samples(i: Inputs) -> int:
    allowed: dict[str, str | Interval] = {}
    for name in ("mean", "sd"):
        allowed[name] = str(i[name])
        if f"{name}_tol" in i:
            middle, reach = (Fraction(str(i[key])) for key in (name, f"{name}_tol"))
            allowed[name] = Interval(middle - reach, middle + reach)
    scale = (i["min"], i["max"])
    return fx.number_of_samples(
        allowed["mean"], allowed["sd"], n=i["n"], scale=scale, rounding="either"
    )


def _sd_limits(i: Inputs) -> list[float]:
    limits = fx.sd_limits(i["mean"], n=i["n"], scale=(i["min"], i["max"]))
    return [round(limit, i.get("sd_digits", 2)) for limit in limits]


def _read(i: Inputs) -> fx.TextFindings:
    return fx.check_text(
        i["text"],
        tails=1 if i.get("OneTailedTests") else "text",
        alpha=str(i.get("alpha", "0.05")),
        alpha_significant=i.get("pEqualAlphaSig", True),
    )


def _p_consistency(i: Inputs) -> dict[str, bool | None]:
    found = _read(i)
    if not found:
        raise ValueError(str(found))
    first = found[0]
    assert isinstance(first, fx.PFinding)
    error = first.verdict == "impossible"
    different = {"different": True, "same": False}.get(first.decision)
    return {"error": error, "decision_error": different if error else False}


def _implied_r(i: Inputs) -> Any:
    before, after, change = (
        _fixed(i[name], i["digits"]) for name in ("sd_pre", "sd_post", "sd_change")
    )
    printed = _fixed(i["r"], i["r_digits"]) if "r" in i else None
    finding = fx.correlation_of_spreads(spread=(before, after), change=change, printed=printed)
    return _ends(finding.interval, 5) if printed is None else _word(finding)


def _partial_eta(i: Inputs) -> str:
    return _word(
        fx.partial_eta_squared(
            _fixed(i["f"], i["f_digits"]),
            df=(i["df1"], i["df2"]),
            printed=_fixed(i["eta"], i["eta_digits"]),
        )
    )


def _two_samples(i: Inputs, figure: str, digits: int) -> dict[str, Any]:
    finding = fx.two_sample_test(
        mean=(_fixed(i["m1"], i["m_digits"]), _fixed(i["m2"], i["m_digits"])),
        sd=(_fixed(i["sd1"], i["sd_digits"]), _fixed(i["sd2"], i["sd_digits"])),
        sizes=(i["n1"], i["n2"]),
        **{figure: _fixed(i[figure], i[f"{figure}_digits"])},  # type: ignore[arg-type]
    )
    return {"verdict": _word(finding), "range": _hull(finding, digits)}


def _two_by_two(i: Inputs) -> dict[str, Any]:
    (a, b), (c, d) = i["table"]
    groups = (a, c), (a + b, c + d)
    finding = fx.two_proportions(*groups, p=_fixed(i["p"], i["p_digits"]))
    values = {name: round(p, 7) for name, p in fx.two_proportion_p(*groups).items()}
    return {"verdict": _word(finding), **values}


def _subgroups(i: Inputs) -> dict[str, Any]:
    means = [_fixed(mean, i["digits"]) for mean in i["means"]]
    overall = _fixed(i["overall"], i["digits"])
    finding = fx.overall_mean(means, sizes=i["n"], overall=overall)
    at_face = finding.choices[0].at_face
    assert at_face is not None
    return {
        "verdict": _word(finding),
        "at_face": round(at_face, 3),
        "max": _ends(finding.interval, 3)[1],
    }


def _grim_u(i: Inputs) -> str:
    # A whole U is asked about without ties; a half, or a p alone, may come of them.
    whole = "U" in i and float(i["U"]).is_integer()
    finding = fx.rank_sum_p(
        _fixed(i["p"], i["digits"]),
        sizes=(i["n1"], i["n2"]),
        u=str(i["U"]) if "U" in i else None,
        ties=not whole,
    )
    return _word(finding)


def _smcc(i: Inputs) -> float:
    # The sign of p stands for that of the change.
    finding = fx.standardised_mean_change(n=i["n"], p=str(abs(i["p"])))
    at_face = finding.choices[1].at_face
    assert at_face is not None
    return round(-at_face if i["p"] < 0 else at_face, 5)


def _tables(i: Inputs, statistic: Any, value: str) -> Any:
    found = fx.tables_printing(statistic, value, n=i["n"], row=i["n1"], column=i["n2"])
    tables = [[list(row) for row in table] for table in found]
    return tables[0] if len(tables) == 1 else tables


def _paired_effects(i: Inputs) -> dict[str, list[float]]:
    table = fx.paired_effects(
        both=i["a"], first_only=i["b"], second_only=i["c"], neither=i["d"]
    ).set_index("measure")
    return {
        short: [round(float(table.loc[name, part]), 4) for part in ("estimate", "variance")]
        for short, name in _PAIRED.items()
    }


def _mcnemar(i: Inputs) -> dict[str, float]:
    tests = fx.mcnemar_tests(i["b"], i["c"])
    names = {"exact": "mcnemar_exact", "chi2": "mcnemar", "corrected": "mcnemar_corrected"}
    return {short: round(float(tests[name]), 6) for short, name in names.items()}


def _dz(i: Inputs) -> dict[str, Any]:
    effect = next(one for one in _read(i) if one.check == "effect size")
    at_face = effect.choices[0].at_face
    assert at_face is not None
    status = {"consistent": "PASS", "impossible": "FAIL"}[effect.verdict]
    return {"status": status, "dz": round(at_face, 5)}


def _paired_margins(i: Inputs) -> dict[str, Any]:
    p = str(i["p"])
    table = fx.paired_tables(n=i["n"], first=i["yes_drug"], second=i["yes_placebo"], p=p)
    names = _MCNEMAR | {"cc": "mcnemar_corrected"}
    splits = {
        f"{row.first_only}:{row.second_only}": {
            short: round(float(getattr(row, name)), 5) for short, name in names.items()
        }
        for row in table.iloc[::-1].itertuples()
    }
    printing = {name for row in table["prints"] for name in row}
    paired = [short for short, name in names.items() if name in printing]
    verdict = (
        f"McNemar {', '.join(paired)} at a discordant split prints {p}"
        if paired
        else f"no McNemar variant at any discordant split prints {p}"
    )
    if "pearson" in printing:
        verdict += f"; unpaired Pearson {table['pearson'].iloc[0]:.4f} does"
    return {"verdict": verdict, "splits": splits}


def _three_readings(i: Inputs) -> dict[str, str]:
    table = fx.implied_correlation(
        mean=(str(i["mean1"]), str(i["mean2"])),
        spread=(str(i["pm1"]), str(i["pm2"])),
        n=i["n"],
        p=str(i["p"]),
    ).set_index("reading")
    return {
        short: f"r={table.loc[name, 'at_face']:.2f}"
        + (" impossible" if table.loc[name, "verdict"] == "impossible" else "")
        for short, name in _READINGS.items()
    }


def _df_search(i: Inputs) -> dict[str, Any]:
    value = str(i["F"])
    finding = fx.recompute_p("F", value, df=(i["df1"], i["df2"]), p=i["p"])
    found = {"at_printed_df": round(finding.at_face, 4)}
    for remedy in finding.remedies:
        match = re.match(r"F\((\d+), (\d+)\)", remedy.name)
        if match:
            df = int(match[1]), int(match[2])
            p = round(float(fx.p_of("F", float(value), df)), 4)
            return found | {"reproduced_with": {"df1": df[0], "p": p}}
    return found | {"reproduced_with": None}


def _signed_rank(i: Inputs) -> Any:
    tails: Any = 2 if i.get("alternative", "two-sided") == "two-sided" else 1
    if "p" not in i:
        values = fx.signed_rank_values(i["n"], tails=tails)
        return {"p_below_05": [float(p) for p in values if p < Fraction(1, 20)]}
    # A lattice is asked about without ties or zeros.
    finding = fx.signed_rank_p(i["p"], n=i["n"], tails=tails, ties=False, zeros=False)
    normal = next(one for one in finding.choices if one.name == "normal approximation")
    if finding.verdict == "consistent" or not normal.fits:
        return _word(finding)
    p, z = re.findall(r"-?\d+\.\d+", normal.value)
    text = f"p={p.removeprefix('0')} (z={z}), so only a normal approximation gives it"
    return {"exact": _word(finding), "asymptotic": text}


_CASES: dict[str, Callable[[Inputs], Any]] = {
    "GRIM": _grim,
    "GRIM vector": _grim_vector,
    "GRIM by rule": _grim_by_rule,
    "grim_probability": lambda i: round(_power(i).share, 12),
    "grim_total": lambda i: _power(i).failing,
    "grim_granularity": lambda i: float(fx.mean_step(n=i["n"], items=i.get("items", 1))),
    "total_n": _total_n,
    "nearest means": lambda i: list(fx.nearest_means(i["mean"], n=i["n"])),
    "possible means": lambda i: [
        _fixed(float(mean), Reported(i["mean"]).decimals + 1)
        for mean in fx.possible_means(i["mean"], n=i["n"], rounding="either")
    ],
    "unround": _unround,
    "GRIMMER": lambda i: _word(_grimmer(i)),
    "DEBIT": _debit,
    "sd_binary": lambda i: round(fx.binary_sd(zeros=i["group_0"], ones=i["group_1"]), 7),
    "number of multisets": _samples,
    "SD limits": _sd_limits,
    "boundary": lambda i: _word(_grimmer(i)),
    "solution exists": lambda i: _grimmer(i).verdict == "consistent",
    "p consistency": _p_consistency,
    "p consistency (crossover trial)": _p_consistency,
    "not extracted": lambda i: {"found": len(_read(i))},
    "implied r": _implied_r,
    "partial eta2 from F": _partial_eta,
    "independent t p": lambda i: _two_samples(i, "p", 4),
    "independent t d": lambda i: _two_samples(i, "d", 2),
    "2x2 p set": _two_by_two,
    "subgroups v total": _subgroups,
    "GRIM-U": _grim_u,
    "U possible": lambda i: _word(fx.possible_u(str(i["U"]), sizes=(i["n1"], i["n2"]))),
    "SMCC from p": _smcc,
    "2x2 from phi": lambda i: _tables(i, "phi", str(i["phi"])),
    "2x2 from chi2 (Yates)": lambda i: _tables(i, "yates", str(i["chi2"])),
    "paired 2x2": _paired_effects,
    "McNemar": _mcnemar,
    "dz from t": _dz,
    "paired binary, marginals only": _paired_margins,
    "implied r under three readings of +-": _three_readings,
    "df search": _df_search,
    "signed-rank lattice": _signed_rank,
}


def evaluate(check: str, inputs: Mapping[str, Any]) -> Any:
    """Return the answer that a worked case asks for; "inconsistent" is an impossible finding."""
    if check not in _CASES:
        message = f"check={check!r} is not one of {', '.join(sorted(_CASES))}"
        raise KeyError(message)
    return _CASES[check](inputs)
