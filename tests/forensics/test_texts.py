from __future__ import annotations

import pickle
import random
import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from ldnstats.claims import data_root
from ldnstats.forensics import (
    PFinding,
    TextFindings,
    check_text,
    p_of,
    text_of_bytes,
    text_of_file,
    text_of_html,
)
from ldnstats.forensics.tokens import plain, tokens
from ldnstats.reported import print_number

Size = Callable[[str], int]


def only(text: str) -> str:
    """Return the one result of a text as recompute_p names it, and its printed p."""
    found = check_text(text)
    assert len(found) == 1, str(found)
    finding = found[0]
    assert isinstance(finding, PFinding)
    said = finding.working[2].split(" stands")[0]
    tested = finding.working[0].split(": |")[0]
    return f"{tested}; {said}"


# --- the forms in which journals print results ----------------------------------------------------


@pytest.mark.parametrize(("text", "read"), [
    ("t(28) = 2.20, p = .03", "t(28) = 2.20; printed p = .03"),
    ("F[3, 254] = 8.67, P < 0.0005", "F(3, 254) = 8.67; printed p < 0.0005"),
    ("F(1,67)=5.88; P=0.001", "F(1, 67) = 5.88; printed p = 0.001"),
    ("F3,254 = 8.67, P<0.001", "F(3, 254) = 8.67; printed p < 0.001"),
    ("F_{3,254} = 8.67, P<0.001", "F(3, 254) = 8.67; printed p < 0.001"),
    ("t28 = \u22122\u00b720; P = 0\u00b703", "t(28) = -2.20; printed p = 0.03"),
    ("\u03c72(1, N = 240) = 4.61, p = .032", "chi2(1) = 4.61; printed p = .032"),
    ("\u03c7\u00b2 = 4.61, df = 1, p = .032", "chi2(1) = 4.61; printed p = .032"),
    ("\u03c72 = 5.1; df 2; P = .08", "chi2(2) = 5.1; printed p = .08"),
    ("\u03c7\u00b2(1) = 4.61 (P \u2264 .05)", "chi2(1) = 4.61; printed p <= .05"),
    ("X2(1) = 4.61, p = .032", "chi2(1) = 4.61; printed p = .032"),
    ("chi-square(1) = 4.61, p >= .01", "chi2(1) = 4.61; printed p >= .01"),
    ("Q(28) = 22.20, p = .77", "chi2(28) = 22.20; printed p = .77"),
    ("Z = -2.42, p = 0.016", "z = -2.42; printed p = 0.016"),
    ("r(28) = .22, p = .24", "r(28) = .22; printed p = .24"),
    ("r = 0.91, P < 0.0005, n = 10", "r(8) = 0.91; printed p < 0.0005"),
    ("(n = 10; r = \u22120.48, P = 0.16)", "r(8) = -0.48; printed p = 0.16"),
    ("t = 2.20 with 28 degrees of freedom, p = .04", "t(28) = 2.20; printed p = .04"),
    ("t(28) = 2.20, ns", "t(28) = 2.20; printed p > 0.05"),
    ("t(28) = 2.20, P = NS", "t(28) = 2.20; printed p > 0.05"),
    ("F(1, 138) < 1, p = .25", "F(1, 138) < 1; printed p = .25"),
    ("t(38) >= 2.25, p = .03", "t(38) >= 2.25; printed p = .03"),
    ("t(28) = 2,20; p = 0,03", "t(28) = 2.20; printed p = 0.03"),
    ("F(1; 67) = 5,88; p = 0,018", "F(1, 67) = 5.88; printed p = 0.018"),
    ("t(13,4) = 2,20; p = 0,046", "t(13.4) = 2.20; printed p = 0.046"),
    ("t(28) = 2, p = .14", "t(28) = 2; printed p = .14"),
    ("F(3,\n254) = 8.67,\nP < .001", "F(3, 254) = 8.67; printed p < .001"),
    ("\U0001d461(28) = 2.20, \U0001d45d = .036", "t(28) = 2.20; printed p = .036"),
    ("t(28) = 2.20, a P value of 0.036", "t(28) = 2.20; printed p = 0.036"),
])  # fmt: skip
def test_a_printed_form_is_read(text: str, read: str) -> None:
    assert only(text) == read


