"""Lua scripts: the one way in which they are loaded and run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis import exceptions

from itemstore.engine.engine_call import engine_call
from itemstore.tracing import spans

_FIRST_LINE = "#!lua\n"
"""With it an engine holds a script to the rules of a write; see would_write.lua."""

_NOT_LUA = "unexpected symbol near '#'"
"""What a fake says of that line, which it does not know."""


def lua(package: str, *names: str) -> str:
    """The text of files of a package, one after the other: what is local in one is known after."""
    texts = (files(package).joinpath(f"{name}.lua").read_text("utf-8") for name in names)
    text = "".join(texts)
    _NAMES[text] = names[-1]
    return text


_NAMES: dict[str, str] = {}
"""What texts are called in traces: as the last of their files."""


class Script:
    """A script that an engine is asked to run by its SHA-1, and is sent where it does not know it.

    It forgets all of them when it is started again or told to, and a replica that became the
    primary may never have known them.
    """

    __slots__ = ("_has_first_line", "_last", "_tried", "name", "sha")

    def __init__(self, text: str) -> None:
        sha = sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.sha = sha
        self.name = _NAMES.get(text, "script")
        self._tried = [("EVALSHA", sha)]
        self._last = ("EVAL", text)
        self._has_first_line = text.startswith(_FIRST_LINE)
        if self._has_first_line:
            self._tried.append(self._last)
            self._last = ("EVAL", text.removeprefix(_FIRST_LINE))

    async def run(
        self, call: Callable[..., Awaitable[Any]], keys: Sequence[Any], args: Sequence[Any]
    ) -> Any:
        """Its reply. `call` sends a command and gives its reply, and raises as redis-py does."""
        if spans.tracer is None or spans.recorded() is None:
            return await self._reply(call, keys, args)
        with engine_call(call, "EVALSHA", self.name, {"db.stored_procedure.name": self.sha}):
            return await self._reply(call, keys, args)

    async def _reply(
        self, call: Callable[..., Awaitable[Any]], keys: Sequence[Any], args: Sequence[Any]
    ) -> Any:
        for command, script in self._tried:
            try:
                return await call(command, script, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                pass
            except exceptions.ResponseError as error:
                if not self._has_first_line or _NOT_LUA not in str(error):
                    raise
        command, script = self._last
        return await call(command, script, len(keys), *keys, *args)
