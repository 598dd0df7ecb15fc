import json
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.quickstart import deal
from nightshift import cli
from nightshift.cli import app
from schemas.ledger import Champion, Record, Version
from schemas.store import ABSENT
from tasks.ledger.champions import move_champion
from tasks.ledger.records import write_record
from tasks.storage import open_store

NOW = datetime(2026, 1, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets its own
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str):
    return CliRunner().invoke(app, list(words))


def record(plan: str, outcome: str = "promoted", note: str = "") -> Record:
    return Record(
        plan=plan,
        outcome=outcome,
        run_id=f"{plan}-{outcome}",
        started_at=NOW,
        ended_at=NOW,
        reasons=("because",),
        plan_digest="d",
        code_version="1",
        note=note,
    )


def test_help_is_there_in_a_second_and_imports_nothing_heavy(tmp_path):
    heavy = ("prefect", "mlflow", "sklearn", "pandas", "numpy", "pydantic")
    code = f"import sys, nightshift.cli; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
    started = time.process_time()
    assert run("--help").exit_code == 0
    assert time.process_time() - started < 1


@pytest.mark.parametrize("command", [(), ("models",), ("plan",)])
def test_a_bare_command_shows_what_there_is(command):
    assert "Commands" in run(*command).output


def test_an_empty_ledger_is_no_fault(home):
    told = run("nights")
    assert told.exit_code == 0
    assert "no nights yet" in told.output
    assert not home.exists()


def test_nights_lists_the_ledger_of_all_plans_or_of_one(home):
    store = open_store(str(home / "state"))
    (home / "state").mkdir(parents=True)
    write_record(store, record("quickstart"))
    write_record(store, record("comments", "rejected-data"))
    assert {"quickstart", "comments"} <= set(run("nights").output.split())
    listed = json.loads(run("nights", "comments", "--json").output)
    assert [Record.model_validate(entry).outcome for entry in listed] == ["rejected-data"]


def test_models_of_an_empty_home_are_told_to_be_trained(home):
    told = run("models", "list", "quickstart")
    assert told.exit_code == 4
    assert "`nightshift train quickstart` trains one" in told.stderr
    assert not home.exists()


@pytest.fixture
def kept(home) -> Path:
    """With versions 1 and 2 of `mine`, of which 1 is the champion; its YAML is elsewhere."""
    (home / "state").mkdir(parents=True)
    store = open_store(str(home / "state"))
    for number in (1, 2):
        version = Version(
            plan="mine", number=number, digest="d", family="lr", run_id="r", created_at=NOW
        )
        store.write(f"versions/mine/{number:06}.json", version.model_dump_json().encode(), ABSENT)
    champion = Champion(plan="mine", version=1, digest="d", since=NOW, run_id="r")
    move_champion(store, "mine", champion, ABSENT)
    return home


def test_a_program_learns_which_version_is_the_champion(kept):
    listed = json.loads(run("models", "list", "mine", "--json").output)
    assert [(each["number"], each["champion"]) for each in listed] == [(1, True), (2, False)]
    latest = json.loads(run("models", "latest", "mine", "--json").output)
    assert [each["champion"] for each in latest] == [False]


@pytest.mark.parametrize(
    "words",
    [
        ("models", "list", "mime"),
        ("models", "get", "mime", "--output", "x"),
        ("predict", "mime", "--input", "a.csv", "--output", "b.csv"),
    ],
    ids=" ".join,
)
def test_a_plan_that_nobody_has_heard_of_is_told_its_nearest(kept, words):
    told = run(*words)
    assert told.exit_code == 2
    assert "There is no plan 'mime'" in told.stderr
    assert "did you mean 'mine'?" in told.stderr
    assert "nightshift train" not in told.stderr


def test_predicting_by_the_name_of_a_plan_kept_elsewhere_asks_for_its_file(kept):
    told = run("predict", "mine", "--input", "a.csv", "--output", "b.csv")
    assert told.exit_code == 2
    assert "Expected the YAML file of plan 'mine'" in told.stderr
    assert "`nightshift predict path/to/mine.yaml`" in told.stderr


def test_a_bad_plan_ends_with_2_and_all_its_faults(home, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: Bad\nlabel: {}\n")
    told = run("plan", "check", "bad.yaml")
    assert told.exit_code == 2
    assert told.stderr.startswith("nightshift: bad.yaml has ")
    assert "dataset: expected a setting" in told.stderr
    assert "Traceback" not in told.output


def test_debug_shows_the_stack_wherever_it_stands(home):
    told = run("plan", "check", "nope.yaml", "--debug")
    assert told.exception is not None
    assert type(told.exception).__name__ == "PlanError"


def test_a_checked_plan_tells_rows_of_each_class_and_leaves_nothing_behind(home, tmp_path):
    deal(tmp_path / "rows")
    code = [
        sys.executable,
        "-m",
        "nightshift.cli",
        "plan",
        "check",
        "quickstart",
        "--source",
        "rows",
    ]
    told = subprocess.run(code, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert "1 of 1 object in" in told.stdout
    assert "897 valid rows (no: 816, yes: 81)" in told.stdout
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "a", "b", "--source", "x"), "--source: expected exactly one PLAN"),
        (("train", "--budget-minutes", "soon"), "--budget-minutes"),
        (("trian",), "No such command"),
        (("predict", "quickstart"), "--input"),
        (("nights", ".."), "PLAN: expected a plan's name"),
        (("nights", ""), "PLAN: expected a plan's name"),
        (("nights", "../x"), "x; expected a YAML file of that name"),
        (("models", "list", "Quick start"), "got 'Quick start'"),
        (("models", "latest", "../x"), "x; expected a YAML file of that name"),
        (("models", "get", "..", "--output", "kept"), "PLAN: expected a plan's name"),
        (("predict", "..", "--input", "a.csv", "--output", "b.csv"), "There is no plan '..'"),
    ],
)
def test_wrong_arguments_end_with_2(home, words, told):
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("words", [("train", "quickstart"), ("up",)], ids=" ".join)
def test_a_home_that_cannot_be_made_is_no_defect_of_ours(home, monkeypatch, words):
    (home.parent / "file").touch()
    monkeypatch.setenv("NIGHTSHIFT_HOME", "file/home")
    told = run(*words)
    assert told.exit_code == 2
    assert "NIGHTSHIFT_HOME expected a folder that can be made" in told.stderr


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ((record("a"), record("b", "skipped")), 0),
        ((record("a", "failed", "bad-plan"),), 2),
        ((record("a", "failed", "bad-plan"), record("b", "rejected-data")), 3),
        ((record("a", "failed"), record("b", "rejected-data"), record("c")), 4),
    ],
)
def test_train_ends_with_the_code_of_its_worst_night(home, monkeypatch, records, code):
    monkeypatch.setattr(cli, "_nights", lambda *_given: records)
    told = run("train")
    assert told.exit_code == code
    assert all(record.plan in told.output for record in records)


