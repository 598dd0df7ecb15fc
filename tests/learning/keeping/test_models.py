"""A stored model comes back equal, or not at all."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from learning.deciding.calibration import fit_calibration
from learning.features.matrix import layout, transformer
from learning.keeping.bodies import on_features
from learning.keeping.models import FittedModel, Head, load, save, training_keys
from learning.searching.fitting import fit_targets
from schemas.classifiers import Classifier
from schemas.dataset import CategoryColumn, Column, NumberColumn, TextColumn
from schemas.faults import ModelRefused
from schemas.features import Features, TextFeatures
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.samplers import BalancedEnsemble, Imbalance, Smote
from schemas.trials import Candidate
from tests.learning.kinds import CLASSIFIERS

SPARSE: dict[str, Column] = {
    "said": TextColumn(),
    "amount": NumberColumn(),
    "shop": CategoryColumn(),
}
DENSE: dict[str, Column] = {"amount": NumberColumn(), "other": NumberColumn()}
SINGLE = targets(SingleLabel(column="label", classes=(-1, 0, 1)))
LABELS = {
    "two classes": targets(SingleLabel(column="label", classes=("no", "yes"))),
    "three classes": SINGLE,
    "multi-task": targets(MultiTaskLabel(columns={"a": (-1, 0, 1), "b": ("no", "yes")})),
    "multi-label": targets(MultiLabel(columns=("sad", "calm"))),
}
KEYS = np.array([9, 3, 3, 2**64 - 1], dtype=np.uint64)


def sample(rows: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], [rows - 20, 12, 8])
    words = np.array(["bon", "mal", "neutre", "jour", "nuit"])
    frame = pd.DataFrame(
        {
            "said": [" ".join(random.choice(words, 4)) for _ in labels],
            "amount": labels + random.normal(size=len(labels)),
            "other": random.normal(size=len(labels)),
            "shop": random.choice(["a", "b"], len(labels)),
        }
    )
    frame.loc[3, "amount"] = np.nan
    return frame, labels


def fitted(
    columns: dict[str, Column],
    kind: Classifier,
    asked: tuple[Target, ...] = SINGLE,
    imbalance: Imbalance | None = None,
) -> FittedModel:
    frame, labels = sample()
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=2)),
        imbalance=imbalance or Smote(),
        classifier=kind,
    )
    features = transformer(candidate.features, columns)
    matrix = features.fit_transform(frame)
    table = np.column_stack([np.minimum(labels, target.classes - 1) for target in asked])
    found = fit_targets(candidate, asked, matrix, layout(features), table, None, 1, 1)
    heads = tuple(
        Head(
            target=target,
            shift=(0.1, 0.0, -0.2)[: target.classes],
            calibration=fit_calibration(
                *_answers(target.classes), np.arange(90) % 3, "temperature"
            ),
            offsets=np.array([0.0, 0.5, 0.25])[: target.classes],
        )
        for target in asked
    )
    return FittedModel(body=on_features(features, found, asked), heads=heads, columns=columns)


def _answers(classes: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(90) % classes
    sure = np.full((90, classes), 0.05)
    sure[np.arange(90), labels] = 1.0
    return sure / sure.sum(axis=1, keepdims=True), np.where(np.arange(90) % 4, labels, 0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("models") / "sparse"
    return folder, save(fitted(SPARSE, CLASSIFIERS["lightgbm"]), folder, KEYS)


@pytest.fixture
def copy(stored: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(stored[0], tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("kind", CLASSIFIERS.values(), ids=CLASSIFIERS)
@pytest.mark.parametrize("columns", [SPARSE, DENSE], ids=["sparse", "dense"])
@pytest.mark.parametrize("asked", LABELS.values(), ids=LABELS)
def test_a_model_comes_back_with_equal_answers(
    kind: Classifier, columns: dict[str, Column], asked: tuple[Target, ...], tmp_path: Path
) -> None:
    model = fitted(columns, kind, asked)
    back = load(tmp_path / "m", save(model, tmp_path / "m", KEYS))
    frame, _ = sample()
    before, after = model.answers(frame), back.answers(frame)
    for ours, theirs in zip(before.probabilities, after.probabilities, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(before.decisions, after.decisions)
    assert back.targets == asked
    assert back.columns == columns


def test_all_members_of_an_ensemble_are_kept(tmp_path: Path) -> None:
    model = fitted(DENSE, CLASSIFIERS["lightgbm"], imbalance=BalancedEnsemble(members=3))
    back = load(tmp_path / "m", save(model, tmp_path / "m", KEYS))
    frame, _ = sample()
    ours, theirs = model.probabilities(frame)[0], back.probabilities(frame)[0]
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    assert len(list((tmp_path / "m").glob("classifier-0-*"))) == 3


def test_a_loaded_model_can_be_saved_again(stored: tuple[Path, str], tmp_path: Path) -> None:
    frame, _ = sample()
    first = load(*stored)
    again = load(tmp_path / "m", save(first, tmp_path / "m", KEYS))
    np.testing.assert_array_equal(again.probabilities(frame)[0], first.probabilities(frame)[0])


def test_class_values_keep_their_types(tmp_path: Path) -> None:
    mixed = targets(SingleLabel(column="label", classes=(False, "yes")))
    model = fitted(DENSE, CLASSIFIERS["logistic-regression"], mixed)
    back = load(tmp_path / "m", save(model, tmp_path / "m", KEYS))
    assert back.targets[0].class_values == (False, "yes")
    assert isinstance(back.targets[0].class_values[0], bool)


def test_no_rows_get_no_answers(stored: tuple[Path, str]) -> None:
    frame, _ = sample()
    assert load(*stored).answers(frame[:0]).decisions.shape == (0, 1)


@pytest.mark.parametrize("lost", list(SPARSE))
def test_a_feature_that_is_gone_or_of_another_role_is_missing_cells(
    lost: str, stored: tuple[Path, str]
) -> None:
    frame, _ = sample()
    other: object = "text" if lost == "amount" else 1.0
    gone = load(*stored).probabilities(frame.drop(columns=lost))[0]
    changed = load(*stored).probabilities(frame.assign(**{lost: other}))[0]
    np.testing.assert_array_equal(gone, changed)


def test_training_keys_are_kept_sorted_and_once(stored: tuple[Path, str]) -> None:
    assert training_keys(*stored).tolist() == [3, 9, 2**64 - 1]


def test_a_full_folder_is_not_overwritten(stored: tuple[Path, str]) -> None:
    with pytest.raises(ModelRefused, match="expected an empty folder"):
        save(load(*stored), stored[0], KEYS)


FILES = ("features.skops", "classifier-0-0.lgb", "model.json", "training_keys.npy", "manifest.json")


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused(name: str, copy: Path, stored: tuple[Path, str]) -> None:
    body = bytearray((copy / name).read_bytes())
    body[len(body) // 2] ^= 1
    (copy / name).write_bytes(bytes(body))
    with pytest.raises(ModelRefused, match=r"sha256|expected the manifest"):
        load(copy, stored[1])


@pytest.mark.parametrize("name", FILES[:-1])
def test_a_truncated_file_is_refused(name: str, copy: Path) -> None:
    body = (copy / name).read_bytes()
    (copy / name).write_bytes(body[:-1])
    with pytest.raises(ModelRefused, match=f"{name} has {len(body) - 1} bytes"):
        load(copy, digest=None)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(name: str, copy: Path, stored: tuple[Path, str]) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelRefused, match=name):
        load(copy, stored[1])


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="got nothing there"):
        load(tmp_path / "none", digest=None)


def test_an_extra_file_is_refused(copy: Path, stored: tuple[Path, str]) -> None:
    (copy / "extra.pkl").write_bytes(b"")
    with pytest.raises(ModelRefused, match=r"extra\.pkl too many"):
        load(copy, stored[1])


def test_a_symlink_is_refused(copy: Path, stored: tuple[Path, str]) -> None:
    (copy / "model.json").unlink()
    (copy / "model.json").symlink_to(stored[0] / "model.json")
    with pytest.raises(ModelRefused, match="not a plain file"):
        load(copy, stored[1])


def test_swapped_files_are_refused(copy: Path, stored: tuple[Path, str]) -> None:
    first, second = copy / "features.skops", copy / "training_keys.npy"
    bodies = first.read_bytes(), second.read_bytes()
    first.write_bytes(bodies[1])
    second.write_bytes(bodies[0])
    with pytest.raises(ModelRefused, match=r"features\.skops has"):
        load(copy, stored[1])


def test_another_model_under_the_same_name_is_refused(
    stored: tuple[Path, str], tmp_path: Path
) -> None:
    save(fitted(DENSE, CLASSIFIERS["logistic-regression"]), tmp_path / "other", KEYS)
    with pytest.raises(ModelRefused, match=f"expected the manifest {stored[1]}"):
        load(tmp_path / "other", stored[1])


def sealed_again(folder: Path, name: str) -> None:
    """A manifest that agrees with what an attacker wrote."""
    import hashlib

    body = (folder / name).read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_type_that_nobody_reviewed_is_not_built(copy: Path) -> None:
    skops.io.dump(FunctionTransformer(func=json.loads), copy / "features.skops")
    sealed_again(copy, "features.skops")
    with pytest.raises(ModelRefused, match="types that we do not load: json"):
        load(copy, digest=None)


def test_a_pickle_is_not_read(copy: Path) -> None:
    (copy / "features.skops").write_bytes(b"\x80\x04N.")
    sealed_again(copy, "features.skops")
    with pytest.raises(ModelRefused, match=r"features\.skops can't be read"):
        load(copy, digest=None)


def test_a_manifest_can_not_point_outside_of_the_folder(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["../other"] = {"sha256": "0" * 64, "size": 1}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelRefused, match="which no model has"):
        load(copy, digest=None)


def test_a_card_of_another_layout_is_refused(copy: Path) -> None:
    card = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(card | {"layout": 1}))
    sealed_again(copy, "model.json")
    with pytest.raises(ModelRefused, match=r"model\.json is not one that this version reads"):
        load(copy, digest=None)
