"""A tiny network as a night keeps one, and three ways to spoil its weights."""

from collections.abc import Callable
from pathlib import Path

import safetensors.numpy

from learning.searching.folds import fit_fold
from schemas.features import Features
from schemas.manifest import Rows
from schemas.objectives import MacroF1
from schemas.samplers import NoResampling
from schemas.trials import Candidate, FoldJob, RefitJob
from tests.learning.neural.tiny import settled
from tests.learning.samples import COLUMNS, FOLDS, SINGLE

WEIGHTS = "weights-0.safetensors"


def refit_job(bert: Path, rows: Rows, folder: Path) -> RefitJob:
    """Of one label, its folds answered."""
    spec = settled(bert, training={"learning_rate": 5e-3, "epochs": 3})
    candidate = Candidate(features=Features(), imbalance=NoResampling(), classifier=spec)
    shared = {"candidate": candidate, "columns": COLUMNS, "rows": rows.train, "seed": 0}
    oof = {}
    for fold in range(FOLDS):
        oof[fold] = str(folder / f"oof-{fold}.npy")
        fit_fold(FoldJob(**shared, fold=fold, targets=SINGLE, threads=1, out=oof[fold]))
    return RefitJob(
        **shared,
        targets=SINGLE,
        objective=MacroF1(),
        calibration="auto",
        oof=oof,
        threads=1,
        out=str(folder / "model"),
    )


def delete(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def truncate(folder: Path) -> None:
    body = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(body[: len(body) // 2])


def swap(folder: Path) -> None:
    """For weights of another fit, as whole as these."""
    tensors = safetensors.numpy.load_file(folder / WEIGHTS)
    first = next(iter(tensors))
    tensors[first] = tensors[first] + 1
    safetensors.numpy.save_file(tensors, folder / WEIGHTS)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "deleted": (delete, f"{WEIGHTS} missing"),
    "truncated": (truncate, f"{WEIGHTS} has .* bytes, expected"),
    "swapped": (swap, f"{WEIGHTS} (was changed|has .* bytes)"),
}
"""What is done, and what is told of it."""
