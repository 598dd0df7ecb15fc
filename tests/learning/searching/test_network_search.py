"""The folds of a network's trial run side by side on all cores; its space is its own knobs'."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learning.rows.sides import read_side
from learning.searching.folds import _write
from learning.searching.space import all_settings, candidate, first_points, space
from schemas.features import Features
from schemas.manifest import Rows
from schemas.plan import Family
from schemas.samplers import NoResampling, Smote
from schemas.transformers import Encoder, Transformer
from schemas.trials import FoldJob, FoldResult
from tests.learning.samples import CLASSES, COLUMNS, FOLDS, prepared_rows
from tests.learning.searching.studied import study

NETWORK = Family(
    classifier=Transformer.model_validate(
        {
            "encoder": Encoder(model="/nowhere"),
            "tasks": {"label": {"class_multipliers": {"-1": 2.0}}},
            "training": {"epochs": 1},
        }
    )
)


class Answering:
    """A pool that answers at once, and remembers what it was asked."""

    threads = 1

    def __init__(self) -> None:
        self.jobs: list[FoldJob] = []

    def submit(
        self, work: Callable[..., Any], job: FoldJob, timeout_s: float
    ) -> Future[FoldResult]:
        self.jobs.append(job)
        folds = read_side(job.rows, ["__fold"])["__fold"].to_numpy()
        rows = int((folds == 1 << job.fold).sum())
        answers = np.random.default_rng(len(self.jobs)).dirichlet(np.ones(CLASSES), rows)
        _write(Path(job.out), answers, 1.0)
        done: Future[FoldResult] = Future()
        done.set_result(FoldResult(out=job.out, fold=job.fold, rows=rows, fit_s=1, predict_s=0))
        return done


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return prepared_rows(tmp_path / "rows", rows=90)


@pytest.mark.parametrize(("share", "threads"), [(1, 1), (3, 1), (8, 2)])
def test_the_folds_of_a_trial_go_first_and_share_the_cores(
    share: int, threads: int, rows: Rows, tmp_path: Path
) -> None:
    pool: Any = Answering()
    found = study(pool, rows, tmp_path, family=NETWORK, kept=(), share=lambda: share, trials=3)
    assert len(found.trials) == 3
    assert {job.threads for job in pool.jobs} == {threads}
    recipes = [job.candidate.model_dump_json() for job in pool.jobs]
    assert recipes[0] == recipes[1] == recipes[2] != recipes[3]
    assert [job.fold for job in pool.jobs[:FOLDS]] == list(range(FOLDS))


def test_neither_features_nor_methods_enter_the_space() -> None:
    knobs = space(NETWORK, COLUMNS, [NoResampling(), Smote()])
    assert set(knobs) == {"classifier.training.learning_rate"}
    recipe = candidate(NETWORK, [Smote()], {"classifier.training.learning_rate": 2e-5})
    assert recipe.imbalance == NoResampling()
    points = first_points(NETWORK, knobs)
    assert [point["classifier.training.learning_rate"] for point in points] == [3e-5, 5e-5]


def test_the_settings_are_the_networks_alone_with_its_tasks() -> None:
    recipe = candidate(NETWORK, [], {})
    told = all_settings(recipe, COLUMNS)
    assert told["classifier.encoder.model"] == "/nowhere"
    assert told["classifier.tasks.label.class_multipliers.-1"] == 2.0
    assert all(path.startswith("classifier.") for path in told)
    assert recipe.features.text.words is Features().text.words