@pytest.mark.parametrize(("text", "verdict"), [
    ("t(28) = 2.20, p = .018, one-tailed", "consistent"),
    ("one-sided t(28) = 2.20, p = .018", "consistent"),
    ("t(28) = 2.20, p (one-tailed) = .018", "consistent"),
    ("t(28) = 2.20, p = .018", "impossible"),
    ("t(28) = 2.20, p = .018. A one-tailed test followed.", "impossible"),
    ("F(3, 67) = 3.858, p = .013, one-tailed", "consistent"),
])  # fmt: skip
def test_one_tail_is_read_from_the_words_beside_a_result(text: str, verdict: str) -> None:
    assert check_text(text)[0].verdict == verdict
    assert check_text("t(28) = 2.20, p = .018", tails=1)[0].verdict == "consistent"


@pytest.mark.parametrize(("text", "verdict"), [
    ("difference \u22120.34 (95% CI \u22120.95 to 0.27), p = 0.27", "consistent"),
    ("a mean difference of -0.34 points [95% CI -0.95, 0.27], P = 0.01", "impossible"),
    ("difference -0.34 (95% CI -0.95\u20130.27)", "consistent"),
    ("hazard ratio 0.96 (95% CI 0.92 to 2.66)", "impossible"),
    ("OR 1.5 (95% CI 0.9 to 2.5; P = 0.12)", "consistent"),
    ("odds ratio was 1.5 (95% confidence interval [CI], 0.9-2.5; P = .12)", "consistent"),
    ("difference 3.1 (P = .04; 95% CI 0.2 to 6.0)", "consistent"),
    ("mean difference, 3.2 points; 95% CI, 1.1 to 5.3; P = 0.003", "consistent"),
])  # fmt: skip
def test_an_interval_is_checked_with_its_estimate_and_p(text: str, verdict: str) -> None:
    found = check_text(text)
    assert [one.verdict for one in found] == [verdict]
    assert not found.not_read


def test_a_plus_minus_alone_is_read_and_open() -> None:
    found = check_text("Pain was 28.8 \u00b1 9.3 (n = 28).")
    assert found[0].verdict == "undecided"
    assert found.quotes == ("28.8 \u00b1 9.3 (n = 28",)


def test_a_paired_effect_is_checked_beside_its_t() -> None:
    found = check_text("paired t-test, t(27) = 2.81, p = .009, dz = 0.53")
    assert [one.check for one in found] == ["p from its statistic", "effect size"]
    assert [one.verdict for one in found] == ["consistent", "consistent"]
    assert check_text("t(27) = 2.81, p = .009, dz = 0.63")[1].verdict == "impossible"


# --- what is not read ---------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "reason"), [
    ("t(28) = 2.20. P = .03", "no p-value stands beside it in its sentence"),
    ("t(28) = 2.20 for pain and p = .03", "no p-value stands beside it in its sentence"),
    ("p = .03", "a p-value with no statistic beside it in its sentence"),
    ("T(28) = 2.20, p = .03", "a capital T may be Wilcoxon's statistic"),
    ("W = 12, p = .03", "a rank statistic W is not recomputed"),
    ("t = 2.20, p = .03", "no degrees of freedom stand beside this t"),
    ("t(28) = 2,20, p = .03", "a comma that may be a decimal comma or part two numbers"),
    ("t(28) = 2.20, p = 0,03", "a comma that may be a decimal comma or part two numbers"),
    ("t(28) = 2.20, p = 3 x 10-5", "a p-value written as a power of ten"),
    ("t(28) = 2.20, p = 3.1e-5", "a p-value written as a power of ten"),
    ("t(28) = 2.20, p = 1.3", "p 1.3 is not a probability"),
    ("r(16) = 26.05, p = .10", "r 26.05 is not a correlation"),
    ("t(0) = 2.20, p = .10", "df '0' of t; t takes one df, above 0"),
    ("t(1, 28) = 2.20, p = .10", "of t; t takes one df"),
    ("F(28) = 2.20, p = .10", "of F; F takes two df"),
    ("value 3.1 (95% CI 2.0 to 4.2)", "called neither a mean difference nor"),
    ("effect size 0.5 (95% CI 0.1 to 1.2)", "called neither a mean difference nor"),
    ("median difference 0.5 (95% CI 0.1 to 1.2)", "called neither a mean difference nor"),
    ("difference (P = .04; 95% CI 0.2 to 6.0)", "an interval with no estimate right before it"),
    ("95% CI 2.0 to 4.2", "an interval with no estimate right before it"),
    ("n = 28", "a number of people with nothing to check it by"),
    ("dz = 0.5", "an effect size with no t of whole df beside it"),
    ("p = 3%", "a number by itself"),
    ("\u0661\u0662\u0663 women", "a number by itself"),
    ("t(28) = " + "9" * 5000 + ", p = .03", "a number by itself"),
])  # fmt: skip
def test_what_is_not_read_is_listed_with_the_reason(text: str, reason: str) -> None:
    found = check_text(text)
    assert len(found) == 0
    assert any(reason in one.reason for one in found.not_read), str(found)


