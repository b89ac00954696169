"""The manifests that are kept: whether each is right, and follows the one before."""

from __future__ import annotations

from dataclasses import dataclass, field

from itemstore.archive.manifest import (
    MANIFESTS,
    MalformedManifest,
    Manifest,
    manifest_name,
    number_of,
)
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import ObjectMissing
from itemstore.domain.positions import key_of


@dataclass(slots=True)
class Chain:
    """The newest manifest that is right, what is wrong with the others, and all files they name."""

    newest: Manifest | None = None
    complaints: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)


async def chain_of(objects: ObjectStore) -> Chain:
    """Reads all manifests that are kept, one after the other. Raises PastUnavailable."""
    chain = Chain()
    for name in await objects.names(MANIFESTS):
        if number_of(name) is None:
            continue
        try:
            manifest = Manifest.decoded(name, await objects.get(name))
        except ObjectMissing:
            continue  # it was the oldest, and is no longer kept
        except MalformedManifest as error:
            chain.complaints.append(str(error))
            continue
        if chain.newest is not None:
            chain.complaints += _complaints(chain.newest, manifest)
        chain.newest = manifest
        chain.named.update(file.name for file in manifest.files)
    return chain


def _complaints(one: Manifest, other: Manifest) -> list[str]:
    """What is wrong between a manifest and the next one that is there."""
    complaints = []
    if other.number > one.number + 1:
        first, last = manifest_name(one.number + 1), manifest_name(other.number - 1)
        which = first if first == last else f"{first} to {last}"
        complaints.append(f"{which}: missing or damaged, between others that are there.")
    elif other.previous != one.sha256:
        complaints.append(f"{other.name} does not follow {one.name} as it is: one was replaced.")
    if other.archive != one.archive:
        complaints.append(f"{other.name} is of another archive ({other.archive}).")
    before = _events_up_to(other, one.last)
    is_longer = key_of(other.last) >= key_of(one.last)  # else events were taken back on purpose
    if is_longer and before is not None and before != one.events:
        complaints.append(
            f"{other.name} has {before} events up to {one.last}, where {one.name} has {one.events}."
        )
    return complaints


def _events_up_to(manifest: Manifest, position: str) -> int | None:
    """How many events there are up to a position, None where no segment ends there."""
    events = 0
    for segment in manifest.segments:
        if key_of(segment.last) > key_of(position):
            break
        events += segment.events
        if segment.last == position:
            return events
    return None if events else 0
