from datetime import UTC, datetime

import pytest

from schemas.faults import NightFailed
from schemas.ledger import Record
from schemas.manifest import Changes, Manifest
from schemas.plan import Plan
from tasks.attempt import Attempt
from tests.learning.records import MOOD, POLARITY, night

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def _attempt(told: list[Record], **settings: object) -> Attempt:
    plan = Plan.model_validate(
        {
            "name": "p",
            "dataset": {"source": "s", "columns": {"x": "number"}},
            "label": {"column": "y", "classes": ["no", "yes"]},
            **settings,
        }
    )

    class Nowhere:
        uri = "nowhere"

    return Attempt(plan, "r1", Nowhere(), lambda _, record: told.append(record), lambda: NOW)  # type: ignore[arg-type]


def test_the_record_has_the_scores_of_all_models():
    attempt = _attempt([])
    record = attempt.conclude(night(POLARITY))
    card = night(POLARITY).judgement.cards["champion"]
    assert record.figures["champion_score"] == card.score.value
    assert record.figures["challenger_score_low"] == card.score.low
    assert record.figures["challenger_macro_f1_high"] == card.macro_f1.high
    assert record.figures["train_rows"] == 80
    assert record.outcome == "held"
    assert not any("polarity" in name for name in record.figures)


def test_of_several_targets_each_has_its_score():
    record = _attempt([]).conclude(night(POLARITY, MOOD))
    mood = night(POLARITY, MOOD).judgement.cards["challenger"].targets[1]
    assert record.figures["challenger_mood_score"] == mood.score.value
    assert record.figures["champion_polarity_score"] > 0


@pytest.mark.parametrize("objective", ["balanced accuracy", "macro-F1"])
def test_every_record_names_the_objective(objective):
    attempt = _attempt([], objective=objective.lower().replace(" ", "-"))
    assert attempt.end("skipped", "no news").objective == objective


def test_what_was_told_on_the_way_is_in_the_record_however_it_ends():
    told: list[Record] = []
    attempt = _attempt(told)
    attempt.tell(quarantined={"column 'x': a number": 3}, dropped={"repeated": 2})
    attempt.note("mood has 20 rows of 'sad'")
    attempt.crash(ValueError("a cell"))
    (record,) = told
    assert record.quarantined == {"column 'x': a number": 3}
    assert record.reasons[-1] == "mood has 20 rows of 'sad'"
    assert "a cell" not in record.model_dump_json()


def test_another_look_forgets_what_the_source_was_like_and_keeps_who_was_champion():
    attempt = _attempt([])
    attempt.tell(champion_before=3, champion_after=3, dropped={"repeated": 2})
    attempt.note("2 wait for '_SUCCESS'")
    attempt.look_again()
    attempt.note("mood has 20 rows of 'sad'")
    record = attempt.end("held", "no better")
    assert record.reasons == ("no better", "mood has 20 rows of 'sad'")
    assert (record.champion_before, record.dropped) == (3, {})


def test_the_night_has_what_the_plan_says_of_targets_and_objective():
    attempt = _attempt([], objective={"kind": "f-beta", "of": "yes", "beta": 2})
    attempt.tell(
        manifest=Manifest(source="s", objects=()).listed(),
        changes=Changes(),
        champion_before=None,
        champion_after=None,
    )
    made = night(POLARITY)
    told = attempt.night(made.rows, made.methods, made.studies, made.fits, made.judgement)
    assert told.objective == "F2 of 'yes'"
    assert told.targets == attempt.plan.targets
    version = attempt.version(told, "7", "run")
    assert version.score == made.judgement.cards["challenger"].score


def test_a_fault_after_the_record_writes_no_second_one():
    told: list[Record] = []
    attempt = _attempt(told)
    first = attempt.end("held", "no better")
    assert attempt.fail(NightFailed("the claim could not be removed")) == first
    assert attempt.crash(ValueError("a cell")) == first
    assert told == [first]
