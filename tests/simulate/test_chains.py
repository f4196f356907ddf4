"""Chains: the law of plain rejection where both can be had, known laws where they cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from ldnstats.claims import Study, data_root, load_study
from ldnstats.simulate import Ensemble, Priors, reconstruct
from ldnstats.simulate.chains import STARTS, Chains, Stranded, run_chains
from ldnstats.simulate.crossover import crossover_law
from ldnstats.simulate.diagnostics import effective_sizes, pooled_log_share, split_rhat
from ldnstats.simulate.law import Ground, Law, Proposals, condition
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.response import ResponseLaw, response_law
from ldnstats.simulate.sampling import Refusal, sample
from ldnstats.simulate.streams import BLOCK
from ldnstats.simulate.ttests import FloatArray

REJECT = 1e-4  # a true null fails one of these tests once in ten thousand seeds; the seed is fixed


def pilot_law(responders: int) -> ResponseLaw:
    """Return the law of the pilot with another number of responders."""
    study = load_study(data_root() / "claims" / "younger2009.toml")
    law = response_law(select(study, without=(), admit="primary"), Priors())
    return replace(law, responders=responders)


def with_responders(folder: Path, percent: str) -> Study:
    """Return the crossover of 2013 with another share of responders."""
    text = (data_root() / "claims" / "younger2013.toml").read_text(encoding="utf-8")
    path = folder / "edited.toml"
    path.write_text(text.replace('["32", "11"]', f'["{percent}", "11"]'), encoding="utf-8")
    return load_study(path)


def crossover(folder: Path, percent: str) -> Law:
    """Return the law of that study."""
    study = with_responders(folder, percent)
    options = Options(test="paired t", means="raw", spread="as stated", priors=Priors())
    return crossover_law(select(study, without=(), admit="secondary"), options)


def drawn(law: Law, draws: int, **options: int) -> Ensemble:
    """Return members, which there must be."""
    found = sample(law, study="tried", root=3, draws=draws, **options)
    assert isinstance(found, Ensemble)
    return found


def compare(chains: Ensemble, plain: Ensemble) -> None:
    """Hold every figure of chains against independent members, as KS with effective sizes."""
    a, b = chains.summaries(), plain.summaries()
    assert chains.sampler == "rotation chain"
    assert plain.sampler == "rejection"
    assert chains.diagnostics.mixing
    for one in chains.diagnostics.mixing:
        distance = scipy.stats.ks_2samp(a[one.figure], b[one.figure]).statistic
        size = one.ess * len(b) / (one.ess + len(b))
        assert scipy.stats.kstwobign.sf(distance * np.sqrt(size)) > REJECT, one.figure


# --- chains and rejection agree -------------------------------------------------------------------


def test_chains_of_responses_have_the_law_of_rejection(size: Callable[[str], int]) -> None:
    law, draws = pilot_law(3), size("simulate.chains-have-the-law-of-rejection")
    plain, chains = drawn(law, 2 * draws), drawn(law, draws, patience=0)
    compare(chains, plain)
    found, known = chains.diagnostics, plain.diagnostics
    apart = found.log_acceptance - known.log_acceptance
    assert abs(apart) < 4 * np.hypot(found.log_acceptance_error, known.log_acceptance_error)
    assert 0.01 < known.acceptance < 0.03
    assert found.ess > 0.5 * draws
    assert found.rhat < 1.02


def test_chains_of_crossovers_have_the_law_of_rejection(tmp_path: Path) -> None:
    law = crossover(tmp_path, "61")
    plain, chains = drawn(law, 2000), drawn(law, 1000, patience=0)
    compare(chains, plain)
    assert chains.prints().prints.all()
    outcomes = [m.stack.outcome[:, 0] for m in (chains, plain)]
    assert scipy.stats.ks_2samp(*outcomes).pvalue > REJECT


def test_rare_trials_print_and_the_position_of_a_person_says_nothing(tmp_path: Path) -> None:
    ensemble = reconstruct(with_responders(tmp_path, "68"), draws=1400)
    assert ensemble.sampler == "rotation chain"
    assert ensemble.prints().prints.all()
    assert set(ensemble.summaries().responders_LDN) == {19}
    assert ensemble.stack.outcome.max() <= 100
    assert ensemble.diagnostics.binding.startswith("too few people at the threshold")
    assert 3e-4 < ensemble.acceptance < 9e-4
    assert ensemble.diagnostics.ess > 300
    assert ensemble.diagnostics.rhat < 1.05
    assert any("chains of small rotations from 4" in line for line in ensemble.assumptions)
    people = ensemble.stack.by_treatment()[:, :14, 0]
    ranks = np.bincount((people[:, :1] > people).sum(axis=1), minlength=14)
    assert scipy.stats.chisquare(ranks).pvalue > REJECT
    assert ensemble.flags is not None
    first = ensemble.flags[:, ensemble.stack.layout.treatment == 0][:, 0].sum()
    assert scipy.stats.binomtest(int(first), 1400, 19 / 28).pvalue > REJECT


# --- the same members whatever is asked for -------------------------------------------------------


def test_the_first_members_do_not_depend_on_how_many() -> None:
    law = pilot_law(8)
    few, many = drawn(law, 30), drawn(law, STARTS * BLOCK + 500)
    assert few.sampler == "rotation chain"
    assert few.stack.outcome.tobytes() == many.stack.outcome[:30].tobytes()
    assert many.prints().prints.iloc[:2].all()
    assert ((many.stack.outcome >= 30).sum(axis=1) == 8).all()
    assert few.acceptance == many.acceptance
    assert few.equals(drawn(law, 30))


def test_a_single_member_is_that_of_many() -> None:
    law = pilot_law(2)
    assert drawn(law, 1).sampler == drawn(law, 40).sampler == "rotation chain"
    assert drawn(law, 1).stack.outcome.tobytes() == drawn(law, 40).stack.outcome[:1].tobytes()


# --- laws with a known answer ---------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """Normals themselves, on a set that is given by how far they are from it."""

    noise: int
    far: Callable[[FloatArray], FloatArray]
    ground: Ground = pilot_law(6).ground

    def build(self, noise: FloatArray) -> Proposals:
        """Return the normals as outcomes."""
        far = self.far(noise)
        own = condition("it lies outside", far > 0, lambda at: far[at])
        return Proposals(outcome=noise.T, flags=None, conditions=(own,))


def on(known: Known, draws: int = 4000) -> Chains:
    """Return the members of a known law."""
    law = replace(known, ground=replace(known.ground, exchangeable=()))
    found = run_chains(law, lambda p: p.outcome.T, root=5, study="known", draws=draws)
    assert isinstance(found, Chains)
    return found


def test_a_tail_has_its_probability_and_its_law() -> None:
    found = on(Known(noise=3, far=lambda z: np.maximum(4.0 - z[0], 0.0)))
    log_p, error = pooled_log_share(found.log_share)
    assert abs(log_p - scipy.stats.norm.logsf(4.0)) < 4 * error
    assert error < 0.2
    size = effective_sizes(found.outcome.T, found.lineage)
    exact = scipy.stats.norm.sf(found.outcome[:, 0]) / scipy.stats.norm.sf(4.0)
    distance = scipy.stats.kstest(exact, "uniform").statistic
    assert scipy.stats.kstwobign.sf(distance * np.sqrt(size[0])) > REJECT
    assert scipy.stats.kstest(found.outcome[:, 1], "norm").statistic < 2.2 / np.sqrt(size[1])


def test_two_parts_that_chains_do_not_cross_have_their_weights() -> None:
    far = lambda z: np.maximum(np.minimum(3.8 - z[0], z[0] + 4.0), 0.0)  # noqa: E731
    found = on(Known(noise=3, far=far))
    right, left = scipy.stats.norm.sf([3.8, 4.0])
    log_p, error = pooled_log_share(found.log_share)
    assert abs(log_p - np.log(right + left)) < 4 * error
    inside = (found.outcome[:, 0] > 0).astype(float)
    size = effective_sizes(inside[None], found.lineage)[0]
    share = right / (right + left)
    assert size < 2000  # members of one part stay there, and are not counted as independent
    assert abs(inside.mean() - share) < 4 * np.sqrt(share * (1 - share) / size)
    assert found.autocorrelation[0] > 0.5
    assert max(found.moves) == 128


def test_starts_that_fall_into_different_parts_are_said_to_disagree() -> None:
    """A narrow part that the excess does not lead to, beside a broad one that it does."""

    def far(z: FloatArray) -> FloatArray:
        return np.where(z[1] > 3.4, 0.0, np.maximum(3.3 - z[0], 0.0))

    found = on(Known(noise=3, far=far))
    rhat = split_rhat(found.at_start)
    assert rhat.max() > 1.05
    spread = np.ptp(found.log_share)
    assert spread > 0.5
    error = pooled_log_share(found.log_share)[1]
    assert error > 0.1


def test_an_excess_with_a_floor_is_no_member() -> None:
    found = run_chains(
        Known(noise=3, far=lambda z: 1.0 + z[0] ** 2),
        lambda p: p.outcome.T,
        root=1,
        study="known",
        draws=5,
    )
    assert isinstance(found, Stranded)
    assert found.least_excess == pytest.approx(1.0, abs=1e-3)
    refused = sample(pilot_law(10), study="tried", root=1, draws=1)
    assert isinstance(refused, Refusal)
    assert (refused.accepted, refused.proposed) == (0, 16_384)
    assert refused.reasons() == "16384 rejected because another number of responders"


def test_nothing_can_be_said_of_an_excess_that_is_infinite() -> None:
    law = Known(noise=2, far=lambda z: np.full(z.shape[1], np.inf))
    found = run_chains(law, lambda p: p.outcome.T, root=1, study="known", draws=5)
    assert found == Stranded(least_excess=np.inf, log_share=0.0)


# --- what is reported -----------------------------------------------------------------------------


def test_effective_sizes_see_families() -> None:
    rng = np.random.default_rng(4)
    values = np.repeat(rng.standard_normal((1, 500)), 4, axis=1)
    lineage = np.repeat(np.arange(500), 4)
    assert effective_sizes(values, lineage)[0] == pytest.approx(500, rel=0.01)
    independent = effective_sizes(rng.standard_normal((1, 2000)), lineage)[0]
    assert 1600 < independent <= 2000
    assert np.isnan(effective_sizes(np.ones((1, 10)), np.arange(10))).all()


def test_diagnostics_warn_of_what_is_wrong() -> None:
    ensemble = drawn(pilot_law(8), 60)
    good = ensemble.diagnostics
    worst = replace(good.mixing[0], figure="mean", rhat=1.3, ess=12.0)
    bad = replace(good, mixing=(worst,), lost=1)
    assert len(good.sentences()) == 2
    assert "is small; ranges of these members are rough" in good.sentences()[1]
    text = " ".join(bad.sentences())
    assert "1 further starts found no member" in text
    assert "the starts do not agree on mean (R-hat up to 1.30)" in text
    assert (bad.ess, bad.rhat) == (12.0, 1.3)


def test_counts_say_which_condition_binds(tmp_path: Path) -> None:
    plain = drawn(crossover(tmp_path, "57"), 500).diagnostics
    failures, alone = dict(plain.failures), dict(plain.alone)
    limits, few = "an outcome lies beyond the limits", plain.binding
    assert few == "too few people at the threshold for the responders printed"
    assert alone[few] <= failures[few]
    kept = round(plain.acceptance * plain.proposed)
    assert failures[few] - alone[few] == failures[limits] - alone[limits]
    assert kept + failures[limits] + alone[few] == plain.proposed
