"""Objects in a bucket of a cloud, or in memory: what obstore reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import obstore
from obstore import exceptions

from itemstore.archive.objects import AlreadyThere, Hindered, Listed, ObjectMissing, Objects
from itemstore.eventlog.past import PastUnavailable

_CODE = re.compile(r"<Code>(\w+)</Code>")

_STATUS = re.compile(r"status code: (\d{3})|status: (\d{3})")


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
            part = await obstore.get_range_async(self._store, name, start=offset, length=length)
            return bytes(part)

    async def put(self, name: str, data: bytes, *, is_new: bool) -> None:
        """Puts an object with one request."""
        mode: Any = "create" if is_new else "overwrite"
        with self._translated(name):
            await obstore.put_async(self._store, name, data, mode=mode, use_multipart=False)

    async def delete(self, name: str) -> None:
        """Deletes an object."""
        try:
            with self._translated(name):
                await obstore.delete_async(self._store, name)
        except ObjectMissing:
            return

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects of a prefix."""
        found: list[Listed] = []
        with self._translated(prefix):
            offset = after or None
            async for some in obstore.list(self._store, prefix, offset=offset, chunk_size=1000):
                found += (Listed(each["path"], each["size"]) for each in some)
        return sorted(found, key=lambda each: each.name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Says what went wrong in our words: obstore's have URLs, which may have secrets."""
        try:
            yield
        except exceptions.AlreadyExistsError:
            raise AlreadyThere(name) from None
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                raise PastUnavailable(f"There is no bucket {self._place}.") from None
            raise ObjectMissing(name, self._place) from None
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            sentence = f"The archive {self._place} refuses the credentials{_code(str(error))}."
            raise PastUnavailable(sentence) from None
        except (exceptions.BaseError, OSError, ValueError) as error:
            sentence = f"The archive {self._place} does not answer as it should{_code(str(error))}."
            raise Hindered(sentence) from None


def _code(text: str) -> str:
    code, status = _CODE.search(text), _STATUS.search(text)
    words = [match[1] or match[match.lastindex or 0] for match in (status, code) if match]
    return f" ({' '.join(words)})" if words else ""
