"""Figures that no trial prints: the smallest sets of claims, by arithmetic or by search."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from ldnstats.__main__ import BAD_INPUT, main
from ldnstats.claims import Study, StudyError, load_study
from ldnstats.simulate import ConflictError, Priors, reconstruct
from ldnstats.simulate.conflicts import arithmetic_conflicts, smallest_sets
from ldnstats.simulate.crossover import crossover_law
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select

TEMPLATE = """[study]
kind = "trial"
name = "made up"
title = "A trial that was made up"
[[source]]
id = "paper"
bib = "paper"
standing = "primary"
seen = "all of it"
[design]
type = "{type}"
treatments = ["A", "B"]
sizes = ["14", "14"]
source = "paper"
end_point = {{ name = "pain", unit = "points", low = "{low}", high = "{high}" }}
[[claim]]
id = "m"
kind = "means"
says = "means"
source = "paper"
arms = ["A", "B"]
mean = ["{mean[0]}", "{mean[1]}"]
[[claim]]
id = "s"
kind = "spread"
says = "SDs"
source = "paper"
means = "m"
meaning = "sd"
spread = ["{sd[0]}", "{sd[1]}"]
[[claim]]
id = "x"
kind = "comparison"
says = "they differ"
source = "paper"
means = "m"
paired = "{paired}"
p = "{p}"
[[claim]]
id = "c"
kind = "proportions"
says = "responders"
source = "paper"
arms = ["A", "B"]
count = ["{count}", "3"]
[[claim]]
id = "t"
kind = "quantity"
says = "a response is a pain of so much"
source = "paper"
unit = "points"
value = ["{threshold}"]
[reconstruction]
means = "m"
spread = "s"
p = "x"
responders = "c"
threshold = "t"
"""
PLAIN = {
    "type": "ab/ba", "low": "0", "high": "100", "mean": ("28.8", "18.0"), "sd": ("24.0", "27.9"),
    "paired": "yes", "p": "0.016", "count": "9", "threshold": "30",
}  # fmt: skip


def file_of(folder: Path, **changes: object) -> Path:
    """Write a study file."""
    (folder / "sources.bib").write_text("@misc{paper,\n  title = {Made up},\n}\n", "utf-8")
    path = folder / "made.toml"
    path.write_text(TEMPLATE.format(**(PLAIN | changes)), encoding="utf-8")
    return path


def study_of(folder: Path, **changes: object) -> Study:
    """Return a study with some figures changed."""
    return load_study(file_of(folder, **changes))


NEAR = {"mean": ("30.1", "30.0"), "sd": ("30", "30"), "p": "0.001"}
CASES = {
    "p, difference and SDs that are apart": (
        {"mean": ("30.1", "30.0"), "sd": ("30", "32"), "p": "0.001"},
        ("m", "s", "x"),
        r"SDs of 29\.5 and 31\.5 or more are 1 apart, so that no correlation up to 1 gives it",
    ),
    "p, difference and SDs that would need a correlation near 1": (
        NEAR,
        ("m", "s", "x"),
        r"would need a within-person correlation above 0\.999\d\d",
    ),
    "p, difference and SDs of parallel groups": (
        {"type": "parallel", "paired": "no", **NEAR},
        ("m", "s", "x"),
        r"make a two-sample t of size 0\.000 to 0\.0\d+; the printed test is one of 3\.\d+ to",
    ),
    "a p too large for the difference": (
        {"mean": ("60.0", "20.0"), "sd": ("5.0", "5.0"), "p": "0.90"},
        ("m", "s", "x"),
        r"so that no correlation down to -1 gives it",
    ),
    "means off the scale": (
        {"high": "10", "mean": ("12.3", "6.0"), "sd": ("2.0", "2.0"), "threshold": "5"},
        ("m", "limits"),
        r"a mean from 12\.25 to 12\.35 lies off the scale, which runs from 0 to 10 points",
    ),
    "SDs that the scale does not allow": (
        {"high": "10", "mean": ("9.0", "6.0"), "sd": ("4.0", "2.0"), "threshold": "5"},
        ("m", "s", "limits"),
        r"allows an SD of at most 3\.1\d+ in 28 people; that of A is 3\.95 or more",
    ),
    "responders whom the mean does not allow": (
        {"count": "28", "threshold": "40"},
        ("m", "c"),
        r"of A, 28 of 28 at 40 or more make a mean of at least 40; the printed mean is 28\.85 at",
    ),
    "responders whom mean and scale do not allow": (
        {"count": "21", "threshold": "40"},
        ("m", "c", "limits"),
        r"21 of 28 at 40 or more make a mean of at least 30, on a scale from 0 to 100;",
    ),
    "responders whom mean and SD do not allow": (
        {"count": "20", "threshold": "40", "sd": ("10.0", "27.9")},
        ("m", "s", "c"),
        r"20 of 28 at 40 or more and a mean of at most 28\.85 make an SD of at least 17\.95; the",
    ),
    "responders beyond n": (
        {"count": "30"},
        ("c",),
        r"30 responders are more than the 28 people of the design",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_arithmetic_names_the_conflict(name: str, tmp_path: Path) -> None:
    changes, claims, words = CASES[name]
    with pytest.raises(ConflictError, match=words) as caught:
        reconstruct(study_of(tmp_path, **changes))
    full = tuple(c if c == "limits" else f"made:{c}" for c in claims)
    assert caught.value.claims == full
    assert {one.by for one in caught.value.conflicts} == {"arithmetic"}
    sets = [set(one.claims) for one in caught.value.conflicts]
    assert not any(one < other for one in sets for other in sets)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.conflicts) == (str(caught.value), caught.value.conflicts)


@pytest.mark.parametrize("name", CASES)
def test_the_command_line_names_the_conflict(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, claims, words = CASES[name]
    assert main(["reconstruct", str(file_of(tmp_path, **changes)), "--draws", "5"]) == BAD_INPUT
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = [line for line in shown.err.splitlines() if line.startswith("ldnstats: ")]
    assert re.search(words, line)
    assert all(claim in line for claim in claims)
    assert "Traceback" not in shown.err


def test_every_claim_of_a_proved_conflict_is_necessary(tmp_path: Path) -> None:
    """The conflict of three goes without any one of them; the responders are not part of it."""
    study = study_of(tmp_path, **CASES["p, difference and SDs that are apart"][0])
    for claim in ("s", "x"):
        assert len(reconstruct(study, draws=3, without=(claim, "c", "limits"))) == 3
    with pytest.raises(ConflictError):
        reconstruct(study, draws=3, without=("c", "limits"))


def test_figures_that_go_together_are_no_conflict(tmp_path: Path) -> None:
    assert reconstruct(study_of(tmp_path), draws=20, without=("limits",)).prints().prints.all()


def test_a_prior_allows_what_is_only_unlikely(tmp_path: Path) -> None:
    study = study_of(tmp_path, **NEAR)
    kept = ("c", "limits")
    with pytest.raises(ConflictError, match="priors with limits of the correlation would allow it"):
        reconstruct(study, draws=20, without=kept)
    members = reconstruct(study, draws=20, without=kept, priors=Priors(correlation=(0.0, 1.0)))
    assert members.prints().prints.all()
    assert members.summaries().correlation.min() > 0.999


def counted(folder: Path, count: int, low: int, high: int, mean: str, sd: str) -> Study:
    """Return a study that prints exactly how many people are at 5 or more."""
    path = file_of(folder, low=low, high=high, mean=(mean, mean), sd=(sd, sd), threshold=5)
    text = path.read_text(encoding="utf-8").replace(f'count = ["{PLAIN["count"]}", "3"]',
                                                    f'count = ["{count}", "{count}"]')  # fmt: skip
    path.write_text(text.replace('responders = "c"', 'counts = "c"'), encoding="utf-8")
    return load_study(path)


def about_counts(study: Study) -> tuple[tuple[str, ...], ...]:
    """Return the claims of the conflicts that arithmetic finds with counts."""
    chosen = select(study, without=("x",), admit="secondary")
    options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    found = arithmetic_conflicts(chosen, crossover_law(chosen, options))
    return tuple(one.claims for one in found if "made:c" in one.claims)


def test_counts_of_people_who_exist_are_no_conflict(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        low, high = sorted(rng.choice(11, 2, replace=False))
        y = rng.integers(low, high + 1, 28)
        said = (int((y >= 5).sum()), 0, 10, f"{y.mean():.1f}", f"{y.std(ddof=1):.1f}")
        assert about_counts(counted(tmp_path, *said)) == ()


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        ((0, 0, 10, "6.0", "1.5"), ("m", "c")),
        ((1, 0, 10, "5.5", "1.5"), ("m", "c", "limits")),
        ((4, 0, 10, "5.4", "0.8"), ("m", "s", "c")),
        ((5, 0, 10, "5.4", "0.8"), ()),
        ((28, 0, 10, "4.9", "1.5"), ("m", "c")),
        ((20, 0, 10, "3.4", "1.5"), ("m", "c", "limits")),
    ],
)
def test_counts_are_held_against_mean_scale_and_sd(
    said: tuple[int, int, int, str, str], claims: tuple[str, ...], tmp_path: Path
) -> None:
    """By hand: 4 of 28 with m > 5.35 need an SD of sqrt(24 x 28 / 4 / 27) x 0.35 = 0.873."""
    found = about_counts(counted(tmp_path, *said))
    assert found == (
        (tuple(c if c == "limits" else f"made:{c}" for c in claims),) if claims else ()
    )


def test_a_search_finds_what_arithmetic_does_not(tmp_path: Path) -> None:
    study = study_of(tmp_path, mean=("28.8", "18.0"), count="27", threshold="60")
    with pytest.raises(ConflictError, match="by a search, not by proof") as caught:
        reconstruct(study, without=("limits", "s", "x"))
    assert caught.value.claims == ("made:m", "made:c")
    assert [one.by for one in caught.value.conflicts] == ["sampling"]


def test_a_percentage_beyond_n_is_one_clear_error(tmp_path: Path) -> None:
    path = file_of(tmp_path)
    text = path.read_text(encoding="utf-8").replace('count = ["9", "3"]', 'percent = ["104", "11"]')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"104"):
        reconstruct(load_study(path))


def test_all_smallest_sets_are_found_and_each_member_is_necessary() -> None:
    wrong = [{"a", "b"}, {"b", "c", "d"}, {"e"}]

    def possible(some: tuple[str, ...]) -> bool:
        return not any(one <= set(some) for one in wrong)

    assert smallest_sets("abcde", possible) == (("e",), ("a", "b"), ("b", "c", "d"))
    assert smallest_sets("abcd", possible) == (("a", "b"), ("b", "c", "d"))
    (one,) = smallest_sets("abcdfghi", possible)
    assert not possible(one)
    assert all(possible(tuple(x for x in one if x != left)) for left in one)
    assert smallest_sets("ab", lambda _: False) == ((),)


def test_the_arithmetic_agrees_with_people(tmp_path: Path) -> None:
    """Figures of data sets that exist are never said to be in conflict."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        rho = rng.uniform(-0.9, 0.9)
        y = rng.multivariate_normal([50, 45], [[64, 80 * rho], [80 * rho, 100]], 28)
        d = y[:, 0] - y[:, 1]
        t = d.mean() / d.std(ddof=1) * np.sqrt(28)
        p = 2 * scipy.stats.t.sf(abs(t), 27)
        if p < 0.0005:
            continue
        study = study_of(
            tmp_path,
            mean=tuple(f"{m:.1f}" for m in y.mean(axis=0)),
            sd=tuple(f"{s:.1f}" for s in y.std(axis=0, ddof=1)),
            p=f"{p:.3f}",
        )
        members = reconstruct(study, draws=2, without=("c", "limits"))
        assert members.prints().prints.all()
