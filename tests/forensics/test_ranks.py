from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from scipy import stats

from ldnstats.forensics import (
    possible_u,
    rank_sum_p,
    rank_sum_values,
    sign_test_p,
    signed_rank_p,
    signed_rank_values,
)
from ldnstats.reported import print_number


def u_values(values: tuple[int, ...], n1: int) -> list[Fraction]:
    """Return U for every way to choose the first group among these values, one after another."""
    found = []
    for first in combinations(range(len(values)), n1):
        rest = [values[i] for i in range(len(values)) if i not in first]
        pairs = product((values[i] for i in first), rest)
        found.append(sum((Fraction((a > b) * 2 + (a == b), 2) for a, b in pairs), Fraction(0)))
    return found


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (3, 3), (4, 3), (1, 6)])
def test_the_exact_test_of_a_rank_sum_is_that_of_all_orders(sizes: tuple[int, int]) -> None:
    every = u_values(tuple(range(sum(sizes))), sizes[0])
    for u in range(sizes[0] * sizes[1] + 1):
        low, high = (sum(one <= u for one in every), sum(one >= u for one in every))
        p = min(Fraction(2 * min(low, high), comb(sum(sizes), sizes[0])), Fraction(1))
        found = rank_sum_p(print_number(p, 6), sizes=sizes, u=str(u), ties=False)
        assert found.verdict == "consistent"
        exact = found.choices[0]
        assert exact.name.startswith("exact")
        assert exact.fits


@pytest.mark.parametrize("sizes", [(2, 3), (3, 3), (3, 4)])
def test_every_u_of_tied_values_is_possible_and_its_normal_p_is_reached(
    sizes: tuple[int, int],
) -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        values = rng.integers(0, 3, sum(sizes))
        first, second = values[: sizes[0]], values[sizes[0] :]
        if len(set(values.tolist())) in (1, sum(sizes)):
            continue
        for corrected in (False, True):
            u, p = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=corrected)
            assert possible_u(f"{u:.1f}", sizes=sizes).verdict == "consistent"
            text = print_number(float(min(p, 1.0)), 4)
            found = rank_sum_p(text, sizes=sizes, u=f"{u:.1f}", ties=True)
            assert found.verdict == "consistent", (values, u, p)


def test_a_u_that_no_values_have_is_impossible() -> None:
    seen = {u for values in product(range(3), repeat=5) for u in u_values(values, 2)}
    for twice in range(-2, 16):
        wanted = "consistent" if Fraction(twice, 2) in seen else "impossible"
        assert possible_u(f"{twice / 2:.1f}", sizes=(2, 3)).verdict == wanted
    assert possible_u("2.3", sizes=(2, 3)).verdict == "impossible"


def test_scipy_agrees_on_larger_rank_sums() -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        first, second = rng.normal(size=9), rng.normal(size=12)
        u, p = stats.mannwhitneyu(first, second, method="exact")
        found = rank_sum_p(print_number(float(p), 6), sizes=(9, 12), u=f"{u:.0f}", ties=False)
        assert found.choices[0].fits


def test_what_ties_would_print_is_undecided_until_it_is_known_that_there_were_some() -> None:
    assert rank_sum_p("0.017", sizes=(8, 8), ties=False).verdict == "impossible"
    assert rank_sum_p("0.017", sizes=(8, 8)).verdict == "undecided"
    assert rank_sum_p("0.017", sizes=(8, 8), ties=True).verdict == "consistent"
    assert "ties would: normal approximation, tied" in str(rank_sum_p("0.017", sizes=(8, 8)))


def test_an_impossible_rank_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="U 200 of 10 and 12 people is not a multiple of one half"):
        rank_sum_p("0.04", sizes=(10, 12), u="200")
    with pytest.raises(ValueError, match="size 0 of a group is not a positive whole number"):
        possible_u("3", sizes=(0, 12))
    with pytest.raises(ValueError, match="U <3 is a bound; give the statistic itself"):
        possible_u("<3", sizes=(10, 12))


@pytest.mark.parametrize("n", range(1, 11))
def test_exact_signed_ranks_are_those_of_all_signs(n: int) -> None:
    sums = [
        sum(rank for rank, sign in zip(range(1, n + 1), signs, strict=True) if sign)
        for signs in product((0, 1), repeat=n)
    ]
    for tails in (1, 2):
        every = {
            min(Fraction(tails * sum(one <= limit for one in sums), 2**n), Fraction(1))
            for limit in set(sums)
        }
        assert signed_rank_values(n, tails=tails) == tuple(sorted(every))


