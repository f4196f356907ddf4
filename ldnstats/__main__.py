"""The command line. It alone chooses paths."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldnstats import __version__
from ldnstats.display import NOT_ADVICE, progress

if TYPE_CHECKING:
    import pandas as pd

    from ldnstats.claims import Study
    from ldnstats.simulate import DiaryEnsemble, Ensemble, SplitEnsembles

    Rebuilt = Ensemble | DiaryEnsemble | SplitEnsembles

DONE, CONTRADICTED, BAD_INPUT = 0, 1, 2
_REPORT = Path("ldnstats-report")
_EXPLORER = _REPORT / "explorer.html"
_LEVELS = {"end-point": 1000, "integers": 1000, "diary": 20}
"""What is rebuilt of a trial, and how many members by default."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after `ldnstats`; those of the process by default.

    Returns
    -------
    int
        0 done; 1 a check contradicts (with --strict); 2 bad input.

    Examples
    --------
    >>> main(["check", "no-such-file.toml"])
    2
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = getattr(given, "run", None)
    if run is None:
        parser.print_help()
        return BAD_INPUT
    try:
        return run(given)
    except (ValueError, OSError) as error:
        print(f"ldnstats: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(
        prog="ldnstats",
        description="Check, rebuild and plan clinical trials from their printed numbers.",
        epilog=NOT_ADVICE,
    )
    parser.add_argument("--version", action="version", version=f"ldnstats {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_reproduce(commands)
    _add_check(commands)
    _add_check_text(commands)
    _add_reconstruct(commands)
    _add_power(commands)
    _add_explore(commands)
    _add_new(commands)
    return parser


def _add_reproduce(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `reproduce`."""
    command = commands.add_parser("reproduce", help="check every claim and write the report")
    command.add_argument("--out", type=Path, default=_REPORT, help="folder of the report")
    command.add_argument("--study", help="one study only: its key, or a study file")
    command.add_argument("--seed", type=int, default=1, help="seed of all simulations (default 1)")
    command.add_argument("--full", action="store_true", help="add larger simulations")
    command.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    command.set_defaults(run=_reproduce)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `check`."""
    command = commands.add_parser("check", help="check the claims of one study file")
    command.add_argument("file", type=Path, help="study file (TOML)")
    command.add_argument("--working", action="store_true", help="show the working of each verdict")
    command.add_argument("--strict", action="store_true", help="exit 1 if a claim is contradicted")
    command.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    command.set_defaults(run=_check)


def _add_check_text(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `check-text`."""
    command = commands.add_parser("check-text", help="check the results printed in a text")
    command.add_argument(
        "file",
        help="text, HTML page or CSV of summaries (`new --table`) in UTF-8, or PDF (with the extra "
        "`pdf`); - reads standard input",
    )
    command.add_argument("--strict", action="store_true", help="exit 1 if a result is impossible")
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    command.set_defaults(run=_check_text)


def _add_reconstruct(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `reconstruct`."""
    command = commands.add_parser("reconstruct", help="rebuild trials that print the figures")
    command.add_argument("study", help="key of a bundled study, or a study file")
    command.add_argument(
        "--level",
        choices=tuple(_LEVELS),
        default="end-point",
        help="one outcome a treatment, the same in whole numbers of its scale, or daily diaries",
    )
    command.add_argument(
        "--draws",
        type=int,
        help="how many trials (default 1000; 20 diaries)",
    )
    command.add_argument("--seed", type=int, default=1, help="seed (default 1)")
    command.add_argument(
        "--out",
        type=Path,
        help="write the simulated people to this CSV file; with --format, to this folder",
    )
    command.add_argument(
        "--format",
        help="csv, parquet, adam, dataset-json or xpt, or several with commas between them",
    )
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.set_defaults(run=_reconstruct)


def _add_power(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `power`."""
    command = commands.add_parser("power", help="power of a planned trial")
    command.add_argument(
        "--design", default="ab/ba", help="paired, ab/ba, parallel, one-sample, 3x3, 2x2x4 ..."
    )
    command.add_argument(
        "--analysis",
        default="t",
        help="t, welch, change, ancova, mixed, mmrm, slope, fisher, mcnemar, equivalence ...",
    )
    command.add_argument("--n", type=int, required=True, help="people in all")
    command.add_argument("--effect", type=float, help="true difference of means or proportions")
    command.add_argument("--sd", type=float, help="standard deviation")
    command.add_argument("--correlation", type=float, help="of two measurements of one person")
    command.add_argument("--mean", type=float, default=0.0, help="proportion under control")
    command.add_argument("--visits", type=int, default=1, help="measurements after baseline")
    command.add_argument("--dropout", type=float, default=0.0, help="share of people who leave")
    command.add_argument("--limits", type=float, nargs=2, help="of equivalence")
    command.add_argument("--margin", type=float, help="of non-inferiority")
    command.add_argument("--alpha", type=float, default=0.05)
    command.add_argument("--tails", type=int, default=2)
    command.add_argument("--method", default="formula", help="formula or simulation")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.set_defaults(run=_power)


def _add_explore(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `explore`."""
    command = commands.add_parser("explore", help="write a page with sliders to explore power")
    command.add_argument(
        "--out", type=Path, default=_EXPLORER, help=f"HTML file to write (default {_EXPLORER})"
    )
    command.set_defaults(run=_explore)


def _add_new(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `new`."""
    command = commands.add_parser("new", help="write a study file, or a table, to fill in")
    command.add_argument("key", help="name of the study, such as smith2019")
    command.add_argument("--kind", choices=("trial", "document"), default="trial")
    command.add_argument(
        "--table", action="store_true", help="write a CSV of summaries for `check-text` instead"
    )
    command.set_defaults(run=_new)


def _study(name: str) -> Study:
    """Load a study by its key or from its file."""
    from ldnstats.claims import StudyError, data_root, load_study

    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return load_study(path)
    bundled = data_root() / "claims"
    if not (bundled / f"{name}.toml").is_file():
        known = ", ".join(sorted(file.stem for file in bundled.glob("*.toml")))
        message = f'"{name}" is neither a study file nor one of {known}'
        raise StudyError(message)
    return load_study(bundled / f"{name}.toml")


def _reproduce(given: argparse.Namespace) -> int:
    """Check, rebuild, plan and report."""
    with progress("reading the registry"):
        from ldnstats.claims import load_studies

        chosen = None if given.study is None else _study(given.study)
        studies = load_studies() if chosen is None else {chosen.key: chosen}
    from ldnstats.report import make_folder, write_report
    from ldnstats.reproduction import reproduce

    make_folder(given.out)
    result = reproduce(studies, seed=given.seed, full=given.full)
    with progress("writing the report"):
        written = write_report(result, given.out)
    if given.json:
        _print_json(result.verdicts.table())
    else:
        counts = result.verdicts.counts()
        print(", ".join(f"{count} {status}" for status, count in counts.items()))
        print(f"report: {written}")
        print(NOT_ADVICE)
    return DONE


def _check(given: argparse.Namespace) -> int:
    """Check one study file."""
    from ldnstats.checks import check
    from ldnstats.claims import StudyError, blanks, load_study

    if given.file.is_file():
        left = blanks(given.file)
        if left:
            places = "\n  ".join(left)
            message = f"{given.file} is not filled in yet:\n  {places}"
            raise StudyError(message)
    with progress(f"checking {given.file.name}"):
        verdicts = check(load_study(given.file))
    if given.json:
        _print_json(verdicts.table())
    elif given.working:
        print("\n\n".join(str(verdict) for verdict in verdicts))
        print(f"\n{NOT_ADVICE}")
    else:
        print(verdicts)
    return CONTRADICTED if given.strict and verdicts.counts()["contradicted"] else DONE


def _check_text(given: argparse.Namespace) -> int:
    """Check the results printed in a text."""
    from ldnstats.forensics import check_table, check_text, text_of_bytes, text_of_file

    if given.file == "-":
        text = text_of_bytes(sys.stdin.buffer.read(), name="standard input")
    else:
        text = text_of_file(given.file)
    found = check_table(text) if given.file.lower().endswith(".csv") else check_text(text)
    if given.json:
        missed = [{"line": o.line, "text": o.text, "reason": o.reason} for o in found.not_read]
        results = json.loads(found.table().to_json(orient="records"))
        print(json.dumps({"results": results, "not_read": missed}, indent=2, ensure_ascii=False))
        print(NOT_ADVICE, file=sys.stderr)
    else:
        print(f"{found}\n{NOT_ADVICE}")
    contradicted = any(one.verdict == "impossible" for one in found)
    return CONTRADICTED if given.strict and contradicted else DONE


def _reconstruct(given: argparse.Namespace) -> int:
    """Rebuild trials from one study's claims."""
    if given.format is not None and given.out is None:
        message = f"--format {given.format} has no folder to write to; give --out DIR"
        raise ValueError(message)
    study = _study(given.study)
    if given.format is not None and _is_of_unknown_split(study, given.level):
        message = (
            f"--format {given.format} writes one trial, and {study.key} does not say how many "
            "people each sequence has; leave --format out for one CSV file, or give sizes in its "
            "section [design]"
        )
        raise ValueError(message)
    with progress(f"rebuilding {study.key}"):
        ensemble = _rebuilt(study, given)
    if given.out is not None:
        _write_people(ensemble, given.out, given.format)
    if given.json:
        _print_json(ensemble.prints())
    else:
        print(ensemble.prints().to_string(index=False))
        print("\n".join(_said(ensemble)))
        print(NOT_ADVICE)
    return DONE


def _is_of_unknown_split(study: Study, level: str) -> bool:
    """Say whether every split of the people over the sequences must be tried."""
    from ldnstats.simulate import is_split_unknown

    return level == "end-point" and is_split_unknown(study)


def _rebuilt(study: Study, given: argparse.Namespace) -> Rebuilt:
    """Rebuild a trial at the level asked for."""
    from ldnstats.simulate import (
        reconstruct,
        reconstruct_diaries,
        reconstruct_integers,
        reconstruct_splits,
    )

    draws = _LEVELS[given.level] if given.draws is None else given.draws
    if given.level == "diary":
        return reconstruct_diaries(study, draws=draws, seed=given.seed)
    if _is_of_unknown_split(study, given.level):
        return reconstruct_splits(study, draws=draws, seed=given.seed)
    build = reconstruct_integers if given.level == "integers" else reconstruct
    return build(study, draws=draws, seed=given.seed)


def _said(ensemble: Rebuilt) -> list[str]:
    """Say how many proposals were kept, what was dropped, and what is assumed."""
    from ldnstats.simulate import Ensemble, SplitEnsembles

    if isinstance(ensemble, SplitEnsembles):
        totals = [f"{n} people: {100 * w:.3g}%" for n, w in ensemble.totals.items()]
        lines = [f"{len(ensemble)} trials over {len(ensemble.sizes)} splits by sequence"]
        lines += [f"impossible: {len(ensemble.impossible)} other splits"]
        lines += [f"number of people, given the figures: {', '.join(totals)}"]
        return lines + [f"assumed: {line}" for line in ensemble.assumptions]
    if isinstance(ensemble, Ensemble):
        lines = [f"acceptance {ensemble.acceptance:.3g} of {ensemble.proposed} proposals"]
        lines += [f"drawn: {line}" for line in ensemble.diagnostics.sentences()]
        return lines + [f"assumed: {line}" for line in ensemble.assumptions]
    ground = ensemble.ground
    lines = [f"{len(ensemble)} diaries, of {ensemble.proposed} proposals looked at"]
    lines += [f"NOT printed: {claim}: {why}" for claim, why in ground.dropped]
    return lines + [f"assumed: {line}" for line in ground.assumptions]


def _write_people(ensemble: Rebuilt, out: Path, formats: str | None) -> None:
    """Write simulated people to one CSV file, or to a folder in the formats named."""
    if formats is None:
        from ldnstats.report import write_text

        write_text(out, ensemble.trials.to_csv(index=False))
        return
    from ldnstats.export import formats_named, write_trials
    from ldnstats.simulate import SplitEnsembles

    with progress(f"writing to {out}"):
        assert not isinstance(ensemble, SplitEnsembles)
        write_trials(ensemble, out, formats=formats_named(formats.split(",")))


def _power(given: argparse.Namespace) -> int:
    """Print the power of a planned trial."""
    from ldnstats.planning import power

    result = power(
        design=given.design,
        analysis=given.analysis,
        n=given.n,
        effect=given.effect,
        sd=given.sd,
        correlation=given.correlation,
        mean=given.mean,
        visits=given.visits,
        dropout=given.dropout,
        limits=given.limits,
        margin=given.margin,
        alpha=given.alpha,
        tails=given.tails,
        method=given.method,
        seed=given.seed,
    )
    if given.json:
        _print_json(result.tidy())
    else:
        print(result)
        print(NOT_ADVICE)
    return DONE


def _explore(given: argparse.Namespace) -> int:
    """Write the page that explores power."""
    from ldnstats.report import write_explorer

    with progress("computing the grid of power"):
        written = write_explorer(given.out)
    print(f"explorer: {written}")
    print(NOT_ADVICE)
    return DONE


def _new(given: argparse.Namespace) -> int:
    """Write a study file or a table to fill in, never over one that is there."""
    from ldnstats.claims import study_template
    from ldnstats.forensics import table_template
    from ldnstats.report import write_text

    command = "check-text" if given.table else "check"
    path = Path(f"{given.key}.csv" if given.table else f"{given.key}.toml")
    text = table_template() if given.table else study_template(given.key, kind=given.kind)
    if path.exists():
        message = f"{path} is already there; choose another name or move it away"
        raise FileExistsError(message)
    write_text(path, text)
    print(f"wrote {path}: fill in the marked blanks, then run `ldnstats {command} {path}`")
    return DONE


def _print_json(table: pd.DataFrame) -> None:
    """Print a table as JSON records, and what it is not on standard error."""
    records = json.loads(table.to_json(orient="records"))
    print(json.dumps(records, indent=2, ensure_ascii=False))
    print(NOT_ADVICE, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
