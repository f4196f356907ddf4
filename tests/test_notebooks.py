"""Notebooks are what their sources give, and the comparison notices when they are not."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
TRACKED = sorted(path for path in NOTEBOOKS.rglob("*.ipynb") if "checkpoint" not in str(path))

TINY = """\
# %% [markdown]
# # Two and two

# %%
total = 2 + 2
print(f"{total / 3:.4f}")

# %%
total
"""
EXERCISE = """\
# %%
def double(x):
    # <solution>
    y = x + x
    return y
    # </solution>


answer = (
    # <solution>
    double(2)
    # </solution>
)
print(answer)
"""


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebook_build", NOTEBOOKS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BUILD = load_build()
PAGES = {page.name: page for page in BUILD.pages(NOTEBOOKS / "src")}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "exercises").mkdir(parents=True)
    (folder / "01-tiny.py").write_text(TINY, encoding="utf-8")
    return folder


def page(text: str) -> object:
    return BUILD.Page(name="x", source="src/x.py", text=text)


# The two versions of an exercise


def test_the_student_gets_blanks_and_the_teacher_the_solution() -> None:
    student, teacher = BUILD.for_students(EXERCISE, "x.py"), BUILD.solved(EXERCISE, "x.py")
    assert "    ...  # your answer\n" in student
    assert student.count(BUILD.BLANK) == 2
    assert "x + x" not in student
    assert "double(2)" not in student
    assert "    y = x + x\n    return y\n" in teacher
    for text in (student, teacher):
        assert "solution" not in text
        compile(text, "x.py", "exec")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", r"x\.py, there is no # <solution>"),
        ("# <solution>\n1\n", r"x\.py, line 1: # <solution> is never closed"),
        ("1\n# </solution>\n", r"x\.py, line 2: # </solution> without its partner before it"),
        ("# <solution>\n# <solution>\n", r"x\.py, line 2: # <solution> without its partner"),
    ],
)
def test_marks_that_do_not_match_are_an_error(text: str, message: str) -> None:
    with pytest.raises(BUILD.NotebookError, match=message):
        BUILD.for_students(text, "x.py")


# Writing and checking


@pytest.mark.notebook
def test_a_build_is_executed_and_the_same_twice(sources: Path, tmp_path: Path) -> None:
    (sources / "exercises" / "01-double.py").write_text(EXERCISE, encoding="utf-8")
    names = ["01-tiny", "exercises/01-double", "exercises/01-double-solved"]
    assert BUILD.build(sources, tmp_path) == names
    first = {name: (tmp_path / f"{name}.ipynb").read_bytes() for name in names}
    assert BUILD.build(sources, tmp_path, only="01") == ["01-tiny"]
    assert (tmp_path / "01-tiny.ipynb").read_bytes() == first["01-tiny"]
    book = json.loads(first["01-tiny"])
    assert [cell["id"] for cell in book["cells"]] == ["cell-01", "cell-02", "cell-03"]
    assert book["metadata"] == BUILD.METADATA
    assert book["cells"][1]["outputs"][0]["text"] == ["1.3333\n"]
    assert b"Ellipsis" in first["exercises/01-double"]
    assert json.loads(first["exercises/01-double-solved"])["cells"][0]["outputs"][0]["text"] == [
        "4\n"
    ]


@pytest.mark.notebook
def test_the_check_notices_what_changed(sources: Path, tmp_path: Path) -> None:
    BUILD.build(sources, tmp_path)
    assert BUILD.check(sources, tmp_path) == []
    source = sources / "01-tiny.py"
    source.write_text(TINY.replace("# # Two", "# # Deux"), encoding="utf-8")
    assert BUILD.check(sources, tmp_path) == [
        "01-tiny.ipynb: cell-01 is not the cell of its source (# Deux and two)"
    ]
    source.write_text(TINY, encoding="utf-8")
    path = tmp_path / "01-tiny.ipynb"
    path.write_text(path.read_text("utf-8").replace("1.3333", "1.3393"), encoding="utf-8")
    (tmp_path / "02-orphan.ipynb").write_text("{}", encoding="utf-8")
    (sources / "03-new.py").write_text(TINY, encoding="utf-8")
    assert BUILD.check(sources, tmp_path) == [
        "02-orphan.ipynb has no source",
        "01-tiny.ipynb: cell-02 prints something else (total = 2 + 2)",
        "03-new.ipynb is not there",
    ]


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", r"src/x\.py, cell-01 \(1 / 0\): ZeroDivisionError: division by zero"),
        ("import sys; print('oh', file=sys.stderr)", r"cell-01 writes to standard error: oh"),
        ("object()", r"cell-01 shows an address in memory: <object at 0x"),
        (
            "from IPython.display import Image; Image(b'\\x89PNG')",
            r"cell-01 shows a picture without a text alternative",
        ),
    ],
)
def test_a_page_that_cannot_be_kept_says_why(cell: str, message: str) -> None:
    with pytest.raises(BUILD.NotebookError, match=message):
        BUILD.executed(page(f"# %%\n{cell}\n"))


def test_cells_that_come_or_go_are_noticed() -> None:
    one, two = BUILD.notebook("# %%\n1\n"), BUILD.notebook("# %%\n1\n# %%\n2\n")
    assert BUILD.differences(two, one) == ["has 1 cells, its source 2"]
    assert BUILD.differences(one, one) == []


@pytest.mark.parametrize(
    ("new", "old", "same"),
    [
        ("p = 0.0162", "p = 0.0163", True),
        ("p = 0.0162", "p = 0.0164", False),
        ("p = 0.0162", "q = 0.0162", False),
        ("28 people", "29 people", False),
        ("1.20e-05", "1.21e-05", True),
        ("1.20e-05", "1.20e-04", False),
        ("   x\n 1.0", "x\n1.0", True),
        ("1 2", "1 2 3", False),
    ],
)
def test_texts_may_differ_in_the_last_digit_only(new: str, old: str, same: bool) -> None:
    assert BUILD.same_text(new, old) is same
    assert BUILD.same_text(old, new) is same


# The notebooks of the project


@pytest.mark.notebook
@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_notebook_is_what_its_source_gives(name: str) -> None:
    path = NOTEBOOKS / f"{name}.ipynb"
    assert path.is_file(), f"{name}.ipynb is not there; run python notebooks/build.py"
    kept = nbformat.read(path, as_version=4)
    assert BUILD.differences(BUILD.executed(PAGES[name]), kept) == []


def test_every_notebook_has_a_source() -> None:
    names = {path.relative_to(NOTEBOOKS).with_suffix("").as_posix() for path in TRACKED}
    assert names == set(PAGES)
    assert names


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_names_no_machine(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    assert book.metadata == BUILD.METADATA
    for place in ("/home" + "/", "/root" + "/", "/tmp" + "/", "site-packages"):
        assert place not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_prose_types_no_result(name: str) -> None:
    """Numbers with decimals stand in outputs, where the code has printed them."""
    for cell in BUILD.notebook(PAGES[name].text).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"`[^`]*`|\$[^$]*\$", "", cell.source)
            assert not re.search(r"\d+\.\d|\d\s?%", prose), prose


@pytest.mark.parametrize("name", sorted(name for name in PAGES if name.endswith("-solved")))
def test_solutions_are_graded_correct_and_blanks_are_not(name: str) -> None:
    teacher = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    student = (NOTEBOOKS / f"{name.removesuffix('-solved')}.ipynb").read_text(encoding="utf-8")
    questions = PAGES[name].text.count("grade(")
    assert teacher.count("<strong>correct</strong>") == questions
    assert "<strong>not yet</strong>" not in teacher
    assert student.count("not yet answered</p>") == questions
