"""Where state lives: one folder that holds ledger, champion, models, studies and databases.

Ledger, claims, champions and models may stand in a bucket instead, where hosts share them; what
only makes the next night faster then stays in the usual folder of each host.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.faults import PlanError

VARIABLE = "NIGHTSHIFT_HOME"
DEFAULT = ".nightshift"
BUCKETS = "gs://"


@dataclass(frozen=True)
class Home:
    """The places under one root. Nothing exists before `make()` is called."""

    root: Path
    mlflow_uri: str
    shared: str = ""  # gs://bucket/prefix, where hosts share state

    @property
    def named(self) -> str:
        """What NIGHTSHIFT_HOME says of it, to processes of our own."""
        return self.shared or str(self.root)

    @property
    def state(self) -> str:
        """What hosts share: ledger, claims, champions, models; `tasks.storage` opens it."""
        return self.shared or str(self.root / "state")

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def memory(self) -> Path:
        """What stores need not read again; safe to lose."""
        return self.cache

    @property
    def studies(self) -> Path:
        return self.root / "studies"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def quarantine(self) -> Path:
        """Rows that broke the schema, with their reasons: a folder a plan."""
        return self.root / "quarantine"

    @property
    def prefect(self) -> Path:
        """Prefect's own home: its database, its profiles and no one else's."""
        return self.root / "prefect"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.root / "mlflow" / "artifacts"

    @property
    def artifacts(self) -> str | None:
        """Where MLflow's files go; a server that hosts share decides itself."""
        return None if self.shared else str(self.mlflow_artifacts)

    @property
    def logs(self) -> Path:
        """What libraries and servers say; the terminal shows only facts."""
        return self.root / "logs"

    def make(self) -> "Home":
        """Create the folders, closed to other users: they hold rows and unauthenticated stores."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            rows = (self.cache, self.quarantine, self.studies, self.work)
            for folder in (*rows, self.prefect, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.mlflow_artifacts.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise _unusable(self.root, str(fault.strerror)) from fault
        return self


def home_from(environ: Mapping[str, str]) -> Home:
    """The home that the environment names, as absolute paths.

    `MLFLOW_TRACKING_URI` puts a tracking server in the place of the home's own SQLite file.
    """
    named = environ.get(VARIABLE) or DEFAULT
    if "://" in named or named.startswith("gs:"):
        return _shared_home(named, environ.get("MLFLOW_TRACKING_URI") or "")
    try:
        root = Path(named).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise PlanError(f"{VARIABLE} expected a folder, got the file {root}. Name another.")
    except RuntimeError as fault:  # a `~user` that this machine does not know
        raise _unusable(named, "nobody of that name here") from fault
    except OSError as fault:
        raise _unusable(named, str(fault.strerror)) from fault
    own = f"sqlite:///{root / 'mlflow' / 'mlflow.db'}"
    return Home(root=root, mlflow_uri=environ.get("MLFLOW_TRACKING_URI") or own)


def _shared_home(named: str, mlflow_uri: str) -> Home:
    """Hosts that share a ledger and champions share their tracking server too."""
    if not named.startswith(BUCKETS) or named.removeprefix(BUCKETS)[:1] in ("", "/"):
        raise PlanError(
            f"{VARIABLE} expected a folder or {BUCKETS}bucket/prefix, got {named!r}. Set "
            f"{VARIABLE} to one of them or leave it unset for ./{DEFAULT}."
        )
    if not mlflow_uri.startswith(("http://", "https://")):
        raise PlanError(
            f"{VARIABLE}={named} is shared by hosts: expected MLFLOW_TRACKING_URI to name the "
            f"http(s) server that they share too, got {_without_secrets(mlflow_uri)!r}. Set it "
            f"to the address of an MLflow server, or set {VARIABLE} to a folder."
        )
    return Home(root=Path(DEFAULT).absolute(), mlflow_uri=mlflow_uri, shared=named.rstrip("/"))


def _without_secrets(uri: str) -> str:
    """A database's address may hold its password."""
    scheme, separator, _ = uri.partition("://")
    return f"{scheme}://..." if separator else uri


def _unusable(place: Path | str, why: str) -> PlanError:
    return PlanError(
        f"{VARIABLE} expected a folder that can be made and written to, got {place}: {why}. "
        f"Set {VARIABLE} to another path, or leave it unset for ./{DEFAULT}."
    )
