"""What a printed crossover implies: exact on data, exact over its rounding, whatever the trial."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ldnstats.claims import StudyError, data_root, load_studies, load_study
from ldnstats.forensics import implied_correlation
from ldnstats.planning import (
    Conversion,
    convert_claim,
    convert_crossover,
    convert_study,
    effect_from_paired,
    same_information_n,
    sd_from_half_width,
)

STUDIES = load_studies()


def people(seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes on active and control treatment, and who started with active."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 2.0, 25)
    first = np.arange(25) < 13
    period = np.where(first, -0.4, 0.4)
    active = 1.3 + own + rng.normal(0.0, 1.2, 25) + period
    control = own + rng.normal(0.0, 1.0, 25) - period
    return active, control, first


def test_a_paired_t_gives_back_the_spread_and_the_correlation_of_its_data() -> None:
    x, y, _ = people()
    t = stats.ttest_rel(x, y)
    half = [stats.t.isf(0.025, 24) * z.std(ddof=1) / 5.0 for z in (x, y)]
    found = convert_crossover(
        mean=(f"{x.mean():.9f}", f"{y.mean():.9f}"),
        n=25,
        p=f"{t.pvalue:.12f}",
        spread=(f"{half[0]:.9f}", f"{half[1]:.9f}"),
        reading="ci95",
        test="paired t",
    )
    d = x - y
    pooled = math.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 2.0)
    for quantity, truth in (
        ("SD of differences", d.std(ddof=1)),
        ("correlation", np.corrcoef(x, y)[0, 1]),
        ("dz", d.mean() / d.std(ddof=1)),
        ("d_av", d.mean() / pooled),
        ("t", t.statistic),
        ("standard error", stats.sem(d)),
        ("people of a parallel trial with these SDs", 4.0 * pooled**2 / stats.sem(d) ** 2),
    ):
        row = found.row(quantity)
        assert row.low - 1e-7 <= truth <= row.high + 1e-7, quantity
        assert row.value == pytest.approx(truth, abs=1e-5), quantity


def test_a_test_that_allows_for_periods_gives_back_the_spread_within_sequences() -> None:
    x, y, first = people()
    gap = np.where(first, x - y, y - x)  # period 1 minus period 2
    t = stats.ttest_ind(gap[first], gap[~first])
    estimate = (gap[first].mean() - gap[~first].mean()) / 2.0
    within = math.sqrt(
        sum(((gap[g] - gap[g].mean()) ** 2).sum() for g in (first, ~first)) / (25 - 2)
    )
    found = convert_crossover(
        mean=f"{estimate:.10f}", n=(13, 12), p=f"{t.pvalue:.13f}", test="ab/ba t"
    )
    assert found.row("SD of differences").value == pytest.approx(within, rel=1e-6)
    assert found.row("t").value == pytest.approx(t.statistic, rel=1e-6)
    squared = convert_crossover(
        mean=f"{estimate:.10f}",
        n=(13, 12),
        f=f"{t.statistic**2:.10f}",
        df=(1, 23),
        test="ab/ba t",
    )
    assert squared.row("SD of differences").value == pytest.approx(within, rel=1e-6)


def test_every_way_of_printing_the_error_says_the_same() -> None:
    x, y, _ = people()
    d, error = x - y, stats.sem(x - y)
    half = stats.t.isf(0.025, 24) * error
    mean = f"{d.mean():.8f}"
    t = f"{d.mean() / error:.8f}"
    ways: tuple[dict[str, Any], ...] = (
        {"t": t},
        {"t": f"-{t}"},
        {"f": f"{(d.mean() / error) ** 2:.8f}", "df": (1, 24)},
        {"p": f"{stats.ttest_rel(x, y).pvalue:.12f}"},
        {"p": f"{stats.ttest_rel(x, y).pvalue / 2:.12f}", "tails": 1},
        {"interval": (f"{d.mean() - half:.8f}", f"{d.mean() + half:.8f}")},
        {"standard_error": f"{error:.8f}"},
    )
    for way in ways:
        found = convert_crossover(mean=mean, n=25, test="paired t", **way)
        assert found.row("SD of differences").value == pytest.approx(d.std(ddof=1), rel=1e-6)
        assert found.row("dz").value == pytest.approx(d.mean() / d.std(ddof=1), rel=1e-6)
    alone = convert_crossover(
        n=25, interval=(f"{d.mean() - half:.8f}", f"{d.mean() + half:.8f}"), test="paired t"
    )
    assert alone.row("raw effect").value == pytest.approx(d.mean(), abs=1e-7)


@pytest.mark.parametrize("reading", ["sd", "se", "ci95"])
def test_ranges_hold_every_set_of_figures_that_prints_so_and_no_more(reading: str) -> None:
    found = convert_crossover(
        mean=("5.1", "3.9"),
        n=(11, 9),
        p="0.04",
        spread=("2.0", "2.4"),
        reading=reading,  # type: ignore[arg-type]
        test="ab/ba t",
        baseline_correlation=0.4,
    )
    rng = np.random.default_rng(5)
    half = np.array([0.05, 0.05, 0.005, 0.05, 0.05])
    u = rng.uniform(-1.0, 1.0, (40_000, 5))
    u[:20_000] = np.sign(u[:20_000])
    a, b, p, s1, s2 = (np.array([5.1, 3.9, 0.04, 2.0, 2.4]) + half * u).T
    factor = {"sd": 1.0, "se": math.sqrt(20), "ci95": math.sqrt(20) / stats.t.isf(0.025, 19)}
    s1, s2 = s1 * factor[reading], s2 * factor[reading]
    t = stats.t.isf(p / 2, 18)
    error = (a - b) / t
    sd = 2 * error / math.sqrt(1 / 11 + 1 / 9)
    rho = (s1**2 + s2**2 - sd**2) / (2 * s1 * s2)
    pairs = 4 / (1 / 11 + 1 / 9)
    own = 2 * (s1**2 + s2**2) * (1 - 0.16) / error**2
    expected = {
        "SD of differences": sd,
        "standard error": error,
        "dz": (a - b) / sd,
        "d_av": (a - b) / np.sqrt((s1**2 + s2**2) / 2),
    }
    row = found.row("correlation")
    assert row.possible == bool((rho >= -1).any() and (rho <= 1).any())
    if row.possible:
        with np.errstate(divide="ignore"):
            needed = 2 * pairs * (1 - 0.16) / np.maximum(1 - rho, 0.0)
        expected["correlation"] = np.clip(rho, -1, 1)
        expected["people of a parallel trial"] = needed
        expected["people of a parallel trial with these SDs"] = own
    for quantity, values in expected.items():
        row = found.row(quantity)
        assert row.low <= values.min() + 1e-9, quantity
        assert row.high >= values.max() - 1e-9, quantity
        assert row.low == pytest.approx(values.min(), rel=2e-3), quantity
        assert row.high == pytest.approx(values.max(), rel=2e-3), quantity


def test_the_readings_are_those_of_the_forensic_check() -> None:
    figures: dict[str, Any] = {"mean": ("28.8", "18.0"), "spread": ("9.3", "10.8"), "n": 28}
    found = convert_crossover(**figures, p="0.016", test="paired t")
    known = implied_correlation(**figures, p="0.016").set_index("reading")
    for reading in ("sd", "se", "ci95"):
        row = found.row("correlation", reading=reading)
        possible = known.loc[reading, "verdict"] == "consistent"
        assert row.possible == possible
        assert (row.low, row.high) == pytest.approx(
            (known.loc[reading, "low"], known.loc[reading, "high"])
        )
    sds = (sd_from_half_width(9.3, n=28), sd_from_half_width(10.8, n=28))
    at_face = effect_from_paired(mean=10.8, n=28, p=0.016, sds=sds)
    assert found.row("correlation", reading="ci95").value == pytest.approx(at_face.correlation)
    assert at_face.correlation is not None
    assert found.row("people of a parallel trial", reading="ci95").value == pytest.approx(
        same_information_n(28, correlation=at_face.correlation)
    )
    assert not any(row.reading == "sd" and "people" in row.quantity for row in found.rows)


def test_a_bound_bounds_from_one_side() -> None:
    found = convert_crossover(mean="1.2", n=20, p="<0.001", test="paired t", spread=("2.0", "2.4"))
    t = stats.t.isf(0.0005, 19)
    row = found.row("SD of differences")
    assert (row.value, row.low) == (None, 0.0)
    assert row.high == pytest.approx(1.25 / t * math.sqrt(20))
    assert found.row("dz").high == math.inf
    assert found.row("correlation", reading="sd").high == 1.0
    weak = convert_crossover(mean="1.2", n=20, p=">0.05", test="paired t")
    row = weak.row("SD of differences")
    assert row.low == pytest.approx(1.15 / stats.t.isf(0.025, 19) * math.sqrt(20))
    assert row.high == math.inf
    zero = convert_crossover(mean="1.2", n=20, p="0.000", test="paired t")
    assert (zero.row("t").value, zero.row("t").high) == (None, math.inf)


def test_a_bound_of_t_or_f_is_read_too() -> None:
    small = convert_crossover(mean="1.2", n=20, f="<1", df=(1, 19), test="paired t")
    assert (small.row("t").low, small.row("t").high) == (0.0, 1.0)
    large = convert_crossover(mean="-1.2", n=20, t=">4", test="paired t")
    assert (large.row("t").low, large.row("t").high) == (-math.inf, -4.0)
    loose = convert_crossover(mean="1.2", n=20, t="0.0", test="paired t")
    assert (loose.row("t").low, loose.row("SD of differences").high) == (0.0, math.inf)


def test_what_is_not_printed_is_assumed_by_name() -> None:
    found = convert_crossover(mean="10.8", n=28, p="0.016", correlations=(0.5, 0.64))
    row = found.row("d_av", test="paired t", reading="rho = 0.64")
    dz = found.row("dz", test="paired t").value
    assert dz is not None
    assert row.value == pytest.approx(dz * math.sqrt(2 * 0.36))
    assert "a correlation of 0.64, which is not printed" in row.assumes
    assert "the paper names no test" in row.assumes
    other = found.row("dz", test="ab/ba t").assumes
    assert "14 and 14 people in the sequences (halves assumed)" in other
    assert "halves" not in convert_crossover(mean="1.0", n=(14, 14), p="0.02").rows[-1].assumes
    model = convert_crossover(mean="21.1", n=28, f="7.7", df=(1, 101), test="paired t")
    assert "df 101 of another model than this test's 27" in model.row("t").assumes


def test_the_table_shows_and_finds_its_rows() -> None:
    found = convert_crossover(mean="10.8", n=28, p="0.016", name="A")
    assert repr(found).startswith("A: mean 10.8, p 0.016, n = 28\nquantity")
    assert "<table" in found._repr_html_()
    table = found.table()
    assert table.name.eq("A").all()
    assert len(table) == len(found.rows)
    with pytest.raises(ValueError, match=r"quantity='dz'.* is 2 rows of the table; its tests and"):
        found.row("dz")
    with pytest.raises(
        ValueError, match=r"quantity='rho'.* is 0 rows .* the quantities are \('raw"
    ):
        found.row("rho")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"p": "0.05", "t": "2.1"}, r"mean='1.2' with {'p': '0.05', 't': '2.1'}: give the mean"),
        ({}, r"mean='1.2' with nothing else: give the mean"),
        ({"mean": None, "p": "0.05"}, r"mean=None with {'p': '0.05'}: give the mean"),
        ({"f": "4.1", "df": (2, 40)}, r"f='4.1' with df=\(2, 40\): only an F on 1 numerator df"),
        ({"f": "4.1"}, r"f='4.1' with df=None: only an F on 1 numerator df"),
        ({"f": "-4.1", "df": (1, 40)}, r"f='-4.1' is negative; an F is at least 0"),
        ({"t": "2.1", "df": (1, 19)}, r"df=\(1, 19\) must be one positive number"),
        ({"t": "2.1", "df": 0}, r"df=0 must be one positive number"),
        ({"p": "1.2"}, r"p 1.2 is not a probability"),
        ({"p": "0.7", "tails": 1}, r"p=0.7 with tails=1 may be above 0.5"),
        ({"p": "0.05", "tails": 3}, r"tails=3 is not supported"),
        ({"p": "0.05", "n": 2}, r"n=2: fewer than 3 people leave a crossover no degrees"),
        ({"p": "0.05", "n": (5, 0)}, r"n=\(5, 0\): write a whole number"),
        ({"p": "0.05", "mean": ("5.0", "5.0")}, r"a difference from -0.1 to 0.1 may be 0 within"),
        ({"p": "0.05", "mean": "<1"}, r"mean <1 is a bound; a mean is needed as printed"),
        ({"interval": ("0.9", "0.9")}, r"interval=\('0.9', '0.9'\) has no width beyond its"),
        ({"standard_error": "0.0"}, r"spread 0.0 must be above 0 within its rounding"),
        ({"p": "0.05", "spread": ("0", "2")}, r"spread 0 must be above 0 within its rounding"),
        ({"p": "0.05", "spread": (("2", "1"), ("1", "2"))}, r"spread=\('2', '1'\) has no width"),
        (
            {"p": "0.05", "spread": (("1", "5"), ("1", "6")), "reading": "sd"},
            r"reading='sd': two limits a mean are those of an interval",
        ),
        ({"p": "0.05", "reading": "sem"}, r"reading='sem' is not supported; use one of 'sd'"),
        ({"p": "0.05", "test": "wilcoxon"}, r"test='wilcoxon' is not supported; use one of 'pair"),
        ({"p": "0.05", "baseline_correlation": 1.0}, r"baseline_correlation=1.0 must lie between"),
        ({"p": "0.05", "correlations": (1.0,)}, r"correlation=1.0 must lie from -1 to below 1"),
        ({"p": "0.05", "level": 95}, r"level=95 must lie between 0 and 1"),
    ],
)
def test_figures_that_no_comparison_has_are_refused(figures: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        convert_crossover(**({"mean": "1.2", "n": 20} | figures))


ASTHMA = """
[study]
kind = "trial"
name = "Another crossover"
title = "A crossover of two inhalers"

