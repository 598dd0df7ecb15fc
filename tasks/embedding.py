"""Texts become vectors of frozen encoders before the search: once for all folds and trials."""

import time
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from learning.reading.wording import amount
from learning.searching.budget import Budget
from learning.searching.embedding import embed_texts
from learning.searching.workers import LOST, NoWorker, WorkerPool
from schemas.dataset import TextColumn
from schemas.faults import NightFailed
from schemas.manifest import Rows
from schemas.plan import Plan
from schemas.trials import EmbedJob

SHARE = 0.5
"""Of the time that is left for the search; what is not read by then, the folds read themselves."""


@task(name="embed texts", cache_policy=NO_CACHE)
def embed_rows(plan: Plan, rows: Rows, pool: WorkerPool, budget: Budget, vectors: Path) -> int:
    """How many texts have vectors now, of each encoder; every worker reads a part of them.

    What was read stays in the folder `vectors`, also when the night is killed.

    Raises
    ------
    NightFailed
        An encoder can't read the texts as the plan says.
    """
    log = get_run_logger()
    started = time.monotonic()
    limit_s = SHARE * (budget.deadline() - budget.clock())
    columns = tuple(n for n, c in plan.dataset.columns.items() if isinstance(c, TextColumn))
    running = [
        pool.submit(
            embed_texts,
            EmbedJob(
                embedding=embedding,
                columns=columns,
                rows=rows.train,
                part=part,
                parts=pool.workers,
                vectors=str(vectors),
            ),
            limit_s,
        )
        for embedding in plan.embeddings
        for part in range(pool.workers)
    ]
    read = 0
    for future in running:
        try:
            read += pool.result(future)
        except (TimeoutError, NoWorker, *LOST) as fault:
            log.warning(
                "not all texts were read before the search (%s): the first folds read the others",
                type(fault).__name__,
            )
        except ValueError as fault:  # of settings; it quotes no text
            raise NightFailed(f"The texts could not be read: {fault}.") from fault
    log.info("%s have vectors, in %.1f s", amount(read, "text"), time.monotonic() - started)
    return read
