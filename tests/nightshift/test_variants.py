import sys

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.variant_table import variants_told
from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.results import Interval
from schemas.samplers import NoResampling
from schemas.trials import Candidate
from schemas.variants import Standing, Variant, VariantClass, VariantScore, VariantTable

RECIPE = Candidate(
    features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=1.0)
)


def _score(name: str, standing: Standing, repeats: int = 3, classes: int = 2) -> VariantScore:
    return VariantScore(
        variant=Variant(name=name, candidate=RECIPE),
        standing=standing,
        repeats=repeats,
        score=Interval(value=0.7, low=0.6, high=0.8),
        plain_score=0.65,
        difference=None if standing == "base" else Interval(value=0.1, low=-0.05, high=0.2),
        accuracy=0.9,
        macro_f1=0.71,
        classes=tuple(
            VariantClass(
                target="label", name=f"[red]{c}", support=100 - c, precision=1, recall=1, f1=0.4321
            )
            for c in range(classes)
        ),
        seconds=1.5,
    )


FAILED = VariantScore(
    variant=Variant(name="classifier.C=9", candidate=RECIPE), standing="failed", note="ValueError"
)


def _told(*scores: VariantScore, objective: str = "macro-F1") -> str:
    table = VariantTable(
        plan="tiny",
        family="lightgbm",
        objective=objective,
        rows=1234,
        folds=3,
        repeats=3,
        seed=0,
        confidence=0.95,
        scores=scores,
    )
    console = Console(width=400, highlight=False)
    with console.capture() as captured:
        console.print(variants_told(table))
    return captured.get()


def test_the_table_tells_figures_difference_and_standing():
    told = _told(_score("base", "base"), _score("imbalance=smote", "within noise"))
    assert "tiny: variants of lightgbm" in told
    assert "1,234 rows, 3 x 3 folds, macro-F1 with cross-fitted offsets, 95% intervals" in told
    assert "0.7000 (0.6000 to 0.8000)" in told
    assert "+0.1000 (-0.0500 to +0.2000)" in told
    assert "within noise" in told
    assert "F1 [red]0" in told
    assert "if none of the 1 variants differed, about 0.1" in told


def test_macro_f1_is_told_beside_another_objective():
    base = _score("base", "base")
    assert "0.7100" in _told(base, objective="balanced accuracy")
    assert "0.7100" not in _told(base)


def test_a_failed_variant_is_told_below_the_table():
    assert "classifier.C=9: left out: ValueError" in _told(_score("base", "base"), FAILED)


def test_of_many_classes_the_rarest_are_told():
    told = _told(_score("base", "base", classes=9))
    assert [c for c in range(9) if f"[red]{c}" in told] == [5, 6, 7, 8]


def test_repeats_are_told_where_some_have_fewer():
    even = _told(_score("base", "base"), _score("a", "better"))
    assert "repeats" not in even
    assert "repeats" in _told(_score("base", "base"), _score("a", "better", repeats=2))


def test_one_repeat_is_told_to_decide_nothing():
    told = _told(_score("base", "base", repeats=1), _score("a", "undecided", repeats=1))
    assert "one repeat does not tell what folds and seeds do" in told


@pytest.fixture
def plan(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets its own
    settled = {"kind": "logistic-regression", "C": 1.0}
    (tmp_path / "tiny.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "tiny",
                "dataset": {"source": "drops", "columns": {"x": "number"}},
                "label": {"column": "y", "classes": ["no", "yes"]},
                "families": [{"classifier": settled}, {"classifier": {"kind": "lightgbm"}}],
            }
        )
    )
    return str(tmp_path / "tiny.yaml")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--family", "svm"], "--family: expected one of logistic-regression, lightgbm"),
        (["--factor", "C"], "--factor: expected one of imbalance,"),
        (["--family", "lightgbm", "--factor", "C"], "classifier.rounds"),
        (["--repeats", "0"], "--repeats"),
        (["--budget-minutes", "-1"], "budget minutes: expected a number above 0"),
    ],
)
def test_what_can_not_be_compared_is_told_before_anything_starts(plan, tmp_path, words, told):
    outcome = CliRunner().invoke(app, ["variants", plan, *words])
    assert outcome.exit_code == 2
    assert told in outcome.output
    assert not (tmp_path / "home").exists()
