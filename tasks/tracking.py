"""MLflow, written by the coordinator alone: studies as parent runs, trials nested, models by alias.

Only `MlflowClient` is used: the fluent API's active run is thread-local, and families are tuned in
threads. The database is migrated once, here, before anything runs beside it: parallel first
connects corrupt the migration (`duplicate column name`).
"""

import functools
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from learning.reports.names import slug
from learning.reports.studies import study_files
from schemas.classifiers import TITLES
from schemas.faults import NightFailed
from schemas.trials import StudyResult, TrialRecord

Write = TypeVar("Write", bound=Callable[..., str])
_STATUS = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}
_LONGEST_PARAM = 6000  # MLflow's own limits: letters, then entries of each kind in a batch
_MOST_METRICS, _MOST_OTHERS = 1000, 100
_log = logging.getLogger(__name__)


def _surviving(doing: str) -> Callable[[Write], Write]:
    """One caller at a time; an MLflow that fails is noted once and left alone for the night."""

    def wrap(write: Write) -> Write:
        @functools.wraps(write)
        def guarded(tracker: "Tracker", *args: Any, **kwargs: Any) -> str:
            with tracker.lock:
                if tracker.trouble:
                    return ""
                try:
                    return write(tracker, *args, **kwargs)
                except (MlflowException, OSError) as error:
                    tracker.trouble = f"could not {doing}: {_first_line(error, tracker)}"
                    _log.warning("MLflow at %s %s", tracker.uri, tracker.trouble)
                    return ""

        return cast(Write, guarded)

    return wrap


def _first_line(error: Exception, tracker: "Tracker") -> str:
    return str(error).splitlines()[0][:300].replace(tracker.address, tracker.uri)


