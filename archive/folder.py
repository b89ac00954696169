"""Objects in a folder of a place, as if that were a place of its own."""

from __future__ import annotations

from itemstore.archive.objects import Listed, Objects


class Folder(Objects):
    """The objects of another place whose names begin with a folder's, under what follows that."""

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder
        self._front = f"{folder}/"

    @property
    def place(self) -> str:
        """That of the folder."""
        return f"{self._objects.place.rstrip('/')}/{self._folder}"

    async def get(self, name: str) -> bytes:
        """The whole of an object. Raises ObjectMissing."""
        return await self._objects.get(self._front + name)

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object, less where it ends before. Raises ObjectMissing."""
        return await self._objects.get_range(self._front + name, offset, length)

    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object where there is none. Raises AlreadyThere."""
        await self._objects.put_new(self._front + name, data)

    async def delete(self, name: str) -> None:
        """Deletes an object, if there is one."""
        await self._objects.delete(self._front + name)

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects whose names begin with a prefix and come after a name, in their order."""
        found = await self._objects.listed(self._front + prefix, after and self._front + after)
        return [Listed(each.name.removeprefix(self._front), each.bytes) for each in found]
