"""Each thing that can be wrong in a study file has one message: file, claim, field, value, remedy.

A message is compared whole: a case makes one change to a file that is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ldnstats.claims import (
    COMMON,
    KINDS,
    StudyError,
    load_studies,
    load_study,
    read_bibliography,
)

BIB = """@article{doe2020,
  author = {Doe, Jane},
  title = {A trial},
  year = {2020},
}
"""
RIGHT = """
[study]
kind = "trial"
name = "Doe 2020"
title = "A trial"

[[source]]
id = "paper"
bib = "doe2020"
standing = "primary"
seen = "the whole paper"

[design]
type = "ab/ba"
treatments = ["drug", "placebo"]
sizes = ["14", "14"]
source = "paper"
weeks = { drug = "4" }

[design.end_point]
name = "pain"
unit = "points"
high = "100"

[[table]]
id = "people"
source = "paper"
columns = ["id", "age"]
units = ["", "years"]
rows = [["a", "22"], ["b", "54"]]

[[claim]]
id = "people"
kind = "total"
says = "28 people"
source = "paper"
unit = "people"
value = "28"
parts = ["14", "14"]

[[claim]]
id = "means"
kind = "means"
says = "Means"
source = "paper"
unit = "points"
arms = ["drug", "placebo"]
mean = ["28.8", "18.0"]

[[claim]]
id = "p"
kind = "comparison"
says = "They differ"
source = "paper"
p = "0.016"
means = "means"
paired = "yes"
people = "people"

[[claim]]
id = "rates"
kind = "proportions"
says = "Responders"
source = "paper"
unit = "% of people"
arms = ["drug", "placebo"]
percent = ["32", "11"]
count = ["9", "3"]
people = "people"

[[claim]]
id = "r"
kind = "correlation"
says = "Age goes with pain"
source = "paper"
r = "0.91"
column = "age"

[[claim]]
id = "f"
kind = "test"
says = "They differ"
source = "paper"
statistic = "F"
value = "8.67"
df = ["3", "254"]
p = "<0.0005"

[[claim]]
id = "guess"
kind = "assumption"
says = "A threshold"
unit = "%"
value = ["30"]
reason = "usual"

[[claim]]
id = "effect"
kind = "estimate"
says = "An effect"
source = "paper"
unit = "points"
estimate = "10.8"
interval = ["2.2", "19.4"]
i2 = "33"

[[claim]]
id = "shared"
kind = "common-n"
says = "One denominator"
of = ["rates"]
between = ["20", "35"]

[[left_out]]
says = "A curve"
reason = "no number"

[reconstruction]
means = "means"
"""
DOCUMENT = """
[study]
kind = "document"
name = "A page"
title = "A page"
"""
KINDS_LISTED = ", ".join(KINDS)


def fields_of(kind: str) -> str:
    return ", ".join([name for name, _ in COMMON] + [name for name, _ in KINDS[kind].fields])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    return tmp_path


def message_of(folder: Path, text: str | bytes, name: str = "doe.toml") -> str:
    """Return the message of a file that does not load, without the folder."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    return str(caught.value).replace(f"{folder}/", "")


def test_the_right_file_loads(folder: Path) -> None:
    (folder / "doe.toml").write_text(RIGHT, encoding="utf-8")
    study = load_study(folder / "doe.toml")
    assert [claim.id for claim in study.claims][:3] == ["people", "means", "p"]
    assert study.claim("p").people() == (28,)
    assert study.claim("p").linked("means") == (study.claim("means"),)
    assert study.claim("r").table == study.tables[0]
    assert [str(age) for age in study.tables[0].column("age")] == ["22", "54"]
    assert study.claim("guess").standing == "assumption"
    assert study.claim("shared").standing == "question"