[[source]]
id = "paper"
bib = "younger2013"
standing = "primary"
seen = "made up for this test"

[design]
type = "DESIGN"
treatments = ["formoterol", "salbutamol"]
sizes = SIZES
source = "paper"

[design.end_point]
name = "peak flow"
unit = "l/min"

[[claim]]
id = "flow"
kind = "means"
says = "Mean peak flow"
source = "paper"
unit = "l/min"
arms = ["salbutamol", "formoterol"]
mean = ["292.5", "337.7"]
SPREAD

"""
THREE = '"salbutamol", "formoterol", "placebo"]\nmean = ["292.5", "337.7", "250.1"]'
COMPARED = """
[[claim]]
id = "one"
source = "paper"
says = "They differ"
"""


def study(tmp_path: Path, claim: str, **parts: str) -> Any:
    """Return a study of another trial, read from its file."""
    text = ASTHMA + COMPARED + claim
    marks = {"DESIGN": "ab/ba", "SIZES": '["7", "6"]', "SPREAD": ""} | parts
    for mark, put in marks.items():
        text = text.replace(mark, put)
    path = tmp_path / "other.toml"
    bib = (data_root() / "sources.bib").read_text(encoding="utf-8")
    (tmp_path / "sources.bib").write_text(bib, encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def only(found: Any) -> Conversion:
    """Return the one conversion of a study."""
    (one,) = found.conversions
    assert isinstance(one, Conversion)
    return one


def test_any_trial_is_converted_from_its_file(tmp_path: Path) -> None:
    claim = 'kind = "comparison"\np = "0.002"\nmeans = "flow"\n'
    claim += 'arms = ["formoterol", "salbutamol"]\npaired = "yes"\nn = "13"\n'
    found = only(convert_study(study(tmp_path, claim, SPREAD='sd = ["60.1", "64.9"]')))
    by_hand = convert_crossover(
        mean=("337.7", "292.5"),
        n=(7, 6),
        p="0.002",
        spread=("60.1", "64.9"),
        reading="sd",
        unit="l/min",
        name="other:one",
    )
    assert found.rows[0].value == pytest.approx(45.2)
    assert [row.value for row in found.rows if "SD of the" not in row.quantity] == pytest.approx(
        [row.value for row in by_hand.rows if "SD of the" not in row.quantity]
    )
    assert found.row("SD of the first").unit == "l/min"


def test_two_of_three_arms_keep_their_own_spreads(tmp_path: Path) -> None:
    claim = 'kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "yes"\nn = "13"\n'
    claim += 'arms = ["placebo", "salbutamol"]\n'
    two = '"salbutamol", "formoterol"]\nmean = ["292.5", "337.7"]'
    three = study(tmp_path, claim, SPREAD='sd = ["60.1", "64.9", "70.0"]', **{two: THREE})
    found = only(convert_study(three))
    assert found.rows[0].value == pytest.approx(250.1 - 292.5)
    assert found.row("SD of the first").value == 70.0


def test_limits_of_the_means_are_spreads(tmp_path: Path) -> None:
    claim = 'kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "yes"\nn = "13"\n'
    spread = 'low = ["250.1", "290.2"]\nhigh = ["334.9", "385.2"]'
    found = only(convert_study(study(tmp_path, claim, SPREAD=spread)))
    row = found.row("SD of the first", reading="ci95")
    assert row.value == pytest.approx(sd_from_half_width((334.9 - 250.1) / 2, n=13))
    assert found.rows[0].value == pytest.approx(-45.2)


@pytest.mark.parametrize(
    ("claim", "quantity", "value"),
    [
        (
            'kind = "estimate"\nestimate = "45.2"\ninterval = ["20.1", "70.3"]\nunit = "l/min"\n',
            "standard error",
            25.1 / stats.t.isf(0.025, 12),
        ),
        (
            'kind = "estimate"\nestimate = "45.2"\nse = "11.3"\np = "0.01"\nunit = "l/min"\n',
            "t",
            4.0,
        ),
        (
            'kind = "estimate"\nestimate = "45.2"\np = "0.01"\nunit = "l/min"\n',
            "t",
            stats.t.isf(0.005, 12),
        ),
    ],
)
def test_estimates_are_converted(tmp_path: Path, claim: str, quantity: str, value: float) -> None:
    found = only(convert_study(study(tmp_path, claim), test="paired t"))
    assert found.row(quantity).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("claim", "t"),
    [
        ('kind = "test"\nstatistic = "t"\nvalue = "3.9"\ndf = ["11"]\np = "0.002"\n', -3.9),
        ('kind = "test"\nstatistic = "F"\nvalue = "16"\ndf = ["1", "11"]\np = "0.002"\n', -4.0),
    ],
)
def test_a_test_is_converted_with_the_means_given(tmp_path: Path, claim: str, t: float) -> None:
    other = study(tmp_path, claim)
    found = convert_claim(other.claim("one"), means=other.claim("flow"), test="ab/ba t")
    assert found.row("t").value == pytest.approx(t)
    assert found.row("SD of differences").value == pytest.approx(
        abs(45.2 / t) * 2 / math.sqrt(1 / 7 + 1 / 6)
    )
    with pytest.raises(StudyError, match="other:one: it names no means; give means="):
        convert_claim(other.claim("one"))


def test_a_fixed_order_says_so() -> None:
    found = convert_study(STUDIES["younger2009"], claims=("ldn-placebo-p",))
    (one,) = found.conversions
    assert one.note.startswith("all had the treatments in one order")
    assert {row.test for row in one.rows} == {"", "paired t"}
    assert found.left_out == ()
    rest = dict(convert_study(STUDIES["younger2009"]).left_out)
    assert rest["younger2009:fiq-f"].endswith("the claim that prints them")


@pytest.mark.parametrize(
    ("claim", "parts", "said"),
    [
        ('kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "no"\n', {}, "compares no m"),
        (
            'kind = "estimate"\nestimate = "1.2"\np = "0.01"\nscale = "ratio"\n',
            {},
            "its scale is ratio; only a difference",
        ),
        (
            'kind = "estimate"\nestimate = "1.2"\n',
            {},
            "prints no interval, no standard error and no p",
        ),
        (
            'kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "yes"\n',
            {"DESIGN": "parallel"},
            "people do not receive two treatments in two periods",
        ),
        (
            'kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "yes"\n',
            {'"salbutamol", "formoterol"]\nmean = ["292.5", "337.7"]': THREE},
            "3 means of salbutamol, formoterol, placebo are printed, not two of",
        ),
        (
            'kind = "comparison"\np = "0.002"\nmeans = "flow"\npaired = "yes"\n',
            {"SPREAD": 'n = ["7", "6"]'},
            r"\(7, 6\) people are compared, but those of a crossover are the same",
        ),
        ('kind = "quantity"\nvalue = ["3"]\n', {}, "it has no claim of kind comparison, estimate"),
    ],
)
def test_what_a_file_does_not_print_is_named(
    tmp_path: Path, claim: str, parts: dict[str, str], said: str
) -> None:
    with pytest.raises(StudyError, match=said):
        convert_study(study(tmp_path, claim, **parts))


def test_other_claims_and_trials_are_refused(tmp_path: Path) -> None:
    chi = 'kind = "test"\nstatistic = "chi2"\nvalue = "3.9"\ndf = ["1"]\np = "0.05"\n'
    other = study(tmp_path, chi)
    with pytest.raises(StudyError, match="a chi2 on 1 df is no t of one comparison"):
        convert_claim(other.claim("one"), means=other.claim("flow"))
    with pytest.raises(StudyError, match="a claim of kind means compares nothing"):
        convert_claim(other.claim("flow"))
    with pytest.raises(StudyError, match="final2024:pain-difference: people do not receive two"):
        convert_study(STUDIES["final2024"], claims=("pain-difference",))
    with pytest.raises(StudyError, match=r"bested2023:fiqr: no number of people is printed"):
        convert_study(STUDIES["bested2023"])
    assert convert_claim(STUDIES["bested2023"].claim("fiqr"), n=58).n == 58
