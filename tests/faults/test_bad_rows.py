"""Rows that break the schema: few are set aside and the night goes on, many reject the data."""

import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from tests.faults.standing import (
    BAD,
    Standing,
    Told,
    as_csv,
    every,
    fine_without,
    refused,
    rows,
    spoiled,
)

pytestmark = pytest.mark.filterwarnings("default")

NUMBER, VECTOR = "a number", "a list of 3 finite numbers"
INSTANT = "a time with its offset from UTC"
CASES: dict[str, tuple[str, str, str]] = {  # column, cell, expected
    "label.csv": ("y", "POS ", "one of 'no', 'yes', 'NA'"),
    "infinite.csv": ("x", "inf", "a finite number"),
    "comma.csv": ("x", "1;5", NUMBER),
    "dimension.csv": ("vector", "[0.125, 0.25]", VECTOR),
    "nan.csv": ("vector", "[0.125, NaN, 1]", VECTOR),
    "words.csv": ("vector", "0.125 0.25 0.5", VECTOR),
    "naive.csv": ("seen", "2026-01-01 00:00:07", INSTANT),
    "never.csv": ("seen", "yesterday", INSTANT),
}
FORMULA = '=HYPERLINK("http://127.0.0.1")'


@pytest.fixture(scope="module")
def night(shared_world: Standing) -> Told:
    """One broken row in each of eight objects; one of the good rows holds a formula."""
    for place, (name, (column, cell, _)) in enumerate(CASES.items(), start=1):
        frame = spoiled(rows(draw_of=place), {column: {7: cell}})
        if name == "label.csv":
            frame = spoiled(frame, {"note": {7: FORMULA, 8: FORMULA}})
        shared_world.put(as_csv(frame), name)
    return Told(shared_world, shared_world.night())


def test_a_night_goes_on_without_the_few_rows_that_break_the_schema(night: Told) -> None:
    figures = night.record.figures
    assert night.record.outcome in {"promoted", "held", "insufficient-evidence"}
    assert figures["train_rows"] + figures["holdout_rows"] == 600 + 8 * 59
    assert sum(night.record.quarantined.values()) == 8


@pytest.mark.parametrize("name", CASES)
def test_a_row_set_aside_is_told_by_object_column_rule_and_number(night: Told, name: str) -> None:
    column, _, expected = CASES[name]
    finding = night.of(name)
    assert (finding["column"], finding["rows"], str(finding["row_numbers"])) == (column, 1, "7")
    assert finding["expected"].startswith(expected)
    assert "Correct these rows" in finding["what_to_do"]


def test_no_cell_of_a_feature_is_told_but_an_unknown_label_is(night: Told) -> None:
    told = night.record.model_dump_json() + str(night.world.findings(night.record))
    assert all(cell not in told for _, cell, _ in CASES.values() if cell not in {"POS ", "inf"})
    assert night.of("label.csv")["got"] == "'POS '"


def test_the_rows_themselves_stand_in_the_quarantine_where_no_formula_runs(night: Told) -> None:
    (file,) = (night.world.home / "quarantine" / "standing").glob("label.csv-*.csv")
    (row,) = pd.read_csv(file).to_dict("records")
    assert (row["row"], row["y"]) == (7, "POS ")
    assert row["note"] == f"'{FORMULA}"


def test_a_report_of_all_findings_is_an_artifact_of_the_run(night: Told) -> None:
    with get_client(sync_client=True) as api:
        found = api.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["validation-standing"]))
        )
    page = next(one.data for one in found if str(one.flow_run_id) == night.record.flow_run_id)
    assert all(name in page for name in CASES)


def test_many_rows_that_break_a_rule_reject_the_data(world: Standing) -> None:
    world.put(as_csv(spoiled(rows(), {"y": every("POS ", 30)})))
    told = refused(world)
    assert "got 30 of 660 rows (4.55 %)" in told.record.reasons[0]
    assert told.of(BAD)["row_numbers"] == " ".join(map(str, range(1, 31)))
    fine_without(world, BAD)
