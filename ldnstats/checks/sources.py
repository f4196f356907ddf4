"""Checks of numbers taken from other claims, and of claims that no arithmetic can reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from ldnstats.checks.verdict import BENIGN_COPY, Status, Verdict, causes, judged, not_checkable
from ldnstats.claims import Claim
from ldnstats.forensics.derivations import LineageFinding, Wording, lineage, misread_interval
from ldnstats.forensics.finding import Choice
from ldnstats.forensics.intervals import interval_against_p
from ldnstats.reported import Reported

_ALPHA = Fraction("0.05")


def check_quantity(claim: Claim) -> Verdict:
    """Say that a number of the setting stands alone.

    Parameters
    ----------
    claim : Claim
        Of kind quantity.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_quantity(study.claim("visits")).summary
    'not printed: any other figure that depends on this number'
    """
    return not_checkable(claim, "any other figure that depends on this number")


def check_assumption(claim: Claim) -> Verdict:
    """Say that an assumption is one.

    Parameters
    ----------
    claim : Claim
        Of kind assumption.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> check_assumption(study.claim("responder-threshold")).status
    'not checkable'
    """
    return Verdict(
        claim=claim,
        status="not checkable",
        printed=claim.printed(),
        recomputed="",
        summary=f"an assumption, printed by no source: {claim.text('reason')}",
    )


def check_means(claim: Claim) -> Verdict:
    """Check means against their confidence limits and the limits of the scale.

    Parameters
    ----------
    claim : Claim
        Of kind means.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> check_means(study.claim("pain-change")).recomputed
    'LDN: centre -1.25; placebo: centre -0.95'
    """
    means, low, high = (claim.numbers(name) for name in ("mean", "low", "high"))
    if not low or not high:
        return not_checkable(claim, "the raw data behind the means")
    arms = claim.texts("arms") or tuple(str(i + 1) for i in range(len(means)))
    findings = [
        interval_against_p(estimate=m, interval=(a, b))
        for m, a, b in zip(means, low, high, strict=True)
    ]
    fits = all(finding.verdict == "consistent" for finding in findings)
    outside = [
        arm for arm, *figures in zip(arms, means, low, high, strict=True) if _beyond(*figures)
    ]
    status: Status = "reproduced" if fits else "contradicted" if outside else "compatible"
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed="; ".join(
            f"{arm}: centre {float(a.value + b.value) / 2:g}"
            for arm, a, b in zip(arms, low, high, strict=True)
        ),
        summary="each mean is the centre of its interval"
        if fits
        else f"a mean lies beyond its own limits: {', '.join(outside)}{causes(status)}"
        if outside
        else "a mean is not the centre of its interval, as in a model on another scale",
        working=tuple(line for finding in findings for line in finding.working),
        choices=tuple(choice for finding in findings for choice in finding.choices),
    )


def _beyond(mean: Reported, low: Reported, high: Reported) -> bool:
    """Say whether a mean lies beyond its limits by more than a unit of the last digit."""
    slack = max(mean.unit, low.unit, high.unit)
    return mean.value < low.value - slack or mean.value > high.value + slack


def check_significance(claim: Claim) -> Verdict:
    """Hold a statement of direction against the p-values that it restates.

    Parameters
    ----------
    claim : Claim
        Of kind significance.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "droracle.toml")
    >>> check_significance(study.claim("fatigue-and-sleep")).status
    'reproduced'
    """
    said = claim.text("significant") == "yes"
    answers = [answer for one in claim.linked("restates") for answer in _answers(one)]
    if not answers:
        return not_checkable(claim, "a p-value for what is said")
    shown = [line for line, _ in answers]
    found = [significant for _, significant in answers]
    status: Status = "reproduced" if all(one is said for one in found) else "compatible"
    if any(one is (not said) for one in found):
        status = "contradicted"
    words = {
        "reproduced": "the restated source says the same",
        "compatible": "the restated source leaves it open at the digits printed",
        "contradicted": "the source differs",
    }
    return Verdict(
        claim=claim,
        status=status,
        printed="a difference" if said else "no difference",
        recomputed="; ".join(shown),
        summary=f"{words[status]} ({'; '.join(shown)}){causes(status, BENIGN_COPY)}",
        working=tuple(f"{line}, held against {float(_ALPHA):g}" for line in shown),
    )


def _answers(claim: Claim) -> Iterator[tuple[str, bool | None]]:
    """Yield what a claim shows and whether that is significant, None if its digits do not say."""
    p = claim.number("p")
    if p is not None:
        yield f"{claim.key}: p {p if p.relation != '=' else f'= {p}'}", _below_alpha(p)
    elif claim.numbers("interval"):
        limits = " to ".join(str(limit) for limit in claim.numbers("interval"))
        yield f"{claim.key}: {limits}", _excludes_null(claim)
    elif claim.text("significant"):
        differs = claim.text("significant") == "yes"
        yield f"{claim.key}: {'different' if differs else 'not different'}", differs


def _below_alpha(p: Reported) -> bool | None:
    """Say whether a printed p is at most 5%, if its digits decide it."""
    stands = p.interval()
    if stands.high is not None and stands.high <= _ALPHA:
        return True
    if stands.low is not None and stands.low >= _ALPHA:
        return False
    return None


def _excludes_null(claim: Claim) -> bool | None:
    """Say whether a printed interval leaves out no effect, if its digits decide it."""
    low, high = claim.numbers("interval")
    null = 1 if claim.text("scale") == "ratio" else 0
    if null in (low.value, high.value):
        return None
    return not low.value <= null <= high.value


# Which printed numbers of a claim another document restates.
_RESTATED = {
    "means": ("mean",),
    "proportions": ("percent", "count"),
    "estimate": ("estimate",),
    "comparison": ("p",),
    "correlation": ("r", "p"),
    "summary": ("mean", "minimum", "maximum", "n"),
    "test": ("value", "p"),
    "variance-explained": ("percent",),
    "spread": ("spread",),
    "quoted-spread": ("spread",),
    "false-discovery": ("threshold",),
}


def check_restatement(claim: Claim) -> Verdict:
    """Find the printed numbers that a restated number comes from.

    Parameters
    ----------
    claim : Claim
        Of kind restatement.

    Returns
    -------
    Verdict
        reproduced: what the words say the number is, prints it. compatible: it does within the
        rounding of the restated figures, or truncated, or a rival prints the same number.
        contradicted: it does not; what else the
        number could come from is listed with all rivals.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "teitelbaum.toml")
    >>> check_restatement(study.claim("pain-reduction")).recomputed
    'LDN (aapm2012:symptoms) = 48.5 (prints it)'
    """
    reading = claim.text("reading") or "value"
    if reading == "range":
        return _range(claim)
    figures = _figures(claim.linked("restates"))
    if not figures:
        return not_checkable(claim, "a number in the claims that it restates")
    rivals = _exact(_figures(claim.linked("rivals")))
    pairs = [*_pairs(claim.linked("restates"), reading), *_pairs(claim.linked("rivals"), "value")]
    wording: Wording = "value"
    if reading in ("difference", "relative", "compared"):
        wording = reading  # type: ignore[assignment]
    exact = _exact(figures)
    pairs = [pair for pair in pairs if {*pair} <= {*exact, *rivals}]
    found = []
    for number in claim.numbers("value"):
        bounds = [label for label, one in figures.items() if _implies(one, number)]
        if bounds and wording == "value":
            found.append(_from_bound(number, bounds[0], figures[bounds[0]]))
        elif exact or rivals:
            traced = lineage(number, {**exact, **rivals}, pairs=pairs, reading=wording)
            found.append(_traced(traced, exact, wording))
    if len(found) < len(claim.numbers("value")):
        return not_checkable(claim, "an exact number, or one that implies the bound")
    if reading == "arms" and any(one.status == "contradicted" for one in found):
        return _two_arms(claim, found)
    return _restated(claim, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where one restated number comes from."""

    status: Status
    recomputed: str
    summary: str
    working: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    value: float | None = None


