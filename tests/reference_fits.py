"""Our fits beside R's: every reference case, every quantity.

Run ``python tests/reference_fits.py`` to write ``data/validation/mixed_models.csv`` and the page
made from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from reference_formulas import FORMULAS

from ldnstats.models import Fit, fit

REFERENCES = Path(__file__).parent / "references"
VALIDATION = Path(__file__).parents[1] / "data" / "validation"
METHODS = {"kr": "kenward-roger", "satterthwaite": "satterthwaite"}
TESTS = {"estimate": "estimate", "std_error": "se", "df": "df", "p_value": "p"}
MEANS = {"estimate": "emmean", "std_error": "SE", "df": "df"}
PAIRS = {"estimate": "estimate", "std_error": "SE", "df": "df", "p_value": "p.value"}
ANOVA = {"num_df": "numdf", "den_df": "dendf", "statistic": "F", "p_value": "p"}
KINDS = (
    *("loglik", "criteria", "sigma", "estimate", "std_error", "df", "p_value", "f", "vcov"),
    *("variances", "boundary"),
)
"""Kinds of quantities: columns of the table."""
GAIN = 1e-9
ORDERED = {"x_sleepstudy_quadratic": {"f": ["mid", "low", "high"]}}
"""Factors whose levels R had in another order than the alphabet's."""
FACTORS = {"f": ("nitro", "dose", "f"), "temperature": ("temp",)}
"""Columns of the data that the scripts made factors under another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFit:
    """One model of a reference case, and what R returned for it.

    Attributes
    ----------
    case, name : str
        The folder, and the model within it ("" for its first).
    program : str
        lme4, nlme, mmrm or glmmTMB.
    version : str
        Its version.
    formula : str
        Our formula.
    values : dict
        R's results.
    """

    case: str
    name: str
    program: str
    version: str
    formula: str
    values: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{self.case}/{self.name}".rstrip("/")


@cache
def reference_data(case: str) -> pd.DataFrame:
    data = pd.read_csv(REFERENCES / case / "data.csv", keep_default_na=False, na_values=["NA"])
    for column, levels in ORDERED.get(case, {}).items():
        data[column] = pd.Categorical(data[column], categories=levels)
    return data


@cache
def reference_fits() -> tuple[ReferenceFit, ...]:
    """Return every model of every folder that the table of formulas names."""
    found = []
    for folder in sorted(path.parent for path in REFERENCES.glob("*/data.csv")):
        text = _older(folder.name, json.loads((folder / "ref.json").read_text(encoding="utf-8")))
        versions = text["versions"]
        for name, values in [("", text), *_models(text)]:
            key = f"{folder.name}/{name}".rstrip("/")
            program = values.get("program", "lme4")
            if key in FORMULAS:
                found.append(
                    ReferenceFit(
                        case=folder.name,
                        name=name,
                        program=program,
                        version=versions[program],
                        formula=FORMULAS[key],
                        values=values,
                    )
                )
    return tuple(found)


def _models(text: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, values in text.items():
        if isinstance(values, dict) and "formula" in values:
            yield name, values


@cache
def our_fit(case: str, formula: str, *, reml: bool) -> Fit:
    return fit(formula, reference_data(case), reml=reml)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity of a fit by both programs.

    Attributes
    ----------
    name : str
        One of the columns of the table.
    label : str
        Where in the fit it stands.
    ours, theirs : array
        Values.
    floor : float or array
        Below what size a value counts as this large when differences are relative.
    """

    name: str
    label: str
    ours: Any
    theirs: Any
    floor: Any = 0.0

    @property
    def difference(self) -> float:
        """The largest relative difference; infinite where one of two values is missing."""
        a, b = np.asarray(self.ours, dtype=float), np.asarray(self.theirs, dtype=float)
        if a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any():
            return np.inf
        gap, size = np.abs(a - b), np.maximum(np.abs(b), self.floor)
        return float(np.nanmax(np.where(gap > 0, gap / np.where(size > 0, size, 1), 0), initial=0))


def quantities(reference: ReferenceFit) -> Iterator[Quantity]:
    """Yield every quantity that both sides have."""
    for name in ("REML", "ML"):
        model = our_fit(reference.case, reference.formula, reml=name == "REML")
        yield from PROGRAMS[reference.program](reference.values, model, name)


def _columns(rows: list[dict[str, Any]], *names: str) -> pd.DataFrame:
    return pd.DataFrame(rows)[list(names)].apply(pd.to_numeric, errors="coerce")


def _table(label: str, names: dict[str, str], ours: Any, theirs: Any) -> Iterator[Quantity]:
    """Yield the columns of a table of tests; p below 1e-12 counts as that."""
    theirs = _columns(theirs, *names.values())
    for own, other in names.items():
        floor: Any = 1e-12 if own == "p_value" else 0.0
        if own == "estimate" and "std_error" in names:
            floor = 0.1 * theirs[names["std_error"]]
        name = {"num_df": "df", "den_df": "df", "statistic": "f"}.get(own, own)
        yield Quantity(
            name=name, label=f"{label} {own}", ours=ours[own], theirs=theirs[other], floor=floor
        )


