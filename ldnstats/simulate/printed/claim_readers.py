"""What each role of a reconstruction reads of a claim: figures, and the columns that print them."""

from __future__ import annotations

from dataclasses import dataclass

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.arm_columns import REDUCED
from ldnstats.simulate.printed.columns import PAIRED_CELLS, pairs_of
from ldnstats.simulate.printed.constraints import Compiled, UnusableError, give
from ldnstats.simulate.printed.rank_claims import read_rank_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The test that a trial's p, t, F and interval are taken to be of.

    Attributes
    ----------
    title : str
        In words.
    column : str
        How its columns end, as in p_paired.
    estimate : str
        The column of its estimate.
    df : int
        Degrees of freedom.
    paired : bool
        Whether it compares treatments within people.
    treatments : tuple of str
        The two that it compares, first minus second.
    spread : str
        The column of the SD of differences within people.
    """

    title: str
    column: str
    estimate: str
    df: int
    paired: bool
    treatments: tuple[str, ...]
    spread: str = "sd_difference"


def per_treatment(claim: Claim, field: str, design: Design) -> tuple[Reported, ...]:
    """Return a claim's figures in the order of the design's treatments.

    Parameters
    ----------
    claim : Claim
    field : str
    design : Design

    Returns
    -------
    tuple of Reported
        One a treatment.

    Raises
    ------
    StudyError
        If there is not one figure a treatment, or it is of other people than the design's.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> [str(mean) for mean in per_treatment(study.claim("pain-means"), "mean", study.design)]
    ['28.8', '18.0']
    """
    numbers = claim.numbers(field)
    arms = claim.texts("arms")
    if word := claim.text("sequence"):
        message = (
            f'{claim.key}, sequence: its means are those of people with "{word}" alone; it can '
            'only have the role "sequences"'
        )
        raise StudyError(message)
    if not arms:
        arms = next((c.texts("arms") for c in claim.linked("means")), ()) or design.treatments
    if len(numbers) != len(arms) or sorted(arms) != sorted(design.treatments):
        message = (
            f"{claim.key}, {field}: {len(numbers)} figures for {', '.join(arms)}; a "
            f"reconstruction needs one for each of {' and '.join(design.treatments)}"
        )
        raise StudyError(message)
    same_people(claim, design)
    by_arm = dict(zip(arms, numbers, strict=True))
    return tuple(by_arm[name] for name in design.treatments)


def same_people(claim: Claim, design: Design) -> None:
    """Refuse a claim of other people than the design's.

    Parameters
    ----------
    claim : Claim
    design : Design

    Raises
    ------
    StudyError
        If it prints how many there are, and the design has others.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> same_people(study.claim("pain-p"), study.design)
    """
    people = claim.people() or claim.wholes("sizes")
    arms = claim.texts("arms")
    if not people:
        return
    right = {design.n} if design.row.within or len(people) == 1 else set()
    by_arm = dict(zip(design.treatments, design.sizes, strict=False))
    wanted = tuple(by_arm.get(name, 0) for name in arms) or design.sizes
    if set(people) == right or (not design.row.within and people == wanted):
        return
    has = design.n if design.row.within else " and ".join(map(str, wanted))
    message = (
        f"{claim.key}, n: {', '.join(map(str, people))} people, but the design has "
        f"{has}; a reconstruction needs figures of the same people"
    )
    raise StudyError(message)


def read_means(claim: Claim, design: Design, prefix: str, *, at: str = "") -> Compiled:
    """Read means by treatment, with what is printed beside them.

    Parameters
    ----------
    claim : Claim
        Of kind means.
    design : Design
    prefix : str
        Of the columns of the means: mean, ls_mean or baseline_mean.
    at : str
        What the columns end in, as `at_visit`.

    Returns
    -------
    Compiled
        Means, SDs and limits of 95% intervals.

    Raises
    ------
    StudyError
        If figures do not fit the design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_means(study.claim("pain-means"), study.design, "mean").given[1].column
    'mean_placebo'
    """
    stem = prefix.removesuffix("mean")
    columns = {"mean": prefix, "sd": f"{stem}sd", "low": f"{stem}low", "high": f"{stem}high"}
    given: list[Given] = []
    for field, column in columns.items():
        if not claim.numbers(field):
            continue
        printed = per_treatment(claim, field, design)
        given += [
            give(claim, f"{column}_{name}{at}", number, name)
            for name, number in zip(design.treatments, printed, strict=True)
        ]
    return Compiled(given=tuple(given))


def read_test(claim: Claim, tested: Comparison, design: Design) -> Compiled:
    """Read p, t or F of the test that compares the treatments.

    Parameters
    ----------
    claim : Claim
        Of kind comparison, test or estimate.
    tested : Comparison
        The test that it is taken to be of.
    design : Design

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If it prints none, or another number of degrees of freedom.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> t = Comparison(title="paired t", column="paired", estimate="mean_difference",
    ...            df=27, paired=True, treatments=study.design.treatments)
    >>> read_test(study.claim("pain-p"), t, study.design).notes
    ('younger2013:pain-p, p = 0.016, is a two-sided paired t on 27 df',)
    """
    if claim.text("test"):
        return read_rank_test(claim, design)
    given: list[Given] = []
    notes = ""
    if claim.kind == "test":
        given.append(_statistic(claim, tested))
    p = claim.number("p")
    if p is not None and claim.whole("tails") == 1:
        message = "its p is one-sided"
        raise UnusableError(message)
    if claim.text("paired") == ("no" if tested.paired else "yes"):
        message = f"it is not of the {tested.title}: paired is {claim.text('paired')}"
        raise UnusableError(message)
    if p is None and not given:
        message = "it prints no p"
        raise UnusableError(message)
    same_people(claim, design)
    if p is not None:
        given.append(give(claim, f"p_{tested.column}", p))
        notes = (
            f"{claim.key}, p {p.relation} {p.text}, is a two-sided {tested.title} on {tested.df} df"
        )
    return Compiled(given=tuple(given), notes=(notes,) if notes else ())


def _statistic(claim: Claim, tested: Comparison) -> Given:
    """Read t, or F of one and the test's degrees of freedom."""
    name, df = claim.text("statistic"), claim.wholes("df")
    right = {"t": (tested.df,), "F": (1, tested.df)}.get(name)
    if right is None:
        message = f"no column of the summaries is a {name}"
        raise UnusableError(message)
    if df and df != right:
        message = (
            f"its {name} has {', '.join(map(str, df))} df; that of the {tested.title} has "
            f"{', '.join(map(str, right))}"
        )
        raise UnusableError(message)
    value = claim.numbers("value")[0]
    return give(claim, f"{name}_{tested.column}", value if value.value >= 0 else _turned(value))


