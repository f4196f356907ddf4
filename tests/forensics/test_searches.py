from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ldnstats.forensics.searches import point_within, share_matched
from ldnstats.reported import Interval


def _interval(low: float, high: float) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def test_share_is_the_share_of_printed_texts_by_brute_force() -> None:
    rng = np.random.default_rng(11)
    ends = np.sort(rng.uniform(-0.2, 1.2, (6, 2)), axis=1)
    ends[:, 1] = ends[:, 0] + (ends[:, 1] - ends[:, 0]) / 20
    texts = np.arange(1001) / 1000
    hit = np.zeros(1001, dtype=bool)
    for low, high in ends:
        hit |= (texts >= low - 0.0005) & (texts <= high + 0.0005)
    found = share_matched([_interval(*one) for one in ends], decimals=3)
    assert found == pytest.approx(hit.mean(), abs=1e-12)


def test_nothing_tried_matches_nothing_and_everything_all() -> None:
    assert share_matched([], decimals=2) == 0
    assert share_matched([Interval(None, None)], decimals=2) == 1


def test_a_choice_off_the_scale_counts_for_nothing() -> None:
    assert share_matched([_interval(-9, -8), _interval(3, 4)], decimals=2) == 0


def test_choices_that_agree_are_counted_once() -> None:
    one = [_interval(0.301, 0.302)]
    assert share_matched(one * 9, decimals=2) == share_matched(one, decimals=2) == 1 / 101


@pytest.mark.parametrize("sign", [1, -1])
def test_a_point_is_found_wherever_a_monotone_function_has_the_value(sign: int) -> None:
    wanted = _interval(*sorted((sign * 1.2, sign * 1.3)))
    found = point_within(lambda x: sign * x**3, low=0.0, high=2.0, wanted=wanted)
    assert found is not None
    assert sign * found**3 in wanted
    assert point_within(lambda x: sign * x, low=0.0, high=1.0, wanted=wanted) is None
    assert point_within(lambda x: sign * x, low=1.2, high=9.0, wanted=_interval(-9, 9)) == 1.2
