"""Models as files under the state store, versions as create-only records beside them."""

import contextlib
import importlib.metadata
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from learning.keeping.models import check, libraries_of, load
from learning.rows.examples import example
from schemas.faults import ModelRefused, ObjectMissing, StoreConflict
from schemas.ledger import Champion, Version
from schemas.night import Standing
from schemas.plan import Plan
from schemas.store import ABSENT, Store

Mirror = Callable[[str, str | None, str | None], object]
"""Sets MLflow's aliases: model, version of the champion, of the one before."""

_NEEDED = (
    "nightshift", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu", "skops", "pandas", "numpy",
    "scipy", "pyarrow", "pydantic",
)  # fmt: skip
_ATTEMPTS = 50
_MODEL = "model"  # the model's own folder; what is beside it is not hashed with it


@task(name="register", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def keep_model(store: Store, folder: Path, beside: Path, version: Version) -> Version:
    """Keep a saved model and the files beside it for good; the version with its number.

    The files go first, under the run's id, the version's record last: a kill between leaves files
    that no record names, never a record without files. Done twice, it gives the first's number.
    """
    home = f"models/{version.plan}/{version.run_id}"
    for root, place in ((folder, f"{home}/{_MODEL}"), (beside, home)):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            store.upload(path, f"{place}/{path.relative_to(root).as_posix()}")
    for kept in versions(store, version.plan):
        if kept.run_id == version.run_id and kept.digest == version.digest:
            return kept
    for _ in range(_ATTEMPTS):
        number = 1 + max((kept.number for kept in versions(store, version.plan)), default=0)
        numbered = version.model_copy(update={"number": number})
        try:
            store.write(_record(version.plan, number), _json(numbered), if_generation=ABSENT)
        except StoreConflict:
            continue  # another run took the number
        get_run_logger().info("kept as %s version %d", version.plan, number)
        return numbered
    raise StoreConflict(
        f"Expected a free version number for {version.plan} within {_ATTEMPTS} attempts, got none "
        f"in {store.uri}. Too many runs register at once; run again."
    )


@task(name="promote", cache_policy=NO_CACHE)
def promote(
    store: Store,
    version: Version,
    before: Version | None,  # the verified version that stood until now
    cutoff: datetime | None,
    move: Callable[[Champion], object],  # the ledger's compare-and-swap on the generation read
    mirror: Mirror,
) -> Champion:
    """Make the version the champion; MLflow's aliases follow.

    Raises
    ------
    StoreConflict
        Somebody else moved the champion since this night read it: its verdict is void.
    """
    champion = Champion(
        plan=version.plan,
        version=version.number,
        digest=version.digest,
        since=version.created_at,
        run_id=version.run_id,
        previous=before.number if before else None,
        cutoff=cutoff,
    )
    move(champion)
    mirror_champion(store, champion, mirror)
    get_run_logger().info("champion of %s: version %d", version.plan, version.number)
    return champion


def _recorded(store: Store, champion: Champion) -> Version:
    """The champion's version; the digest that counts is the one that `champion.json` names."""
    version = version_of(store, champion.plan, champion.version)
    return version.model_copy(update={"digest": champion.digest})


def mirror_champion(store: Store, champion: Champion | None, mirror: Mirror) -> None:
    """Make MLflow's aliases say what `champion.json` says.

    Done at each promotion, and at the start of each night that trains: a kill between the two
    moves, or a hand in MLflow, is mended by the next one. They are a copy, so that one of a
    version whose record is gone is left out.
    """
    if champion is None:
        return
    told = {version.number: version.mlflow_version for version in versions(store, champion.plan)}
    mirror(champion.plan, told.get(champion.version), told.get(champion.previous or 0))


@task(name="load champion", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def standing_champion(store: Store, champion: Champion | None, cache: Path) -> Standing | None:
    """The champion verified and at hand, or the version before it where its bytes are not right.

    Raises
    ------
    ModelRefused
        Neither can be verified: nothing may be promoted against an unknown champion.
    """
    if champion is None:
        return None
    try:
        return verified(store, _recorded(store, champion), cache)
    except ModelRefused as refusal:
        if champion.previous is None:
            raise
        get_run_logger().warning("the champion is refused: %s", refusal)
        before = version_of(store, champion.plan, champion.previous)
        standing = verified(store, before, cache)
        note = f"version {champion.version} was refused ({refusal}); version {before.number} stands"
        return standing.model_copy(update={"note": note})


def save_pyfunc(folder: Path, version_digest: str, plan: Plan, to: Path) -> Path:
    """The saved model as an MLflow pyfunc whose loader is our own verified load.

    Requirements are stated, not inferred, and no code or pickle is stored. The example of its
    input is made up: the data's own cells never leave by it.

    Raises
    ------
    ModelRefused
        The folder's bytes are not those that were recorded when it was saved.
    """
    check(folder, version_digest)
    with warnings.catch_warnings():
        # Of type hints in MLflow's own modules, as they are imported.
        warnings.filterwarnings("ignore", "(?s).*type hint", UserWarning)
        import mlflow.pyfunc as pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from mlflow.types.schema import AnyType

    shutil.rmtree(to, ignore_errors=True)
    # Else MLflow copies the project files of whatever folder the night was started in.
    for detail in ("MLFLOW_UV_AUTO_DETECT", "MLFLOW_LOG_UV_FILES"):
        os.environ.setdefault(detail, "false")
    # Any type: MLflow refuses whole numbers for doubles; the loader makes of cells what it needs.
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(AnyType(), name, required=False)  # type: ignore[no-untyped-call]
        for name in plan.dataset.columns
    ]
    # MLflow asks for pip's version, and an environment made by uv has no pip; that it looks at
    # the example is no news either.
    for told, level in (("utils.environment", logging.ERROR), ("pyfunc", logging.WARNING)):
        logging.getLogger(f"mlflow.{told}").setLevel(level)
    pyfunc.save_model(
        str(to),
        loader_module="learning.keeping.serving",
        data_path=str(folder),
        pip_requirements=_requirements(folder),
        signature=ModelSignature(inputs=Schema(columns)),
        input_example=example(plan.dataset.columns),
        metadata={"nightshift_digest": version_digest, "plan": plan.name},
    )
    return to


def _requirements(folder: Path) -> list[str]:
    """What a model of any family needs, and this one besides; XGBoost comes under two names, one of
    them without GPU.
    """
    found = {name: _installed(name) for name in dict.fromkeys((*_NEEDED, *libraries_of(folder)))}
    # Without what follows a plus: of torch it says which processor the build here is for.
    return [f"{name}=={told.partition('+')[0]}" for name, told in found.items() if told]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(store: Store, plan: str) -> list[Version]:
    """Every registered version of the plan, oldest first."""
    found = store.contents(f"versions/{plan}/")
    return [Version.model_validate_json(content) for _, content in found]


def version_of(store: Store, plan: str, number: int) -> Version:
    """One version's record.

    Raises
    ------
    ModelRefused
        There is none of that number.
    """
    try:
        return Version.model_validate_json(store.read(_record(plan, number))[0])
    except ObjectMissing:
        known = ", ".join(str(version.number) for version in versions(store, plan)) or "none"
        raise ModelRefused(
            f"Expected version {number} of {plan} in {store.uri}, got none; versions there: "
            f"{known}. `nightshift models list {plan}` shows them."
        ) from None


def fetch_model(store: Store, version: Version, cache: Path) -> Path:
    """The version's files in a local folder; unverified: `learning.keeping.models.load` checks.

    A folder is there whole or not at all: it is fetched aside and renamed, so neither a kill nor
    another process that fetches the same version leaves a part of one.

    Raises
    ------
    ModelRefused
        The files of the version are gone from the store.
    """
    folder = cache / ".models" / version.digest  # no plan's name begins with a dot
    if folder.is_dir():
        return folder
    prefix = f"models/{version.plan}/{version.run_id}/{_MODEL}/"
    refs = list(store.list(prefix))
    if not refs:
        raise ModelRefused(
            f"Expected the files of {version.plan} version {version.number} under {store.uri}/"
            f"{prefix}, got none. Restore them from a backup, or promote another version."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder.parent) as aside:
        part = Path(aside) / "model"
        for ref in refs:
            store.download(ref, part / ref.name.removeprefix(prefix))
        with contextlib.suppress(OSError):  # another process was faster
            part.rename(folder)
    return folder


def verified(store: Store, version: Version, cache: Path) -> Standing:
    """The version, its bytes checked; a copy in the cache that is not right is fetched anew."""
    folder = fetch_model(store, version, cache)
    try:
        load(folder, version.digest)
    except ModelRefused:
        shutil.rmtree(folder, ignore_errors=True)
        folder = fetch_model(store, version, cache)
        try:
            load(folder, version.digest)
        except ModelRefused as refusal:
            shutil.rmtree(folder, ignore_errors=True)  # once mended, the next look sees it
            place = f"{store.uri}/models/{version.plan}/{version.run_id}/{_MODEL}"
            copy = version.mlflow_version and f"models:/{version.plan}/{version.mlflow_version}"
            raise ModelRefused(
                f"Version {version.number} of {version.plan} is refused: {refusal}\n"
                f"Restore the files under {place} from a backup"
                f"{f', or from MLflow (the data folder of {copy})' if copy else ''}; or give it "
                f"up: remove {store.uri}/champions/{version.plan}/champion.json, and the next "
                "night with --force starts without a champion."
            ) from refusal
    return Standing(version=version, folder=str(folder))


def _record(plan: str, number: int) -> str:
    return f"versions/{plan}/{number:06d}.json"


def _json(version: Version) -> bytes:
    return version.model_dump_json(indent=2).encode()