def read_difference(claim: Claim, tested: Comparison, design: Design) -> Compiled:
    """Read the difference of two treatments with its interval, SD or p.

    Parameters
    ----------
    claim : Claim
        Of kind estimate (standard error, 95% limits and p by the test), or summary (mean and SD of
        the differences within people).
    tested : Comparison
        The test that limits and p are taken to be of.
    design : Design

    Returns
    -------
    Compiled
        With the sign turned where the claim names the treatments the other way round.

    Raises
    ------
    UnusableError
        If its scale is no difference, or the kind does not fit.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> t = Comparison(title="two-sample t", column="two_sample", estimate="mean_difference",
    ...            df=97, paired=False, treatments=study.design.treatments)
    >>> found = read_difference(study.claim("pain-difference"), t, study.design)
    >>> [given.column for given in found.given][1:3]
    ['low_difference_two_sample', 'high_difference_two_sample']
    """
    same_people(claim, design)
    turned = _turned_round(claim, tested.treatments)
    sign = _turned if turned else _kept
    if claim.kind == "summary" and tested.paired:
        columns = (("mean", tested.estimate), ("sd", tested.spread))
        found = [(c, sign(n) if f == "mean" else n) for f, c in columns for n in claim.numbers(f)]
    elif claim.kind == "estimate" and claim.text("scale") in ("", "difference"):
        found = [(tested.estimate, sign(claim.numbers("estimate")[0]))]
        found += [(f"se_difference_{tested.column}", se) for se in claim.numbers("se")]
        found += _limits(claim, tested, turned=turned)
        found += [(f"p_{tested.column}", p) for p in claim.numbers("p")]
    else:
        what = claim.text("scale") or f"{claim.kind} claim"
        message = f"a {what} is no difference of means"
        raise UnusableError(message)
    notes = []
    if claim.numbers("interval"):
        notes.append(f"{claim.key}: its limits are 95% limits of the {tested.title}")
    if turned:
        notes.append(f"{claim.key} is printed the other way round; its sign is turned")
    return Compiled(given=tuple(give(claim, c, n) for c, n in found), notes=tuple(notes))


