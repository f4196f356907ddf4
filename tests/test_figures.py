"""Figures return axes, are the same bytes twice, and carry text alternatives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ldnstats import fit, load_studies
from ldnstats.figures import (
    new_axes,
    new_row,
    plot_answers,
    plot_diagnostics,
    plot_diary,
    plot_free,
    plot_implied_correlation,
    plot_intervals,
    plot_lineage,
    plot_power,
    plot_random_effects,
    plot_residuals,
    plot_verdicts,
    svg_text,
)
from ldnstats.lmm.residuals import studentized_of
from ldnstats.simulate import Ensemble, reconstruct, reconstruct_diaries
from ldnstats.simulate.diagnostics import Diagnostics, Mixing
from tests.mixed_cases import FORMULA, reference

STUDIES = load_studies()
SVG = "{http://www.w3.org/2000/svg}"


def test_verdicts_are_drawn_to_scale() -> None:
    counts = {"A": {"reproduced": 3, "contradicted": 2}, "B": {"compatible": 4}}
    axes = plot_verdicts(counts)
    widths = sorted(patch.get_width() for patch in axes.patches)
    assert widths == [0, 0, 0, 0, 0, 2, 3, 4]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["B", "A"]


def test_originals_stand_left_of_what_restates_them() -> None:
    axes = plot_lineage(
        {
            ("review", "trial"): {"reproduced": 3, "contradicted": 1},
            ("news", "review"): {"not checkable": 2},
            ("news", "trial"): {"compatible": 1},
        }
    )
    places = {t.get_text(): t.get_position() for t in axes.texts if t.get_label() == "document"}
    assert [places[name][0] for name in ("trial", "review", "news")] == [0, 1, 2]
    said = [t.get_text() for t in axes.texts if t.get_label() != "document"]
    assert said == ["4, 1 contradicted", "2", "1"]
    assert [line.get_linestyle() for line in axes.lines] == ["--", ":", "-"]
    assert axes.lines[0].get_linewidth() > axes.lines[1].get_linewidth()


def test_numbers_of_a_lineage_do_not_cover_each_other() -> None:
    """Seven originals of one review, two of which a news item restates, all in part wrongly."""
    wrong = {"reproduced": 2, "contradicted": 1}
    pairs = [("review", f"trial {i}") for i in range(7)]
    pairs += [("news", "trial 0"), ("news", "trial 3"), ("news", "review")]
    axes = plot_lineage(dict.fromkeys(pairs, wrong))
    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in axes.texts]
    assert len(boxes) == 10 + 9
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_a_lineage_without_an_original_is_refused() -> None:
    with pytest.raises(ValueError, match="a, b restate each other in a circle"):
        plot_lineage({("a", "b"): {}, ("b", "a"): {}, ("a", "trial"): {}})
    with pytest.raises(ValueError, match="nothing is restated"):
        plot_lineage({})


def test_points_that_print_p_are_told_apart() -> None:
    correlation, p = np.linspace(-1, 1, 11), np.full(11, 0.2)
    p[7] = 0.016
    axes = plot_implied_correlation(correlation, p, (0.0155, 0.0165))
    others, printing = axes.lines[0], axes.lines[1]
    assert len(others.get_xdata()) == 10
    assert printing.get_xdata().tolist() == [correlation[7]]


def test_power_has_error_bars_where_it_was_simulated() -> None:
    table = pd.DataFrame(
        {
            "label": ["a", "a", "b"],
            "n": [10, 20, 10],
            "power": [0.2, 0.4, 0.3],
            "mcse": [np.nan, np.nan, 0.01],
        }
    )
    axes = plot_power(table)
    bars = [c for c in axes.containers if c.get_label() != "x"]
    assert len(bars) == 2
    assert axes.get_ylim() == (0, 1)


def test_answers_are_drawn_at_their_quantiles_and_without_unit_not_at_all() -> None:
    quantiles = ("2.5", "25", "50", "75", "97.5")
    rows = [
        {"given": given, "analysis": analysis}
        | {f"effect_{q}": k + 1.0 if analysis == "t" else np.nan for k, q in enumerate(quantiles)}
        | {f"p_{q}": 0.01 * k for k, q in enumerate(quantiles)}
        for given in ("all figures", "without p")
        for analysis in ("t", "mcnemar")
    ]
    effects, p = plot_answers(pd.DataFrame(rows), "points")
    drawn = [tuple(line.get_xdata()) for line in effects.lines if len(line.get_xdata())]
    assert drawn == [(0, 0), *([(1.0, 5.0), (2.0, 4.0), (3.0,)] * 2)]
    assert [tuple(line.get_xdata()) for line in p.lines[1:4]] == [
        (1e-6, 0.04),
        (0.01, 0.03),
        (0.02,),
    ]
    assert len(p.lines) == 1 + 4 * 3
    assert [label.get_text() for label in effects.get_yticklabels()] == ["mcnemar", "t"]
    assert len({line.get_ydata()[0] for line in p.lines[1:]}) == 4


def test_intervals_stand_in_the_order_given() -> None:
    axes = plot_intervals(["first", "second"], [1.0, 2.0], [(0, 2), (1, 3)], "points")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["second", "first"]
    assert axes.lines[1].get_xdata() == [1.0]


def test_axes_are_reused_when_given() -> None:
    axes = new_axes()
    assert plot_intervals(["a"], [0.0], [(-1, 1)], "u", ax=axes) is axes
    assert len({id(a.get_figure()) for a in new_row(3)}) == 1


def test_svg_is_valid_the_same_twice_and_described() -> None:
    drawn = [
        svg_text(
            plot_verdicts({"A": {"reproduced": 1}}), title="T & t", description="It shows <x>."
        )
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    root = ET.fromstring(drawn[0])
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "T & t"
    assert root.findtext(f"{SVG}desc") == "It shows <x>."


def test_svg_references_its_own_parts() -> None:
    text = svg_text(plot_verdicts({"A": {"compatible": 2}}), title="One", description="d")
    root = ET.fromstring(text)
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    assert all(name is not None and name.startswith("one-") for name in ids)
    links = [value for e in root.iter() for key, value in e.items() if key.endswith("href")]
    assert links
    assert {link.removeprefix("#") for link in links} <= ids


def test_axes_without_a_figure_are_refused() -> None:
    axes = new_axes()
    axes.remove()
    with pytest.raises(ValueError, match="the axes belong to no figure"):
        svg_text(axes, title="t", description="d")


def test_residuals_are_drawn_as_they_are_with_a_band_for_all_of_them() -> None:
    model = fit(FORMULA, reference("a2_crossover_missing")[0])
    fitted, quantiles, groups = plot_residuals(model)
    residuals = model.residuals(kind="studentized").to_numpy()
    np.testing.assert_array_equal(fitted.lines[1].get_ydata(), residuals)
    np.testing.assert_array_equal(fitted.lines[1].get_xdata(), model.fitted())
    inside, outside = quantiles.lines[1:]
    assert len(inside.get_xdata()) + len(outside.get_xdata()) == len(residuals)
    assert [label.get_text() for label in groups.get_xticklabels()] == ["A", "B"]
    assert groups.get_xlabel() == "treatment"
    # A response that is far from the model leaves the band.
    wild = reference("a2_crossover_missing")[0]
    wild.loc[5, "y"] += 40
    assert len(plot_residuals(fit(FORMULA, wild))[1].lines[2].get_xdata()) > 0


def test_about_one_response_in_twenty_leaves_its_band() -> None:
    model = fit(FORMULA, reference("a2_crossover_missing")[0])
    found = model.solved()
    drawn = model.simulate(400, seed=77)[model.design.rows]
    own = np.sort(studentized_of(found.body, found.solution, drawn), axis=0)
    band = plot_residuals(model)[1].collections[0].get_paths()[0].vertices
    n = len(own)
    upper, lower = band[1 : n + 1, 1], band[n + 2 : 2 * n + 2, 1][::-1]
    low, high = np.minimum(upper, lower), np.maximum(upper, lower)
    out = ((own < low[:, None]) | (own > high[:, None])).any(axis=0).mean()
    assert abs(out - 0.05) < 4 * np.sqrt(0.05 * 0.95 * (1 / 400 + 1 / 999))


def test_residuals_are_drawn_by_the_column_asked_for() -> None:
    data, _ = reference("e_mmrm")
    model = fit("y ~ base + arm * C(visit) + ar1(visit | subject)", data)
    assert plot_residuals(model)[2].get_xlabel() == "visit"
    assert plot_residuals(model, by="arm")[2].get_xlabel() == "arm"
    with pytest.raises(ValueError, match='by="sex" is not a column that'):
        plot_residuals(model, by="sex")
    sleep = fit("Reaction ~ Days + (Days | Subject)", reference("c_sleepstudy")[0])
    assert len(plot_residuals(sleep)) == 2


def test_random_effects_are_sorted_with_their_intervals() -> None:
    model = fit("Reaction ~ Days + (Days | Subject)", reference("c_sleepstudy")[0])
    table = model.ranef(error="prediction")
    panels = plot_random_effects(model, confidence=0.9)
    assert [axes.get_xlabel() for axes in panels] == [
        "(Intercept), 90% interval",
        "Days, 90% interval",
    ]
    own = table[table["term"] == "Days"].sort_values("estimate")
    assert [t.get_text() for t in panels[1].get_yticklabels()] == own["level"].astype(str).tolist()
    apart = (own["estimate"].abs() > 1.6448536 * own["std_error"]).sum()
    assert len(panels[1].containers[1].lines[0].get_xdata()) == apart
    with pytest.raises(ValueError, match="confidence=90 is not between 0 and 1"):
        plot_random_effects(model, confidence=90)


@cache
def rebuilt(study: str) -> Ensemble:
    return reconstruct(STUDIES[study], draws=60)


def chained(figures: int) -> Ensemble:
    """Return an ensemble that says of itself that it comes from chains."""
    mixing = tuple(
        Mixing(figure=f"mean_{k}", ess=60.0 + k, rhat=1.0 + k / 100, autocorrelation=k / 50)
        for k in range(figures)
    )
    found = Diagnostics(
        sampler="rotation chain",
        members=90,
        proposed=1000,
        log_acceptance=float(np.log(1e-4)),
        log_acceptance_error=0.25,
        failures=(("few", 400), ("never", 0), ("most", 990)),
        alone=(("few", 5), ("never", 0), ("most", 600)),
        mixing=mixing[::-1],
        starts=3,
        lost=1,
        moves=(8, 8, 8),
    )
    return replace(rebuilt("younger2013"), diagnostics=found)


def test_conditions_are_drawn_with_those_that_bind_first() -> None:
    (axes,) = plot_diagnostics(rebuilt("final2024"))
    found = rebuilt("final2024").diagnostics
    failed = sorted((n for _, n in found.failures if n), reverse=True)
    at_all, alone = ([bar.get_width() for bar in bars] for bars in axes.containers)
    np.testing.assert_allclose(at_all, [100 * n / found.proposed for n in failed])
    assert all(a <= b for a, b in zip(alone, at_all, strict=True))
    places = [bar.get_y() for bar in axes.containers[0]]
    assert places == sorted(places, reverse=True)
    title = axes.get_figure().get_suptitle()  # type: ignore[union-attr]
    assert title.startswith(f"{100 * found.acceptance:.3g}% (standard error 1.")
    assert f"of {found.proposed} proposals keep every condition; 1 of 11" in title


def test_chains_are_drawn_with_the_figures_that_mix_worst_on_top() -> None:
    conditions, ess, rhat, rho = plot_diagnostics(chained(20))
    assert [bar.get_width() for bar in conditions.containers[1]] == [60.0, 0.5]
    title = conditions.get_figure().get_suptitle()  # type: ignore[union-attr]
    assert title == (
        "0.01% (standard error 0.0025) of proposals keep every condition; members come from "
        "chains, 3 starts (1 more found no member)"
    )
    dots = ess.lines[0]
    assert list(dots.get_xdata()) == [60.0 + k for k in range(15)]
    assert list(dots.get_ydata()) == list(range(14, -1, -1))
    assert next(label.get_text() for label in ess.get_yticklabels()) == "mean 0"
    assert ess.get_title(loc="left") == "of 90 members; 5 figures that mix better are not shown"
    assert list(rhat.lines[0].get_xdata())[2] == 1.02
    assert list(rho.lines[0].get_xdata())[1] == 0.02
    assert plot_diagnostics(chained(3))[1].get_title(loc="left") == "of 90 members"


def test_a_law_that_rejects_nothing_has_a_figure_without_bars() -> None:
    found = replace(chained(0).diagnostics, failures=(("never", 0),), alone=(("never", 0),))
    (axes,) = plot_diagnostics(replace(chained(0), diagnostics=found))
    assert not axes.get_yticklabels()


def test_what_is_left_free_is_told_apart_from_what_priors_drive() -> None:
    panels = {axes.get_title(): axes for axes in plot_free(rebuilt("younger2013"))}
    assert list(panels) == [
        "SD LDN",
        "SD placebo",
        "correlation",
        "SD of the differences",
        "variance between people",
        "residual variance",
        "period effect (prior)",
    ]
    hatches = {name: axes.patches[-1].get_hatch() for name, axes in panels.items()}
    assert [name for name, hatch in hatches.items() if hatch] == ["period effect (prior)"]
    values = rebuilt("younger2013").summaries().correlation
    drawn = panels["correlation"].patches[-1].get_data()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(drawn.values, np.histogram(values, bins=30)[0])


def test_published_figures_are_marked_where_they_print() -> None:
    sd = plot_free(rebuilt("younger2013"))[0]
    band = sd.patches[0].get_window_extent().transformed(sd.transData.inverted())
    half = np.array([9.25, 9.35]) * 28**0.5 / 2.0518305164802833  # t quantile on 27 df
    np.testing.assert_allclose([band.x0, band.x1], half, rtol=1e-6)
    assert [text.get_text() for text in sd.texts] == ["printed half-width 9.3"]
    texts = {
        a.get_title(): [t.get_text() for t in a.texts] for a in plot_free(rebuilt("final2024"))
    }
    assert texts["baseline SD LDN"] == ["printed 1.3"]
    assert texts["SD LDN"] == []
    assert {"correlation LDN (prior)", "slope on baseline (prior)"} <= set(texts)


def test_the_pilot_has_its_correlation_with_the_column() -> None:
    titles = [axes.get_title() for axes in plot_free(rebuilt("younger2009"))]
    assert titles == ["SD (prior)", "correlation with esr"]


def test_a_diary_is_drawn_by_sequence_with_its_phases() -> None:
    """The line is the median of the members' daily means, of their people in that sequence."""
    diaries = reconstruct_diaries(STUDIES["younger2013"], draws=3)
    panels = plot_diary(diaries)
    line = diaries.ground.timeline
    assert len(panels) == len(line.phase)
    for at, axes in enumerate(panels):
        ratings = diaries.ratings[:, line.sequence == at].astype(float)
        ratings[ratings < 0] = np.nan
        expected = np.median(np.nanmean(ratings, axis=1), axis=0)
        np.testing.assert_allclose(axes.lines[0].get_ydata(), expected)
        assert [t.get_text() for t in axes.texts] == [
            "baseline",
            *diaries.ground.design.sequences[at],
        ]
        shaded = sum(patch.get_width() for patch in axes.patches) * 7
        assert shaded == pytest.approx(line.window[at].any(axis=0).sum())
