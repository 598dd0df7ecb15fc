import pytest

from schemas.manifest import Changes, Manifest, ManifestRef
from schemas.store import ObjectRef

WHOLE = Manifest(
    source="drops",
    objects=tuple(
        ObjectRef(name=f"{n}.csv", generation=n + 1, size=10, crc32c="AAAAAA==") for n in range(3)
    ),
)


def test_a_record_says_how_many_objects_and_bytes_there_were():
    ref = WHOLE.listed(kept="manifests/p/1.json")
    assert (ref.objects, ref.size_bytes, ref.kept) == (3, 30, "manifests/p/1.json")
    assert ref.digest == WHOLE.digest
    assert ManifestRef.model_validate_json(ref.model_dump_json()) == ref


def test_a_whole_list_in_a_record_of_before_is_read_as_what_it_amounts_to():
    assert ManifestRef.model_validate_json(WHOLE.model_dump_json()) == WHOLE.listed()


def test_the_digest_is_blind_to_generations():
    later = tuple(ref.model_copy(update={"generation": 99}) for ref in WHOLE.objects)
    assert Manifest(source="elsewhere", objects=later).digest == WHOLE.digest


@pytest.mark.parametrize("kind", ["new", "changed", "vanished"])
def test_of_many_changes_the_first_are_named_and_all_counted(kind):
    names = tuple(f"{n:03}.csv" for n in range(250))
    short = Changes(**{kind: names}).shortened()
    assert getattr(short, kind) == names[:100]
    assert getattr(short, f"n_{kind}") == 250
    assert f"250 {kind}" in short.told
    assert short.shortened() == short


def test_few_changes_are_all_named():
    few = Changes(new=("a.csv",), vanished=("b.csv", "c.csv"))
    assert few.shortened() == few
    assert few.told == "1 new, 0 changed, 2 vanished"
