import csv
import io

import pytest

from learning.reports.variants import variant_files, variant_metrics, variant_rows
from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.results import Interval
from schemas.samplers import NoResampling
from schemas.trials import Candidate
from schemas.variants import Variant, VariantClass, VariantScore, VariantTable

RECIPE = Candidate(
    features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=1.0)
)


def _score(name: str, targets: tuple[str, ...] = ("label",)) -> VariantScore:
    factor, _, setting = name.partition("=")
    return VariantScore(
        variant=Variant(name=name, factor=factor, setting=setting, candidate=RECIPE),
        standing="better",
        repeats=3,
        score=Interval(value=0.7, low=0.6, high=0.8),
        plain_score=0.65,
        difference=Interval(value=0.1, low=0.05, high=0.2),
        accuracy=0.9,
        macro_f1=0.7,
        classes=tuple(
            VariantClass(target=t, name=name, support=9, precision=0.5, recall=None, f1=0.4)
            for t in targets
            for name in ("no, never", "y|s")
        ),
        seconds=1.5,
    )


def _table(*scores: VariantScore) -> VariantTable:
    return VariantTable(
        plan="tiny",
        family="lightgbm",
        objective="F2 of 'yes'",
        rows=10,
        folds=3,
        repeats=3,
        seed=0,
        confidence=0.95,
        scores=scores,
    )


FAILED = VariantScore(
    variant=Variant(name="classifier.C=9", candidate=RECIPE),
    standing="failed",
    note='ValueError: "no", never',
)


def test_the_csv_has_a_line_a_variant_and_reads_back() -> None:
    files = variant_files(_table(_score("base"), _score("classifier.C=1"), FAILED))
    base, other, failed = csv.DictReader(io.StringIO(files["variants.csv"].decode()))
    assert (other["variant"], other["factor"], other["setting"]) == (
        "classifier.C=1",
        "classifier.C",
        "1",
    )
    assert (base["score"], base["difference_low"]) == ("0.7", "0.05")
    assert (base["precision_class_no_ never"], base["recall_class_y_s"]) == ("0.5", "")
    assert (failed["standing"], failed["score"]) == ("failed", "")
    assert failed["note"] == 'ValueError: "no", never'


def test_the_json_reads_back_whole() -> None:
    table = _table(_score("base"), FAILED)
    assert VariantTable.model_validate_json(variant_files(table)["variants.json"]) == table


def test_figures_are_named_by_the_objective() -> None:
    figures = variant_metrics(_score("base"), "F2 of 'yes'")
    assert figures["val_score"] == figures["val_f2_of_yes"] == 0.7
    assert (figures["val_f2_of_yes_argmax"], figures["difference"]) == (0.65, 0.1)
    assert figures["recall_class_y_s"] is None


def test_of_several_targets_no_two_classes_share_a_name() -> None:
    figures = variant_metrics(_score("base", targets=("mood", "loud")), "macro-F1")
    assert {"f1_class_mood y_s", "f1_class_loud y_s"} <= set(figures)


def test_a_failed_variant_has_no_figure() -> None:
    figures = variant_metrics(FAILED, "macro-F1")
    assert {figure for name, figure in figures.items() if name != "seconds"} == {None}


def test_a_table_of_failures_only_is_still_a_table() -> None:
    assert variant_files(_table(FAILED))["variants.csv"].decode().count("\n") == 2


@pytest.mark.parametrize("targets", [("label",), ("mood", "loud")])
def test_the_csv_has_three_columns_a_class(targets: tuple[str, ...]) -> None:
    table = variant_files(_table(_score("base", targets)))["variants.csv"].decode()
    assert table.splitlines()[0].count("_class_") == 3 * 2 * len(targets)


def test_a_row_has_figures_and_their_bounds_or_dashes_and_why() -> None:
    base, failed = variant_rows(_table(_score("base"), FAILED))
    assert base["F2 of 'yes'"] == "0.7000 (0.6000 to 0.8000)"
    assert base["difference to base"] == "+0.1000 (+0.0500 to +0.2000)"
    assert (base["accuracy"], base["note"]) == ("0.9000", "-")
    assert (failed["accuracy"], failed["difference to base"]) == ("-", "-")
    assert failed["note"] == 'ValueError: "no", never'
