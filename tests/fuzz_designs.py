"""Designs, formulas and outcomes that nobody would fit, drawn by number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ROW_KINDS = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
FIXED = (
    "arm",
    "treatment",
    "C(period)",
    "sequence",
    "x",
    "x",
    "twin",
    "constant",
    "huge",
    "tiny",
    "far",
    "level",
    "flag",
    "arm:C(period)",
    "arm*x",
    "treatment*C(period)",
    "np.log(time)",
    "poly(x, 2)",
    "center(x)",
    "scale(x)",
    "C(subject)",
    "C(visit)",
    "I(x**2)",
    "0",
    "broken",
    "nullable",
    "when",
)
EFFECTS = (
    "1",
    "1",
    "1 + x",
    "0 + x",
    "x",
    "time",
    "treatment",
    "0 + treatment",
    "C(period)",
    "far",
)
OUTCOMES = (
    "noise",
    "noise",
    "noise",
    "subjects",
    "subjects",
    "scaled up",
    "scaled down",
    "far",
    "constant",
    "zero",
    "linear",
    "additive",
    "nearly linear",
    "integers",
    "binary",
    "one row",
    "one subject",
    "holes",
    "missing visit",
    "infinite",
    "nothing",
    "text",
    "mixed",
    "truth",
    "complex",
    "dates",
    "nullable",
    "category",
    "alternating",
    "serial",
)
METHODS = (
    None,
    None,
    "kenward-roger",
    "kenward-roger-linear",
    "satterthwaite",
    "between-within",
    "residual",
    "normal",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drawn model."""

    formula: str
    data: pd.DataFrame
    outcome: str
    reml: bool
    df: str | None


def draw(number: int, seed: int = 0) -> Case:
    """Return the case of that number: the same every time."""
    rng = np.random.default_rng([seed, number])
    data = _layout(rng)
    outcome = str(rng.choice(OUTCOMES))
    data["y"] = _outcome(rng, outcome, data)
    reml = bool(rng.random() < 0.8)
    df = METHODS[rng.integers(len(METHODS))]
    if df is not None and df.startswith("kenward") and not reml and rng.random() < 0.9:
        df = None
    response = rng.choice(["y", "y", "y", "y", "y", "y", "y", "y", "np.log(y)", "I(2*y)"])
    formula = f"{response} ~ {' + '.join([*_fixed(rng), *_covariance(rng)])}"
    return Case(formula=formula, data=_dressed(rng, data), outcome=outcome, reml=reml, df=df)


def _layout(rng: np.random.Generator) -> pd.DataFrame:
    """Return subjects by visits with rows that are missing, double or alone."""
    subjects, visits = int(rng.integers(1, 13)), int(rng.integers(1, 9))
    if rng.random() < 0.5:
        subjects, visits = int(rng.integers(3, 13)), int(rng.integers(2, 5))
    frame = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(subjects), visits),
            "visit": np.tile(np.arange(visits), subjects),
        }
    )
    frame = _rows(rng, frame)
    n, subject, visit = len(frame), frame["subject"].to_numpy(), frame["visit"].to_numpy()
    arms = int(rng.integers(1, 4))
    sequences = subject if rng.random() < 0.15 else subject % int(rng.integers(1, 4))
    x = rng.normal(size=n) if rng.random() < 0.7 else np.round(rng.normal(size=n))
    step = rng.choice([1.0, 7.0, 0.25, 1e-6, 1e6])
    return frame.assign(
        arm=np.array(["P", "Q", "R"])[subject % arms],
        sequence=[f"s{s}" for s in sequences],
        period=visit % 4 + 1,
        treatment=np.array(list("ABC"))[(subject + visit) % int(rng.integers(1, 4))],
        time=(visit + 1.0) * step,
        half=visit // 2,
        x=x,
        twin=2.0 * x,
        constant=3.0,
        huge=x * 1e150,
        tiny=x * 1e-150,
        far=1e9 + x,
        level=pd.Categorical(rng.choice(["low", "mid"], n), categories=["low", "mid", "none"]),
        flag=rng.random(n) < 0.5,
        broken=np.where(rng.random(n) < 0.05, np.inf, x),
        nullable=pd.array(
            np.where(rng.random(n) < 0.1, None, rng.integers(0, 5, n)), dtype="Int64"
        ),
        when=pd.Timestamp("2020-01-01") + pd.to_timedelta(visit, unit="D"),
    )


