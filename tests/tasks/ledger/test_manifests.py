from schemas.manifest import Manifest
from schemas.store import ObjectRef, Store
from tasks.ledger.manifests import keep_manifest, kept_manifest


def manifest(generation: int = 1) -> Manifest:
    refs = (
        ObjectRef(name=f"{n:06}.csv", generation=generation, size=n, crc32c="AAAAAA==")
        for n in range(1000)
    )
    return Manifest(source="drops", objects=tuple(refs))


def test_a_manifest_is_kept_whole_and_its_record_is_small(store: Store) -> None:
    ref = keep_manifest(store, "comments", manifest())
    assert kept_manifest(store, ref) == manifest()
    assert len(ref.model_dump_json()) < 200


def test_the_same_list_twice_is_one_object_and_other_generations_are_another(store: Store) -> None:
    first = keep_manifest(store, "comments", manifest())
    assert keep_manifest(store, "comments", manifest()) == first
    later = keep_manifest(store, "comments", manifest(generation=2))
    assert later.digest == first.digest
    assert [ref.name for ref in store.list("manifests/comments/")] == sorted(
        [first.kept, later.kept]
    )
    assert kept_manifest(store, first) == manifest()


def test_a_list_that_is_gone_or_damaged_is_not_known_until_it_is_kept_again(store: Store) -> None:
    ref = keep_manifest(store, "comments", manifest())
    assert kept_manifest(store, ref.model_copy(update={"kept": ""})) is None
    assert kept_manifest(store, ref.model_copy(update={"digest": "other"})) is None
    content, generation = store.read(ref.kept)
    store.write(ref.kept, content[:-9], generation)
    assert kept_manifest(store, ref) is None
    assert keep_manifest(store, "comments", manifest()) == ref
    assert kept_manifest(store, ref) == manifest()
    store.delete(ref.kept, store.read(ref.kept)[1])
    assert kept_manifest(store, ref) is None