def test_a_defect_is_told_in_one_line_without_its_words(capsys):
    try:
        raise ValueError("a cell of the data")
    except ValueError as defect:
        cli._tell_defect(type(defect), defect, defect.__traceback__)
    told = capsys.readouterr().err
    assert "ValueError at " in told
    assert "test_cli.py" in told
    assert "a cell of the data" not in told


def test_a_faulty_plan_does_not_hide_faults_of_its_data(home):
    (home.parent / "rows.csv").write_text("size,more,y\n?,1,a\n2,2,c\n3,3,b\n")
    (home.parent / "mine.yaml").write_text(
        "name: mine\ndataset: {source: ., columns: {size: number, more: numbr}}\n"
        "label: {column: y, classes: [a, b]}\nserach: {}\n"
    )
    told = run("plan", "check", "mine.yaml")
    assert told.exit_code == 2
    for part in ("mine.yaml has 2 faults", "did you mean 'number'", "did you mean 'search'",
                 "column 'size': expected a number", "column 'y': expected one of"):  # fmt: skip
        assert part in told.output
    assert "beyond the plan's" not in told.output


def test_a_plan_of_a_file_is_written_checked_and_not_written_over(home):
    lines = [f"{n},{n * 7919 % 13},{'ab'[n * 31 % 7 > 3]}" for n in range(300)]
    (home.parent / "my data.csv").write_text("\n".join(["id,size,y", *lines]))
    told = run("plan", "init", "my data.csv", "--label", "y")
    assert told.exit_code == 0
    assert "nightshift train my-data.yaml" in told.output
    assert run("plan", "check", "my-data.yaml").exit_code == 0
    assert "--force replaces it" in run("plan", "init", "my data.csv", "--label", "y").output
    assert run("plan", "init", "my data.csv", "--label", "y", "--force").exit_code == 0


def test_a_check_of_many_classes_is_one_short_line_with_their_ends(home):
    lines = [f"{n * 31 % 89},intent {n % 151}" for n in range(151 * 8 + 3)] + ["7,"]
    (home.parent / "many.csv").write_text("\n".join(["size,y", *lines]))
    assert run("plan", "init", "many.csv", "--label", "y").exit_code == 0
    told = run("plan", "check", "many.yaml").output
    assert "1 of 1 object in " in told
    assert "(151 classes; largest: intent 2: 9, intent 1: 9, intent 0: 9; rarest: intent 3" in told
    assert "a night would set aside 1 of 1,212 rows" in told
    assert max(map(len, told.splitlines())) < 400


def test_a_plan_of_few_rows_is_told_and_passes_its_check(home):
    lines = [f"{n * 31 % 89},{'ab'[n % 2]}" for n in range(30)]
    (home.parent / "few.csv").write_text("\n".join(["size,y", *lines]))
    told = run("plan", "init", "few.csv", "--label", "y").output
    assert "30 rows are few: the plan lowers dataset.floors.rows to 15" in told
    assert run("plan", "check", "few.yaml").exit_code == 0


def test_drops_are_dealt_one_at_a_time(home):
    lines = [f"{n * 31 % 89},{'ab'[n % 3 > 1]}" for n in range(90)]
    (home.parent / "all.csv").write_text("\n".join(["size,y", *lines]))
    assert run("plan", "init", "all.csv", "--label", "y").exit_code == 0
    deal = ("simulate", "all.yaml", "--from", "all.csv", "--days", "2", "--to", "drops", "--next")
    assert "all-2026-01-01.csv: 45 rows, dealt a: " in run(*deal).output
    assert "all-2026-01-02.csv: 45 rows, dealt a: " in run(*deal).output
    assert "no more rows to deal" in run(*deal).output
    assert run("plan", "check", "all.yaml", "--source", "drops").exit_code == 0
    assert "there twice" in run(*deal[:6]).output


def test_a_pickle_is_converted_only_when_it_is_trusted(home):
    (home.parent / "rows.pkl").write_bytes(pickle.dumps([{"size": 1}, {"size": 2}]))
    untrusted = run("data", "convert", "rows.pkl")
    assert untrusted.exit_code == 2
    assert "say so with --trusted" in untrusted.output
    assert "wrote rows.parquet: 2 rows" in run("data", "convert", "--trusted", "rows.pkl").output


def test_a_name_that_no_plan_may_have_is_told(home):
    (home.parent / "all.csv").write_text("size,y\n")
    told = run("plan", "init", "all.csv", "--label", "y", "--name", "My Plan")
    assert told.exit_code == 2
    assert "--name: expected a small letter" in told.output