def _figures(theirs: dict[str, Any], model: Fit, label: str, *names: str) -> Iterator[Quantity]:
    glance = model.glance().loc[0]
    for name in names:
        kind = "criteria" if name.endswith("IC") else name.lower()
        yield Quantity(
            name=kind, label=f"{label} {name}", ours=glance[name.lower()], theirs=theirs[name]
        )


def _vcov(label: str, model: Fit, df: Any, theirs: Any) -> Quantity:
    matrix = np.asarray(theirs, dtype=float)
    floor = 1e-3 * np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
    return Quantity(
        name="vcov", label=f"{label} {df}", ours=model.vcov(df=df), theirs=matrix, floor=floor
    )


def _lme4(ref: dict[str, Any], model: Fit, label: str) -> Iterator[Quantity]:
    theirs = ref[label]
    yield from _figures(theirs, model, label, "logLik", "AIC", "BIC", "sigma")
    df: Any = "satterthwaite"
    yield from _table(f"{label} {df}", TESTS, model.tidy(df=df), theirs[df])
    variances = np.sort(_columns(theirs["varcomp"], "vcov")["vcov"])
    yield Quantity(
        name="variances",
        label=label,
        ours=np.sort(model.varcorr()["variance"].dropna()),
        theirs=variances,
        floor=1e-3 * np.abs(variances).max(),
    )
    if label == "ML":
        return
    yield Quantity(name="boundary", label=label, ours=model.on_boundary, theirs=theirs["singular"])
    df = "kenward-roger"
    yield from _table(f"{label} {df}", TESTS, model.tidy(df=df), theirs["kenward_roger"])
    if "vcov" in theirs:
        yield _vcov(label, model, df, theirs["vcovAdj"])
        yield _vcov(label, model, "satterthwaite", theirs["vcov"])
    for short, df in METHODS.items():
        if "anova" in ref:
            yield from _table(
                f"anova {df}", ANOVA, model.anova(df=df), ref["anova"][f"type3_{short}"]
            )
        for key in (key for key in ref if key.startswith("emmeans_")):
            yield from _means(ref[key], model, key.removeprefix("emmeans_"), short)


def _means(theirs: dict[str, Any], model: Fit, over: str, short: str) -> Iterator[Quantity]:
    """Yield marginal means and their differences, in the order in which R pairs them."""
    over = next(name for name in FACTORS.get(over, (over,)) if name in model.design.frame)
    df = METHODS[short]
    means: Any = model.emmeans(over, df=df)  # type: ignore[arg-type]
    yield from _table(f"emmeans {over} {df}", MEANS, means, theirs[short])
    levels = means["level"].tolist()
    tests = [
        model.contrast({b: 1, a: -1}, over=over, df=df)  # type: ignore[call-overload]
        for j, b in enumerate(levels)
        for a in levels[:j]
    ]
    ours = pd.DataFrame({name: [getattr(test, name) for test in tests] for name in PAIRS})
    yield from _table(f"pairs {over} {df}", PAIRS, ours, theirs[f"pairs_{short}"])


def _nlme(ref: dict[str, Any], model: Fit, label: str) -> Iterator[Quantity]:
    """Take the factor sqrt(n / (n - p)) out of nlme's standard errors by ML."""
    theirs, n = ref[label], model.glance()["nobs"][0]
    yield from _figures(theirs, model, label, "logLik", "AIC")
    coef = pd.DataFrame(theirs["coef"])
    if label == "ML":
        coef["se"] *= np.sqrt((n - len(model.names)) / n)
    names = {"estimate": "estimate", "std_error": "se"}
    yield from _table(label, names, model.tidy(df="residual"), coef)
    if label == "REML":
        yield _vcov(label, model, "residual", theirs["vcov"])


def _mmrm(ref: dict[str, Any], model: Fit, label: str) -> Iterator[Quantity]:
    theirs = ref.get("satterthwaite" if label == "REML" else "ML")
    if theirs is None:
        return
    yield from _figures(theirs, model, label, "logLik")
    df: Any = "satterthwaite"
    yield from _table(f"{label} {df}", TESTS, model.tidy(df=df), theirs["coef"])
    if "vcov" in theirs and label == "REML":
        yield _vcov(label, model, df, theirs["vcov"])
    linear = ref.get("kenward_roger_linear", {}) if label == "REML" else {}
    df = "kenward-roger-linear"
    if linear:
        yield from _table(f"{label} {df}", TESTS, model.tidy(df=df), linear["coef"])
    if "vcov" in linear:
        yield _vcov(label, model, df, linear["vcov"])


def _glmmtmb(ref: dict[str, Any], model: Fit, label: str) -> Iterator[Quantity]:
    """Leave out glmmTMB's standard errors, which count the covariance parameters as uncertain."""
    if label == "REML":
        yield from _figures(ref[label], model, label, "logLik")
        yield from _table(label, {"estimate": "estimate"}, model.tidy(), ref[label]["coef"])


