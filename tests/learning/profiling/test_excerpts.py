from pathlib import Path

import pytest

from learning.profiling import excerpts
from learning.profiling.excerpts import excerpt

TEXT = "name,größe\nMüller,1\nJosé,2\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("latin-1") + b"\x81,3\n", "latin-1"),
    ],
    ids=["utf-8", "mark", "utf-16", "cp1252", "latin-1"],
)
def test_the_encoding_is_told_by_the_bytes(tmp_path: Path, content: bytes, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    found = excerpt(tmp_path / "t.csv", "t.csv", tmp_path)
    assert found.encoding == encoding
    assert found.contents.table.column_names == ["name", "größe"]
    assert found.contents.table["name"][0].as_py() == "Müller"


def test_of_a_large_file_whole_rows_at_the_start_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f'"{n}\n{n}",é\n' for n in range(100))
    (tmp_path / "t.csv").write_text("a,b\n" + rows, encoding="utf-8")
    for most in range(100, 120):  # also within a quoted cell, and within a letter
        monkeypatch.setattr(excerpts, "MOST_BYTES", most)
        found = excerpt(tmp_path / "t.csv", "t.csv", tmp_path)
        assert not found.whole
        assert set(found.contents.table["b"].to_pylist()) == {"é"}
        assert 8 <= found.contents.table.num_rows <= 13
