"""Rows as a data frame; pandas is loaded when one is first asked for, which workers never do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def frame_of(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Return rows as a data frame.

    Parameters
    ----------
    rows : sequence of mappings
        Column to value, the same columns in each.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> frame_of([{"n": 28, "power": 0.67}, {"n": 40, "power": 0.83}])
        n  power
    0  28   0.67
    1  40   0.83
    """
    import pandas as pd

    return pd.DataFrame(list(rows))
