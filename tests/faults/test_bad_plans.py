"""A plan is read as data: no code, no key twice, no label that YAML takes for a truth unseen."""

import re
import time
from pathlib import Path

import pytest
import yaml

from schemas.dataset import Dataset
from schemas.faults import DataRejected
from schemas.store import ObjectRef
from tasks.scanning import scan
from tasks.storage import LocalStore
from tests.faults.standing import PLAN, Standing

pytestmark = pytest.mark.filterwarnings("default")

TEXT = yaml.safe_dump(PLAN, sort_keys=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT + "enabled: !!python/object/apply:os.system ['touch canary']\n", "tag"),
        (TEXT + "name: other\n", "name"),
        (TEXT + "surprise: 1\n", "surprise"),
    ],
    ids=["a tag that runs code", "a key twice", "a key too many"],
)
def test_a_plan_that_says_more_or_other_than_it_seems_to_starts_no_night(
    world: Standing, text: str, told: str
) -> None:
    (world.root / "standing.yaml").write_text(text)
    record = world.night()
    assert (record.outcome, record.note) == ("failed", "bad-plan"), record.reasons
    assert re.search(told, record.reasons[0], re.DOTALL), record.reasons
    assert not (world.root / "canary").exists()
    world.write_plan()
    assert world.night().outcome == "skipped"


def test_labels_that_yaml_takes_for_truths_are_the_words_that_stand_there(world: Standing) -> None:
    bare = TEXT.replace("- 'no'\n", "- no\n").replace("- 'yes'\n", "- yes\n")
    assert bare != TEXT
    (world.root / "standing.yaml").write_text(bare)
    assert world.night().outcome == "skipped"  # the same plan, the same data


def test_a_hostile_pattern_on_long_names_is_settled_quickly(tmp_path: Path) -> None:
    class Long(LocalStore):
        def list(self, prefix=""):
            return iter([ObjectRef(name="a" * 1000 + ".csv", generation=1, size=1, crc32c="")] * 20)

    pattern = "*a" * 12 + "*b"
    dataset = Dataset.model_validate(
        {"source": str(tmp_path), "pattern": pattern, "columns": {"x": "number"}}
    )
    started = time.monotonic()
    with pytest.raises(DataRejected, match="got none"):
        scan(Long(tmp_path), dataset)
    assert time.monotonic() - started < 5
