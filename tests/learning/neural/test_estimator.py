"""The estimator from frame to probabilities."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from learning.neural.epochs import Epoch
from learning.neural.estimator import TransformerClassifier
from schemas.transformers import Transformer
from tests.learning.neural.tiny import GRIM, LENGTH, MOOD, SUNNY, make_bert, rows, settled

TARGETS = (MOOD, LENGTH)


def unfitted(spec: Transformer, seed: int = 1) -> TransformerClassifier:
    return TransformerClassifier(spec, TARGETS, ("text",), seed, threads=1)


@pytest.fixture(scope="module")
def fitted(bert: Path) -> TransformerClassifier:
    spec = settled(bert, training={"epochs": 12, "learning_rate": 3e-3})
    return unfitted(spec).fit(*rows(120))


def test_it_learns_what_its_rows_say(fitted: TransformerClassifier) -> None:
    frame, labels = rows(120)
    answers = fitted.predict_proba(frame)
    assert [(answer.argmax(1) == labels[:, place]).mean() > 0.9 for place, answer in
            enumerate(answers)] == [True, True]  # fmt: skip


def test_answers_are_probabilities_of_each_target_in_the_order_of_the_rows(
    fitted: TransformerClassifier,
) -> None:
    frame, _ = rows(40, seed=3)
    answers = fitted.predict_proba(frame)
    turned = fitted.predict_proba(frame.iloc[::-1])
    assert [answer.shape for answer in answers] == [(40, 3), (40, 2)]
    for answer, other in zip(answers, turned, strict=True):
        assert answer.dtype == np.float64
        np.testing.assert_allclose(answer.sum(1), 1.0)
        np.testing.assert_allclose(answer[::-1], other, atol=1e-6)


def test_no_rows_have_no_answers(fitted: TransformerClassifier) -> None:
    answers = fitted.predict_proba(pd.DataFrame({"text": pd.Series([], dtype=object)}))
    assert [answer.shape for answer in answers] == [(0, 3), (0, 2)]


def test_a_missing_text_reads_as_an_empty_one(fitted: TransformerClassifier) -> None:
    texts = pd.DataFrame({"text": ["", None, float("nan")]})
    for answer in fitted.predict_proba(texts):
        assert np.isfinite(answer).all()
        np.testing.assert_allclose(answer[1:], answer[[0, 0]], atol=1e-6)


def test_words_behind_the_longest_text_are_not_read(fitted: TransformerClassifier) -> None:
    long = " ".join(["plain"] * 14)
    texts = pd.DataFrame({"text": [long, f"{long} good good good"]})
    for answer in fitted.predict_proba(texts):
        np.testing.assert_allclose(answer[0], answer[1], atol=1e-6)


def test_a_seed_gives_one_network_and_another_seed_another(bert: Path) -> None:
    spec = settled(bert, training={"epochs": 1}, sampling={"word_dropout": 0.3, "exponent": 0.5})
    frame, labels = rows(30)
    first, again, other = (
        unfitted(spec, seed).fit(frame, labels).predict_proba(frame)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_scikit_learn_clones_it(bert: Path) -> None:
    estimator = unfitted(settled(bert))
    copied = clone(estimator)
    assert copied is not estimator
    assert copied.get_params() == estimator.get_params()


def test_every_epoch_is_told_when_it_is_over(bert: Path) -> None:
    told: list[Epoch] = []
    spec = settled(bert, training={"epochs": 3, "validation_share": 0.25})
    estimator = unfitted(spec).fit(*rows(60), told=told.append)
    assert tuple(told) == estimator.history_
    assert [epoch.epoch for epoch in told] == [1, 2, 3]
    assert [len(epoch.scores[0].class_f1) for epoch in told] == [3, 3, 3]
    assert all(epoch.score is not None and epoch.held_loss is not None for epoch in told)


def test_what_is_raised_while_an_epoch_is_told_ends_the_fit(bert: Path) -> None:
    class Enough(Exception):
        pass

    def stop(epoch: Epoch) -> None:
        raise Enough(f"after {epoch.epoch}")

    with pytest.raises(Enough, match="after 1"):
        unfitted(settled(bert)).fit(*rows(30), told=stop)


def test_patience_ends_the_fit_and_the_best_weights_are_kept(bert: Path) -> None:
    spec = settled(
        bert,
        training={"epochs": 30, "learning_rate": 0.03, "validation_share": 0.3, "patience": 2},
    )
    frame, labels = rows(60)
    estimator = unfitted(spec).fit(frame, labels)
    reached = [epoch.score or 0.0 for epoch in estimator.history_]
    best = reached.index(max(reached))
    assert len(reached) == best + 3
    short = settled(bert, training={**spec.training.model_dump(), "patience": None})
    longer = unfitted(short)
    longer.fit(frame, labels)
    assert max(epoch.score or 0.0 for epoch in longer.history_) >= max(reached)


def test_members_are_averaged(bert: Path) -> None:
    frame, labels = rows(30)
    pair = unfitted(settled(bert, training={"epochs": 1, "seeds": 2})).fit(frame, labels)
    alone = [
        unfitted(settled(bert, training={"epochs": 1}), seed).fit(frame, labels) for seed in (1, 2)
    ]
    mean = np.mean([member.predict_proba(frame)[0] for member in alone], axis=0)
    np.testing.assert_allclose(pair.predict_proba(frame)[0], mean, atol=1e-6)
    assert [epoch.member for epoch in pair.history_] == [0, 1]


def test_a_flag_answers_in_two_columns(bert: Path) -> None:
    frame, _ = rows(60)
    labels = np.column_stack([frame["text"].str.contains(word) for word in ("sunny", "grim")])
    estimator = TransformerClassifier(settled(bert), (SUNNY, GRIM), ("text",), 1, 1)
    answers = estimator.fit(frame, labels.astype(int)).predict_proba(frame)
    assert [answer.shape for answer in answers] == [(60, 2), (60, 2)]
    assert estimator.answers_.logits(frame)[0].shape == (60, 2)


def test_a_second_text_is_read_too(bert: Path) -> None:
    frame, labels = rows(30)
    both = frame.assign(more=frame["text"].iloc[::-1].to_numpy())
    estimator = TransformerClassifier(settled(bert), TARGETS, ("text", "more"), 1, 1)
    answers = estimator.fit(both, labels).predict_proba(both)[0]
    other = estimator.predict_proba(both.assign(more="good good"))[0]
    assert np.abs(answers - other).max() > 1e-5


def test_only_the_ratios_of_row_weights_count(bert: Path) -> None:
    frame, labels = rows(30)
    spec, weights = settled(bert, training={"epochs": 1}), np.linspace(0.5, 2.0, 30)
    one, other, plain = (
        unfitted(spec).fit(frame, labels, each).predict_proba(frame)[0]
        for each in (weights, weights * 0.001, None)
    )
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(one - plain).max() > 1e-5


def test_more_tokens_than_the_encoder_has_positions_are_refused(bert: Path) -> None:
    with pytest.raises(ValueError, match="max_tokens of at most 32, got 64"):
        unfitted(settled(bert, max_tokens=64)).fit(*rows(12))


def test_a_loss_that_is_no_number_ends_the_fit(tmp_path: Path) -> None:
    folder = make_bert(tmp_path / "bert")
    with pytest.raises(ArithmeticError, match="expected a finite loss"):
        unfitted(settled(folder, training={"learning_rate": 1e30})).fit(*rows(30))


def test_gradient_checkpointing_changes_no_answer(bert: Path) -> None:
    frame, labels = rows(30)
    plain, saved = (
        unfitted(settled(bert, training={"epochs": 1, "gradient_checkpointing": each}))
        .fit(frame, labels)
        .predict_proba(frame)[0]
        for each in (False, True)
    )
    np.testing.assert_allclose(plain, saved, atol=1e-6)


def test_rows_of_one_group_all_learn_whatever_is_to_be_held_back(bert: Path) -> None:
    spec = settled(bert, training={"epochs": 2, "validation_share": 0.25, "patience": 1})
    frame, labels = rows(12)
    estimator = unfitted(spec).fit(frame, labels, groups=np.zeros(12, dtype=np.uint64))
    assert [epoch.score for epoch in estimator.history_] == [None, None]
    assert sum(estimator.trained_[0]) == pytest.approx(12)
