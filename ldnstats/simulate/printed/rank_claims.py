"""The p of a rank test, read of a claim."""

from __future__ import annotations

from ldnstats.claims import RANK_TESTS, Claim
from ldnstats.designs import Design
from ldnstats.simulate.printed.constraints import Compiled, UnusableError, give
from ldnstats.simulate.printed.rank_columns import RANK_SUM, SIGNED_RANK, largest_law

_COLUMNS = dict(zip(RANK_TESTS, (SIGNED_RANK, RANK_SUM), strict=True))


def read_rank_test(claim: Claim, design: Design) -> Compiled:
    """Read the p of a rank test.

    Parameters
    ----------
    claim : Claim
        Of kind comparison, whose field test names one of `claims.RANK_TESTS`.
    design : Design

    Returns
    -------
    Compiled

    Raises
    ------
    UnusableError
        If the test is not one of this design, or has too many people for the exact law.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_rank_test(study.claim("pain-p"), study.design)
    Traceback (most recent call last):
        ...
    ldnstats.simulate.printed.constraints.UnusableError: its test "" is none of Wilcoxon ...
    """
    name = claim.text("test")
    column = _COLUMNS.get(name)
    if column is None:
        message = f'its test "{name}" is none of {", ".join(RANK_TESTS)}'
        raise UnusableError(message)
    if design.row.multiperiod or (column == SIGNED_RANK) != design.row.within:
        whom = "two treatments within people" if column == SIGNED_RANK else "two groups of people"
        message = f"the {name} test is read of {whom}, not of {design.row.title}"
        raise UnusableError(message)
    try:
        largest_law(column, design.sizes)
    except ValueError as error:
        message = f"the exact law of the {name} test is not listed: {error}"
        raise UnusableError(message) from error
    p = claim.numbers("p")[0]
    note = f"{claim.key}, p {p.relation} {p.text}, is the exact two-sided {name} test, without ties"
    return Compiled(given=(give(claim, column, p),), notes=(note,))