# One change to the right file, and the whole message.
CASES = {
    # numbers
    "comma": (
        'p = "0.016"',
        'p = "0,016"',
        'doe.toml, claim "p", p: "0,016" is not a number as printed; write "0.016"',
    ),
    "number without quotes": (
        'p = "0.016"',
        "p = 0.016",
        'doe.toml, claim "p", p: 0.016 is a float, not a number as printed; '
        'write "0.016" in quotes',
    ),
    "whole number without quotes": (
        'value = "28"',
        "value = 28",
        'doe.toml, claim "people", value: 28 is a int, not a number as printed; '
        'write "28" in quotes',
    ),
    "empty number": (
        'p = "0.016"',
        'p = ""',
        'doe.toml, claim "p", p: "" is not a number as printed; '
        'write digits such as "0.016" or "<0.0005"',
    ),
    "words for a number": (
        'p = "0.016"',
        'p = "n.s."',
        'doe.toml, claim "p", p: "n.s." is not a number as printed; '
        'write digits such as "0.016" or "<0.0005"',
    ),
    "list for one number": (
        'p = "0.016"',
        'p = ["0.016"]',
        "doe.toml, claim \"p\", p: ['0.016'] is a list; this field holds one number, "
        'such as "0.016"',
    ),
    "one number for a list": (
        'mean = ["28.8", "18.0"]',
        'mean = "28.8"',
        'doe.toml, claim "means", mean: \'28.8\' is not a list of printed numbers; write ["28.8"]',
    ),
    "empty list of numbers": (
        'mean = ["28.8", "18.0"]',
        "mean = []",
        'doe.toml, claim "means", mean: [] is not a list of printed numbers; write ["..."]',
    ),
    "fraction for a whole number": (
        'value = "28"',
        'value = "28.5"',
        'doe.toml, claim "people", value: "28.5" is not a whole number; '
        'write digits only, such as "28"',
    ),
    "bound for a whole number": (
        'value = "28"',
        'value = "<28"',
        'doe.toml, claim "people", value: "<28" is not a whole number; '
        'write digits only, such as "28"',
    ),
    "too few numbers": (
        'interval = ["2.2", "19.4"]',
        'interval = ["2.2"]',
        "doe.toml, claim \"effect\", interval: ['2.2'] has 1 numbers; 2 are needed",
    ),
    # limits
    "impossible percentage": (
        'percent = ["32", "11"]',
        'percent = ["132", "11"]',
        'doe.toml, claim "rates", percent: "132" is impossible here; it must be from 0 to 100',
    ),
    "negative count": (
        'count = ["9", "3"]',
        'count = ["-9", "3"]',
        'doe.toml, claim "rates", count: "-9" is impossible here; it must be 0 or more',
    ),
    "p above 1": (
        'p = "0.016"',
        'p = "1.6"',
        'doe.toml, claim "p", p: "1.6" is impossible here; it must be from 0 to 1',
    ),
    "r above 1": (
        'r = "0.91"',
        'r = "-1.45"',
        'doe.toml, claim "r", r: "-1.45" is impossible here; it must be from -1 to 1',
    ),
    "heterogeneity above 100": (
        'i2 = "33"',
        'i2 = "133"',
        'doe.toml, claim "effect", i2: "133" is impossible here; it must be from 0 to 100',
    ),
    # fields that do not fit together
    "numbers and arms": (
        'percent = ["32", "11"]',
        'percent = ["32"]',
        'doe.toml, claim "rates", percent: 1 numbers for 2 arms (drug, placebo); write one an arm',
    ),
    "two lists": (
        'arms = ["drug", "placebo"]\npercent = ["32", "11"]',
        'percent = ["32"]',
        'doe.toml, claim "rates", count: 2 numbers, but 1 in percent; write one an arm',
    ),
    "people and arms": (
        'count = ["9", "3"]\npeople = "people"',
        'n = ["28", "28", "28"]',
        'doe.toml, claim "rates", n: 3 numbers of people for 2 numbers; write one, or one an arm',
    ),
    "count beyond n": (
        'count = ["9", "3"]\npeople = "people"',
        'count = ["9", "30"]\nn = ["28"]',
        'doe.toml, claim "rates", count: 30 of 28 people is impossible; write at most 28',
    ),
    "count beyond the n of its arm": (
        'count = ["9", "3"]\npeople = "people"',
        'count = ["9", "15"]\nn = ["14", "14"]',
        'doe.toml, claim "rates", count: 15 of 14 people is impossible; write at most 14',
    ),
    "count beyond the people elsewhere": (
        'count = ["9", "3"]',
        'count = ["29", "3"]',
        'doe.toml, claim "rates", count: 29 of 28 people is impossible; write at most 28',
    ),
    "degrees of freedom": (
        'df = ["3", "254"]',
        'df = ["254"]',
        'doe.toml, claim "f", df: 1 numbers for F, which has 2 (F: numerator, then denominator)',
    ),
    "no such column": (
        'column = "age"',
        'column = "height"',
        'doe.toml, claim "r", column: "height" is not a column; they are id, age',
    ),
    # words
    "text for a list": (
        'arms = ["drug", "placebo"]\nmean',
        'arms = "drug"\nmean',
        'doe.toml, claim "means", arms: \'drug\' is not a list of words; write ["drug"]',
    ),
    "empty list of words": (
        'arms = ["drug", "placebo"]\nmean',
        "arms = []\nmean",
        'doe.toml, claim "means", arms: [] is not a list of words; write ["..."]',
    ),
    "list for a text": (
        'says = "Means"',
        'says = ["Means"]',
        "doe.toml, claim \"means\", says: ['Means'] is a list; this field holds one text, "
        'such as "Means"',
    ),
    "number for a text": (
        'says = "Means"',
        "says = 5",
        'doe.toml, claim "means", says: 5 is not text; write "5" in quotes',
    ),
    "word that is not allowed": (
        'paired = "yes"',
        'paired = "perhaps"',
        'doe.toml, claim "p", paired: "perhaps" is not one of yes, no',
    ),
    # fields and kinds
    "unknown field": (
        'paired = "yes"',
        'pared = "yes"',
        'doe.toml, claim "p": unknown field "pared"; a comparison claim has '
        + fields_of("comparison"),
    ),
    "missing field": (
        'p = "0.016"\n',
        "",
        'doe.toml, claim "p": field "p" is missing; it holds the printed p-value',
    ),
    "missing words": (
        'says = "Means"\n',
        "",
        'doe.toml, claim "means": field "says" is missing; it holds the claim in a few words',
    ),
    "unknown kind": (
        'kind = "comparison"',
        'kind = "p-value"',
        f'doe.toml, claim "p", kind: "p-value" is not one of {KINDS_LISTED}',
    ),
    "no kind": (
        'kind = "comparison"\n',
        "",
        f'doe.toml, claim "p": field "kind" is missing; it is one of {KINDS_LISTED}',
    ),
    "kind that is a list": (
        'kind = "comparison"',
        'kind = ["comparison"]',
        "doe.toml, claim \"p\", kind: ['comparison'] is a list; this field holds one text, "
        'such as "comparison"',
    ),
    # names
    "double claim": (
        'id = "p"',
        'id = "means"',
        'doe.toml, claim "means", id: this id stands twice; rename one',
    ),
    "nameless claim": (
        'id = "p"\n',
        "",
        'doe.toml, claim number 3, id: None is not a name; write a word such as "pain-p"',
    ),
    "name with a colon": (
        'id = "p"',
        'id = "doe:p"',
        "doe.toml, claim number 3, id: 'doe:p' is not a name; write a word such as \"pain-p\"",
    ),
    # sources
    "claim without source": (
        'says = "Means"\nsource = "paper"\n',
        'says = "Means"\n',
        'doe.toml, claim "means", source: a means claim needs a source; the file has paper',
    ),
    "unknown source of a claim": (
        'says = "Means"\nsource = "paper"\n',
        'says = "Means"\nsource = "book"\n',
        'doe.toml, claim "means", source: there is no source "book"; the file has paper',
    ),
    "assumption with a source": (
        'unit = "%"\n',
        'unit = "%"\nsource = "paper"\n',
        'doe.toml, claim "guess", source: a claim of kind assumption is nobody\'s claim; '
        "remove the source",
    ),
    "question with a source": (
        'of = ["rates"]',
        'of = ["rates"]\nsource = "paper"',
        'doe.toml, claim "shared", source: a claim of kind common-n is nobody\'s claim; '
        "remove the source",
    ),
    "missing bib key": (
        'bib = "doe2020"',
        'bib = "roe2020"',
        'doe.toml, source "paper", bib: no bibliography has the key "roe2020"; '
        "add it to sources.bib",
    ),
    "double source": (
        "[design]",
        '[[source]]\nid = "paper"\nbib = "doe2020"\nstanding = "news"\nseen = "all"\n\n[design]',
        'doe.toml, source "paper", id: this id stands twice; rename one',
    ),
    "bad standing": (
        'standing = "primary"',
        'standing = "gossip"',
        'doe.toml, source "paper", standing: "gossip" is not one of primary, secondary, news',
    ),
    "source without its standing": (
        'standing = "primary"\n',
        "",
        'doe.toml, source "paper": field "standing" is missing; '
        "the section needs id, bib, standing, seen",
    ),
    "unknown field of a source": (
        'seen = "the whole paper"',
        'seen = "the whole paper"\nyear = "2020"',
        'doe.toml, source "paper": unknown field "year"; the fields are id, bib, standing, seen',
    ),
    # links
    "unknown claim": (
        'means = "means"\npaired',
        'means = "mean"\npaired',
        'doe.toml, claim "p", means: there is no claim "doe:mean"; '
        "doe has people, means, p, rates, r, f, guess, effect, shared",
    ),
    "unknown claim of another study": (
        'means = "means"\npaired',
        'means = "final2021:nothing"\npaired',
        'doe.toml, claim "p", means: there is no claim "final2021:nothing"; final2021 has planned, '
        "planned-difference, planned-sd, ages, least-pain, weeks, recall, "
        "responder-rules, visits",
    ),
    "unknown study": (
        'means = "means"\npaired',
        'means = "roe2019:means"\npaired',
        'doe.toml, claim "p", means: there is no study "roe2019"; '
        "write study:claim, with roe2019.toml beside it",
    ),
    "study with an impossible name": (
        'means = "means"\npaired',
        'means = "../roe:means"\npaired',
        'doe.toml, claim "p", means: there is no study "../roe"; '
        "write study:claim, with ../roe.toml beside it",
    ),
    "self reference": (
        'of = ["rates"]',
        'of = ["shared"]',
        'doe.toml, claim "shared", of: "doe:shared" refers to itself (doe:shared -> doe:shared); '
        "remove one of these links",
    ),
    "link of the wrong kind": (
        'people = "people"\n\n[[claim]]\nid = "rates"',
        'people = "means"\n\n[[claim]]\nid = "rates"',
        'doe.toml, claim "p", people: "doe:means" is a means claim; name one of kind total',
    ),
    "link that is a number": (
        'means = "means"\npaired',
        "means = 5\npaired",
        'doe.toml, claim "p", means: 5 does not name claims; write "claim"',
    ),
    "links that are a text": (
        'of = ["rates"]',
        'of = "rates"',
        "doe.toml, claim \"shared\", of: 'rates' does not name claims; "
        'write ["claim", "study:claim"]',
    ),
    "unknown role": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\naverage = "means"',
        'doe.toml, reconstruction: unknown field "average"; the fields are means, spread, '
        "difference, p, correlation, counts, cells, responders, threshold, baseline, change, "
        "follow_up, response, responder_count, reductions, visits, sequences, test",
    ),
    "option of a role that is not allowed": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\ntest = "z"',
        'doe.toml, reconstruction, test: "z" is not one of paired t, period-adjusted t, '
        "two-sample t, ANCOVA",
    ),
    "more people than were randomised": (
        'sizes = ["14", "14"]',
        'people = "30"\nrandomised = ["14", "14"]',
        "doe.toml, design: 30 people analysed, but [14, 14] randomised; at most as many can be",
    ),
    "a longer sequence than was randomised": (
        'sizes = ["14", "14"]',
        'sizes = ["14", "14"]\nrandomised = ["15", "13"]',
        "doe.toml, design: [14, 14] people analysed, but [15, 13] randomised; "
        "at most as many can be",
    ),
    "randomised for other sequences": (
        'sizes = ["14", "14"]',
        'randomised = ["28"]',
        "doe.toml, design: randomised [28] for 2x2 crossover (AB/BA): 2 numbers are needed, "
        "one a sequence or arm",
    ),
    "two numbers of people": (
        'sizes = ["14", "14"]',
        'sizes = ["14", "14"]\npeople = "27"',
        "doe.toml, design: people 27, but sizes [14, 14] sum to 28; give one of the two",
    ),
    "priors that are no section": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = "wide"',
        "doe.toml, reconstruction, priors: 'wide' is not a section; "
        'write [reconstruction.priors], sd = ["5", "50"]',
    ),
    "unknown prior": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { rho = ["0", "1"] }',
        'doe.toml, reconstruction, priors: unknown field "rho"; '
        "the priors are correlation, sd, replicate_correlation, visit_correlation, period, effects",
    ),
    "prior that is a bound": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { period = "<1" }',
        "doe.toml, reconstruction, priors, period: '<1' is a bound; a prior needs plain numbers",
    ),
    "prior from high to low": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { correlation = ["0.9", "0"] }',
        "doe.toml, reconstruction, priors, correlation: ['0.9', '0'] is no range; "
        "write the lower limit first",
    ),
    "prior of an SD from zero": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { sd = ["0", "9"] }',
        'doe.toml, reconstruction, priors, sd: "0" is impossible here; it must be above 0',
    ),
    "prior of a correlation beyond 1": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { correlation = ["0", "2"] }',
        'doe.toml, reconstruction, priors, correlation: "2" is impossible here; '
        "it must be from -1 to 1",
    ),
    "effects that are not allowed": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\npriors = { effects = "none" }',
        'doe.toml, reconstruction, priors, effects: "none" is not one of sampling, zero',
    ),
    "arms of a test that are not two": (
        'statistic = "F"',
        'arms = ["drug"]\nstatistic = "F"',
        "doe.toml, claim \"f\", arms: ['drug'] has 1 words; 2 are needed",
    ),
    "role without its claim": (
        '[reconstruction]\nmeans = "means"',
        '[reconstruction]\nmeans = "mean"',
        'doe.toml, reconstruction, means: there is no claim "doe:mean"; '
        "doe has people, means, p, rates, r, f, guess, effect, shared",
    ),
    # design
    "bad design": (
        'type = "ab/ba"',
        'type = "abab"',
        'doe.toml, design, type: "abab" is not one of parallel, single-arm, fixed-order, ab/ba, '
        "3x3, 3x6x3, 4x4, 2x2x3, 2x2x4, 2x3x3, 2x4x4, 2x4x2",
    ),
    "too many treatments": (
        'treatments = ["drug", "placebo"]',
        'treatments = ["drug", "placebo", "water"]',
        "doe.toml, design: treatments ['drug', 'placebo', 'water'] for 2x2 crossover (AB/BA): "
        "2 names are needed",
    ),
    "too many sizes": (
        'sizes = ["14", "14"]',
        'sizes = ["14", "14", "14"]',
        "doe.toml, design: sizes [14, 14, 14] for 2x2 crossover (AB/BA): "
        "2 numbers are needed, one a sequence or arm",
    ),
    "a sequence of nobody": (
        'sizes = ["14", "14"]',
        'sizes = ["14", "0"]',
        'doe.toml, design, sizes: "0" is impossible here; it must be 1 or more',
    ),
    "design without an end point": (
        '[design.end_point]\nname = "pain"\nunit = "points"\nhigh = "100"\n',
        "",
        'doe.toml, design: field "end_point" is missing; '
        "the section needs type, treatments, end_point, source",
    ),
    "end point without a unit": (
        'unit = "points"\nhigh',
        "high",
        'doe.toml, design, end_point: field "unit" is missing; the section needs name, unit',
    ),
    "end point that is a text": (
        '[design.end_point]\nname = "pain"\nunit = "points"\nhigh = "100"\n',
        'end_point = "pain"\n',
        "doe.toml, design, end_point: 'pain' is not a section; write { name = ... }",
    ),
    "unknown source of the design": (
        'source = "paper"\nweeks',
        'source = "book"\nweeks',
        'doe.toml, design, source: there is no source "book"; the file has paper',
    ),
    "weeks that are a number": (
        'weeks = { drug = "4" }',
        'weeks = "4"',
        "doe.toml, design, weeks: '4' is not a list of periods; write weeks = { baseline = \"2\" }",
    ),
    "weeks without quotes": (
        'weeks = { drug = "4" }',
        "weeks = { drug = 4 }",
        'doe.toml, design, weeks, drug: 4 is a int, not a number as printed; write "4" in quotes',
    ),
    # table
    "short row": (
        '["b", "54"]',
        '["b"]',
        'doe.toml, table "people", row 2: 1 cells for 2 columns (id, age)',
    ),
    "too few units": (
        'units = ["", "years"]',
        'units = ["years"]',
        'doe.toml, table "people", units: 1 cells for 2 columns (id, age)',
    ),
    "words in a column of numbers": (
        '["b", "54"]',
        '["b", "old"]',
        'doe.toml, table "people", row 2, column "age": "old" is not a number as printed; '
        'write digits such as "0.016" or "<0.0005"',
    ),
    "rows that are a text": (
        'rows = [["a", "22"], ["b", "54"]]',
        'rows = "a 22"',
        'doe.toml, table "people", rows: \'a 22\' is not a list of rows; write [["1", "22"]]',
    ),
    "unknown source of a table": (
        'source = "paper"\ncolumns',
        'source = "book"\ncolumns',
        'doe.toml, table "people", source: there is no source "book"; the file has paper',
    ),
    # sections
    "unknown section": (
        "[[left_out]]",
        "[[omitted]]",
        'doe.toml: unknown section "omitted"; a study file has study, design, source, claim, '
        "table, left_out, reconstruction, prediction, diary",
    ),
    "section of the wrong form": (
        "[[left_out]]",
        "[left_out]",
        "doe.toml: left_out is {'says': 'A curve', 'reason': 'no number'}; "
        "write sections [[left_out]]",
    ),
    "what is left out, without reason": (
        'reason = "no number"\n',
        "",
        'doe.toml, left_out number 1: field "reason" is missing; the section needs says, reason',
    ),
    "no title": (
        'title = "A trial"\n',
        "",
        'doe.toml, study: field "title" is missing; the section needs kind, name, title',
    ),
    "title without quotes": (
        'title = "A trial"\n',
        "title = 2020\n",
        'doe.toml, study, title: 2020 is not text; write "2020" in quotes',
    ),
    "bad kind of study": (
        'kind = "trial"',
        'kind = "paper"',
        'doe.toml, study, kind: "paper" is not one of trial, document, synthesis',
    ),
    "document with a design": (
        'kind = "trial"',
        'kind = "document"',
        'doe.toml, design: a document has no design; remove the section, or write kind = "trial"',
    ),
    # the file itself
    "broken TOML": (
        'id = "means"',
        'id = "means',
        "doe.toml: this is not TOML: Illegal character '\\n' (at line 42, column 12)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_change_one_message(folder: Path, case: str) -> None:
    right, wrong, message = CASES[case]
    assert RIGHT.count(right) >= 1
    assert message_of(folder, RIGHT.replace(right, wrong, 1)) == message


TEXTS = {
    "no study": (
        '[[left_out]]\nsays = "a"\nreason = "b"\n',
        "doe.toml: the section [study] is missing; it holds kind, name and title",
    ),
    "study that is a text": (
        'study = "Doe"',
        "doe.toml: study is 'Doe'; write a section [study]",
    ),
    "claim that is a text": (
        'claim = ["Doe"]\n' + DOCUMENT,
        "doe.toml: claim is ['Doe']; write sections [[claim]]",
    ),
    "trial without a design": (
        DOCUMENT.replace("document", "trial"),
        'doe.toml: a trial needs a section [design]; or write kind = "document"',
    ),
    "document with a reconstruction": (
        DOCUMENT + '[reconstruction]\np = "p"\n',
        "doe.toml, reconstruction: a document has no reconstruction; "
        'remove the section, or write kind = "trial"',
    ),
    "claim without any source": (
        DOCUMENT + '[[claim]]\nid = "n"\nkind = "quantity"\nsays = "n"\nvalue = ["1"]\n',
        'doe.toml, claim "n", source: a quantity claim needs a source; '
        "the file has none yet; add a section [[source]]",
    ),
    "column without a table": (
        DOCUMENT
        + '[[source]]\nid = "a"\nbib = "doe2020"\nstanding = "news"\nseen = "all"\n'
        + '[[claim]]\nid = "n"\nkind = "summary"\nsays = "n"\nsource = "a"\ncolumn = "age"\n',
        'doe.toml, claim "n", column: the file has no patient table; add one as [[table]]',
    ),
    "wrong encoding": (
        DOCUMENT.replace("A page", "Une page utilisée").encode("latin-1"),
        "doe.toml: byte 0xe9 at position 50 (line 4) is not UTF-8; save the file in UTF-8",
    ),
    "nested too deeply": (
        "a = " + "[" * 5000,
        "doe.toml: this is not a study file: its lists are nested too deeply",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_whole_file_one_message(folder: Path, case: str) -> None:
    text, message = TEXTS[case]
    assert message_of(folder, text) == message


def test_a_number_too_long_for_an_integer(folder: Path) -> None:
    assert message_of(folder, f"a = {'1' * 5000}").startswith("doe.toml: this is not TOML: Exceeds")


def test_a_detour_back_to_the_claim_itself(folder: Path) -> None:
    text = DOCUMENT + "".join(
        f'[[claim]]\nid = "{one}"\nkind = "common-n"\nsays = "?"\nof = ["{other}"]\n'
        'between = ["1", "2"]\n'
        for one, other in (("a", "b"), ("b", "a"))
    )
    assert message_of(folder, text) == (
        'doe.toml, claim "b", of: "doe:a" refers to itself (doe:a -> doe:b -> doe:a); '
        "remove one of these links"
    )


def test_a_claim_of_a_file_beside_it(folder: Path) -> None:
    (folder / "doe.toml").write_text(RIGHT, encoding="utf-8")
    text = (
        DOCUMENT
        + '[[source]]\nid = "a"\nbib = "doe2020"\nstanding = "news"\nseen = "all"\n'
        + '[[claim]]\nid = "n"\nkind = "restatement"\nsays = "n"\nsource = "a"\nvalue = ["28.8"]\n'
        + 'restates = ["doe:means", "younger2013:pain-means"]\n'
    )
    (folder / "page.toml").write_text(text, encoding="utf-8")
    linked = load_study(folder / "page.toml").claim("n").linked("restates")
    assert [claim.key for claim in linked] == ["doe:means", "younger2013:pain-means"]


def test_an_error_in_a_file_beside_it_names_that_file(folder: Path) -> None:
    (folder / "doe.toml").write_text(RIGHT.replace('"0.016"', '"1.6"'), encoding="utf-8")
    text = (
        DOCUMENT
        + '[[source]]\nid = "a"\nbib = "doe2020"\nstanding = "news"\nseen = "all"\n'
        + '[[claim]]\nid = "n"\nkind = "significance"\nsays = "n"\nsource = "a"\n'
        + 'significant = "yes"\nrestates = ["doe:p"]\n'
    )
    message = message_of(folder, text, "page.toml")
    assert message == 'doe.toml, claim "p", p: "1.6" is impossible here; it must be from 0 to 1'


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Path) -> None:
    (folder / "doe.toml").write_bytes(b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert load_study(folder / "doe.toml").name == "Doe 2020"


def test_a_missing_file(folder: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(folder / "roe.toml")
    assert str(caught.value).replace(f"{folder}/", "") == (
        "roe.toml: there is no such file; `ldnstats new KEY` writes one to fill in"
    )


def test_a_file_whose_name_cannot_be_a_key(folder: Path) -> None:
    assert message_of(folder, RIGHT, "a:b.toml") == (
        'a:b.toml: "a:b" cannot name a study; use letters, digits and hyphens'
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_studies(tmp_path)
    assert str(caught.value) == f"{tmp_path}: there is no study file (*.toml) in this folder"


def test_a_folder_that_is_named_like_a_file(folder: Path) -> None:
    (folder / "doe.toml").mkdir()
    with pytest.raises(StudyError) as caught:
        load_studies(folder)
    assert str(caught.value) == (
        f"{folder}/doe.toml: the file cannot be read (Is a directory); it must be a text file"
    )


BIBLIOGRAPHIES = {
    "line": (
        BIB + "year 2020\n",
        'line 6: "year 2020" is not understood; write entries as @article{key, then one '
        "field = {value} a line, then }",
    ),
    "double": (BIB + BIB, 'line 10: the key "doe2020" stands twice; rename one'),
    "no end": (BIB[:-2], 'line 4: the entry "doe2020" does not end; close it with }'),
}


@pytest.mark.parametrize("case", BIBLIOGRAPHIES)
def test_a_bibliography_that_cannot_be_read(tmp_path: Path, case: str) -> None:
    text, message = BIBLIOGRAPHIES[case]
    path = tmp_path / "sources.bib"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_bibliography(path)
    assert str(caught.value) == f"{path}, {message}"


def test_a_bibliography_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "sources.bib"
    path.write_bytes(BIB.replace("Jane", "Ren\u00e9e").encode("latin-1"))
    with pytest.raises(StudyError) as caught:
        read_bibliography(path)
    assert str(caught.value) == (
        f"{path}: byte 0xe9 at position 38 (line 2) is not UTF-8; save the file in UTF-8"
    )


def test_a_claim_or_column_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    (folder / "doe.toml").write_text(RIGHT, encoding="utf-8")
    study = load_study(folder / "doe.toml")
    with pytest.raises(KeyError, match="doe has no claim 'q'; it has people, means, p, rates, r"):
        study.claim("q")
    with pytest.raises(StudyError, match='table "people" has no column "bmi"; it has id, age'):
        study.tables[0].column("bmi")


# --- whatever stands in the file, the error is one of ours --------------------------------------

QUIET = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def loads_or_says_why(folder: Path, content: bytes) -> None:
    """Load a file; anything but a study or a StudyError is a failure of the reader."""
    path = folder / "doe.toml"
    path.write_bytes(content)
    said = ""
    try:
        load_study(path)
    except StudyError as error:
        said = str(error)
    assert not said or said.startswith(str(path))


@QUIET
@given(st.binary(max_size=300))
def test_garbage_is_refused_as_such(folder: Path, content: bytes) -> None:
    loads_or_says_why(folder, content)


@QUIET
@given(st.integers(0, len(RIGHT) - 1), st.integers(0, 40), st.text(max_size=8))
def test_a_damaged_file_is_refused_as_such(folder: Path, at: int, gone: int, new: str) -> None:
    damaged = RIGHT[:at] + new + RIGHT[at + gone :]
    loads_or_says_why(folder, damaged.encode("utf-8", errors="surrogatepass"))


VALUES = [
    "true", "5", "0.5", "nan", "2020-01-01", '""', '"a"', '"1"', "[]", "[[]]", "[1]", '["a"]',
    '["1", "2"]', "{}", '{ a = "1" }', "[{}]", '["1", 2]', '"f"', '["f", "p"]',
]  # fmt: skip
LINES = [i for i, line in enumerate(RIGHT.splitlines()) if " = " in line]


@QUIET
@given(st.sampled_from(LINES), st.sampled_from(VALUES))
def test_a_value_of_any_form_is_refused_or_read(folder: Path, line: int, value: str) -> None:
    lines = RIGHT.splitlines()
    lines[line] = f"{lines[line].split(' = ')[0]} = {value}"
    loads_or_says_why(folder, "\n".join(lines).encode())