def _exact(figures: dict[str, Reported]) -> dict[str, Reported]:
    """Keep the numbers that are not bounds."""
    return {label: number for label, number in figures.items() if number.relation == "="}


def _implies(figure: Reported, number: Reported) -> bool:
    """Say whether a printed bound implies a restated one."""
    if figure.relation == "=" or number.relation == "=":
        return figure == number
    same_side = (figure.relation in ("<", "<=")) == (number.relation in ("<", "<="))
    below = figure.relation in ("<", "<=")
    return same_side and (figure.value <= number.value if below else figure.value >= number.value)


def _from_bound(number: Reported, label: str, figure: Reported) -> _Origin:
    """Describe a bound that follows from a printed one."""
    return _Origin(
        status="reproduced",
        recomputed=f"{label} {figure}",
        summary=f"{number} follows from {label}, {figure}",
    )


def _traced(found: LineageFinding, figures: dict[str, Reported], wording: Wording) -> _Origin:
    """Judge one number: by what its words say it is, of the figures that it restates."""
    kinds = ("difference", "relative") if wording == "compared" else (wording,)
    ways = {one.how for one in found.hits if one.kind in kinds and set(one.figures) <= set(figures)}
    elsewhere = wording == "value" and any(
        one.kind == "value" and one.how == "prints it" for one in found.hits
    )
    status: Status = "compatible" if ways or elsewhere else "contradicted"
    return _Origin(
        status="reproduced" if "prints it" in ways else status,
        recomputed=str(found.hits[0]) if found.hits else _listed(figures),
        summary=found.summary + ("" if ways or not elsewhere else f"; not from {_listed(figures)}"),
        working=found.working,
        choices=tuple(choice for choice in found.choices if choice.fits),
        value=float(found.hits[0].value) if found.hits else None,
    )


