"""What is guessed of real files, with their real traps; a developer may have them or not."""

import gzip
import json
from pathlib import Path

import pytest

from deployments.first_look import drafted
from deployments.plans import load_plan
from deployments.samples import check_sample
from schemas.dataset import TextColumn, TimeColumn
from schemas.label import MultiLabel, MultiTaskLabel
from schemas.plan import Plan
from tests.real_data import COMMENTS, FIRE, FOLDER

AIRLINE = FOLDER / "airline_tweets.csv.gz"
FAILURES = FOLDER / "ai4i2020.csv"
INTENTS = FOLDER / "clinc150_imbalanced.json.gz"
STANCES = FOLDER / "semeval2016_stance_sentiment" / "AT_train.csv"
WELLNESS = FOLDER / "multiwd_train.csv.gz"
ASPECTS = ("Spiritual", "Physical", "Intellectual", "Social", "Vocational", "Emotional")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real data in {FOLDER}"),
]


def planned(folder: Path, data: Path, *labels: str) -> Plan:
    made = drafted(str(data), labels, folder)
    (folder / f"{made.name}.yaml").write_text(made.text, encoding="utf-8")
    return load_plan(str(folder / f"{made.name}.yaml"))


def valid_rows(plan: Plan, folder: Path) -> int:
    return check_sample(plan, folder / "scratch").rows


def test_flags_that_mean_failure_are_leaks_and_sensors_are_not(tmp_path: Path) -> None:
    plan = planned(tmp_path, FAILURES, "Machine_failure")
    assert {"UDI", "TWF", "HDF", "PWF", "OSF"} <= set(plan.dataset.ignore) <= {
        *("UDI", "TWF", "HDF", "PWF", "OSF", "RNF")
    }  # fmt: skip
    assert plan.dataset.key == "Product ID"
    assert valid_rows(plan, tmp_path) == 10_000


def test_reasons_that_were_asked_after_the_answer_are_leaks(tmp_path: Path) -> None:
    plan = planned(tmp_path, AIRLINE, "airline_sentiment")
    for leak in ("negativereason", "negativereason_confidence", "airline_sentiment_confidence",
                 "airline_sentiment_gold", "negativereason_gold"):  # fmt: skip
        assert "a leak" in plan.dataset.ignore[leak]
    assert plan.dataset.columns["text"] == TextColumn()
    assert {"airline", "retweet_count", "user_timezone"} <= set(plan.dataset.columns)
    assert (plan.dataset.key, plan.dataset.time) == ("tweet_id", "tweet_created")
    assert valid_rows(plan, tmp_path) == 14_640


def test_texts_with_missing_cells_stay_the_feature(tmp_path: Path) -> None:
    plan = planned(tmp_path, COMMENTS, "category")
    assert plan.dataset.columns == {"clean_comment": TextColumn()}
    assert plan.targets[0].class_values == (-1, 0, 1)
    assert valid_rows(plan, tmp_path) == 37_249


def test_days_before_months_are_seen_and_strong_sensors_stay(tmp_path: Path) -> None:
    plan = planned(tmp_path, FIRE, "type")
    assert (plan.dataset.time, plan.dataset.time_format) == ("acq_date", "%d/%m/%Y")
    assert set(plan.dataset.ignore) == {"instrument", "version"}
    assert len(plan.dataset.columns) == 11
    assert valid_rows(plan, tmp_path) == 36_011


def test_two_labels_are_two_questions(tmp_path: Path) -> None:
    plan = planned(tmp_path, STANCES, "label", "senti")
    assert isinstance(plan.label, MultiTaskLabel)
    assert plan.label.columns["senti"] == ("Negative", "Neutral", "Positive")
    assert set(plan.dataset.ignore) == {"Unnamed:0"}
    assert valid_rows(plan, tmp_path) == 513


def test_six_flags_are_one_question_with_many_answers(tmp_path: Path) -> None:
    plan = planned(tmp_path, WELLNESS, *ASPECTS)
    assert plan.label == MultiLabel(columns=ASPECTS)
    assert plan.dataset.columns == {"text": TextColumn()}
    assert valid_rows(plan, tmp_path) == 2_624


def test_a_hundred_and_fifty_intents_are_all_classes(tmp_path: Path) -> None:
    splits = json.loads(gzip.decompress(INTENTS.read_bytes()))
    rows = [{"text": text, "intent": intent} for text, intent in splits["train"]]
    data = tmp_path / "intents.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    plan = planned(tmp_path, data, "intent")
    assert plan.targets[0].classes == 150
    assert valid_rows(plan, tmp_path) == len(rows)


def test_no_plan_has_an_instant_read_wrongly(tmp_path: Path) -> None:
    """Times with offsets need no zone; a zone beside them would be refused."""
    plan = planned(tmp_path, AIRLINE, "airline_sentiment")
    assert (plan.dataset.time_format, plan.dataset.time_zone) == (None, None)
    assert not any(isinstance(column, TimeColumn) for column in plan.dataset.columns.values())