def test_cells_and_sentences_are_never_joined() -> None:
    for between in (". ", "\t", " | ", "\n\n", "; ESR (", " in 3 and "):
        found = check_text(f"F(3, 254) = 8.67{between}P = .891 for washout")
        assert len(found) == 0
        assert {"F(3, 254) = 8.67", "P = .891"} <= {one.text for one in found.not_read}


def test_a_second_p_is_not_paired_again() -> None:
    found = check_text("F(3, 254) = 8.67, P < .0005, P = .003; t(28) = 2.20, p = .036")
    assert [one.verdict for one in found] == ["consistent", "consistent"]
    assert [one.text for one in found.not_read] == ["P = .003"]


# --- the two studies whose printed tests started this --------------------------------------------


def pilot() -> list[tuple[str, str]]:
    """Return the F tests of the pilot as the paper prints them, and what each is of."""
    text = (data_root() / "claims" / "younger2009.toml").read_text(encoding="utf-8")
    printed = []
    for claim in tomllib.loads(text)["claim"]:
        if claim.get("statistic") == "F":
            sign = "" if claim["p"].startswith("<") else "= "
            p = f"P {sign}{claim['p'].replace('<', '< ')}"
            printed.append((claim["id"], f"F[{', '.join(claim['df'])}] = {claim['value']}, {p}"))
    return printed


def test_all_tests_of_the_pilot_are_read_and_none_is_mispaired() -> None:
    tests = pilot()
    assert len(tests) == 14
    text = " ".join(
        f"The main effect for {name} was tested ({test}). Post hoc, drug differed from baseline "
        "(P = 0.003) and not from washout (P = 0.891)."
        for name, test in tests
    )
    found = check_text(text)
    assert list(found.quotes) == [test for _, test in tests]
    assert [one.text for one in found.not_read] == ["P = 0.003", "P = 0.891"] * 14
    wrong = [name for (name, _), one in zip(tests, found, strict=True)
             if one.verdict == "impossible"]  # fmt: skip
    assert wrong == ["mechanical-f", "heat-f", "cold-f", "fiq-f"]
    for (name, test), one in zip(tests, found, strict=True):
        if name in wrong:
            assert isinstance(one, PFinding)
            repaired = test.split(", P")[0].replace("[1", "(3").replace("]", ")")
            assert repaired in [remedy.name for remedy in one.remedies]


# --- printed and read back ----------------------------------------------------------------------


def test_true_results_among_decoys_are_read_back_and_hold(size: Size) -> None:
    rng = random.Random(17)
    for _ in range(size("forensics.printed-results-are-read-back")):
        value, df = rng.uniform(0.2, 6), (rng.randint(1, 5), rng.randint(5, 300))
        text = print_number(value, rng.randint(1, 3))
        p = print_number(float(p_of("F", float(text), df)), 3)
        opened, closed = rng.choice(["()", "[]", "{}"])
        comma = rng.choice([",", ", "])
        written = f"F{opened}{df[0]}{comma}{df[1]}{closed} = {text}, {rng.choice('pP')} = {p}"
        decoys = ["P = .891.", "(P < .05)", "n = 28.", "The 3 groups differed.", "CI 95%."]
        before, after = rng.choice(decoys), rng.choice(decoys)
        found = check_text(f"It was so {before} {written}. And {after}")
        assert found.quotes == (written,)
        assert found[0].verdict == "consistent"


