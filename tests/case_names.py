"""Names of parametrised cases that are the same in every process."""

from __future__ import annotations


def named(value: object) -> str:
    """Name a value: the members of a set sorted, since sets have no order of their own."""
    return "+".join(sorted(map(str, value))) if isinstance(value, (set, frozenset)) else str(value)
