import pytest
from pydantic import ValidationError

from schemas.dataset import Dataset, TimeColumn


@pytest.mark.parametrize(
    ("form", "zone"),
    [
        (None, None),
        (None, "Europe/Berlin"),
        ("%d.%m.%Y %H:%M", "America/New_York"),
        ("%Y-%m-%dT%H:%M:%S%z", None),
        ("%j/%y", "UTC"),
        ("%b %d, %Y 100%%", "UTC"),
    ],
)
def test_a_time_that_names_an_instant_is_accepted(form: str | None, zone: str | None) -> None:
    assert TimeColumn(format=form, zone=zone).zone == zone
    dataset = Dataset.model_validate(
        {
            "source": "x",
            "columns": {"a": "text"},
            "time": "at",
            "time_format": form,
            "time_zone": zone,
        }
    )
    assert dataset.time_format == form


@pytest.mark.parametrize(
    ("form", "zone", "message"),
    [
        ("%d.%m.%Y", None, r"has no offset \(%z\), so the zone must be told"),
        ("%Y-%m-%d %%z", None, "so the zone must be told"),
        ("%Y-%m-%d %z", "UTC", "so no zone is used; remove one"),
        ("%Q %Y-%m-%d", "UTC", "got %Q"),
        ("%Y-%m-%d %", "UTC", "expected of %Y"),
        ("%c", "UTC", "got %c"),
        ("%d.%m.", "UTC", "expected a format with a year, a month and a day"),
        ("%Y-%m", "UTC", "expected a format with a year, a month and a day"),
        ("", "UTC", "expected a format with a year"),
        (None, "Berlin", "expected an IANA name, .* got 'Berlin'"),
        (None, "../etc/passwd", "expected an IANA name"),
        (None, "America", "expected an IANA name"),
        (None, "", "expected an IANA name"),
    ],
)
def test_a_time_that_names_none_is_refused(
    form: str | None, zone: str | None, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        TimeColumn(format=form, zone=zone)
    with pytest.raises(ValidationError, match=message):
        Dataset.model_validate(
            {
                "source": "x",
                "columns": {"a": "text"},
                "time": "at",
                "time_format": form,
                "time_zone": zone,
            }
        )


@pytest.mark.parametrize("setting", [{"time_zone": "UTC"}, {"time_format": "%Y-%m-%d%z"}])
def test_how_a_time_is_read_needs_a_time(setting: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="unused without time"):
        Dataset.model_validate({"source": "x", "columns": {"a": "text"}, **setting})
