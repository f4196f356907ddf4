"""Study files printed from data sets, with whichever claims a test wants of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ldnstats.claims import Study, load_study

Fields = dict[str, object]
HEAD = """[study]
kind = "trial"
name = "printed"
title = "A printed trial"
[[source]]
id = "raw"
bib = "raw"
standing = "primary"
seen = "the data"
"""


def printed_study(
    folder: Path,
    *,
    design: str,
    treatments: Sequence[str],
    sizes: Sequence[int],
    claims: dict[str, tuple[str, Fields]],
    roles: dict[str, object],
    ends: Fields | None = None,
    more: str = "",
) -> Study:
    """Write a study file and read it.

    Parameters
    ----------
    folder : Path
    design : str
        Name of its row of the table of designs.
    treatments, sizes : sequence
    claims : dict of str to (str, dict)
        By id: kind and fields.
    roles : dict
        The section [reconstruction].
    ends : dict, optional
        Limits of the end point.
    more : str
        Further text of the section [design].

    Returns
    -------
    Study
    """
    end_point = {"name": "outcome", "unit": "points", **(ends or {})}
    listed = ", ".join(f"{key} = {json.dumps(value)}" for key, value in end_point.items())
    count = f"sizes = {json.dumps([str(n) for n in sizes])}\n" if sizes else ""
    text = (
        f'{HEAD}[design]\ntype = "{design}"\ntreatments = {json.dumps(list(treatments))}\n{count}'
        f'source = "raw"\nend_point = {{ {listed} }}\n{more}'
    )
    for name, (kind, fields) in claims.items():
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        source = "" if kind == "assumption" else 'source = "raw"\n'
        text += f'[[claim]]\nid = "{name}"\nkind = "{kind}"\nsays = "a {kind}"\n{source}{lines}'
    text += "[reconstruction]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in roles.items())
    path = folder / "printed.toml"
    path.write_text(text, encoding="utf-8")
    (folder / "sources.bib").write_text("@misc{raw,\n  title = {Raw},\n}\n", encoding="utf-8")
    return load_study(path)


def _toml(value: object) -> str:
    """Write a text, a list, or an inline table."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(v)}" for key, v in value.items()) + " }"
    return json.dumps(value)