def _rows(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Take rows out or in."""
    what = rng.choice(["all", "all", "gaps", "single", "late", "double", "shuffled", "few"])
    if what == "gaps":
        frame = frame[rng.random(len(frame)) < 0.7]
    elif what == "single":
        alone = frame["subject"] < int(rng.integers(1, 12))
        frame = frame[~alone | (frame["visit"] == frame["subject"] % 2)]
    elif what == "late":
        frame = frame[frame["visit"] <= frame["subject"]]
    elif what == "double":
        frame = pd.concat([frame, frame.iloc[: int(rng.integers(1, 4))]])
    elif what == "shuffled":
        frame = frame.iloc[rng.permutation(len(frame))]
    elif what == "few":
        frame = frame.iloc[: int(rng.integers(0, 7))]
    return frame.reset_index(drop=True)


def _outcome(rng: np.random.Generator, kind: str, data: pd.DataFrame) -> object:
    """Return an outcome of a named kind."""
    n, subject = len(data), data["subject"].to_numpy()
    noise = rng.normal(size=n)
    person = noise + 2.0 * rng.normal(size=12)[subject % 12]
    linear = 1.0 + 2.0 * data["x"].to_numpy() + (data["arm"] == "Q") + 0.5 * data["period"]
    additive = np.asarray(subject % 5 + 2.0 * (data["treatment"] == "B"))
    holes = np.where(rng.random(n) < 0.25, np.nan, person)
    walk = person + np.cumsum(noise)
    kinds: dict[str, object] = {
        "noise": noise,
        "subjects": person,
        "scaled up": person * 10.0 ** rng.integers(3, 150),
        "scaled down": person * 10.0 ** -float(rng.integers(3, 150)),
        "far": person + 10.0 ** float(rng.integers(3, 14)),
        "constant": np.full(n, 0.1),
        "zero": np.zeros(n),
        "linear": np.asarray(linear),
        "additive": additive,
        "nearly linear": np.asarray(linear) + 10.0 ** -float(rng.integers(4, 14)) * noise,
        "integers": np.round(person).astype(np.int64),
        "binary": (noise > 0).astype(np.int64),
        "one row": (np.arange(n) == n // 2).astype(np.float64),
        "one subject": np.where(subject == 0, noise, 1.0),
        "holes": holes,
        "missing visit": np.where(data["visit"] == 1, np.nan, person),
        "infinite": np.where(rng.random(n) < 0.1, -np.inf, person),
        "nothing": np.full(n, np.nan),
        "text": np.array([f"{v:.2f}" for v in noise], dtype=object),
        "mixed": np.array([str(v) if j == 1 else v for j, v in enumerate(noise)], dtype=object),
        "truth": noise > 0,
        "complex": noise + 1j * person,
        "dates": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.abs(noise), unit="D"),
        "nullable": pd.array(np.where(np.isnan(holes), None, np.round(holes, 2)), dtype="Float64"),
        "category": pd.Categorical(np.where(noise > 0, "yes", "no")),
        "alternating": np.where(data["visit"] % 2 == 0, 1.0, -1.0) * (1.0 + 0.1 * noise),
        "serial": np.asarray(walk),
    }
    return kinds[kind]


def _fixed(rng: np.random.Generator) -> list[str]:
    """Return fixed effects."""
    terms = [str(t) for t in rng.choice(FIXED, int(rng.integers(0, 4)))]
    if rng.random() < 0.4:
        terms = [t for t in terms if t not in ("broken", "when", "C(subject)", "0")]
    return terms


def _covariance(rng: np.random.Generator) -> list[str]:
    """Return covariance terms."""
    what = rng.choice(
        ["effects", "effects", "nested", "rows", "rows", "rows", "strata", "both", "two"]
    )
    effect = str(rng.choice(EFFECTS))
    bar = "||" if rng.random() < 0.25 else "|"
    random = f"({effect} {bar} subject)"
    visit = str(rng.choice(["visit", "visit", "time", "period"]))
    kind = str(rng.choice(ROW_KINDS))
    rows = f"{kind}({visit} | subject)"
    return {
        "effects": [random],
        "nested": [f"({effect} | subject/half)"],
        "rows": [rows],
        "strata": [f"{kind}({visit} | arm/subject)"],
        "both": [random, rows],
        "two": ["(1 | subject)", f"(0 + {rng.choice(['x', 'time'])} | subject)"],
    }[str(what)]


def _dressed(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Give subjects, visits and rows labels of several types."""
    label = rng.choice(["number", "number", "text", "commas", "category", "decimal"])
    subject = data["subject"]
    labels: dict[str, object] = {
        "number": subject,
        "text": subject.map("p{}".format),
        "commas": subject.map('a,{} "q" <b>'.format),
        "category": pd.Categorical(subject.map(str), categories=[str(s) for s in range(14)]),
        "decimal": subject / 10.0,
    }
    data = data.assign(subject=labels[str(label)])
    index = rng.choice(["plain", "plain", "twice", "levels", "dates"])
    n = len(data)
    if index == "twice":
        data.index = pd.Index(np.zeros(n, dtype=np.int64))
    elif index == "levels":
        data.index = pd.MultiIndex.from_arrays([np.arange(n) % 2, np.arange(n)])
    elif index == "dates":
        data.index = pd.date_range("2021-01-01", periods=n)
    return data


def responses(number: int, seed: int = 0) -> tuple[str, pd.DataFrame, NDArray[np.float64]]:
    """Return a layout, a formula and several responses with faults of their own."""
    rng = np.random.default_rng([seed, number, 1])
    data = _layout(rng)
    kinds = [k for k in OUTCOMES if k not in ("text", "mixed", "complex", "dates", "category")]
    kinds = [k for k in kinds if k not in ("nullable", "infinite")]
    chosen = [str(k) for k in rng.choice(kinds, int(rng.integers(1, 6)))]
    Y = np.column_stack([np.asarray(_outcome(rng, k, data), dtype=np.float64) for k in chosen])
    fixed = [t for t in _fixed(rng) if t not in ("broken", "when", "C(subject)")]
    formula = f"y ~ {' + '.join([*fixed, *_covariance(rng)])}"
    return formula, _dressed(rng, data), Y
