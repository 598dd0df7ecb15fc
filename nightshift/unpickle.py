"""Unpickles one file and writes its rows as Parquet: run by path, alone in a process of its own.

To unpickle is to run whatever the file says, so nothing else of the house is imported here and
nothing of it is trusted afterwards but a Parquet file. What went wrong is told by the exit status.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NOT_READ, NOT_ROWS, NOT_WRITTEN, NOT_EVEN = 3, 4, 5, 6
"""Exit statuses: no pickle that this Python can read, no rows in it, none that Parquet holds,
columns that can't be put side by side.
"""


def main(source: str, target: str) -> int:
    """The exit status; `target` is there where it is 0."""
    import pandas as pd

    try:
        found = pd.read_pickle(source)  # noqa: S301 - that is what the user asked for
    except Exception:  # noqa: BLE001 - it runs code that we know nothing of
        return NOT_READ
    try:
        frame = _frame(found)
    except Exception:  # noqa: BLE001 - so may what it made, when it is looked at
        return NOT_EVEN
    if frame is None:
        return NOT_ROWS
    try:
        _write(frame, Path(target))
    except Exception:  # noqa: BLE001 - and when it is converted
        return NOT_WRITTEN
    return 0


def _frame(found: Any) -> Any:
    """A frame; also of a series, of dicts by row, and of a dict of columns."""
    import pandas as pd

    match found:
        case pd.DataFrame():
            frame = found
        case pd.Series():
            frame = found.to_frame()
        case list() | tuple() if found and all(isinstance(row, Mapping) for row in found):
            frame = pd.DataFrame(list(found))
        case Mapping() if found and all(_is_column(cells) for cells in found.values()):
            frame = pd.DataFrame(dict(found))
        case _:
            return None
    if frame.index.nlevels > 1 or frame.index.name is not None:
        frame = frame.reset_index()
    frame.columns = [
        "_".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns
    ]
    return frame if len(frame) and len(frame.columns) else None


def _is_column(cells: Any) -> bool:
    return isinstance(cells, Iterable) and not isinstance(cells, str | bytes | Mapping)


def _write(frame: Any, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: _array(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    if len(columns) < len(frame.columns):
        raise ValueError("a name twice")
    pq.write_table(pa.table(columns), target)


def _array(cells: Any) -> Any:
    """As Arrow stores it; of mixed kinds each cell as text."""
    import pandas as pd
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(cells)
    except (pa.ArrowException, TypeError, ValueError):
        missing = cells.map(lambda cell: pd.api.types.is_scalar(cell) and pd.isna(cell))
        return pa.array(
            [None if gone else str(c) for c, gone in zip(cells, missing, strict=True)], pa.string()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