def _listed(figures: dict[str, Reported]) -> str:
    """Write what the restated claims print."""
    return ", ".join(f"{label} {number}" for label, number in figures.items())


def _figures(claims: tuple[Claim, ...], *, parts: bool = True) -> dict[str, Reported]:
    """Return the numbers of some claims by a label that says what they are."""
    found: dict[str, Reported] = {}
    for one in claims:
        fields = _RESTATED.get(one.kind, ("value",))
        for field in (*fields, "parts") if parts else fields:
            for place, number in enumerate(one.numbers(field)):
                found[_label(one, field, place)] = number
    return found


def _label(claim: Claim, field: str, place: int) -> str:
    """Name one number of a claim: which number it is, then the claim in brackets."""
    arms = claim.texts("arms")
    many = len(claim.numbers(field)) > 1
    which = arms[place] if len(arms) == len(claim.numbers(field)) and many else ""
    which = which or (f"number {place + 1}" if many else "")
    plain = field in ("value", "mean", "percent", "estimate")
    name = "" if plain and (which or field == "value") else field
    words = " ".join(word for word in (name, which) if word)
    return f"{words} ({claim.key})" if words else claim.key


def _pairs(claims: tuple[Claim, ...], reading: str) -> list[tuple[str, str]]:
    """Return the pairs of numbers that may have been compared: those of one claim and field."""
    pairs: list[tuple[str, str]] = []
    single: list[str] = []
    for one in claims:
        for field in _RESTATED.get(one.kind, ("value",)):
            labels = [_label(one, field, i) for i in range(len(one.numbers(field)))]
            pairs += [(a, b) for a, b in permutations(labels, 2) if a < b]
            single += labels if len(labels) == 1 else []
    if reading in ("difference", "relative", "compared"):
        pairs += [(a, b) for a, b in permutations(single, 2) if a < b]
    return pairs


def _restated(claim: Claim, found: list[_Origin]) -> Verdict:
    """Join the numbers of a claim: the worst of them is its verdict."""
    order: tuple[Status, ...] = ("contradicted", "compatible", "reproduced")
    status = min((one.status for one in found), key=order.index)
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed="; ".join(one.recomputed for one in found),
        summary="; ".join(one.summary for one in found) + causes(status, BENIGN_COPY),
        working=tuple(line for one in found for line in one.working),
        choices=tuple(choice for one in found for choice in one.choices),
        values=tuple(
            (f"derived_{i + 1}", one.value) for i, one in enumerate(found) if one.value is not None
        ),
    )


def _two_arms(claim: Claim, found: list[_Origin]) -> Verdict:
    """Try whether two numbers given as those of two arms are parts of one interval."""
    verdict = _restated(claim, found)
    numbers = claim.numbers("value")
    p = next((c.number("p") for c in claim.linked("restates") if c.number("p") is not None), None)
    if len(numbers) != 2 or p is None:
        return verdict
    sizes = claim.linked("restates")[0].design
    df = sizes.n - len(sizes.sizes) if sizes is not None and sizes.n else None
    finding = misread_interval((numbers[0], numbers[1]), estimate=numbers[0], p=p, df=df)
    fitting = [choice for choice in finding.choices if choice.fits]
    if not fitting:
        return verdict
    return judged(
        claim,
        finding,
        status="contradicted",
        recomputed="; ".join(f"{c.name}: {c.value}" for c in fitting),
        benign=BENIGN_COPY,
    )


def _range(claim: Claim) -> Verdict:
    """Hold the two ends of a range against the numbers that are said to lie in it."""
    numbers = claim.numbers("value")
    figures = _figures(claim.linked("restates"), parts=False)
    if len(numbers) != 2 or not figures:
        return not_checkable(claim, "two ends of a range and the numbers in it")
    low, high = sorted(number.value for number in numbers)
    choices = tuple(
        Choice(name=label, value=str(number), fits=low <= number.value <= high)
        for label, number in figures.items()
    )
    outside = [f"{choice.name}: {choice.value}" for choice in choices if not choice.fits]
    status: Status = "contradicted" if outside else "reproduced"
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed=f"{min(n.value for n in figures.values())} to "
        f"{max(n.value for n in figures.values())}",
        summary=f"outside the range: {'; '.join(outside)}{causes(status, BENIGN_COPY)}"
        if outside
        else "all lie in the range",
        choices=choices,
        values=(("outside", len(outside)),),
    )
