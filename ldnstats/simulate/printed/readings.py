"""How the figures of a study are read, and what is assumed where none are printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ldnstats.claims import Roles, Study
from ldnstats.designs import Design
from ldnstats.simulate.printed.targets import Effects, MeanKind, Priors

SpreadReading = Literal["as stated", "sd", "se", "ci95"]
TrialTest = Literal["paired t", "period-adjusted t", "two-sample t", "ANCOVA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the figures of a trial are read.

    Attributes
    ----------
    test : {"paired t", "period-adjusted t", "two-sample t", "ANCOVA"}
        The test that printed p, t, F and limits are taken to be of: one of the first two for
        crossovers, one of the last two for parallel groups.
    means : {"raw", "least squares"}
        Whether printed means are over people or over the sequences' means.
    spread : {"as stated", "sd", "se", "ci95"}
        What the plus-minus figures are taken to be.
    priors : Priors
        For what is not printed.
    """

    test: TrialTest
    means: MeanKind
    spread: SpreadReading
    priors: Priors

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("test", self.test, get_args(TrialTest)),
            ("means", self.means, get_args(MeanKind)),
            ("spread", self.spread, get_args(SpreadReading)),
        ):
            if value not in allowed:
                words = ", ".join(f'"{word}"' for word in allowed)
                message = f"{name}={value!r} is not one of {words}"
                raise ValueError(message)


def tests_of(design: Design) -> tuple[TrialTest, ...]:
    """Return the tests that figures of a design can be of, the default first.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> tests_of(study.design)
    ('paired t', 'period-adjusted t')
    """
    if not design.row.within:
        return ("two-sample t", "ANCOVA")
    return ("paired t", "period-adjusted t") if design.row.name == "ab/ba" else ("paired t",)


def resolve(
    study: Study,
    *,
    test: TrialTest | None,
    means: MeanKind,
    spread: SpreadReading,
    priors: Priors | None,
) -> Options:
    """Join what a call says with what the study file says, and with the defaults.

    Parameters
    ----------
    study : Study
    test : str or None
        None for that of the file, or the first of `tests_of`.
    means : {"raw", "least squares"}
    spread : {"as stated", "sd", "se", "ci95"}
    priors : Priors or None
        None for those of the file, and the defaults for what it does not name.

    Returns
    -------
    Options

    Raises
    ------
    ValueError
        If an option is not allowed, or the test is not for this design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> resolve(study, test=None, means="raw", spread="as stated", priors=None).test
    'paired t'
    """
    roles = study.reconstruction
    said = roles.texts("test") if roles is not None else ()
    chosen: TrialTest = test or (said[0] if said else None) or "paired t"  # type: ignore[assignment]
    if study.design is not None:
        allowed = tests_of(study.design)
        if not test and not said:
            chosen = allowed[0]
        _refuse(chosen, allowed, study.design)
    return Options(
        test=chosen,
        means=means,
        spread=spread,
        priors=priors if priors is not None else priors_of(roles),
    )


def _refuse(test: TrialTest, allowed: tuple[TrialTest, ...], design: Design) -> None:
    """Refuse a test of another design."""
    if test in allowed or test not in get_args(TrialTest):
        return
    if design.row.name == "fixed-order" and test == "period-adjusted t":
        message = (
            'test="period-adjusted t" needs two sequences; everyone has the same order here, '
            'so use test="paired t"'
        )
        raise ValueError(message)
    words = " or ".join(f'test="{name}"' for name in allowed)
    message = f'test="{test}" is not for {design.row.title}; use {words}'
    raise ValueError(message)


def priors_of(roles: Roles | None) -> Priors:
    """Return the priors that a study file names, and the defaults for others.

    Parameters
    ----------
    roles : Roles or None
        Its section [reconstruction].

    Returns
    -------
    Priors

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> limits = (Reported("0"), Reported("0.9"))
    >>> priors_of(Roles(claims=(), words=(), figures=(("correlation", limits),))).correlation
    (0.0, 0.9)
    """
    default = Priors()
    if roles is None:
        return default
    found = {name: tuple(float(n.value) for n in numbers) for name, numbers in roles.figures}
    sd, r = found.get("sd"), found.get("correlation")
    again, visits = found.get("replicate_correlation"), found.get("visit_correlation")
    effects: Effects = "zero" if roles.texts("effects") == ("zero",) else default.effects
    return Priors(
        correlation=(r[0], r[1]) if r else default.correlation,
        sd=(sd[0], sd[1]) if sd else default.sd,
        replicate_correlation=(again[0], again[1]) if again else default.replicate_correlation,
        visit_correlation=(visits[0], visits[1]) if visits else default.visit_correlation,
        effects=effects,
        period=found["period"][0] if "period" in found else default.period,
    )
