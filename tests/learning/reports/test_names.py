import pytest

from learning.reports.names import LONGEST, folder_names, metric_names, slug


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("macro-F1", "macro_f1"),
        ("F0.5 of 'yes'", "f0_5_of_yes"),
        ("PR-AUC", "pr_auc"),
        ("balanced accuracy", "balanced_accuracy"),
        ("minus cost a row", "minus_cost_a_row"),
    ],
)
def test_objectives_have_short_plain_names(text, told):
    assert slug(text) == told


@pytest.mark.parametrize("named", [metric_names, folder_names])
def test_no_two_names_are_alike(named):
    texts = ["a|b", "a/b", "A_B", "a_b_1", "", "x" * 99, "x" * 98]
    names = named(texts)
    assert len({name.casefold() for name in names}) == len(texts)
    assert max(map(len, names)) <= LONGEST + 3


@pytest.mark.parametrize("text", ["..", "../x", "a/b", "a\\b", ".", "a:b", "a\nb", "CON.txt", ""])
def test_no_folder_leads_elsewhere(text):
    (name,) = folder_names([text])
    assert name
    assert not set(name) & set("./\\:\n")


def test_a_plain_name_stays():
    assert metric_names(["yes", "no"]) == folder_names(["yes", "no"]) == ("yes", "no")