PROGRAMS = {"lme4": _lme4, "nlme": _nlme, "mmrm": _mmrm, "glmmTMB": _glmmtmb}


def _older(folder: str, text: dict[str, Any]) -> dict[str, Any]:
    """Return the two cases that were stored before the others in the form of the others."""
    if folder == "d_diary":
        both = {
            name: text[name] | {"coef": _terms(text[name]["tTable"])} for name in ("REML", "ML")
        }
        return {"program": "nlme", "versions": text["versions"], **both}
    if folder != "e_mmrm":
        return text
    models = {"us_kr_linear": text["us_kr_linear"], "ML": text["us_satt_ml"]}
    found: dict[str, Any] = {"versions": text["versions"], "program": "none"}
    for kind in (key.removesuffix("_satt") for key in text if key.endswith("_satt")):
        own = text[f"{kind}_satt"]
        node = {"program": "mmrm", "formula": kind}
        node["satterthwaite"] = {"logLik": own["logLik"], "coef": _terms(own["coef"])}
        if kind == "us":
            linear = models["us_kr_linear"]
            node["kenward_roger_linear"] = {
                "coef": _terms(linear["coef"]),
                "vcov": linear["beta_vcov"],
            }
            node["ML"] = {"logLik": models["ML"]["logLik"], "coef": _terms(models["ML"]["coef"])}
        found[kind] = node
    return found


def _terms(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a table of coefficients under the names that the other cases have."""
    names = {"Value": "estimate", "Estimate": "estimate", "Std.Error": "se", "Std. Error": "se"}
    names |= {"Pr(>|t|)": "p", "df": "df", "p-value": "p"}
    return [{names[key]: value for key, value in row.items() if key in names} for row in rows]


def comparison(reference: ReferenceFit) -> dict[str, Any]:
    """Return one row of the table: the largest relative difference of each kind of quantity.

    ``gain_reml`` and ``gain_ml`` are our log-likelihood less R's.
    """
    row: dict[str, Any] = {
        "case": reference.case,
        "fit": reference.name,
        "program": f"{reference.program} {reference.version}",
        "formula": reference.formula,
        "quantities": 0,
        "gain_reml": np.nan,
        "gain_ml": np.nan,
    } | dict.fromkeys(KINDS, np.nan)
    for one in quantities(reference):
        row["quantities"] += np.size(one.theirs)
        if one.name == "loglik":
            row[f"gain_{one.label.split()[0].lower()}"] = float(one.ours - one.theirs)
        row[one.name] = np.nanmax([row[one.name], one.difference])
    return row


@cache
def comparisons() -> pd.DataFrame:
    """Return the whole table."""
    return pd.DataFrame([comparison(reference) for reference in reference_fits()])


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is kept: two digits of every difference, zero below 1e-12."""
    kept = table.copy()
    for name in (*KINDS, "gain_reml", "gain_ml"):
        kept[name] = [0.0 if abs(v) < 1e-12 else float(f"{v:.1e}") for v in table[name]]
    return kept


def page(table: pd.DataFrame) -> str:
    """Write the table for readers."""
    worst = table[list(KINDS)].max()
    own = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    lines = [
        "# Mixed models beside R",
        "",
        "Written by `python tests/reference_fits.py` from `tests/references`; the tests recompute",
        "it. Differences are relative and the largest of their kind; what R does not give is",
        "blank. `boundary` is 0 where both or neither call the fit singular.",
        "",
        f"{len(table)} models of {table['case'].nunique()} data sets, {table['quantities'].sum()}"
        f" numbers. Ours by {own}.",
        "",
        *_markdown(pd.DataFrame({"quantity": worst.index, "largest difference": worst.to_numpy()})),
        "",
        "## Where our likelihood is higher than R's by more than 1e-9",
        "",
        "R's optimiser stopped short there.",
        "",
        *_markdown(_gains(table)),
        "",
        "## Every model",
        "",
        *_markdown(table.drop(columns=["formula", "quantities", "gain_reml", "gain_ml"])),
        "",
    ]
    return "\n".join(lines)


def _gains(table: pd.DataFrame) -> pd.DataFrame:
    higher = table[(table[["gain_reml", "gain_ml"]] > GAIN).any(axis=1)]
    return higher[["case", "fit", "program", "gain_reml", "gain_ml"]]


def _markdown(table: pd.DataFrame) -> list[str]:
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = ["" if v != v else f"{v:.1e}" if isinstance(v, float) else str(v) for v in row]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def write() -> None:
    """Write the table and the page."""
    table = rounded(comparisons())
    table.to_csv(VALIDATION / "mixed_models.csv", index=False, lineterminator="\n")
    (VALIDATION / "mixed_models.md").write_text(page(table), encoding="utf-8")


if __name__ == "__main__":
    write()
