"""What a comparison of two versions says to a person."""

import pytest

from nightshift.comparison_table import comparison_told
from schemas.comparison import Attribution, Comparison, FigureChange, SettingChange
from schemas.results import Interval
from tests.nightshift.records import printed

CHANGE = SettingChange(group="head", name="classifier.head.pooling", first="cls", second="mean")
ROSE = FigureChange(
    figure="F1",
    target="mood",
    of_class="[red]sad",
    first=0.5,
    second=0.75,
    difference=Interval(value=0.25, low=0.125, high=0.375),
    noise=0.0625,
    mark="better",
)


def _told(attribution: Attribution, *groups: str, excluded: int = 0) -> str:
    return printed(
        comparison_told(
            Comparison(
                plan="tiny",
                first=3,
                second=5,
                first_model="transformer trial 0",
                second_model="transformer trial 4",
                night="abc",
                rows=1234,
                excluded=excluded,
                objective="macro-F1",
                confidence=0.95,
                resamples=2000,
                attribution=attribution,
                groups=groups,
                changes=(CHANGE,) if groups else (),
                figures=(ROSE, ROSE.model_copy(update={"figure": "recall"})),
                notes=("version 3 knows the classes a, b",),
            )
        )
    )


def test_figures_stand_beside_their_noise_and_classes_are_no_markup() -> None:
    told = _told("attributable", "head")
    assert "version 5 (transformer trial 4) against version 3 (transformer trial 0)" in told
    assert "1,234 holdout rows of night abc, none of which either was trained on" in told
    line = next(line for line in told.splitlines() if "F1 of mood [red]sad" in line)
    cells = ["0.5000", "0.7500", "+0.2500 (+0.1250 to +0.3750)", "0.0625", "better"]
    assert [line.index(cell) for cell in cells] == sorted(line.index(cell) for cell in cells)
    assert "about 0.1 of these intervals would leave out 0 by chance" in told
    assert "version 3 knows the classes a, b" in told


def test_rows_that_a_version_was_trained_on_are_told() -> None:
    assert "7 set aside that one was trained on" in _told("nothing differs", excluded=7)


@pytest.mark.parametrize(
    ("attribution", "groups", "words"),
    [
        ("attributable", ("head",), "Only head differs: what differs in figures comes of it."),
        ("not attributable", ("head", "loss", "data"), "head, loss and data differ at once"),
        ("nothing differs", (), "what differs in figures is chance"),
        ("unknown", (), "the settings of a version are not known"),
    ],
)
def test_a_cause_is_named_only_where_there_is_one(
    attribution: Attribution, groups: tuple[str, ...], words: str
) -> None:
    told = _told(attribution, *groups)
    assert words in told
    assert ("classifier.head.pooling" in told) == bool(groups)
