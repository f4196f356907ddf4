"""Print, read, check: figures printed from raw data are never contradicted, pushed ones never hold.

The raw data and their figures come from numpy, scipy and statsmodels, the text from
`print_number`, and the way back leads through a study file on disk.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import printed_claims as printed
import pytest
from printed_claims import Case, Maker, Printer, write
from printed_restatements import RESTATEMENTS

from ldnstats.checks import Verdict, check
from ldnstats.claims import load_study
from ldnstats.reported import Rounding

MAKERS: tuple[Maker, ...] = (
    printed.a_t_test,
    printed.an_f_test,
    printed.a_chi_square_test,
    printed.a_z_test,
    printed.a_correlation,
    printed.a_share_of_variance,
    printed.a_summary,
    printed.a_mean_difference,
    printed.a_ratio,
    printed.means_with_limits,
    printed.counts_with_percentages,
    printed.percentages_of_people,
    printed.a_total,
    printed.paired_means_with_sd,
    printed.paired_means_with_se,
    printed.paired_means_with_half_width,
    printed.paired_means_alone,
    printed.independent_means,
    printed.paired_proportions,
    printed.independent_proportions,
    printed.a_quoted_spread,
    *RESTATEMENTS,
)
RULES: tuple[Rounding, ...] = ("half-up", "half-even", "truncate")
Size = Callable[[str], int]


def cases(maker: Maker, rule: Rounding, number: int) -> list[Case]:
    """Make cases of one kind; the stream depends on the maker's name and the rule alone."""
    key = zlib.crc32(f"{maker.__name__} {rule}".encode())
    at = Printer(rng=np.random.default_rng([2013, key]), rule=rule)
    return [maker(at) for _ in range(number)]


def verdict(case: Case, folder: Path, pushed: printed.Pushed | None = None) -> Verdict:
    study = load_study(write(case, folder, "study", pushed))
    return check(study.claim("x"))


def shown(case: Case, found: Verdict) -> str:
    """Write a case so that a failure can be repeated by hand."""
    return f"{case.claims}\n{case.table or ''}\n{found}"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_what_is_printed_from_raw_data_is_not_contradicted(
    maker: Maker, rule: Rounding, size: Size, tmp_path: Path
) -> None:
    for case in cases(maker, rule, size("checks.printed-figures-hold")):
        found = verdict(case, tmp_path)
        assert found.status in ("reproduced", "compatible"), shown(case, found)
        if rule == "half-up" and case.named:
            assert found.status == "reproduced", shown(case, found)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_what_is_pushed_past_its_interval_is_not_reproduced(
    maker: Maker, size: Size, tmp_path: Path
) -> None:
    found: Counter[str] = Counter()
    for case in cases(maker, "half-up", size("checks.pushed-figures-fall")):
        for pushed in case.pushed:
            one = verdict(case, tmp_path, pushed)
            assert one.status != "reproduced", f"{pushed}\n{shown(case, one)}"
            found[one.status] += 1
            if one.status == "compatible":
                assert _named_departure(one), f"{pushed}\n{shown(case, one)}"
    if maker is not printed.paired_means_alone:  # some SD of the differences gives any p
        assert found["contradicted"] > 0
        assert found["contradicted"] >= 0.7 * found.total()


def _named_departure(found: Verdict) -> bool:
    """Say whether a pushed claim was saved by a choice that the verdict names."""
    return any(choice.fits for choice in found.choices)


@pytest.mark.parametrize(
    "maker",
    [
        printed.paired_means_with_sd,
        printed.paired_means_with_se,
        printed.paired_means_with_half_width,
    ],
    ids=lambda maker: maker.__name__,
)
def test_the_true_correlation_lies_in_the_range_of_the_right_reading(
    maker: Maker, size: Size, tmp_path: Path
) -> None:
    for case in cases(maker, "half-up", size("checks.the-true-correlation-is-in-the-range")):
        found = verdict(case, tmp_path)
        values = dict(found.values)
        for name, r in case.truth.items():
            edge = float(values[name])
            assert edge <= r + 1e-9 if name.endswith("low") else edge >= r - 1e-9, shown(
                case, found
            )


def test_crossovers_are_checked_on_trials_rebuilt_without_their_p(
    size: Size, tmp_path: Path
) -> None:
    for case in cases(printed.a_crossover, "half-up", size("checks.crossovers-on-rebuilt-trials")):
        found = verdict(case, tmp_path)
        assert found.status == "compatible", shown(case, found)
        assert any("rebuilt without this p" in line for line in found.working)
        assert len([c for c in found.choices if c.name.endswith("on rebuilt trials")]) == 3
        for pushed in case.pushed:
            one = verdict(case, tmp_path, pushed)
            assert one.status == "contradicted", shown(case, one)


def test_the_numerator_df_is_found_again(size: Size, tmp_path: Path) -> None:
    for case in cases(RESTATEMENTS[-1], "half-up", size("checks.the-numerator-df-is-found")):
        found = verdict(case, tmp_path)
        fitting = [c.name for c in found.choices if c.fits]
        assert f"numerator df {case.truth['df1']:g}" in fitting, shown(case, found)


def test_a_printer_of_the_tests_prints_small_p_as_bounds() -> None:
    at = Printer(rng=np.random.default_rng(1), rule="half-up")
    assert at.p(0.0004, 3) == "<0.001"
    assert at.p(0.0006, 3) == "0.001"