# --- garbage ------------------------------------------------------------------------------------

PIECES = [
    "t(28) = 2.20", "F[3, 254] = 8.67", "r = .5", "\u03c7\u00b2", "p", "P", "=", "<", "\u2264",
    ".03", "0,03", "(", ")", "[", "]", "{", ",", ";", ". ", "\n\n", "\t", "|", "95% CI", "to",
    "\u00b1", "n = 28", "df = 3", "dz = .5", "one-tailed", "ns", "9" * 40, "1e999", "1.2.3", "-",
    "\u2212", "\u2013", "\u202e", "\u200b", "\ud800", "\x00", "\u0663", "\u00bd", "\ufdfa", "=1+1",
    "@SUM(A1)", "<script>", "&#0;", "difference 3 (", "ratio", "NaN", "inf", "t(0) = 1", "e", " ",
    "F(1,0) = 0", "F(3) = 1", "p = 7", "r(9) = 1.00", "z = 999999999999999",
]  # fmt: skip


def numbers_of(text: str) -> set[str]:
    """Return the runs of ASCII digits of a text that are no part of a word."""
    return set(re.findall(r"(?<!\w)[0-9]+(?!\w)", text))


def test_garbage_is_read_or_listed(size: Size) -> None:
    rng = random.Random(29)
    for count in range(size("forensics.garbage-texts-are-read-or-listed")):
        text = rng.choice(["", " "]).join(rng.choices(PIECES, k=rng.randint(1, 25)))
        if count % 3 == 0:
            text = "".join(chr(rng.randrange(0x110000)) for _ in range(60)) + text
        found = check_text(text)
        said = " ".join([*found.quotes, *(one.text for one in found.not_read)])
        assert numbers_of(plain(text)) <= set(re.findall(r"[0-9]+", plain(said))), text
        assert all(one.reason for one in found.not_read)
        str(found).encode("utf-8")
        text_of_html(text)


