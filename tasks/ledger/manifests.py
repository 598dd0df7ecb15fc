"""The list of objects that a night found: one object a list, under a name made from its bytes."""

import hashlib

from pydantic import ValidationError

from schemas.faults import ObjectMissing, StoreConflict
from schemas.manifest import Manifest, ManifestRef
from schemas.store import ABSENT, Store


def keep_manifest(store: Store, plan: str, manifest: Manifest) -> ManifestRef:
    """What a record says of the manifest, which is stored whole; the same list twice is one object.

    A record is read at every start and must stay small, however many objects there are.
    """
    content = manifest.model_dump_json().encode()
    name = f"manifests/{plan}/{hashlib.sha256(content).hexdigest()[:32]}.json"
    try:
        store.write(name, content, ABSENT)
    except StoreConflict:
        there, generation = store.read(name)
        if there != content:  # the name is of our bytes, so what stands there is damaged
            store.write(name, content, generation)
    return manifest.listed(kept=name)


def kept_manifest(store: Store, ref: ManifestRef) -> Manifest | None:
    """The whole list; None where it was never stored, or is not what the record says it was."""
    if not ref.kept:
        return None
    try:
        manifest = Manifest.model_validate_json(store.read(ref.kept)[0])
    except (ObjectMissing, ValidationError):
        return None
    return manifest if manifest.digest == ref.digest else None
