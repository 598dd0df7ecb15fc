"""A text file as its header and records, each exactly as it is written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Records:
    """`header` is nothing for JSON lines; each record ends as the file ends its lines."""

    header: str
    records: list[str]

    def chosen(self, rows: list[int]) -> str:
        """The file of these rows only."""
        return self.header + "".join(self.records[row] for row in rows)


def csv_records(text: str) -> Records:
    r"""A line end within quotes is part of its record; blank lines are none.

    >>> csv_records('a,b\n"1\n2",3\n\n4,5').records
    ['"1\n2",3\n', '4,5\n']
    """
    end = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    records: list[str] = []
    pending: list[str] = []
    is_open = False
    for line in _lines(text):
        pending.append(line)
        is_open ^= line.count('"') % 2 == 1
        if not is_open:
            record = "".join(pending)
            pending = []
            if record.strip("\r\n"):
                records.append(record)
    if pending:
        records.append("".join(pending))
    if records and not records[-1].endswith(("\n", "\r")):
        records[-1] += end
    return Records(records[0], records[1:]) if records else Records("", [])


def json_records(text: str) -> Records:
    """A record is a line that is not blank."""
    lines = [line for line in _lines(text) if line.strip()]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return Records("", lines)


def _lines(text: str) -> list[str]:
    """Not by splitlines: U+2028 and its like may stand inside a cell."""
    parts = text.split("\n")
    lines = [f"{part}\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines
