from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learning.keeping.models import save
from schemas.dataset import Dataset, NumberColumn
from schemas.faults import DataRejected, ModelRefused, PlanError
from schemas.label import ClassValue, MultiLabel, MultiTaskLabel, Target, targets
from tasks.predicting import answer_file, hand_out, refuse_places
from tests.tasks.kept import SIGNS, dataset, fitted


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text('id,amount,said,extra\n007,0,bad,x\n8,2,"good\nand more",y\n9,,,z\n')
    return path


def kept(folder: Path, classes: tuple[ClassValue, ...] = SIGNS) -> tuple[Path, str]:
    return folder, save(fitted(classes), folder, np.arange(5, dtype=np.uint64))


def _read(target: Path) -> pd.DataFrame:
    if target.name.endswith(".parquet"):
        return pd.read_parquet(target)
    if ".jsonl" in target.name:
        return pd.read_json(target, lines=True)
    return pd.read_csv(target)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz"])
def test_each_row_is_answered_in_order_whatever_the_format(
    rows: Path, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"answers{ending}"
    assert answer_file(*kept(tmp_path / "model"), dataset(), rows, target) == 3
    told = _read(target)
    columns = [f"probability_{text}" for text in ("-1", "0", "1")]
    assert list(told.columns) == ["row", "prediction", *columns]
    assert list(told["row"]) == [1, 2, 3]
    assert list(told["prediction"][:2]) == [-1, 1]
    np.testing.assert_allclose(told[columns].sum(axis=1), 1)


@pytest.mark.parametrize(
    ("name", "classes", "first"),
    [
        ("parquet_answers.csv", (-1.0, 0.0, 1.0), "-1"),
        ("answers.parquet.csv", (True, False, "maybe"), "true"),
        ("answers.parquet", (-1.0, 0.0, 1.0), -1.0),
        ("answers.parquet", (True, False, "maybe"), "true"),
    ],
)
def test_parquet_keeps_classes_of_one_kind_and_csv_their_texts(
    rows: Path, tmp_path: Path, name: str, classes: tuple[ClassValue, ...], first: ClassValue
) -> None:
    target = tmp_path / name
    answer_file(*kept(tmp_path / "model", classes), dataset(), rows, target)
    told = pd.read_parquet(target) if name.endswith(".parquet") else pd.read_csv(target, dtype=str)
    assert told["prediction"].iloc[0] == first


@pytest.mark.parametrize(
    ("key", "start"),
    [("id", "id,prediction,.*\n007,-1,"), ("absent", "row,prediction,.*\n1,-1,")],
)
def test_answers_carry_the_key_as_it_was_written_or_a_number(
    rows: Path, tmp_path: Path, key: str, start: str
) -> None:
    target = tmp_path / "answers.csv"
    answer_file(*kept(tmp_path / "model"), dataset(key), rows, target)
    assert pd.Series(target.read_text()).str.match(start).all()


def test_the_model_answers_with_the_columns_that_it_was_trained_on(
    rows: Path, tmp_path: Path
) -> None:
    changed = Dataset(source="rows", columns={"newer": NumberColumn()})
    assert answer_file(*kept(tmp_path / "model"), changed, rows, tmp_path / "answers.csv") == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("said\nbad\n", "expected the columns 'amount'"),
        ("said,amount\n", "^few.csv: expected rows, got a header and no rows"),
    ],
)
def test_input_that_is_no_rows_is_refused_and_nothing_is_written(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "few.csv").write_text(content)
    model = kept(tmp_path / "model")
    with pytest.raises(DataRejected, match=message):
        answer_file(*model, dataset(), tmp_path / "few.csv", tmp_path / "answers.csv")
    assert not (tmp_path / "answers.csv").exists()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("answers.txt", "expected a name that ends in .csv"),
        ("nowhere/answers.csv", "expected an existing folder"),
        ("rows.csv", "expected another file than --input"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_first(
    rows: Path, tmp_path: Path, target: str, told: str
) -> None:
    with pytest.raises(PlanError, match=told):
        refuse_places(rows, tmp_path / target)


def test_a_missing_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"--input: expected a file.*nope\.csv: no such file"):
        refuse_places(tmp_path / "nope.csv", tmp_path / "answers.csv")
    with pytest.raises(PlanError, match=r"--input: expected a file.*: is a folder"):
        refuse_places(tmp_path, tmp_path / "answers.csv")


def test_a_folder_in_the_place_of_the_answers_is_told_and_stays(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").mkdir()
    with pytest.raises(PlanError, match="--output: expected a place that can be written"):
        answer_file(*kept(tmp_path / "model"), dataset(), rows, tmp_path / "answers.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "model", "rows.csv"]


def test_files_are_handed_out_once_verified_and_never_over_others(tmp_path: Path) -> None:
    model, digest = kept(tmp_path / "model")
    hand_out(model, digest, tmp_path / "new" / "one")
    names = sorted(path.name for path in model.iterdir())
    assert sorted(path.name for path in (tmp_path / "new" / "one").iterdir()) == names
    with pytest.raises(PlanError, match="expected a folder that does not exist yet"):
        hand_out(model, digest, tmp_path / "new" / "one")
    with pytest.raises(ModelRefused):
        hand_out(model, "0" * 64, tmp_path / "two")
    assert not (tmp_path / "two").exists()


TASKS = targets(MultiTaskLabel(columns={"mood": (-1, 0, 1), "loud": ("no", "yes")}))
FLAGS = targets(MultiLabel(columns=("sad", "calm")))


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        (
            TASKS,
            [
                "mood_prediction",
                "mood_probability_-1",
                "mood_probability_0",
                "mood_probability_1",
                "loud_prediction",
                "loud_probability_no",
                "loud_probability_yes",
            ],
        ),
        (FLAGS, ["sad", "sad_probability", "calm", "calm_probability"]),
    ],
    ids=["multi-task", "multi-label"],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_several_labels_are_answered_each_under_its_own_name(
    asked: tuple[Target, ...], columns: list[str], ending: str, rows: Path, tmp_path: Path
) -> None:
    digest = save(fitted(asked=asked), tmp_path / "model", np.arange(5, dtype=np.uint64))
    answer_file(tmp_path / "model", digest, dataset(), rows, tmp_path / f"answers{ending}")
    told = _read(tmp_path / f"answers{ending}")
    assert list(told.columns) == ["row", *columns]
    if asked == FLAGS:
        assert set(told["sad"]) <= {0, 1}
    else:
        assert told["mood_prediction"].tolist()[:2] == [-1, 1]
        assert told["loud_prediction"].tolist()[:2] == ["no", "yes"]


def test_a_key_that_a_spreadsheet_would_run_is_quoted_in_csv(rows: Path, tmp_path: Path) -> None:
    rows.write_text(rows.read_text().replace("007", "=1+1"))
    answer_file(*kept(tmp_path / "model"), dataset(key="id"), rows, tmp_path / "answers.csv")
    assert pd.read_csv(tmp_path / "answers.csv")["id"].tolist() == ["'=1+1", "8", "9"]