HOSTILE = [
    "1" * 100_000, " " * 100_000, "t(" * 50_000, "F(1," * 25_000, ". " * 50_000, "\n" * 100_000,
    "95% CI 1 to " * 9_000, "p = " * 25_000, "(" * 100_000, "1,1" * 30_000, "t = 1 and " * 10_000,
    "n = 1, " * 15_000, "<" * 100_000, "28.8 \u00b1 " * 15_000, "one-" * 25_000, "\u03c7" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_the_work_on_long_hostile_texts_grows_with_their_length(text: str) -> None:
    found = check_text(text)
    assert len(found) + len(found.not_read) <= len(text)
    assert text_of_html(text) is not None


HOSTILE_PAGES = [
    "<td", "<!--", "<a ", "<![CDATA[", "&#0;", "<script>", "</", "<!", "<?", "<a href=\"", "</a ",
    "<![", "<style></", "<a = ", "<a =\"'", "<a b='x' ", "< ", "&#9", "&#x", "</script>", "<a\x00",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE_PAGES, ids=repr)
def test_the_work_on_long_hostile_pages_grows_with_their_length(piece: str) -> None:
    # 30,000 of each would take hours if every one were looked for anew to the end of the page.
    text = text_of_html(f"<p>t(28) = 2.20, p = .036</p>{piece * 30_000}")
    assert check_text(text).quotes == ("t(28) = 2.20, p = .036",)


class Collected(HTMLParser):
    """What the standard library's parser makes of a page: tags, and words between them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.raw = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.raw = self.raw and tag not in ("script", "style")

    def handle_data(self, data: str) -> None:
        self.words += [] if self.raw else data.split()


PAGE_PIECES = [
    "<p>", "</p>", "<td class='a > b'>", "</td>", "<br>", "<br/>", "<!-- p > 4 -->", "<i>", "</i >",
    '<a href="x=1&y>2">', "</A>", "&lt;", "&#8722;", "&nbsp;", "&amp;", " t(28) ", "p < .05", "\n",
    "<!DOCTYPE html>", '<?xml version="1.0"?>', "<script>if (a < b) x = '<p>';</script>",
    "<style>a > b {}</style>", '<img alt="p = .3" />', " 3 < 4 ", "<STYLE>x</Style>", "<tr\n>",
]  # fmt: skip


def test_words_of_ordinary_pages_are_those_of_the_standard_library(size: Size) -> None:
    rng = random.Random(37)
    for _ in range(size("forensics.garbage-texts-are-read-or-listed")):
        page = " ".join(rng.choices(PAGE_PIECES, k=rng.randint(1, 20)))
        theirs = Collected()
        theirs.feed(page)
        theirs.close()
        assert text_of_html(page).split() == theirs.words, page


def test_what_never_ends_is_text() -> None:
    assert text_of_html("a <!-- 3").strip() == "a <!-- 3"
    assert text_of_html("a <b c='3").strip() == "a <b c='3"
    assert text_of_html("<![<![ 4").strip() == "<![<![ 4"
    assert text_of_html("a<script>3").strip() == "a"
    assert text_of_html("&#" + "9" * 9000 + "; 5").split() == ["\ufffd", "5"]


def test_no_pattern_repeats_without_a_bound_but_over_one_class() -> None:
    from ldnstats.forensics import tokens as module

    for kind, pattern in module._PATTERNS.items():
        unbounded = re.findall(r"(\)|\])[*+]", pattern)
        allowed = {"number": 1, "word": 0}.get(kind, 0)
        assert len(unbounded) <= allowed, kind
    assert re.search(r"\\w\*", module._PATTERNS["word"])


# --- files and pages ------------------------------------------------------------------------------


def test_a_page_is_read_without_its_tags_and_scripts() -> None:
    page = (
        "<!doctype html><title>x</title><script>p = .5; t(28) = 1</script><style>a{b:1}</style>"
        "<p><i>t</i>(28)&nbsp;=&nbsp;2.20, <em>p</em> = .036; \u03c7<sup>2</sup><sub>1</sub> = "
        "4.61, <i>P</i> &lt; .05</p>"
        "<table><tr><td>F(3, 254) = 8.67</td><td>P = .891</td></tr></table>"
    )
    found = check_text(text_of_bytes(page.encode()))
    assert [one.verdict for one in found] == ["consistent", "consistent"]
    assert [one.text for one in found.not_read] == ["F(3, 254) = 8.67", "P = .891"]


def test_files_are_read_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("t(28) = 2.20, <b>p</b> = .036", encoding="utf-8")
    (tmp_path / "a.HTM").write_text("t(28) = 2.20, <b>p</b> = .036", encoding="utf-8")
    assert len(check_text(text_of_file(tmp_path / "a.txt"))) == 0
    assert len(check_text(text_of_file(str(tmp_path / "a.HTM")))) == 1


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"paper\.pdf cannot be read as a PDF"):
        text_of_bytes(b"%PDF-1.7", name="paper.pdf")
    with pytest.raises(ValueError, match="the input is not text in UTF-8: byte 1 is 0xff"):
        text_of_bytes(b"a\xff")
    with pytest.raises(TypeError, match="text 3 is a int, not a text; give a string"):
        check_text(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tails 3 is not one of 'text', 1, 2"):
        check_text("", tails=3)  # type: ignore[arg-type]


def test_findings_are_a_sequence_with_a_table_and_pickle() -> None:
    found = check_text("a\nt(28) = 2.20, p = .036, in 3\nF(1, 67) = 3.858, P = .013")
    assert isinstance(found, TextFindings)
    assert found.lines == (2, 3)
    assert found[-1] is found.findings[1]
    assert found[:1] == found.findings[:1]
    assert found.table()["decision"].tolist() == ["same", "different"]
    assert pickle.loads(pickle.dumps(found)) == found
    assert str(found).startswith("read: 2\nline 2: t(28) = 2.20, p = .036\n  consistent: ")
    assert len(check_text("").table()) == 0


def test_tokens_do_not_overlap() -> None:
    text = plain("Pain 28.8 \u00b1 9.3, F(3, 254) = 8.67, P < .05; 95% CI 1 to 2. N = 3")
    spans = [(one.start, one.end) for one in tokens(text)]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
