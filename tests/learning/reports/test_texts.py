"""What a plan calls its classes is nowhere markup, and a figure that is missing is a dash."""

from learning.reports.texts import escaped_rows, interval
from tests.learning.records import about


def test_neither_head_nor_cell_of_a_table_is_markup() -> None:
    (row,) = escaped_rows([{"F1 of '<img src=x>'": "0.5", "note": "too <few> rows"}])
    assert row == {"F1 of '&lt;img src=x&gt;'": "0.5", "note": "too &lt;few&gt; rows"}


def test_an_interval_that_is_missing_is_a_dash() -> None:
    assert (interval(about(0.5)), interval(None)) == ("0.5000 (0.4000 to 0.6000)", "-")
    assert interval(about(0.5), signed=True) == "+0.5000 (+0.4000 to +0.6000)"
