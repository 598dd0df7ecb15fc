"""Pretrained encoders, brought to this machine before a night spends its budget."""

import os
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from learning.extras import HOW_TO, lacking
from learning.neural.folders import located, width
from schemas.faults import EncoderMissing, NightFailed, PlanError
from schemas.plan import Plan
from schemas.transformers import Encoder, Transformer

FILES = ("*.safetensors", "*.json", "*.txt", "*.model")
"""Numbers, settings and vocabularies; no pickle and no code is downloaded."""

_TIMEOUT_S = 3600
_ETAG_TIMEOUT_S = 20


def encoders(plan: Plan) -> tuple[Encoder, ...]:
    """What the plan's families start from, and what reads its texts for the others; each once."""
    tuned = [
        family.classifier.encoder
        for family in plan.families
        if isinstance(family.classifier, Transformer)
    ]
    return tuple(dict.fromkeys([*tuned, *(each.encoder for each in plan.embeddings)]))


def refuse_widths(plan: Plan) -> None:
    """PlanError where a frozen encoder, which is here, makes vectors of another width."""
    for embedding in plan.embeddings:
        found = width(embedding.encoder, located(embedding.encoder))
        if found != embedding.dimension:
            raise PlanError(
                f"features.text.embedding.dimension: expected {found}, as wide as "
                f"{embedding.encoder.model} is, got {embedding.dimension}; correct the plan"
            )


def _is_passing(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Trying again brings no weights where there are none."""
    return isinstance(state.result(raise_on_failure=False), NightFailed)


@task(
    name="fetch encoder",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=[5, 20, 60],
    retry_condition_fn=_is_passing,
    timeout_seconds=_TIMEOUT_S,
)
def fetch_encoder(encoder: Encoder) -> str:
    """Where the encoder is on this machine; one on the hub is downloaded at its revision, once.

    Raises
    ------
    EncoderMissing
        The extra is not installed, or the encoder is nowhere, or not of a kind that we load.
    NightFailed
        The hub did not answer, though it was asked again.
    """
    if missing := lacking():
        raise EncoderMissing(
            f"Expected {', '.join(missing)} for the encoder in this plan, got none; {HOW_TO}."
        )
    try:
        return str(located(encoder))
    except EncoderMissing:
        if encoder.is_folder:
            raise
    _download(encoder)
    folder = located(encoder)
    get_run_logger().info("%s at %s is here", encoder.model, encoder.revision)
    return str(folder)


def _download(encoder: Encoder) -> None:
    from httpx import HTTPError
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    try:
        snapshot_download(
            encoder.model,
            revision=encoder.revision,
            allow_patterns=list(FILES),
            etag_timeout=_ETAG_TIMEOUT_S,
            local_files_only=offline,
        )
    except (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as e:
        raise EncoderMissing(
            f"Expected {encoder.model} at {encoder.revision} on the hub, got "
            f"{type(e).__name__}. Correct the encoder in the plan's families; for a model "
            "behind a licence, accept it there and set HF_TOKEN."
        ) from e
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as e:
        if offline:
            raise EncoderMissing(
                f"Expected {encoder.model} at {encoder.revision} in the local cache, got none, and "
                "HF_HUB_OFFLINE forbids to fetch it. Download it once without that, or name a "
                "folder that has it."
            ) from e
        raise _unanswered(encoder, e) from e
    except (HfHubHTTPError, HTTPError, OSError) as e:
        raise _unanswered(encoder, e) from e


def _unanswered(encoder: Encoder, fault: Exception) -> NightFailed:
    return NightFailed(
        f"Expected {encoder.model} at {encoder.revision} from the hub, got no answer "
        f"({type(fault).__name__}). Check the connection and HF_ENDPOINT, or download the model "
        "once and name its folder."
    )