def _limits(claim: Claim, tested: Comparison, *, turned: bool) -> list[tuple[str, Reported]]:
    """Return the limits of the difference, in its own direction."""
    ends = claim.numbers("interval")
    if not ends:
        return []
    low, high = (_turned(ends[1]), _turned(ends[0])) if turned else ends
    return [
        (f"low_difference_{tested.column}", low),
        (f"high_difference_{tested.column}", high),
    ]


def _turned_round(claim: Claim, treatments: tuple[str, ...]) -> bool:
    """Say whether a claim names the two treatments in the other order."""
    arms = claim.texts("arms")
    if arms and sorted(arms) != sorted(treatments):
        message = (
            f"{claim.key}, arms: {' and '.join(arms)} are not the treatments "
            f"{' and '.join(treatments)}"
        )
        raise StudyError(message)
    return bool(arms) and arms != treatments


def _kept(number: Reported) -> Reported:
    return number


def _turned(number: Reported) -> Reported:
    """Turn the sign of a printed number, with its relation."""
    other = {"<": ">", ">": "<", "=": "=", "<=": ">=", ">=": "<="}[number.relation]
    text = number.text
    text = text[1:] if text[0] in "-\u2212" else f"-{text.removeprefix('+')}"
    return Reported(text, relation=other)  # type: ignore[arg-type]


def read_correlation(claim: Claim, design: Design) -> Compiled:
    """Read the correlation of the outcomes under two treatments.

    Parameters
    ----------
    claim : Claim
        Of kind correlation, with no column of the patient table.
    design : Design

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If it is with a published column.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> read_correlation(study.claim("esr-r"), study.design)
    Traceback (most recent call last):
        ...
    ldnstats.simulate.printed.constraints.UnusableError: it is with the published ...
    """
    if claim.text("column"):
        message = (
            f'it is with the published column "{claim.text("column")}"; only responses (role '
            '"response") are tied to columns'
        )
        raise UnusableError(message)
    same_people(claim, design)
    r = claim.numbers("r")
    if not r:
        message = "it prints no correlation"
        raise UnusableError(message)
    return Compiled(given=(give(claim, "correlation", r[0]),))


def read_counts(claim: Claim, design: Design, threshold: float | None) -> Compiled:
    """Read how many people lie at or above the threshold.

    Parameters
    ----------
    claim : Claim
        Of kind proportions: one number a treatment; or, for people who have both of two
        treatments, arms named "both", "first only", "second only", "neither", as far as printed.
    design : Design
    threshold : float or None

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If there is no threshold.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_counts(study.claim("responders"), study.design, 30.0).given[0].column
    'percent_at_threshold_LDN'
    """
    if threshold is None:
        message = "no threshold is given"
        raise UnusableError(message)
    arms, field = claim.texts("arms"), "count" if claim.numbers("count") else "percent"
    if not claim.numbers(field):
        message = "it prints no counts"
        raise UnusableError(message)
    if arms and set(arms) <= set(PAIRED_CELLS) and design.row.within and field == "count":
        same_people(claim, design)
        pairs = zip(arms, claim.numbers(field), strict=True)
        given = [give(claim, f"{cell.replace(' ', '_')}_at_threshold", k) for cell, k in pairs]
    else:
        stem = "at_threshold" if field == "count" else "percent_at_threshold"
        printed = zip(design.treatments, per_treatment(claim, field, design), strict=True)
        given = [give(claim, f"{stem}_{name}", number, name) for name, number in printed]
    notes = (f"{claim.key} counts outcomes of at least {threshold:g}",)
    return Compiled(given=tuple(given), notes=notes)


