"""What a person reads of variants."""

from schemas.variants import Variant, VariantScore
from tasks.varying import _row
from tests.learning.records import CANDIDATE, about


def test_an_objective_of_a_class_is_no_markup_in_the_table() -> None:
    score = VariantScore(
        variant=Variant(name="base", candidate=CANDIDATE), standing="base", score=about(0.5)
    )
    row = _row(score, "F1 of '<img src=x>'")
    assert row["F1 of '&lt;img src=x&gt;'"] == "0.5000 (0.4000 to 0.6000)"
    assert "<img" not in str(row)
