"""The client of examples/typescript, on a server whose connections break."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import PATIENCE, ROOT
from tests.contract.conftest import output, serving, store, succeeds
from tests.missing import missing

EXAMPLE = ROOT / "examples/typescript"
WRITES = 30

PROGRAM = """
import { Refused } from "./problems.js";
import { Store } from "./store.js";

const store = new Store(process.argv[2]!);
const seen: string[] = [];
const following = (async () => {
  for await (const { event } of store.follow()) {
    seen.push(`${event.subject} ${event.itemversion}`);
    if (event.type === "ItemDeleted") return;
  }
})();
for (let size = 1; size <= WRITES; size += 1) {
  await store.update("a/b", (item) => ({ ...item, size: (item?.size ?? 0) + 1 }));
}
const item = (await store.get("a/b"))?.item;
await store.put("other", { name: "é" }, "absent");
const refused = await store.put("other", {}, "absent").catch((error: unknown) => error);
await store.delete("a/b");
await following;
const history: number[] = [];
for await (const event of store.history("a/b")) history.push(event.itemversion);
const listed: string[] = [];
for await (const each of store.items()) listed.push(`${each.id} ${each.version}`);
const status = refused instanceof Refused ? refused.status : refused;
console.log(JSON.stringify({ seen, size: item?.size, status, history, listed }));
"""


@contextmanager
def breaking(url: str) -> Iterator[str]:
    """A way to a server on which every connection breaks, after so many bytes of its answers."""
    there = ("127.0.0.1", urlsplit(url).port or 0)
    limits = itertools.cycle([3000, 900, 0, 20000, 1500])
    carriers: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                way = (near, socket.create_connection(there), next(limits))
                carriers.append(threading.Thread(target=_connection, args=way))
                carriers[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for each in (accepting, *carriers):
                each.join(PATIENCE)


def _connection(near: socket.socket, far: socket.socket, limit: int | None) -> None:
    """Carries both ways, until one ends or the answers are past their limit."""
    with near, far:
        asking = threading.Thread(target=_carry, args=(near, far, None))
        asking.start()
        _carry(far, near, limit)
        asking.join(PATIENCE)


def _carry(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    with contextlib.suppress(OSError):
        while (part := source.recv(65536)) and (limit is None or limit > 0):
            target.sendall(part if limit is None else part[:limit])
            limit = None if limit is None else limit - len(part)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example with what it needs, and the program above as JavaScript."""
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed: Node.js brings it")
    folder = tmp_path / "typescript"
    folder.mkdir()
    for file in [*EXAMPLE.glob("*.ts"), *EXAMPLE.glob("*.json")]:
        shutil.copy(file, folder)
    (folder / "main.ts").write_text(PROGRAM.replace("WRITES", str(WRITES)))
    # Where it is, not by --prefix: npm would look for the machine's own settings below that too.
    if not succeeds(npm, "install", cwd=folder):
        missing("what the example needs can't be had from npm")
    # Its types are checked where its page is typed.
    output(folder / "node_modules/.bin/tsc", "--noCheck", "--project", folder)
    return folder


def test_on_a_connection_that_breaks_all_is_written_once_and_seen_once(example: Path) -> None:
    """Answers are lost after the write; the feed breaks off in the middle of an event."""
    with serving(store(None)) as url, breaking(url) as broken:
        said = output("node", example / "built/main.js", broken)
    versions = list(range(1, WRITES + 2))
    seen = [f"a/b {version}" for version in versions]
    expected = {
        "seen": [*seen[:-1], "other 1", seen[-1]],
        "size": WRITES,
        "status": 412,
        "history": versions,
        "listed": ["other 1"],
    }
    assert json.loads(said) == expected
