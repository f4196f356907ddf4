"""Write the notebooks from their sources, executed; or check that they are what the sources give.

    python notebooks/build.py            write every notebook
    python notebooks/build.py --check    execute the sources again and compare
    python notebooks/build.py 01-from    only those whose name begins so

Sources are in the percent format (`# %%`, `# %% [markdown]`) in `notebooks/src/`. A source in
`src/exercises/` holds its solutions between `# <solution>` and `# </solution>`; from it come the
student's notebook, with `...  # your answer` in their place, and the solved one.

Cells, texts and tables are compared; pictures are not, as their bytes differ between versions of
the drawing library. Numbers may differ by one unit of their last printed digit, because the last
bits of a float depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
OPEN, CLOSE = "# <solution>", "# </solution>"
BLANK = "...  # your answer"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
RULES = re.compile(r"[-─═.\s]+")


class NotebookError(Exception):
    """A source that cannot be made into a notebook, or a notebook that is not up to date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A notebook to write: its place under `notebooks/`, its source file and text."""

    name: str
    source: str
    text: str


def pages(sources: Path) -> list[Page]:
    """Read every source; an exercise gives two pages."""
    found = []
    for path in sorted(sources.rglob("*.py")):
        name = path.relative_to(sources).with_suffix("").as_posix()
        where = f"{sources.name}/{name}.py"
        text = path.read_text(encoding="utf-8")
        if name.startswith("exercises/"):
            found.append(Page(name=name, source=where, text=for_students(text, where)))
            found.append(Page(name=f"{name}-solved", source=where, text=solved(text, where)))
        else:
            found.append(Page(name=name, source=where, text=text))
    return found


def for_students(text: str, where: str) -> str:
    """Put a blank in the place of each solution."""
    kept = []
    for line, inside in marked(text, where):
        if line.strip() == OPEN:
            kept.append(line.replace(OPEN, BLANK))
        elif not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


def solved(text: str, where: str) -> str:
    """Take the marks away and leave the solutions."""
    return "\n".join(line for line, _ in marked(text, where) if line.strip() not in (OPEN, CLOSE))


def marked(text: str, where: str) -> Iterator[tuple[str, bool]]:
    """Yield each line and whether it belongs to a solution, its marks included."""
    opened = 0
    solutions = 0
    for number, line in enumerate(text.splitlines(), start=1):
        mark = line.strip()
        if (mark == OPEN and opened) or (mark == CLOSE and not opened):
            message = f"{where}, line {number}: {mark} without its partner before it"
            raise NotebookError(message)
        if mark == OPEN:
            opened, solutions = number, solutions + 1
        yield line, bool(opened)
        if mark == CLOSE:
            opened = 0
    if opened or not solutions:
        place = f"line {opened}: {OPEN} is never closed" if opened else f"there is no {OPEN}"
        message = f"{where}, {place}"
        raise NotebookError(message)


def notebook(text: str) -> NotebookNode:
    """Turn a percent-format text into a notebook with fixed ids and nothing volatile."""
    read = jupytext.reads(text, fmt="py:percent")
    cells = []
    for number, cell in enumerate(read.cells, start=1):
        new = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
        tags = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        cells.append(new(source=cell.source, id=f"cell-{number:02d}", metadata=tags))
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def executed(page: Page) -> NotebookNode:
    """Run a page from top to bottom in an empty folder, in a kernel without a user's settings."""
    book = notebook(page.text)
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "IPYTHONDIR": str(Path(folder, "ipython")),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONHASHSEED": "0",
        }
        desk = Path(folder, "desk")
        desk.mkdir()
        client = NotebookClient(
            book,
            timeout=600,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=["--log-level=40"],  # the kernel's own notices are not about the page
            resources={"metadata": {"path": str(desk)}},
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            message = f"{page.source}, {first_failed(book)}: {error.ename}: {error.evalue}"
            raise NotebookError(COLOURS.sub("", message)) from None
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            refuse_volatile(output, f"{page.source}, {cell.id}")
    return book


def first_failed(book: NotebookNode) -> str:
    """Name the cell that raised."""
    for cell in book.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return f"{cell.id} ({first_line(cell.source)})"
    return "a cell"


def refuse_volatile(output: NotebookNode, where: str) -> None:
    """Refuse outputs that differ from run to run, and pictures that cannot be read aloud."""
    text = shown(output)
    if output.get("name") == "stderr":
        message = f"{where} writes to standard error: {textwrap.shorten(text, 200)}"
        raise NotebookError(message)
    if re.search(r" at 0x[0-9a-f]+", text):
        message = f"{where} shows an address in memory: {textwrap.shorten(text, 200)}"
        raise NotebookError(message)
    for kind in output.get("data", {}):
        if kind.startswith("image/") and not output.metadata.get(kind, {}).get("alt"):
            message = f"{where} shows a picture without a text alternative"
            raise NotebookError(message)


def shown(output: NotebookNode) -> str:
    """Return the text of an output."""
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def differences(fresh: NotebookNode, kept: NotebookNode) -> list[str]:
    """Say where a notebook is not what its source gives."""
    if len(fresh.cells) != len(kept.cells):
        return [f"has {len(kept.cells)} cells, its source {len(fresh.cells)}"]
    found = []
    for new, old in zip(fresh.cells, kept.cells, strict=True):
        if any(new[part] != old.get(part) for part in ("id", "cell_type", "source", "metadata")):
            found.append(f"{new.id} is not the cell of its source ({first_line(new.source)})")
        elif not same_outputs(new.get("outputs", []), old.get("outputs", [])):
            found.append(f"{new.id} prints something else ({first_line(new.source)})")
    return found


def same_outputs(new: Sequence[NotebookNode], old: Sequence[NotebookNode]) -> bool:
    """Compare the kinds and the texts of outputs."""
    return [kinds(output) for output in new] == [kinds(output) for output in old] and all(
        same_text(shown(a), shown(b)) for a, b in zip(new, old, strict=True)
    )


def kinds(output: NotebookNode) -> tuple[str, ...]:
    """Return what an output consists of."""
    return (output.output_type, *sorted(output.get("data", {})))


def same_text(new: str, old: str) -> bool:
    """Compare two texts; numbers may differ by one unit of their last digit."""
    if new == old:
        return True
    words = [RULES.sub(" ", NUMBER.sub("#", text)).strip() for text in (new, old)]
    numbers = zip(NUMBER.findall(new), NUMBER.findall(old), strict=False)
    return words[0] == words[1] and all(close(a, b) for a, b in numbers)


def close(new: str, old: str) -> bool:
    """Say whether two printed numbers differ by one unit of the coarser last digit at most."""
    unit = max(last_digit(new), last_digit(old))
    whole = float(new).is_integer() and float(old).is_integer() and unit >= 1
    return float(new) == float(old) if whole else abs(float(new) - float(old)) <= 1.01 * unit


def last_digit(number: str) -> float:
    """Return the value of one unit of the last printed digit."""
    digits, _, power = number.partition("e")
    return float(10.0 ** (int(power or 0) - len(digits.partition(".")[2])))


def first_line(source: str) -> str:
    """Shorten a cell so that it can be recognised."""
    return textwrap.shorten(source.strip().partition("\n")[0], 60)


def build(sources: Path, target: Path, *, only: str = "") -> list[str]:
    """Write the notebooks and return their names."""
    chosen = [page for page in pages(sources) if page.name.startswith(only)]
    for page in chosen:
        path = target / f"{page.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        nbformat.write(executed(page), part)
        part.replace(path)
    return [page.name for page in chosen]


def check(sources: Path, target: Path, *, only: str = "") -> list[str]:
    """Execute the sources again and return what is wrong with the notebooks there are."""
    expected = pages(sources)
    known = {f"{page.name}.ipynb" for page in expected}
    there = {path.relative_to(target).as_posix() for path in target.rglob("*.ipynb")}
    wrong = [f"{name} has no source" for name in sorted(there - known) if "checkpoint" not in name]
    for page in (page for page in expected if page.name.startswith(only)):
        path = target / f"{page.name}.ipynb"
        if path.is_file():
            kept = nbformat.read(path, as_version=4)
            wrong += [f"{page.name}.ipynb: {what}" for what in differences(executed(page), kept)]
        else:
            wrong.append(f"{page.name}.ipynb is not there")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Write the notebooks, or check them.")
    parser.add_argument("only", nargs="?", default="", help="beginning of a notebook's name")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            wrong = check(HERE / "src", HERE, only=options.only)
            shown_lines = wrong or ["the notebooks are what their sources give"]
        else:
            wrong = []
            shown_lines = [f"wrote {n}.ipynb" for n in build(HERE / "src", HERE, only=options.only)]
    except NotebookError as error:
        wrong = shown_lines = [str(error)]
    print("\n".join(shown_lines))
    if wrong and options.check:
        print("to write them again: python notebooks/build.py")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
