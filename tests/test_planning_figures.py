"""Figures of a plan draw the numbers of the objects that they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from ldnstats.figures import (
    new_axes,
    plot_assurance,
    plot_flow,
    plot_power_contours,
    plot_power_curve,
    plot_prediction,
    svg_text,
)
from ldnstats.planning import (
    assurance,
    crossover_trial,
    forecast,
    parallel_trial,
    power,
    power_curve,
    power_grid,
    trial_flow,
)

CURVE = [power(design="parallel", n=n, effect=1.0, sd=1.5) for n in (120, 40, 80)]
GRID = power_grid(
    n=100, effects=np.linspace(0.2, 1.4, 9).tolist(), sds=(1.2, 1.6, 2.0), correlations=(0.3, 0.6),
)  # fmt: skip


def test_a_curve_by_formula_is_a_line_without_a_band() -> None:
    axes = plot_power_curve({"t": CURVE}, target=0.9)
    assert axes.lines[0].get_xdata().tolist() == [40, 80, 120]
    assert axes.lines[0].get_ydata().tolist() == sorted(one.estimate for one in CURVE)
    assert len(axes.collections) == 0
    assert axes.lines[-1].get_ydata() == [0.9, 0.9]


def test_simulated_curves_have_the_bands_of_their_table() -> None:
    trials = [
        parallel_trial(n=n, control=(5, 5), active=(5, 4.2), sd=1.5, correlation=0.5)
        for n in (30, 60)
    ]
    table = power_curve(trials, ["change", "ancova"], replicates=512, seed=1)
    axes = plot_power_curve(table, target=None)
    assert len(axes.collections) == 2
    for band, (label, rows) in zip(
        axes.collections, table.groupby("analysis", sort=False), strict=True
    ):
        corners = band.get_paths()[0].vertices
        ends = {(n, low) for n, low in corners.round(9).tolist()}
        for row in rows.itertuples():
            assert (row.n_total, round(row.conf_low, 9)) in ends
            assert (row.n_total, round(row.conf_high, 9)) in ends
        assert label in [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_simulated_power_has_the_interval_of_its_counts() -> None:
    curve = [
        power(design="paired", n=12, effect=e, sd=1.0, method="simulation", seed=1, replicates=1024)
        for e in (0.4, 0.8)
    ]
    axes = plot_power_curve({"paired t": curve}, against="effect", ax=new_axes())
    assert axes.lines[0].get_xdata().tolist() == [0.4, 0.8]
    y = axes.collections[0].get_paths()[0].vertices[:, 1]
    for one, ends in zip(curve, (y[:2], y[2:4]), strict=True):
        count, n = one.n_significant or 0, one.n_simulated or 0
        known = binomtest(count, n).proportion_ci(method="wilson")
        assert sorted(ends) == pytest.approx([known.low, known.high], abs=1e-9)
    assert axes.get_xlabel() == "true effect"


@pytest.mark.parametrize("curves", [{}, {"t": []}, pd.DataFrame({"analysis": []})])
def test_nothing_to_draw_is_refused(curves: object) -> None:
    with pytest.raises(ValueError, match="give each one power or more"):
        plot_power_curve(curves)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="give each one assurance"):
        plot_assurance({"flat": []})
    with pytest.raises(ValueError, match="against='sd' is not supported; use one of"):
        plot_power_curve({"t": CURVE}, against="sd")  # type: ignore[arg-type]


def test_contours_lie_where_the_grid_has_their_power() -> None:
    axes = plot_power_contours(GRID, analysis="ancova", correlation=0.6, published=(0.7, 1.5))
    (lines,) = [c for c in axes.collections if len(c.get_paths()) in range(1, 5)]
    levels = lines.levels  # type: ignore[attr-defined]
    for level, path in zip(levels, lines.get_paths(), strict=True):
        for effect, sd in path.vertices[:: max(1, len(path.vertices) // 4)]:
            one = power(
                design="parallel", analysis="ancova", n=100, effect=effect, sd=sd, correlation=0.6
            )
            assert one.estimate == pytest.approx(level, abs=0.02)
    assert axes.lines[-1].get_xydata().tolist() == [[0.7, 1.5]]
    assert {"50%", "80%", "90%"} <= {text.get_text() for text in axes.texts}


def test_slices_that_are_not_in_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match=r"correlation=0.5 is not in the grid, which has \(0.3"):
        plot_power_contours(GRID, correlation=0.5)
    line = power_grid(n=100, effects=(0.5,), sds=(1.5, 2.0), correlations=(0.5,))
    with pytest.raises(ValueError, match="a grid of 1 effects and 2 SDs has no contours"):
        plot_power_contours(line)


def test_assurance_is_drawn_with_its_limit() -> None:
    curve = [
        assurance(design="parallel", n=n, prior_mean=0.5, prior_sd=0.5, sd=1.5, tails=1)
        for n in (200, 50)
    ]
    axes = plot_assurance({"wide": curve})
    assert list(axes.lines[0].get_xdata()) == [50, 200]
    assert list(axes.lines[0].get_ydata()) == [curve[1].estimate, curve[0].estimate]
    assert list(axes.lines[1].get_ydata()) == [curve[0].limit, curve[0].limit]
    assert min(axes.lines[1].get_xdata()) > 200


def test_predictions_are_drawn_at_their_intervals_beside_what_was_found() -> None:
    seen = forecast(
        estimate=0.7,
        p=0.02,
        new_error=0.3,
        observed=0.2,
        heterogeneity={"dose": 0.2},
        unit="points",
    )
    axes = plot_prediction(seen)
    drawn = [tuple(line.get_xdata()) for line in axes.lines]
    assert drawn == [*(row.interval for row in seen.rows), (0, 0), (0.2, 0.2)]
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"{row.probability_as_far:.2f}" for row in seen.rows]
    colours = {line.get_color() for line in axes.lines[1 : len(seen.rows)]}
    assert colours == {"#D55E00"}
    assert axes.lines[0].get_color() == "#0072B2"
    assert axes.get_xlabel() == "points"
    x = axes.collections[0].get_paths()[0].vertices
    assert x[:, 0][np.argmax(x[:, 1])] == pytest.approx(0.7, abs=0.02)
    unknown = plot_prediction(forecast(estimate=0.7, p=0.02, new_error=0.3))
    assert len(unknown.texts) == 0


@pytest.mark.parametrize("design", ["parallel", "crossover"])
def test_the_flow_shows_every_number_once(design: str) -> None:
    trial = (
        parallel_trial(
            n=90, control=(6, 5, 5), active=(6, 4, 4), sd=2, correlation=0.5, dropout=0.2
        )
        if design == "parallel"
        else crossover_trial(n=30, effect=-1, sd=2, correlation=0.5, dropout=0.2)
    )
    flow = trial_flow(trial, "mmrm" if design == "parallel" else "mixed", seed=3)
    axes = plot_flow(flow)
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    assert texts[0] == f"SIMULATED trial 1: {sum(flow.randomised)} people randomised"
    for group in (0, 1):
        own = texts[1 + 4 * group : 5 + 4 * group]
        assert own[0] == f"{flow.groups[group]}\n{flow.randomised[group]} people"
        gone = flow.left[group]
        told = [f"{n} before {flow.stage} {k + 1}" for k, n in enumerate(gone)]
        assert own[1].split("\n") == [f"{sum(gone)} left", *told]
        assert own[2:] == [f"{flow.completed[group]} completed", f"{flow.analysed[group]} analysed"]
    svg = svg_text(axes, title="Flow", description="d")
    assert svg == svg_text(plot_flow(flow), title="Flow", description="d")
