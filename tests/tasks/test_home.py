import os
import stat
from pathlib import Path

import pytest

from schemas.faults import PlanError
from tasks.home import home_from


def test_the_home_is_below_the_current_folder_unless_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home_from({}).root == tmp_path / ".nightshift"
    assert home_from({"NIGHTSHIFT_HOME": "here"}).root == tmp_path / "here"


def test_a_tracking_server_takes_the_place_of_the_own_database(tmp_path: Path) -> None:
    named = {"NIGHTSHIFT_HOME": str(tmp_path)}
    assert home_from(named).mlflow_uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    served = home_from(named | {"MLFLOW_TRACKING_URI": "http://tracking:5000"})
    assert served.mlflow_uri == "http://tracking:5000"


def test_looking_creates_nothing_and_making_closes_it_to_others(tmp_path: Path) -> None:
    home = home_from({"NIGHTSHIFT_HOME": str(tmp_path / "home")})
    assert not home.root.exists()
    home.make().make()
    assert home.prefect.is_dir()
    assert home.mlflow_artifacts.is_dir()
    if os.name == "posix":
        for private in (home.root, home.quarantine):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_a_bucket_holds_what_hosts_share_and_the_usual_folder_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = home_from(
        {"NIGHTSHIFT_HOME": "gs://bucket/state/", "MLFLOW_TRACKING_URI": "https://tracking"}
    )
    assert (home.state, home.named) == ("gs://bucket/state", "gs://bucket/state")
    assert (home.mlflow_uri, home.artifacts) == ("https://tracking", None)
    local = (home.cache, home.memory, home.studies, home.work, home.quarantine, home.logs)
    assert all(place.is_relative_to(tmp_path / ".nightshift") for place in local)


@pytest.mark.parametrize("uri", [None, "", "sqlite:///own.db", "postgresql://me:canary@db/mlflow"])
def test_a_bucket_as_home_needs_a_tracking_server_that_hosts_share(uri: str | None) -> None:
    environ = {"NIGHTSHIFT_HOME": "gs://bucket/state"} | (
        {} if uri is None else {"MLFLOW_TRACKING_URI": uri}
    )
    with pytest.raises(
        PlanError, match=r"expected MLFLOW_TRACKING_URI to name the http\(s\) server"
    ) as told:
        home_from(environ)
    assert "canary" not in str(told.value)


def test_other_services_than_buckets_are_refused_as_home() -> None:
    with pytest.raises(PlanError, match=r"a folder or gs://bucket/prefix, got 's3://bucket/state'"):
        home_from({"NIGHTSHIFT_HOME": "s3://bucket/state"})


@pytest.mark.parametrize("named", ["gs://", "gs:", "gs:/bucket", "gs:///state"])
def test_a_bucket_without_a_name_is_no_folder_either(named: str) -> None:
    with pytest.raises(PlanError, match=f"a folder or gs://bucket/prefix, got '{named}'"):
        home_from({"NIGHTSHIFT_HOME": named, "MLFLOW_TRACKING_URI": "http://tracking"})


@pytest.mark.parametrize("place", ["file/home", "n" * 300], ids=["below-a-file", "too-long"])
def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        PlanError, match=r"(?s)NIGHTSHIFT_HOME expected .*got .*Set NIGHTSHIFT_HOME"
    ):
        home_from({"NIGHTSHIFT_HOME": str(tmp_path / place)}).make()


def test_a_home_of_nobody_is_refused() -> None:
    with pytest.raises(PlanError, match="got ~nobody-here/home: nobody of that name"):
        home_from({"NIGHTSHIFT_HOME": "~nobody-here/home"})


def test_a_file_as_home_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(PlanError, match="got the file"):
        home_from({"NIGHTSHIFT_HOME": str(place)})
