"""Texts of PDF files made here, and of what only says that it is one."""

from __future__ import annotations

import random
import sys

import pytest

from ldnstats.__main__ import main
from ldnstats.forensics import check_text, text_of_bytes, text_of_pdf


def pdf_of(*pages: str) -> bytes:
    """Write a small PDF, one line of text a page, in the plain form of the format."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page, text in enumerate(pages):
        shown = text.replace("(", r"\(").replace(")", r"\)")
        stream = f"BT /F1 12 Tf 72 720 Td ({shown}) Tj ET"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * page} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{out}startxref\n{out.rindex('xref')}\n%%EOF\n".encode("latin-1")


def test_the_results_of_a_pdf_are_read() -> None:
    text = text_of_bytes(
        pdf_of("It fell, t(28) = 2.20, p = .036.", "Then F[1, 67] = 3.858, P = 0.013")
    )
    found = check_text(text)
    assert [one.verdict for one in found] == ["consistent", "impossible"]


def test_no_result_reaches_over_two_pages() -> None:
    assert len(check_text(text_of_pdf(pdf_of("It fell, t(28) = 2.20,", "p = .036")))) == 0


def test_a_pdf_goes_through_the_command_line(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf_of("It fell, t(28) = 2.20, p = .3"))
    assert main(["check-text", str(path), "--strict"]) == 1
    assert "t(28) = 2.20, p = .3" in capsys.readouterr().out


def test_without_the_library_one_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(
        ValueError, match=r"paper.pdf is a PDF, which needs pypdf .*ldnstats\[pdf\]"
    ):
        text_of_bytes(pdf_of("t(28) = 2.20"), name="paper.pdf")


def test_a_pdf_without_words_says_so() -> None:
    with pytest.raises(
        ValueError, match="the input is a PDF without words; pages that were scanned"
    ):
        text_of_pdf(pdf_of(""))


def test_damaged_pdfs_are_read_or_refused() -> None:
    stream = random.Random(5)
    whole = pdf_of("It fell, t(28) = 2.20, p = .036.")
    refused = []
    for _ in range(60):
        damaged = bytearray(whole[: stream.randrange(10, len(whole))])
        for _ in range(stream.randrange(5)):
            damaged[stream.randrange(8, len(damaged))] = stream.randrange(256)
        try:
            assert isinstance(text_of_pdf(bytes(damaged)), str)
        except ValueError as error:
            refused.append(str(error))
    assert refused
    assert all("PDF" in one for one in refused)