def read_reductions(claim: Claim, design: Design) -> Compiled:
    """Read how many people of each arm fell by at least a percentage of their baseline.

    Parameters
    ----------
    claim : Claim
        Of kind proportions, with one count a treatment and a reduction.
    design : Design

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If it has no reduction or prints no counts.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> read_reductions(study.claim("responders-30"), study.design).given[0].column
    'reduced_30_LDN'
    """
    percent = claim.number("reduction")
    if percent is None:
        message = 'its field "reduction" does not say at what % of the baseline people count'
        raise UnusableError(message)
    if not claim.numbers("count"):
        message = "it prints no counts"
        raise UnusableError(message)
    printed = zip(design.treatments, per_treatment(claim, "count", design), strict=True)
    stem = f"{REDUCED}{float(percent.value):g}"
    return Compiled(
        given=tuple(give(claim, f"{stem}_{name}", count, name) for name, count in printed),
        notes=(f"{claim.key} counts falls of at least {percent}% of the baseline",),
    )


def read_cells(claim: Claim, design: Design) -> Compiled:
    """Read means by sequence and period.

    Parameters
    ----------
    claim : Claim
        Of kind means, its arms named by sequence and period, such as "LDN-placebo 1".
    design : Design

    Returns
    -------
    Compiled

    Raises
    ------
    StudyError
        If an arm is no sequence and period of the design.
    UnusableError
        If it is of another kind.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_cells(study.claim("pain-means"), study.design)
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: younger2013:pain-means, arms: "LDN" is no sequence and ...
    """
    if claim.kind != "means":
        message = f"a {claim.kind} claim has no means by sequence and period"
        raise UnusableError(message)
    cells = [f"{'-'.join(s)} {k + 1}" for s in design.sequences for k in range(len(s))]
    given = []
    for arm, number in zip(claim.texts("arms"), claim.numbers("mean"), strict=True):
        if arm not in cells:
            message = (
                f'{claim.key}, arms: "{arm}" is no sequence and period; they are {", ".join(cells)}'
            )
            raise StudyError(message)
        sequence, _, period = arm.rpartition(" ")
        given.append(give(claim, f"mean_{sequence}_{period}", number, arm))
    return Compiled(given=tuple(given))


def read_pair(claim: Claim, design: Design, df: int) -> Compiled:
    """Read a difference, p, t or correlation of two treatments, by people's means under them.

    Parameters
    ----------
    claim : Claim
        With the two treatments as its arms, if there are more; a test without them, an F of all
        treatments.
    design : Design
    df : int
        Of the analysis of variance with people, periods and treatments.

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If it does not say which two treatments it compares.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_pair(study.claim("pain-p"), study.design, 26).given[0].column
    'p_LDN-placebo'
    """
    arms = claim.texts("arms") or next((c.texts("arms") for c in claim.linked("means")), ())
    arms = arms or design.treatments
    known = [(a, b) for (_, a), (_, b) in pairs_of(design)]
    paired = len(known) == 1 and claim.wholes("df") == (1, design.n - 1)
    of_all = claim.kind == "test" and claim.text("statistic") == "F" and not claim.texts("arms")
    if of_all and not paired:
        return _anova_test(claim, design, df)
    pair = next((two for two in known if len(arms) == 2 and set(arms) == set(two)), None)
    if pair is None:
        message = "it does not say which two treatments it compares; name them as arms"
        raise UnusableError(message)
    name = "-".join(pair)
    if claim.kind == "correlation":
        return Compiled(given=(give(claim, f"correlation_{name}", claim.numbers("r")[0]),))
    own = Comparison(
        title=f"paired t of {' and '.join(pair)}",
        column=name,
        estimate=f"mean_difference_{name}",
        df=design.n - 1,
        paired=True,
        treatments=pair,
        spread=f"sd_difference_{name}",
    )
    read = read_test if claim.kind in ("comparison", "test") else read_difference
    return read(claim, own, design)


def _anova_test(claim: Claim, design: Design, df: int) -> Compiled:
    """Read F of all treatments, if it has the degrees of freedom of people, periods, treatments."""
    right = (design.row.n_treatments - 1, df)
    if claim.wholes("df") and claim.wholes("df") != right:
        message = (
            f"its F has {', '.join(map(str, claim.wholes('df')))} df; that of treatments beside "
            f"people and periods has {', '.join(map(str, right))}"
        )
        raise UnusableError(message)
    given = [give(claim, "F_treatments", claim.numbers("value")[0])]
    given += [give(claim, "p_treatments", p) for p in claim.numbers("p")]
    notes = (f"{claim.key} is F of the treatments beside people and periods on {right[0]} and "
             f"{right[1]} df",)  # fmt: skip
    return Compiled(given=tuple(given), notes=notes)
