"""The check of one claim or of a whole study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import overload

from ldnstats.checks.comparisons import (
    check_comparison,
    check_estimate,
    check_quoted_spread,
    check_spread,
)
from ldnstats.checks.people import (
    check_arm_sizes,
    check_common_n,
    check_proportions,
    check_total,
)
from ldnstats.checks.sources import (
    check_assumption,
    check_means,
    check_quantity,
    check_restatement,
    check_significance,
)
from ldnstats.checks.statistics import (
    check_common_df,
    check_correlation,
    check_false_discovery,
    check_joint_correlations,
    check_summary,
    check_test,
    check_variance_explained,
)
from ldnstats.checks.verdict import Verdict, Verdicts, not_checkable
from ldnstats.claims import Claim, Study

RULES: Mapping[str, Callable[[Claim], Verdict]] = {
    "test": check_test,
    "correlation": check_correlation,
    "variance-explained": check_variance_explained,
    "summary": check_summary,
    "means": check_means,
    "spread": check_spread,
    "quoted-spread": check_quoted_spread,
    "comparison": check_comparison,
    "estimate": check_estimate,
    "proportions": check_proportions,
    "total": check_total,
    "quantity": check_quantity,
    "significance": check_significance,
    "restatement": check_restatement,
    "false-discovery": check_false_discovery,
    "assumption": check_assumption,
    "common-n": check_common_n,
    "arm-sizes": check_arm_sizes,
    "common-df": check_common_df,
    "joint-correlations": check_joint_correlations,
}


@overload
def check(subject: Claim, *, seed: int = 1) -> Verdict: ...
@overload
def check(subject: Study, *, seed: int = 1) -> Verdicts: ...
def check(subject: Claim | Study, *, seed: int = 1) -> Verdict | Verdicts:
    """Check a claim, or every claim of a study, against figures that do not depend on it.

    Parameters
    ----------
    subject : Claim or Study
    seed : int
        Of the trials that are rebuilt where a p is checked on them.

    Returns
    -------
    Verdict, or Verdicts in the order of the study's claims
        The checks are arithmetic on what is printed. A p-value whose inputs were never printed can
        at most be compatible with them.

    Raises
    ------
    TypeError
        If the subject is neither.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> trial = load_studies()["younger2013"]
    >>> check(trial.claim("analysed")).status
    'reproduced'
    """
    if isinstance(subject, Claim):
        return _verdict(subject, seed)
    if isinstance(subject, Study):
        return Verdicts(_verdict(claim, seed) for claim in subject.claims)
    message = f"{subject!r} is neither a Claim nor a Study; load one with load_study(path)"
    raise TypeError(message)


def _verdict(claim: Claim, seed: int) -> Verdict:
    """Apply the rule of a claim's kind.

    Printed figures can be such that no arithmetic starts: an SD of 0, a lower limit of a ratio that
    rounds to 0. The forensic functions refuse them and say what would be needed, which is then what
    is missing; one such claim must not end the check of a whole study.
    """
    try:
        if claim.kind == "comparison":
            return check_comparison(claim, seed=seed)
        return RULES[claim.kind](claim)
    except ValueError as refusal:
        return not_checkable(claim, f"figures that the arithmetic can start from ({refusal})")
