import csv

from learning.reports.files import judgement_files
from learning.reports.page import page
from schemas.night import Night
from schemas.results import WithinScore
from tests.learning.records import MOOD, POLARITY, night


def _score(**facts) -> WithinScore:
    known = {"target": "mood", "given": "polarity", "given_class": "a|b", "name": "sad"}
    counts = {"support": 20, "predicted": 10, "hits": 5}
    figures = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3}
    return WithinScore(**(known | counts | figures | facts))


def _night(*scores: WithinScore) -> Night:
    told = night(POLARITY, MOOD)
    judgement = told.judgement.model_copy(update={"within": scores})
    return told.model_copy(update={"judgement": judgement})


def test_the_page_sets_each_beside_the_f1_on_all_rows():
    told = page(_night(_score()))
    assert "### Each label within the classes of the others" in told
    line = next(line for line in told.splitlines() if line.startswith("| mood: sad"))
    assert line == "| mood: sad | polarity: a/b | 20 | 10 | 0.5000 | 0.2500 | 0.3333 | 0.6667 |"


def test_of_very_many_those_of_enough_rows_that_are_furthest_off_stay():
    near = [_score(f1=0.66, given_class=f"c{n}") for n in range(40)]
    few = [_score(f1=0.0, support=2, given_class=f"few{n}") for n in range(10)]
    told = page(_night(*few, *near, _score(f1=0.0, given_class="far")))
    assert "polarity: far" in told
    assert "polarity: few" not in told
    assert "21 more: see challenger/classes_within.csv" in told


def test_the_file_has_all_of_them_and_an_empty_cell_where_a_figure_is_not_defined():
    files = judgement_files(_night(_score(), _score(precision=None, predicted=0)))
    body = files["challenger/classes_within.csv"].decode()
    first, second = csv.DictReader(body.splitlines())
    assert (first["target"], first["class"], first["given_target"]) == ("mood", "sad", "polarity")
    assert (first["given_class"], first["f1"], second["precision"]) == ("a|b", "0.333333", "")


def test_one_label_has_neither_file_nor_table():
    told = night(MOOD)
    assert told.judgement.within == ()
    assert "challenger/classes_within.csv" not in judgement_files(told)
    assert "within the classes" not in page(told)
