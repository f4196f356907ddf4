"""When the end points of two treatments are measured, by the design alone."""

from __future__ import annotations

from fractions import Fraction

from ldnstats.designs import Design


def timing_difference(design: Design) -> Fraction | None:
    """Return how much later the first treatment's end points lie than the second's, on average.

    Each period ends when its end point is measured; periods follow one another with the washout
    between them. A linear trend of tau a week adds tau times this difference to the contrast of
    the treatments, and a period term does not remove it where the periods differ in length by
    treatment.

    Parameters
    ----------
    design : Design
        Of two treatments within people, with the weeks of each period.

    Returns
    -------
    Fraction or None
        Weeks, over the people (over the sequences if their sizes are not known), first treatment
        minus second; None if the design is not within people, has other than two treatments or
        only one sequence (where treatment and time are one, whatever the lag), or does not say
        the weeks of both.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> timing_difference(study.design)
    Fraction(4, 1)
    """
    weeks = dict(design.weeks)
    first, *others = design.treatments
    comparable = design.row.within and len(others) == 1 and len(design.row.sequences) > 1
    if not comparable or not {first, *others} <= weeks.keys():
        return None
    sizes = design.sizes or (1,) * len(design.sequences)
    differences = [_within_sequence(s, weeks, first) for s in design.sequences]
    known = [(size, d) for size, d in zip(sizes, differences, strict=True) if d is not None]
    total = sum(size for size, _ in known)
    return sum((size * d for size, d in known), Fraction(0)) / total if total else None


def timing_notes(design: Design) -> tuple[str, ...]:
    """Say which effects of time a design cannot tell from the treatments'.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of str
        Empty if the design gives no reason.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> print(timing_notes(study.design)[0])
    LDN is measured 4 weeks later than placebo on average: ...
    """
    notes = []
    first, *others = design.treatments
    lag = timing_difference(design)
    if lag:
        when = f"{abs(float(lag)):g} weeks {'later' if lag > 0 else 'earlier'}"
        notes.append(
            f"{first} is measured {when} than {others[0]} on average: a linear trend of tau a "
            f"week adds {float(lag):g} tau to {first} minus {others[0]}, a period term does not "
            "remove it, and the trend is not identifiable from these figures"
        )
    if len(design.row.sequences) == 1 and design.row.within:
        notes.append(
            "everyone has the same order, so treatment and time are one: "
            "no contrast is an effect of treatment alone"
        )
    elif design.row.within and not dict(design.weeks).get("washout", Fraction(1)):
        notes.append("there is no washout, and carry-over is not identifiable from these figures")
    return tuple(notes)


def _within_sequence(
    sequence: tuple[str, ...], weeks: dict[str, Fraction], first: str
) -> Fraction | None:
    """Return the mean end of the first treatment's periods minus that of the other's."""
    clock = Fraction(0)
    ends: dict[bool, list[Fraction]] = {True: [], False: []}
    for period, name in enumerate(sequence):
        clock += weeks[name] + (weeks.get("washout", Fraction(0)) if period else 0)
        ends[name == first].append(clock)
    if not ends[True] or not ends[False]:
        return None
    mean_first, mean_other = (sum(e, Fraction(0)) / len(e) for e in (ends[True], ends[False]))
    return mean_first - mean_other
