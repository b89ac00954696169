"""Objects in a bucket of a cloud, or in memory: what obstore reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import obstore
from obstore import exceptions

from itemstore.archive.bucket_errors import is_beyond_the_end, is_of_the_bucket, meaning_of
from itemstore.archive.objects import AlreadyThere, Listed, ObjectMissing, Objects

PAGE = 1000
"""Objects in one answer to a listing, as the clouds have it."""


class Bucket(Objects):
    """The objects of an obstore's store; `place` is its URL."""

    def __init__(self, store: Any, place: str) -> None:
        self._store, self._place = store, place

    @property
    def place(self) -> str:
        """Its URL."""
        return self._place

    async def get(self, name: str) -> bytes:
        """The content of an object."""
        with self._translated(name):
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of the content of an object."""
        with self._translated(name):
            try:
                part = await obstore.get_range_async(self._store, name, start=offset, length=length)
            except exceptions.BaseError as error:
                if is_beyond_the_end(error):
                    return b""
                raise
            return bytes(part)

    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object with one request, on the condition that there is none."""
        with self._translated(name):
            await obstore.put_async(self._store, name, data, mode="create", use_multipart=False)

    async def delete(self, name: str) -> None:
        """Deletes an object."""
        with suppress(ObjectMissing), self._translated(name):
            await obstore.delete_async(self._store, name)

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects of a prefix."""
        found: list[Listed] = []
        with self._translated(prefix):
            pages = obstore.list(self._store, prefix, offset=after or None, chunk_size=PAGE)
            async for page in pages:
                found += (Listed(each["path"], each["size"]) for each in page)
        return sorted(found, key=lambda each: each.name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except exceptions.AlreadyExistsError:
            raise AlreadyThere(name) from None
        except (exceptions.BaseError, OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and not is_of_the_bucket(error):
                raise ObjectMissing(name, self._place) from None
            raise meaning_of(error, self._place) from None
