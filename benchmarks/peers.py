"""Time other programs on the mixed models of ``mixed_models.py``, one data set at a time.

Run by ``mixed_models.py`` with an interpreter that has the peers installed:
``python peers.py NAME FOLDER``. Data are in the folder; the median seconds of one fit go to
standard output, or a word that says why there is none.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

FITS = 20


def lme_python(folder: Path, formula: str) -> Callable[[int], object]:
    """Return a refit of lme-python with its Kenward-Roger p."""
    polars = importlib.import_module("polars")
    module = importlib.import_module("lme_python")
    data, Y = _data(folder)
    frame = polars.from_pandas(data.assign(y=Y[:, 0]))
    prepared = module.prepare_lmer(formula, frame)

    def fit(j: int) -> object:
        found = prepared.fit(y=Y[:, j].tolist(), reml=True)
        found.with_kenward_roger(frame.with_columns(polars.Series("y", Y[:, j])))
        return found.kenward_roger_p_values

    return fit


def mixedlm(folder: Path, formula: str) -> Callable[[int], object]:
    """Return a fresh fit of mixedlm, which has no Kenward-Roger (its df are Satterthwaite's)."""
    module = importlib.import_module("mixedlm")
    data, Y = _data(folder)
    return lambda j: module.lmer(formula, data.assign(y=Y[:, j]))


def statsmodels(folder: Path, formula: str) -> Callable[[int], object]:
    """Return a fresh fit of statsmodels' MixedLM, whose p is normal."""
    module = importlib.import_module("statsmodels.formula.api")
    data, Y = _data(folder)
    fixed, _, group = formula.partition(" + (")
    effect = group.partition(" | ")[0]
    return lambda j: module.mixedlm(
        fixed, data.assign(y=Y[:, j]), groups=data["subject"], re_formula=f"~{effect}"
    ).fit()


def mcpower(folder: Path, formula: str) -> float:
    """Return seconds a data set of mcpower's engine, which draws, fits and tests by t or z."""
    del formula
    data, _ = _data(folder)
    module = importlib.import_module("mcpower")
    model = module.MCPower("y = x + (1|subject)", family="lme")
    model.set_effects("x=0.2")
    model.set_cluster("subject", ICC=0.3, n_clusters=int(data["subject"].nunique()))
    times = []
    for simulations in (2_000, 22_000):
        start = time.perf_counter()
        model.find_power(sample_size=len(data), n_sims=simulations, verbose=False)
        times.append(time.perf_counter() - start)
    return (times[1] - times[0]) / 20_000


def _data(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the layout, subjects as text, and the outcomes."""
    layout = pd.read_csv(folder / "layout.csv")
    outcomes = np.loadtxt(folder / "outcomes.csv", delimiter=",", skiprows=1, ndmin=2)
    return layout.assign(subject=layout["subject"].astype(str)), outcomes


def main() -> None:
    """Time one program."""
    name, folder, formula = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    warnings.simplefilter("ignore")
    program = {
        "lme-python": lme_python,
        "mixedlm": mixedlm,
        "statsmodels": statsmodels,
        "mcpower": mcpower,
    }[name]
    try:
        found = program(folder, formula)
    except ModuleNotFoundError as error:
        print("absent", error.name)
        return
    if isinstance(found, float):
        print(found)
        return
    found(0)
    times = []
    for j in range(FITS):
        start = time.perf_counter()
        found(j)
        times.append(time.perf_counter() - start)
    print(statistics.median(times))


if __name__ == "__main__":
    main()
