"""Every name of a notebook's configuration has a knob here, or is told what is in its place."""

from pathlib import Path
from typing import Any

import pytest

from deployments.plans import load_plan
from schemas.faults import PlanError
from schemas.knobs import open_knobs, setting_paths
from schemas.replaced import REPLACED, replacement
from schemas.transformers import Encoder, TaskLoss, Transformer

RUN_4 = Path(__file__).with_name("run_4.yaml")
NAMES: dict[str, tuple[str, Any]] = {
    "MAX_LENGTH": ("max_tokens", 224),
    "EPOCHS": ("training.epochs", 20),
    "BATCH_SIZE": ("training.batch_size", 16),
    "LR": ("training.learning_rate", 2.5e-5),
    "WEIGHT_DECAY": ("training.weight_decay", 0.03),
    "WARMUP_RATIO": ("training.warm_up", 0.20),
    "EARLY_STOP_PATIENCE": ("training.patience", 8),
    "GRAD_ACCUM_STEPS": ("training.accumulation", 3),
    "MAX_GRAD_NORM": ("training.max_grad_norm", 0.5),
    "FOCAL_GAMMA_SENTIMENT": ("tasks.sentiment.focal_gamma", 2.5),
    "FOCAL_GAMMA_POLARITY": ("tasks.polarization.focal_gamma", 3.5),
    "LABEL_SMOOTH_SENTIMENT": ("tasks.sentiment.label_smoothing", 0.10),
    "LABEL_SMOOTH_POLARITY": ("tasks.polarization.label_smoothing", 0.08),
    "TASK_LOSS_WEIGHTS": ("tasks.polarization.weight", 1.4),
    "CLASS_WEIGHT_MULT": ("tasks.polarization.class_multipliers.objective", 2.50),
    "MAX_CLASS_WEIGHT": ("loss.max_class_weight", 10.0),
    "JOINT_ALPHA": ("sampling.exponent", 0.70),
    "JOINT_OVERSAMPLING_MAX_MULT": ("sampling.most", 8.0),
    "OBJECTIVE_BOOST_MULT": ("sampling.boosts.polarization.objective", 8.5),
    "NEUTRAL_BOOST_MULT": ("sampling.boosts.sentiment.neutral", 3.5),
    "HEAD_HIDDEN": ("head.hidden_width", 768),
    "HEAD_DROPOUT": ("head.dropout", 0.25),
    "HEAD_LAYERS": ("head.hidden_layers", 2),  # of its three, the last one answers
    "REP_POOLING": ("head.pooling", "cls"),
    "RDROP_ALPHA": ("loss.r_drop", 0.6),
    "RDROP_WARMUP_EPOCHS": ("loss.r_drop_warm_up", 2),
    "LLRD_DECAY": ("training.layer_decay", 0.90),
    "HEAD_LR_MULT": ("training.head_multiplier", 3.0),
}
NEEDLESS = (
    "OUT_DIR",
    "USE_THRESHOLD_TUNING",
    "USE_TASK_SPECIFIC_GRAD_NORM",
    "SENTIMENT_GRAD_NORM",
    "POLARITY_GRAD_NORM",
)


def run_4() -> dict[str, Any]:
    (family,) = load_plan(str(RUN_4)).families
    return family.classifier.model_dump()


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_of_run_4_is_a_knob_of_the_plan(name: str) -> None:
    path, setting = NAMES[name]
    place: Any = run_4()
    for part in path.split("."):
        place = place[part]
    assert place == setting
    told = replacement(name)
    assert told is not None
    general = path.replace("sentiment", "LABEL").replace("polarization", "LABEL")
    general = general.replace("objective", "CLASS").replace("neutral", "CLASS")
    assert general.removesuffix(".CLASS") in told


def test_run_4_leaves_nothing_to_search() -> None:
    (family,) = load_plan(str(RUN_4)).families
    assert open_knobs(family.classifier) == {}


@pytest.mark.parametrize("name", [*NAMES, *NEEDLESS])
def test_a_name_of_the_notebook_is_refused_with_what_is_in_its_place(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "run_4.yaml"
    path.write_text(RUN_4.read_text().replace("max_tokens: 224", f"{name}: 1"))
    with pytest.raises(PlanError, match=rf"{name}: unknown setting; here it is ") as told:
        load_plan(str(path))
    assert str(replacement(name)) in str(told.value)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("pooler", "cls, with head.hidden_layers: 1"), ("last4_mean", "last4-mean")],
)
def test_another_poolings_name_is_told_ours(theirs: str, ours: str, tmp_path: Path) -> None:
    path = tmp_path / "run_4.yaml"
    path.write_text(RUN_4.read_text().replace("pooling: cls", f"pooling: {theirs}"))
    with pytest.raises(PlanError, match=rf"head\.pooling: expected 'cls', .*; here it is {ours}"):
        load_plan(str(path))


def test_a_name_that_no_notebook_has_is_told_the_nearest_setting(tmp_path: Path) -> None:
    path = tmp_path / "run_4.yaml"
    path.write_text(RUN_4.read_text().replace("max_tokens: 224", "max_tokenz: 1"))
    with pytest.raises(PlanError, match=r"max_tokenz: unknown setting; did you mean 'max_tokens'"):
        load_plan(str(path))


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_named_in_its_place_exists(name: str) -> None:
    known = set(setting_paths(Transformer(encoder=Encoder(model="/a"))))
    known |= {f"tasks.LABEL.{path}" for path in setting_paths(TaskLoss())}
    known |= {"sampling.boosts.LABEL.CLASS", "search.seed", "calibration"}
    told = REPLACED[name].replace(":", " ").replace(",", " ").split()
    named = [word for word in told if word in known]
    assert named or told[0] in ("nothing", "cls", "last4-mean", "attention")
    assert all(word in known for word in told if "." in word[:-1] and not word[0].isdigit())
