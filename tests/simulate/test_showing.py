"""How ensembles are shown: short, with what they print and what they do not."""

from __future__ import annotations

import numpy as np

import ldnstats as ls
from ldnstats.simulate.showing import Card


def test_an_ensemble_shows_every_figure_and_no_array() -> None:
    ensemble = ls.reconstruct(ls.load_studies()["younger2013"], draws=3, seed=1)
    text, page = repr(ensemble), ensemble._repr_html_()
    for one in ensemble.given:
        assert str(one.printed) in text
        assert one.column in text
        assert one.column in page
    assert text.startswith("3 trials SIMULATED to print the figures of younger2013, seed 1: 2x2")
    assert "range fixed by priors: " + ", ".join(ensemble.prior_driven) in text
    assert "array" not in text
    assert len(text) < 2_000
    assert repr(ensemble.stack) == (
        "3 trials, 2x2 crossover (AB/BA), 14 + 14 people: SIMULATED to print the figures of "
        "younger2013, seed 1"
    )


def test_diaries_name_what_they_do_not_print() -> None:
    diaries = ls.reconstruct_diaries(ls.load_studies()["younger2009"], draws=1, seed=1)
    assert diaries.ground.dropped
    for claim, reason in diaries.ground.dropped:
        assert f"NOT printed: {claim} ({reason})" in repr(diaries)
        assert claim in diaries._repr_html_()


def test_splits_are_shown_with_their_weights() -> None:
    study = ls.load_studies()["younger2013"]
    found = ls.reconstruct_splits(study, draws=20, seed=1)
    assert "splits with members: 1, the likeliest 14 + 14 people 1" in repr(found)
    assert "<caption>20 trials SIMULATED" in found._repr_html_()


def test_a_card_is_escaped() -> None:
    figure = ("<0.05", "a:<p>", "p")
    page = Card(title="<b>", figures=(figure,), priors=("<i>",), unused=(("a:&", "<u>"),)).html()
    assert "<caption>&lt;b&gt;" in page
    assert "<td>&lt;0.05</td><td>a:&lt;p&gt;</td><td>p</td>" in page
    assert "<li>not used: a:&amp; (&lt;u&gt;)</li><li>range fixed by priors: &lt;i&gt;</li>" in page


def test_whole_number_data_say_how_many_and_by_which_law() -> None:
    samples = ls.integer_samples("5.2", "1.1", n=20, scale=(0, 10), draws=3, seed=1)
    pairs = ls.integer_pairs(
        mean=("5.2", "4.1"), sd=("1.1", "1.3"), n=12, scale=(0, 10), draws=2, seed=1
    )
    assert repr(samples) == "3 samples of 20 people, uniform over ordered data sets"
    assert repr(pairs) == "2 paired data sets of 12 people, uniform over ordered data sets"
    assert np.asarray(samples.data).shape == (3, 20)
