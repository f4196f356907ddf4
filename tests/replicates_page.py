"""How far off the one law of people's means is, where sequences have treatments unequally often.

In 2x2x3 (ABA and BAB) a person's mean under a treatment is of two outcomes in one sequence and of
one in the other. With variance v of an outcome and correlation c of two outcomes of a person on one
treatment, it varies by v (c + (1 - c) / 2) in one sequence and by v in the other; members are drawn
as if by v (c + 0.75 (1 - c)) in both. Given the means and covariances of the sample, the exact law
of Gaussian people has that density times exp(-tr((S1^-1 - S2^-1) A) / 2), with S1 and S2 the
covariances in the sequences and A the sums of squares and products in the first: members of the
one law are weighted by it (importance sampling), and answers compared.

Run ``python tests/replicates_page.py`` to write ``data/validation/replicates.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from printed_studies import printed_study

from ldnstats.analyses import analyse
from ldnstats.simulate import Ensemble, Priors
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.printed.targets import Fixed
from ldnstats.simulate.sampling import sample
from ldnstats.simulate.ttests import FloatArray

PAGE = Path(__file__).parents[1] / "data" / "validation" / "replicates.md"
CORRELATIONS = (0.1, 0.3, 0.5, 0.7, 0.9)
SIZES = ((6, 6), (12, 12))
DRAWS = 40_000
MIXED = "random intercept, Kenward-Roger"
HEAD = """# Replicates in sequences of unequal make-up

Written by `python tests/replicates_page.py`; the tests recompute a part of it. In 2x2x3 crossovers
(ABA and BAB) people's means under a treatment are of two outcomes in one sequence and of one in the
other; members are drawn as if their law were the same in both. Below, the same members are weighted
to have the exact law (means 50 and 47, SDs 8 and 8 of people's means, correlations of treatments as
large as 0.8 of that of replicates allows, each given exactly). "c" is the correlation of two
outcomes of a person on one treatment, "ESS" how many independent members the weighted ones are
worth. Each answer: members as drawn, then exact law, with the Monte-Carlo standard error of the
difference in brackets. Log SD ratio: of people's means on A, sequence ABA over BAB. SE and p: of
the treatments, random-intercept model with Kenward-Roger.

"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Answers on members of the one law, and on the same members weighted to the exact one.

    Attributes
    ----------
    ess : float
        What the weights leave.
    answers : dict of str to (float, float, float)
        By name: drawn, exact, standard error of their difference.
    """

    ess: float
    answers: dict[str, tuple[float, float, float]]


def members(c: float, sizes: tuple[int, int], draws: int, seed: int) -> Ensemble:
    """Draw members with fixed moments."""
    h = 0.75
    r = 0.8 * c / (c + (1 - c) * h)
    claims: dict[str, tuple[str, dict[str, object]]] = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["50.0", "47.0"]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["8.0", "8.0"]}),
    }
    with TemporaryDirectory() as folder:
        study = printed_study(
            Path(folder), design="2x2x3", treatments=("A", "B"), sizes=sizes, claims=claims,
            roles={"means": "m", "spread": "s"},
        )  # fmt: skip
    priors = Priors(replicate_correlation=(c, c + 1e-9))
    options = resolve(study, test=None, means="raw", spread="as stated", priors=priors)
    law = multiperiod_law(select(study, without=(), admit="primary"), options)
    figures = replace(
        law.figures,
        means=((50.0, 50.0 + 1e-9), (47.0, 47.0 + 1e-9)),
        sds=((8.0, 8.0 + 1e-9),) * 2,
        fixed=(Fixed(by="correlation", limits=(r, r + 1e-9)),),
    )
    found = sample(replace(law, figures=figures), study="replicates", root=seed, draws=draws)
    assert isinstance(found, Ensemble)
    return found


def log_weights(y: FloatArray, c: float, sizes: tuple[int, int]) -> FloatArray:
    """Return the logarithm of the exact law's density over the other's, by people's means."""
    v = 64.0 / (c + 0.75 * (1 - c))
    people = c * v * np.array([[1.0, 0.8], [0.8, 1.0]])
    one, other = (people + (1 - c) * v * np.diag(share) for share in ([0.5, 1.0], [1.0, 0.5]))
    own = y[:, : sizes[0]] - y.mean(axis=1, keepdims=True)
    A = np.swapaxes(own, 1, 2) @ own
    between = np.linalg.inv(one) - np.linalg.inv(other)
    return np.asarray(-0.5 * np.einsum("bij,ji->b", A, between))


def compared(c: float, sizes: tuple[int, int], *, draws: int, seed: int = 1) -> Comparison:
    """Compare answers under the two laws."""
    found = members(c, sizes, draws, seed)
    y = found.stack.means_by_treatment()
    weights = np.exp(log_weights(y, c, sizes) - log_weights(y, c, sizes).max())
    weights /= weights.sum()
    tests = analyse(found.stack, MIXED)
    first, second = (y[:, at, 0].std(axis=1, ddof=1) for at in
                     (slice(0, sizes[0]), slice(sizes[0], None)))  # fmt: skip
    values = {
        "log SD ratio": np.log(first / second),
        "SE": tests.std_error,
        "p": tests.p_value,
        "share of p < 0.05": (tests.p_value < 0.05).astype(np.float64),
    }
    answers = {}
    for name, x in values.items():
        exact = float(weights @ x)
        error = np.sqrt((((weights - 1 / len(x)) * (x - exact)) ** 2).sum())
        answers[name] = (float(x.mean()), exact, float(error))
    return Comparison(ess=float(1.0 / (weights**2).sum()), answers=answers)


def page(draws: int = DRAWS) -> str:
    """Write the page."""
    lines, names = [], ("log SD ratio", "SE", "p", "share of p < 0.05")
    lines.append("| people | c | ESS | " + " | ".join(names) + " |")
    lines.append("|---|---|---|" + "---|" * len(names))
    for sizes in SIZES:
        for c in CORRELATIONS:
            found = compared(c, sizes, draws=draws)
            cells = [
                f"{drawn:.3f}, {exact:.3f} ({error:.3f})"
                for drawn, exact, error in (found.answers[name] for name in names)
            ]
            n = " + ".join(map(str, sizes))
            lines.append(f"| {n} | {c:g} | {found.ess:.0f} | " + " | ".join(cells) + " |")
    return HEAD + "\n".join(lines) + f"\n\n{draws} members a line, seed 1.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