def test_scipy_agrees_on_signed_ranks() -> None:
    rng = np.random.default_rng(2)
    for n in (7, 20, 45):
        differences = rng.normal(0.3, 1, n)
        p = float(stats.wilcoxon(differences, method="exact").pvalue)
        assert min(abs(float(one) - p) for one in signed_rank_values(n)) < 1e-12
        normal = float(stats.wilcoxon(differences, method="approx", correction=False).pvalue)
        found = signed_rank_p(print_number(normal, 5), n=n)
        assert any(one.fits for one in found.choices if one.name == "normal approximation")


def test_the_neighbours_of_an_impossible_p_are_named() -> None:
    found = signed_rank_p("0.030", n=8)
    assert found.verdict == "impossible"
    assert found.working[-1].endswith("0.02344, 0.03906")


def test_scipy_agrees_on_every_rank_sum() -> None:
    for n1, n2 in ((4, 5), (9, 9), (12, 20)):
        values = rank_sum_values((n1, n2))
        for u in (0, 3, n1 * n2 // 2):
            first = np.arange(n1) + 0.0
            first[-1] += u + 0.5 if u < n2 else n2 / 2
            p = stats.mannwhitneyu(first, np.arange(n2) + n1 + 0.25, method="exact")
            assert float(values[int(p.statistic)]) == pytest.approx(p.pvalue, abs=1e-12)


def test_groups_whose_law_is_not_listed_are_refused() -> None:
    with pytest.raises(ValueError, match="sizes 101 and 100 multiply to 10100; at most 10000 is"):
        rank_sum_values((101, 100))


@pytest.mark.parametrize("n", [0, 201, True, 2.5])
def test_a_number_of_pairs_whose_law_is_not_listed_is_refused(n: object) -> None:
    with pytest.raises(ValueError, match="pairs; give a whole number from 1 to 200"):
        signed_rank_values(n)  # type: ignore[arg-type]


def test_ties_and_zeros_print_p_values_that_untied_ranks_do_not() -> None:
    # Of six untied pairs 14/64 and 20/64 can be seen, of some tied ones 18/64 = 0.28125 as well.
    assert Fraction(18, 64) not in signed_rank_values(6)
    verdicts = [
        signed_rank_p("0.2813", n=6, ties=ties, zeros=False).verdict for ties in (False, None, True)
    ]
    assert verdicts == ["impossible", "undecided", "consistent"]
    # 3/16 is a p of five untied pairs and none of six.
    verdicts = [
        signed_rank_p("0.1875", n=6, ties=False, zeros=z).verdict for z in (False, None, True)
    ]
    assert verdicts == ["impossible", "undecided", "consistent"]


def test_more_pairs_than_are_listed_leave_ties_open() -> None:
    # Whatever the ties, a p of thirteen pairs is a multiple of 2 / 2^13, which 0.0301 is not.
    assert signed_rank_p("0.0301", n=13, zeros=False).verdict == "impossible"
    found = signed_rank_p("0.0301", n=50)
    assert found.verdict == "undecided"
    assert "not listed; a multiple of 2/2^50 prints it" in str(found)
    assert signed_rank_p("0.0301", n=50, ties=False, zeros=False).verdict == "impossible"


@pytest.mark.parametrize(("k", "n"), [(0, 6), (2, 10), (5, 10), (3, 17), (40, 100)])
def test_a_sign_test_is_the_binomial_test(k: int, n: int) -> None:
    p = print_number(float(stats.binomtest(k, n).pvalue), 6)
    assert sign_test_p(p, n=n, zeros=False).verdict == "consistent"
    one = print_number(float(stats.binom.cdf(k, n, 0.5)), 6)
    assert sign_test_p(one, n=n, tails=1, zeros=False).verdict == "consistent"


def test_pairs_without_a_difference_are_left_out_of_a_sign_test() -> None:
    # 8 of 9 with the same sign print 0.039; of 10 pairs that is so only without one of them.
    assert sign_test_p("0.039", n=9).verdict == "consistent"
    unknown = sign_test_p("0.039", n=10)
    assert unknown.verdict == "undecided"
    assert "n = 9: p = 0.03906" in str(unknown)
    assert sign_test_p("0.039", n=10, zeros=True).verdict == "consistent"
    assert sign_test_p("0.039", n=10, zeros=False).verdict == "impossible"
    with pytest.raises(ValueError, match="n = 0 pairs; give a whole number from 1 to 200"):
        sign_test_p("0.039", n=0)
