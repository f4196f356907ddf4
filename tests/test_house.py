"""The corridor: rooms import one way, names are lazy and clear, the map is true."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ldnstats"
MAP = re.findall(r"^\| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.M)
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
MARKS = ("pypi" + ".org", "python" + "hosted", "/root" + "/", "/ho" + "me/", "/work" + "/")
INSIDE_LMM = {"numpy", "scipy"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "ldnstats" else None


def imported(path: Path) -> set[str]:
    """Return every module that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import; write the full name"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def rooms_on_disk() -> set[str]:
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    return names - {"__init__"}


def test_the_map_lists_the_rooms_there_are() -> None:
    assert set(MAP) == rooms_on_disk()
    assert len(MAP) == len(set(MAP))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_above_it(path: Path) -> None:
    here = room_of(module_of(path))
    if here is None:
        return
    for name in imported(path):
        there = room_of(name)
        if there in MAP and there != here:
            assert MAP.index(there) < MAP.index(here), f"{path.name} imports {name} from below"


def test_checks_and_planning_are_siblings() -> None:
    for path in FILES:
        here = room_of(module_of(path))
        rooms = {room_of(name) for name in imported(path)}
        assert not (here == "planning" and "checks" in rooms)
        assert not (here == "checks" and "planning" in rooms)


def test_lmm_knows_numpy_and_scipy_only() -> None:
    for path in (PACKAGE / "lmm").glob("*.py"):
        for name in imported(path):
            top = name.split(".")[0]
            outside = top not in sys.stdlib_module_names and top not in INSIDE_LMM
            assert not outside or name.startswith("ldnstats.lmm"), f"{path.name} imports {name}"


def test_no_cycle_within_a_room() -> None:
    modules = {module_of(path): path for path in FILES}
    files = {name for name, path in modules.items() if path.name != "__init__.py"}
    edges = {name: imported(path) & files - {name} for name, path in modules.items()}
    for start in modules:
        seen, todo = set(), list(edges[start])
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += edges[here]
        assert start not in seen, f"{start} imports itself by a detour"


def test_importing_the_package_loads_no_array_library() -> None:
    code = "import sys, ldnstats; print([m for m in ('numpy', 'pandas') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_workers_never_load_statsmodels() -> None:
    code = (
        "import sys, ldnstats as ls; [getattr(ls, n) for n in ls.__all__];"
        "print('statsmodels' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_workers_that_simulate_load_no_tables_and_no_distributions() -> None:
    code = (
        "import sys, ldnstats.planning.rehearsal;"
        "print([m for m in ('pandas', 'scipy.stats') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["ldnstats", "ldnstats.planning"])
def test_lazy_names_are_those_that_type_checkers_see(package: str) -> None:
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))  # type: ignore[arg-type]
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    origins = {
        alias.asname: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(origins) == module.__all__
    for name, origin in origins.items():
        assert getattr(module, name) is getattr(importlib.import_module(origin), name)
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_public_names_resolve_twice_and_are_no_modules() -> None:
    code = (
        "import ldnstats as ls, types\n"
        "for name in ls.__all__:\n"
        "    first, second = getattr(ls, name), getattr(ls, name)\n"
        "    assert first is second, name\n"
        "    assert not isinstance(first, types.ModuleType), name\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "room",
    [PACKAGE, *(path.parent for path in PACKAGE.glob("*/__init__.py"))],
    ids=lambda p: p.name,
)
def test_no_public_name_is_a_module_name(room: Path) -> None:
    modules = {path.stem for path in room.glob("*.py")} | {
        p.parent.name for p in room.glob("*/*.py")
    }
    public = importlib.import_module(".".join(room.relative_to(ROOT).parts)).__all__
    assert public
    assert not set(public) & modules


def test_files_stay_small_enough_to_be_one_room() -> None:
    for path in FILES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 640, f"{path.name} has {lines} lines; make it a folder"


def test_nothing_is_left_undone() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for mark in ("TODO", "FIXME", "XXX", "NotImplementedError"):
            assert mark not in text, f"{path.name} holds {mark}"


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in (".gz", ".png", ".pdf", ".svg") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        for mark in MARKS:
            assert mark not in text, f"{name} names {mark}"


def test_every_size_is_named_once_and_used() -> None:
    sizes = tomllib.loads((ROOT / "tests" / "sizes.toml").read_text(encoding="utf-8"))
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py"))
    assert set(sizes) == set(re.findall(r'\bsize\("([\w.-]+)"\)', code))
    assert all(0 < entry["reduced"] <= entry["full"] for entry in sizes.values())
