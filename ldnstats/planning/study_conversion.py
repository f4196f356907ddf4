"""The comparisons of a study file converted into what a plan needs, whatever the trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from ldnstats.claims import Claim, Study, StudyError
from ldnstats.designs import Design
from ldnstats.forensics.spreads import READINGS, Reading
from ldnstats.planning.checked import one_of
from ldnstats.planning.conversion import Conversion, convert_crossover
from ldnstats.planning.formulas import Tails
from ldnstats.planning.frames import frame_of
from ldnstats.planning.printed_comparisons import CrossoverTest, Df, Spread
from ldnstats.reported import Reported

if TYPE_CHECKING:
    import pandas as pd

_FIXED = "all had the treatments in one order, so that the difference is one of time too"
_CONVERTED = ("comparison", "estimate", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyConversion:
    """The comparisons of a crossover that could be converted; see `convert_study`.

    Attributes
    ----------
    study : str
        Its key.
    conversions : tuple of Conversion
        One a claim, named by it.
    left_out : tuple of (str, str)
        Claims of these kinds that could not be converted, each with the reason.
    """

    study: str
    conversions: tuple[Conversion, ...]
    left_out: tuple[tuple[str, str], ...]

    def table(self) -> pd.DataFrame:
        """Return all of them in one table, a row a quantity; its `name` is the claim.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.claims import load_studies
        >>> table = convert_study(load_studies()["younger2013"]).table()
        >>> rows = table[(table.quantity == "correlation") & (table.test == "paired t")]
        >>> rows[["name", "reading", "low", "high"]].round(2).values.tolist()[-1]
        ['younger2013:pain-p', 'ci95', 0.63, 0.66]
        """
        return frame_of([row for one in self.conversions for row in one.records()])


def convert_study(
    study: Study,
    *,
    claims: tuple[str, ...] = (),
    test: CrossoverTest | None = None,
    baseline_correlation: float = 0.0,
) -> StudyConversion:
    """Convert the comparisons of a published crossover into what the plan of a trial needs.

    Parameters
    ----------
    study : Study
        A trial in which people receive both treatments in two periods.
    claims : tuple of str
        Ids of the claims to convert; by default all that can be.
    test, baseline_correlation
        As in `convert_crossover`.

    Returns
    -------
    StudyConversion

    Raises
    ------
    StudyError
        If no claim can be converted, or one that was asked for cannot.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> found = convert_study(load_studies()["bested2023"], test="paired t")
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: bested2023 has no comparison that can be converted: ...
    """
    if claims:
        asked = [
            convert_claim(study.claim(one), test=test, baseline_correlation=baseline_correlation)
            for one in claims
        ]
        return StudyConversion(study=study.key, conversions=tuple(asked), left_out=())
    found, left_out = [], []
    for claim in study.claims:
        if claim.kind in _CONVERTED:
            try:
                found.append(
                    convert_claim(claim, test=test, baseline_correlation=baseline_correlation)
                )
            except ValueError as why:
                left_out.append((claim.key, str(why)))
    if not found:
        reasons = "; ".join(why for _, why in left_out) or (
            f"it has no claim of kind {', '.join(_CONVERTED)}"
        )
        message = f"{study.key} has no comparison that can be converted: {reasons}"
        raise StudyError(message)
    return StudyConversion(study=study.key, conversions=tuple(found), left_out=tuple(left_out))


def convert_claim(
    claim: Claim,
    *,
    means: Claim | None = None,
    spread: Claim | None = None,
    n: int | None = None,
    test: CrossoverTest | None = None,
    baseline_correlation: float = 0.0,
) -> Conversion:
    """Convert one published comparison within people.

    Parameters
    ----------
    claim : Claim
        A comparison of means (p), an estimate (interval, standard error or p), or a test (t, or F
        on 1 numerator df) of a trial in which people receive both treatments in two periods.
    means, spread : Claim, optional
        The means that it compares, and their spreads, if it names none.
    n : int, optional
        People, if neither it nor its design has them.
    test, baseline_correlation
        As in `convert_crossover`.

    Returns
    -------
    Conversion
        The difference is that of the first treatment minus the second, as the claim or else the
        means name them.

    Raises
    ------
    StudyError
        If something that it needs is not printed.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> study = load_studies()["aapm2012"]
    >>> found = convert_claim(study.claim("symptoms-f"), means=study.claim("symptoms"), n=28)
    >>> row = found.row("SD of differences", test="paired t")
    >>> [round(end, 1) for end in (row.low, row.high)]
    [39.9, 40.6]
    """
    if claim.kind not in _CONVERTED:
        _refuse(claim, f"a claim of kind {claim.kind} compares nothing; kinds: {_CONVERTED}")
    design = claim.design
    if design is None or not design.row.within or design.row.multiperiod:
        _refuse(claim, "people do not receive two treatments in two periods of one trial")
    means = means or next(iter(claim.linked("means")), None)
    if claim.kind == "comparison" and (claim.text("paired") == "no" or claim.linked("proportions")):
        _refuse(claim, "it compares no means within people")
    if claim.text("test"):
        _refuse(claim, f"the p of the {claim.text('test')} test is of ranks, not of a difference")
    figures = _figures(claim, means)
    spreads, reading = _spreads(claim, means, spread or next(iter(claim.linked("spread")), None))
    fixed = design.row.name == "fixed-order"
    found = convert_crossover(
        mean=figures.mean,
        n=_people(claim, means, design, n),
        p=figures.p,
        t=figures.t,
        f=figures.f,
        df=figures.df,
        interval=figures.interval,
        standard_error=figures.error,
        tails=figures.tails,
        spread=spreads,
        reading=reading,
        test="paired t" if fixed and test is None else test,
        baseline_correlation=baseline_correlation,
        unit=(means.unit if means else "") or claim.unit,
        name=claim.key,
    )
    return replace(found, note=_FIXED if fixed else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """What `convert_crossover` is given of a claim."""

    mean: Reported | tuple[Reported, Reported]
    p: Reported | None = None
    t: Reported | None = None
    f: Reported | None = None
    df: Df | None = None
    interval: tuple[Reported, Reported] | None = None
    error: Reported | None = None
    tails: Tails = 2


def _refuse(claim: Claim, why: str) -> NoReturn:
    """Say why a claim cannot be converted."""
    message = f"{claim.key}: {why}"
    raise StudyError(message)


def _figures(claim: Claim, means: Claim | None) -> _Figures:
    """Return the mean difference and the one figure that gives its error."""
    if claim.kind == "estimate":
        return _estimated(claim)
    if means is None:
        _refuse(claim, "it names no means; give means=, the claim that prints them")
    mean = _compared(claim, means, means.numbers("mean"), "means")
    if claim.kind == "comparison":
        return _Figures(mean=mean, p=claim.numbers("p")[0])
    (value, *_), df = claim.numbers("value"), tuple(float(d.value) for d in claim.numbers("df"))
    statistic = claim.text("statistic")
    if statistic == "t":
        return _Figures(mean=mean, t=value, df=df[0] if df else None)
    if statistic == "F" and len(df) == 2:
        return _Figures(mean=mean, f=value, df=(df[0], df[1]))
    _refuse(
        claim,
        f"a {statistic} on {len(df)} df is no t of one comparison, nor the F that is its "
        "square (1 numerator df)",
    )


def _estimated(claim: Claim) -> _Figures:
    """Return an estimated difference with its interval, standard error or p."""
    if claim.text("scale") not in ("", "difference"):
        _refuse(claim, f"its scale is {claim.text('scale')}; only a difference has this conversion")
    mean, limits = claim.numbers("estimate")[0], claim.numbers("interval")
    if limits:
        return _Figures(mean=mean, interval=(limits[0], limits[1]))
    error, p = claim.number("se"), claim.number("p")
    if error is None and p is None:
        _refuse(claim, "it prints no interval, no standard error and no p")
    return _Figures(mean=mean, error=error, p=None if error is not None else p)


def _compared(
    claim: Claim, means: Claim | None, printed: tuple[Reported, ...], what: str
) -> tuple[Reported, Reported]:
    """Return the figures of the two arms, in the order in which the claim compares them."""
    arms = means.texts("arms") if means else ()
    wanted = claim.texts("arms") or arms or ("first", "second")
    if len(wanted) != 2 or len(printed) != len(arms or wanted) or set(wanted) - set(arms or wanted):
        named = ", ".join(arms) or "arms that are not named"
        _refuse(claim, f"{len(printed)} {what} of {named} are printed, not two of {wanted}")
    places = [(arms or wanted).index(arm) for arm in wanted]
    return printed[places[0]], printed[places[1]]


def _spreads(
    claim: Claim, means: Claim | None, spread: Claim | None
) -> tuple[tuple[Spread, Spread] | None, Reading | None]:
    """Return the spreads of the two means, and what they are where that is said."""
    if spread is not None:
        figures, meaning = spread.numbers("spread"), spread.text("meaning")
        reading = one_of("meaning", meaning, READINGS) if meaning in READINGS else None
    elif means is not None and means.numbers("sd"):
        figures, reading = means.numbers("sd"), "sd"
    elif means is not None and means.numbers("low") and means.numbers("high"):
        low, high = (_compared(claim, means, means.numbers(k), "limits") for k in ("low", "high"))
        return ((low[0], high[0]), (low[1], high[1])), "ci95"
    else:
        return None, None
    return _compared(claim, means, figures, "spreads"), reading


def _people(
    claim: Claim, means: Claim | None, design: Design, n: int | None
) -> int | tuple[int, ...]:
    """Return the people: by sequence where the design has as many as were compared."""
    told = (n,) if n is not None else claim.people() or (means.people() if means else ())
    if len(set(told)) > 1:
        _refuse(claim, f"{told} people are compared, but those of a crossover are the same")
    whole = told[0] if told else design.n
    if not whole:
        _refuse(claim, "no number of people is printed with it or its design; give n=")
    if design.row.name == "ab/ba" and sum(design.sizes) == whole:
        return design.sizes
    return whole
