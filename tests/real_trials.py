"""Real trials: their raw data, the figures that a paper would print of them, and their answers.

The tables are in ``data/reference/crossover``. A trial is rebuilt from its printed figures alone,
at several levels of detail; each answer is computed by the same code from the raw data and from
every member of an ensemble.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.special
from numpy.typing import NDArray
from scipy import stats

from ldnstats.analyses import analyse
from ldnstats.claims import Study, load_study
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.reported import print_number
from ldnstats.simulate.printed.columns import correlations
from ldnstats.simulate.summaries import sequence_sign
from ldnstats.simulate.ttests import period_effect

REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "crossover"
INDEX = {
    row["name"]: row
    for row in csv.DictReader((REFERENCE / "index.csv").read_text(encoding="utf-8").splitlines())
}
CONTINUOUS = [n for n, row in INDEX.items() if row["abba_t_p"] and row["scale"] not in
              ("count", "ordinal")]  # fmt: skip
REBUILT = [name for name, row in INDEX.items() if row["layout"] != "other"]
P = 'means = "m"\np = "x"\n'
SDS = 'means = "m"\nspread = "s"\n'
LEVELS = {
    "means, p": P,
    "means, SDs": SDS,
    "means, SDs, p": SDS + 'p = "x"\n',
    "means, SDs, p, counts": SDS + 'p = "x"\nresponders = "c"\nthreshold = "rule"\n',
    "means, SDs, p, limits": SDS + 'p = "x"\n',
}
"""What a paper prints, as roles of a reconstruction; limits are the ends of the scale."""
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Real:
    """The complete pairs of a real trial: outcomes by treatment, and who had the first one first.

    Everybody counts as first where the order was not recorded.
    """

    name: str
    y: FloatArray
    first: NDArray[np.bool_]

    @property
    def sizes(self) -> tuple[int, ...]:
        first = int(self.first.sum())
        return (first, len(self.y) - first) if first < len(self.y) else (first,)

    @property
    def difference(self) -> FloatArray:
        return np.asarray(self.y[:, 0] - self.y[:, 1])

    @property
    def correlation(self) -> float:
        return float(stats.pearsonr(self.y[:, 0], self.y[:, 1]).statistic)

    @property
    def p(self) -> float:
        return float(stats.ttest_rel(self.y[:, 0], self.y[:, 1]).pvalue)

    @property
    def threshold(self) -> float:
        return float(INDEX[self.name]["threshold"])

    @property
    def decimals(self) -> int:
        """Three significant digits or so of the SDs, as journals print them."""
        return max(0, 2 - math.floor(math.log10(float(self.y.std(axis=0, ddof=1).min()))))


def table(name: str) -> pd.DataFrame:
    """Return the whole table of a trial."""
    path = REFERENCE / f"{name}.csv"
    return pd.read_csv(path if path.is_file() else path.with_suffix(".csv.gz"))


def pairs(name: str) -> pd.DataFrame:
    """Return complete pairs of the contrast of the index, one row a person.

    People's means where a treatment was given more than once; of the back-pain diary those of
    people who had pills.
    """
    one, two = INDEX[name]["contrast"].split("-")
    rows = table(name)
    rows = rows[rows["group"] == "placebo"] if "group" in rows else rows
    wide = rows.pivot_table(index="subject", columns="treatment", values="outcome")
    return wide[[one, two]].dropna()


@cache
def load(name: str) -> Real:
    """Return the complete pairs of a trial."""
    wide = pairs(name)
    first = np.ones(len(wide), dtype=np.bool_)
    if INDEX[name]["layout"] == "ab/ba":
        order = table(name).groupby("subject")["sequence"].first()[wide.index]
        first = order.str.startswith(str(wide.columns[0])).to_numpy()
    return Real(name=name, y=wide.to_numpy(dtype=np.float64), first=first)


def trial_of(real: Real) -> Trials:
    """Put the raw data into the layout of the design."""
    row = DESIGNS["ab/ba" if len(real.sizes) == 2 else "fixed-order"]
    design = Design(row=row, treatments=("A", "B"), sizes=real.sizes,
                    end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip
    layout = design.layout()
    people = np.concatenate([np.flatnonzero(real.first), np.flatnonzero(~real.first)])
    outcome = real.y[people[layout.subject], layout.treatment]
    return Trials(design=design, layout=layout, origin=real.name, simulated=False,
                  outcome=outcome[None, :])  # fmt: skip


def p_text(p: float) -> str:
    return "<0.001" if p < 0.0005 else print_number(p, 3)


def study_of(real: Real, level: str, folder: Path) -> Study:
    """Print the figures of a level of detail to a study file, and read it.

    Parameters
    ----------
    real : Real
    level : str
        One of `LEVELS`.
    folder : Path
        Where the file is written.

    Returns
    -------
    Study
        Means and SDs to about three digits of the SD, p to three decimals or as "<0.001", and the
        number of people at or above the threshold of the index.
    """
    limits = level.endswith("limits")
    path = folder / f"{real.name}.toml"
    path.write_text(f"{_design(real, limits)}{_claims(real)}\n[reconstruction]\n{LEVELS[level]}\n",
                    encoding="utf-8")  # fmt: skip
    (folder / "sources.bib").write_text("@misc{raw,\n  title = {Raw data},\n}\n", encoding="utf-8")
    return load_study(path)


def _design(real: Real, limits: bool) -> str:
    row = INDEX[real.name]
    ends = "".join(f'{end} = "{row[end]}"\n' for end in ("low", "high") if limits and row[end])
    layout = "ab/ba" if len(real.sizes) == 2 else "fixed-order"
    sizes = json.dumps([str(n) for n in real.sizes])
    return (
        f'[study]\nkind = "trial"\nname = "{real.name}"\ntitle = "A real trial"\n'
        '[[source]]\nid = "raw"\nbib = "raw"\nstanding = "primary"\nseen = "the raw data"\n'
        f'[design]\ntype = "{layout}"\ntreatments = ["A", "B"]\nsizes = {sizes}\nsource = "raw"\n'
        f'[design.end_point]\nname = "outcome"\nunit = "points"\n{ends}'
    )


def _claims(real: Real) -> str:
    def shown(values: FloatArray) -> list[str]:
        return [print_number(float(value), real.decimals) for value in values]

    above = (real.y >= real.threshold).sum(axis=0)
    n, arms = str(len(real.y)), ["A", "B"]
    rows: list[tuple[str, str, dict[str, object]]] = [
        ("m", "means", {"arms": arms, "mean": shown(real.y.mean(axis=0))}),
        ("s", "spread", {"means": "m", "meaning": "sd",
                         "spread": shown(real.y.std(axis=0, ddof=1))}),
        ("x", "comparison", {"p": p_text(real.p), "means": "m", "paired": "yes", "n": n}),
        ("c", "proportions", {"arms": arms, "count": [str(k) for k in above], "n": [n, n]}),
        ("rule", "quantity", {"value": [f"{real.threshold:g}"]}),
    ]  # fmt: skip
    return "".join(
        f'[[claim]]\nid = "{name}"\nkind = "{kind}"\nsays = "a {kind}"\nsource = "raw"\n'
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        for name, kind, fields in rows
    )


def answers(trials: Trials, threshold: float) -> dict[str, FloatArray]:
    """Return what an analyst would say of each trial of a stack.

    Parameters
    ----------
    trials : Trials
        Complete; AB/BA or in a fixed order.
    threshold : float
        At or above which people are counted.

    Returns
    -------
    dict
        Arrays of shape (B,), by answer. Components of variance are REML's, of a random intercept
        with treatment, period and sequence: with s_d^2 and s_s^2 the variances of differences and
        sums within sequences, between (s_s^2 - s_d^2) / 4 and within s_d^2 / 2; where the former
        is negative, 0 and (s_s^2 + s_d^2) / 4. The sign test drops differences of zero.
    """
    Y = trials.by_treatment()
    x, y = Y[:, :, 0], Y[:, :, 1]
    paired = analyse(trials, "paired t")
    between, within = _components(trials)
    above, below = (x > y).sum(axis=1), (x < y).sum(axis=1)
    fewer = np.minimum(above, below).astype(np.float64)
    found = {
        "mean difference": paired.estimate,
        "paired p": paired.p_value,
        "SD of A": x.std(axis=1, ddof=1),
        "SD of B": y.std(axis=1, ddof=1),
        "SD of differences": (x - y).std(axis=1, ddof=1),
        "correlation": correlations(x, y),
        "between-person SD": np.sqrt(between),
        "within-person SD": np.sqrt(within),
        "share with A above B": above / (above + below),
        "sign test p": np.minimum(1.0, 2.0 * scipy.special.bdtr(fewer, above + below, 0.5)),
        "share at threshold, A": (x >= threshold).mean(axis=1),
        "share at threshold, B": (y >= threshold).mean(axis=1),
    }
    if len(trials.design.row.sequences) == 2:
        adjusted = analyse(trials, "period-adjusted t")
        found |= {
            "adjusted difference": adjusted.estimate,
            "adjusted t": adjusted.statistic,
            "adjusted p": adjusted.p_value,
            "period effect": period_effect(x - y, sequence_sign(trials)),
        }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def _components(trials: Trials) -> tuple[FloatArray, FloatArray]:
    """Return the variances between people and within them."""
    Y, sign = trials.by_treatment(), sequence_sign(trials)
    groups = [Y[:, sign == one] for one in np.unique(sign)]
    centred = np.concatenate([g - g.mean(axis=1, keepdims=True) for g in groups], axis=1)
    df = centred.shape[1] - len(groups)
    x, y = centred[:, :, 0], centred[:, :, 1]
    of_difference = ((x - y) ** 2).sum(axis=1) / df
    of_sum = ((x + y) ** 2).sum(axis=1) / df
    between = (of_sum - of_difference) / 4.0
    within = np.where(between > 0, of_difference / 2.0, (of_sum + of_difference) / 4.0)
    return np.maximum(between, 0.0), within


def forced(real: Real, level: str, answer: str) -> bool:
    """Say whether an answer follows, within rounding, from the figures of a level.

    A printed bound, such as p < 0.001, fixes nothing; nor do the means adjusted for the period
    follow from means over people where sequences are of unequal size.
    """
    sds, p = "SDs" in level, ", p" in level and not p_text(real.p).startswith("<")
    equal = len(real.sizes) == 2 and real.sizes[0] == real.sizes[1]
    follows = {
        "mean difference": True,
        "adjusted difference": equal,
        "paired p": p,
        "SD of differences": p,
        "SD of A": sds,
        "SD of B": sds,
        "correlation": sds and p,
    }
    return follows.get(answer, False)
