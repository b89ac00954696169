"""A terminal in which a page's commands are typed, in a clone or in a project of the reader's."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from tests.conftest import ROOMS
from tests.docs.pages import ROOT

HOME = "/home/me/itemstore"
"""Where the pages say that their commands are typed."""

SHOWN_PORT = "8000"

PATIENCE = 20.0
"""Seconds for a command to end, or to show what it should."""

WITH_NPM = 200.0
"""Seconds for a command of npm: it downloads packages, or compiles."""

SERVE = ".venv/bin/itemstore serve"
"""What `make serve` runs when all is installed."""

_SERVES = re.compile(r"\b(make|itemstore) serve\b|\buvicorn \w")

STARTED = re.compile(r"^Log  |Uvicorn running on", re.MULTILINE)
"""What a server shows as its last word when it has started: the store's, or uvicorn."""


class Terminal:
    """Runs commands one after the other; variables last, and so does a server.

    In a clone, nothing of `.venv` is on the PATH until the page puts it there. In a project of
    the reader's own, which has nothing but what the page makes, it is. Only the port is another
    than the one in the text, as are `ports`, and the directory than the one shown.
    """

    def __init__(
        self, directory: Path, *, in_clone: bool = True, ports: Mapping[str, str] | None = None
    ) -> None:
        self._here = directory / "itemstore"
        self._here.mkdir()
        self._last_output = directory / "output"
        self._server_output = directory / "server-output"
        self._last_environment = directory / "environment"
        (self._here / ".venv").symlink_to(sys.prefix)
        paths = [each for each in os.environ["PATH"].split(":") if not _is_of_the_tests(each)]
        if in_clone:
            _copy_the_clone(self._here)
        else:
            paths.insert(0, str(self._here / ".venv/bin"))
        (directory / ".curlrc").write_text("silent\nshow-error\n")  # no progress on a terminal
        self._port = _free_port()
        self._ports = {SHOWN_PORT: self._port} | dict(ports or {})
        outside = {name: value for name, value in os.environ.items() if _is_kept(name)}
        self._environment = outside | {
            "PATH": ":".join(paths),
            "PYTHONPATH": str((self._here if in_clone else ROOT) / "src"),
            "HOME": str(directory),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those of the reader, not of these tests
            "PYTEST_PLUGINS": "pytest_asyncio.plugin,itemstore.testing",
            "ITEMSTORE_PORT": self._port,
            "FAKETTY": "1",  # redis-cli numbers its lines as for a person
            "NO_COLOR": "1",
            "COLUMNS": "80",
        }
        self._server: subprocess.Popen[bytes] | None = None

    def save(self, file_name: str, text: str) -> Path:
        """Makes a file in the directory."""
        file = self._here / file_name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._typed(text))
        return file

    def run(self, command: str) -> tuple[str, int]:
        """What the command shows until it ends, and its exit code."""
        # Variables come along to the next command, as they would in one shell.
        keep = f"code=$?; env -0 >{shlex.quote(str(self._last_environment))}; exit $code"
        process = self._start(f"set -a\n{self._typed(command)}\n{keep}")
        try:
            code = process.wait(WITH_NPM if command.startswith("npm ") else PATIENCE)
        finally:
            _end(process)
        if self._last_environment.exists():
            pairs = self._last_environment.read_text().split("\0")
            self._environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            self._last_environment.unlink()
        return self._shown(), code

    def interrupt(self, command: str, when: Callable[[str], bool]) -> str:
        """What the command has shown when that is enough; then comes the Ctrl-C."""
        process = self._start(self._typed(command))
        try:
            return self._until(when, process)
        finally:
            _end(process)

    def serve(self, command: str, when: Callable[[str], bool]) -> str:
        """What a server shows when it has started. It runs until the next one, or the end."""
        self.close()
        typed = self._typed(command.replace("make serve", SERVE))
        self._server = self._start(typed, self._server_output)
        shown = self._until(when, self._server, self._server_output)
        assert self._server.poll() is None, f"{command} ended:\n{shown}"
        return shown

    def close(self) -> None:
        """Stops the server."""
        if self._server is not None:
            _end(self._server)
            self._server = None

    @staticmethod
    def is_server(command: str) -> bool:
        """Whether the command is one that runs until it is stopped."""
        return _SERVES.search(command) is not None and "--help" not in command

    @staticmethod
    def has(program: str) -> bool:
        """Whether the program is installed."""
        return shutil.which(program) is not None

    def _start(self, script: str, shown_in: Path | None = None) -> subprocess.Popen[bytes]:
        with (shown_in or self._last_output).open("wb") as output:
            return subprocess.Popen(
                ["bash", "-c", script],
                cwd=self._here,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _typed(self, command: str) -> str:
        for shown, real in self._ports.items():
            command = re.sub(rf"\b{shown}\b", real, command)
        return command

    def _shown(self, shown_in: Path | None = None) -> str:
        here = re.escape(str(self._here))
        output = (shown_in or self._last_output).read_text()
        text = re.sub(f"'({here}[^'\n]*)'", r"\1", output)  # has a space
        for written in (str(self._here), quote(str(self._here))):
            text = text.replace(written, HOME)
        for shown, real in self._ports.items():
            text = text.replace(f":{real}", f":{shown}")
        return text

    def _until(
        self,
        when: Callable[[str], bool],
        process: subprocess.Popen[bytes],
        shown_in: Path | None = None,
    ) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and process.poll() is None and not when(self._shown(shown_in)):
            time.sleep(0.01)
        return self._shown(shown_in)


def _is_of_the_tests(path: str) -> bool:
    """Whether programs that these tests run with are in the directory."""
    return Path(path).resolve().is_relative_to(Path(sys.prefix).resolve())


def _copy_the_clone(directory: Path) -> None:
    """What a reader of the page has in front of them, and may change."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", *ROOMS):
        shutil.copytree(ROOT / name, directory / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", directory)


def _is_kept(name: str) -> bool:
    """Whether a variable of the person who runs the tests gets into them."""
    return not name.startswith(("ITEMSTORE_", "PYTEST_", "PYTHON", "VIRTUAL_ENV"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stops the command, and all that it started, as Ctrl-C does."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])