class Tracker:
    """One night's hand on MLflow; methods give a run id or version, or "" while MLflow is down.

    `objective` is what the figures of trials are called by.

    A server that does not answer never stops the tuning: `trouble` keeps the first reason, what
    was missed stands in the studies, and a night that wants to promote fails closed (`check`).
    """

    def __init__(
        self,
        uri: str,
        artifacts: str | None,
        experiment: str,
        tags: Mapping[str, str],
        objective: str,
    ) -> None:
        # The default of seven retries takes four minutes a call when the server is down.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        self.uri = without_secrets(uri)
        self.lock = threading.RLock()
        self.trouble = ""
        self.experiment_id = ""
        self.address = uri
        self.objective = objective
        self._tags = dict(tags)
        self._open(experiment, artifacts)

    def check(self) -> None:
        """Refuse to go on where the night's record in MLflow has holes.

        Raises
        ------
        NightFailed
            MLflow did not answer at some time tonight: nothing may be promoted unseen.
        """
        if self.trouble:
            raise NightFailed(
                f"Expected MLflow at {self.uri} to keep this night, but it {self.trouble}. The "
                "studies are kept and the champion stays; start MLflow or mend "
                "MLFLOW_TRACKING_URI, and the next start resumes the night."
            )

    def link(self, pages: str | None, run: str) -> str:
        """Where a person reads the run: below the given pages, or the tracking server's own."""
        root = pages or (self.uri if self.uri.startswith("http") else "")
        if not root:
            return ""
        place = f"experiments/{self.experiment_id}/runs/{run}"
        # Else the pages open as those of an application of language models, without metrics. They
        # ask the address, then the browser's memory, and no tag of the experiment (MLflow 3.17).
        return f"{root.rstrip('/')}/#/{place}?workflowType=machine_learning"

    @_surviving("open a study")
    def open_study(self, family: str, study: str) -> str:
        """The parent run of this study: the same run again after a crash."""
        uid = f"{study}/{family}"
        found = self._find(f"tags.`nightshift.study` = '{uid}'")
        if found:
            self._client.update_run(found, status="RUNNING")
            return found
        return self._start(
            f"{TITLES[family]}_Optuna_Study",
            {
                "model_type": TITLES[family],
                "experiment_type": "advanced_tuning",
                "nightshift.study": uid,
            },
        )

    @_surviving("log a trial")
    def log_trial(self, study_run: str, family: str, trial: TrialRecord) -> str:
        """One nested run, named like `LightGBM_Trial_7`; one that was logged is left alone."""
        uid = f"{study_run}/{trial.number}"
        found = self._find(f"tags.`nightshift.trial` = '{uid}'")
        if found or not study_run:
            return found
        run = self._start(
            f"{TITLES[family]}_Trial_{trial.number}",
            {"mlflow.parentRunId": study_run, "nightshift.trial": uid, "note": trial.note},
        )
        name = slug(self.objective)
        numbered = zip(sorted(trial.oof), trial.fold_scores, strict=True)
        metrics = {
            "val_score": trial.score,
            f"val_{name}": trial.score,
            f"val_{name}_argmax": trial.plain_score,
            "val_log_loss": trial.log_loss,
            "seconds": trial.seconds,
            **{f"fold_{fold}_{name}": score for fold, score in numbered},
        }
        self._log(run, metrics, trial.params)
        self._client.set_terminated(run, _STATUS[trial.state])
        return run

    def close_study(self, study_run: str, study: StudyResult) -> str:
        """Best settings and score on the parent run, all trials and pictures of them beside."""
        if not study_run or self.trouble:
            return ""
        # Drawn before the lock is taken: other families log their trials meanwhile.
        return self._close_study(study_run, study, study_files(study, self.objective))

    @_surviving("close a study")
    def _close_study(self, study_run: str, study: StudyResult, files: Mapping[str, bytes]) -> str:
        best = study.best
        metrics = {
            "trials": float(len(study.trials)),
            "seconds": study.seconds,
            "best_val_score": best.score if best else None,
            f"best_val_{slug(self.objective)}": best.score if best else None,
            "best_trial": float(best.number) if best else None,
        }
        # Tags, not parameters: a study that goes on after a crash may end on another best.
        settings = {f"best.{name}": str(v) for name, v in best.params.items()} if best else {}
        self._log(study_run, metrics, {}, settings)
        self._log_files(study_run, files)
        self._client.set_terminated(study_run, "FINISHED")
        return study_run

    @_surviving("give a study up")
    def fail_study(self, study_run: str, why: str) -> str:
        """End the parent run of a family that is left out."""
        if study_run:
            self._client.set_tag(study_run, "note", why)
            self._client.set_terminated(study_run, "FAILED")
        return study_run

    @_surviving("log the run")
    def log_run(
        self,
        name: str,
        metrics: Mapping[str, float | None],
        params: Mapping[str, object],
        files: Mapping[str, bytes],
        tags: Mapping[str, str],
    ) -> str:
        """A run that ends at once: a night's judgement, a comparison, or a variant below one.

        It counts as a night's unless `tags` name another `experiment_type`.
        """
        run = self._start(name, {"experiment_type": "nightly_judgement", **tags})
        self._log(run, metrics, params)
        self._log_files(run, files)
        self._client.set_terminated(run, "FINISHED")
        return run

    @_surviving("add the night's page")
    def add_files(self, run: str, files: Mapping[str, bytes]) -> str:
        """Files that are known only after the run was logged."""
        if run:
            self._log_files(run, files)
        return run

    @_surviving("register the model")
    def register(self, model: str, folder: Path, run: str, tags: Mapping[str, str]) -> str:
        """A new MLflow version of `model` from a saved pyfunc folder: its number."""
        if not self._client.search_registered_models(f"name = '{model}'"):
            self._client.create_registered_model(model)
        self._client.log_artifacts(run, str(folder), "model")
        source = f"{self._client.get_run(run).info.artifact_uri}/model"
        return str(self._client.create_model_version(model, source, run, tags=dict(tags)).version)

    @_surviving("mirror the aliases")
    def mirror(self, model: str, champion: str | None, previous: str | None) -> str:
        """Point the aliases where `champion.json` points; they copy, it decides."""
        if not self._client.search_registered_models(f"name = '{model}'"):
            return ""
        for alias, version in (("champion", champion), ("previous", previous)):
            if version is None:
                self._client.delete_registered_model_alias(model, alias)
            else:
                self._client.set_registered_model_alias(model, alias, version)
        return champion or ""

    @_surviving("open the experiment")
    def _open(self, experiment: str, artifacts: str | None) -> str:
        # Lets the store migrate its database, once, before any other thread connects.
        self._client = MlflowClient(self.address)
        found = self._client.get_experiment_by_name(experiment)
        self.experiment_id = (
            found.experiment_id
            if found
            else self._client.create_experiment(experiment, artifact_location=artifacts)
        )
        return self.experiment_id

    def _find(self, ours: str) -> str:
        found = self._client.search_runs([self.experiment_id], ours, ViewType.ALL, max_results=1)
        return str(found[0].info.run_id) if found else ""

    def _start(self, name: str, tags: Mapping[str, str]) -> str:
        told = {**self._tags, **{key: tag for key, tag in tags.items() if tag}}
        told["mlflow.source.name"] = "nightshift"
        run = self._client.create_run(self.experiment_id, run_name=name, tags=told)
        return str(run.info.run_id)

    def _log(
        self,
        run: str,
        metrics: Mapping[str, float | None],
        params: Mapping[str, object],
        tags: Mapping[str, str] = {},
    ) -> None:
        """In as few calls as MLflow's limits allow: of a hundred labels there are many figures."""
        now = int(time.time() * 1000)
        figures = [Metric(k, float(v), now, 0) for k, v in metrics.items() if v is not None]
        told = [Param(k, str(v)[:_LONGEST_PARAM]) for k, v in params.items()]
        marks = [RunTag(k, v[:_LONGEST_PARAM]) for k, v in tags.items()]
        for start in range(0, max(len(figures), 1), _MOST_METRICS):
            self._client.log_batch(run, metrics=figures[start : start + _MOST_METRICS])
        for start in range(0, max(len(told), len(marks)), _MOST_OTHERS):
            end = start + _MOST_OTHERS
            self._client.log_batch(run, params=told[start:end], tags=marks[start:end])

    def _log_files(self, run: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                local = Path(folder, path)
                local.parent.mkdir(parents=True, exist_ok=True)
                local.write_bytes(content)
            self._client.log_artifacts(run, folder)


def without_secrets(uri: str) -> str:
    """The address without user and password, for logs, pages and records.

    >>> without_secrets("https://me:secret@mlflow.example.org/x")
    'https://mlflow.example.org/x'
    """
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
