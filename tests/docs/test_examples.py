"""Every example of the documentation is typed as it stands, and shows what it says."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from itemstore.engine.local_cluster import free_ports, new_cluster
from itemstore.engine.run_local_cluster import NODES
from itemstore.engine.server_process import program
from tests.docs.pages import EXAMPLES, PAGES, ROOT, Block, Command, blocks, commands, name_of
from tests.docs.shown import Transcript
from tests.docs.terminal import SERVE, STARTED, Terminal

SAVED = {"python", "toml", "ini", "json"}

PROGRAMS = {"curl", "git", "node", "npm", "redis-cli", "sqlite3", "zstdcat"}

IN_A_PROJECT = {
    f"docs/{each}.md"
    for each in (
        "embedding",
        "git-history",
        "projections",
        "queries",
        "shop",
        "testing",
        "transactions",
    )
}
"""Pages about a project of the reader's own. All others are typed in a clone, or in an example."""

SAME = {"docs/git-history.md": "git_history", "docs/shop.md": "shop"}
"""The tutorials, and the folders in `examples` that have their files."""

MADE = {"__pycache__", "built", "node_modules", "schema.d.ts"}
"""What a person's own runs of an example have left in its folder."""

WITH_A_RECEIVER = ROOT / "examples/webhook/README.md"
"""The page that has a server of the reader's own, at port 9000."""

ON_A_CLUSTER = "docs/cluster.md"
"""The page whose commands are typed beside `make cluster`."""

WITH_EXAMPLES = [
    page
    for page in PAGES
    if any(block.language in {"python", "console", "sh"} for block in blocks(page.read_text()))
]


@pytest.fixture
def terminal(page: Path) -> Iterator[Terminal]:
    """A terminal in a directory of its own, whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="docs-") as directory, ExitStack() as stack:
        ports = None
        if name_of(page) == ON_A_CLUSTER:
            ports = stack.enter_context(_cluster(Path(directory) / "cluster"))
        in_clone = page not in EXAMPLES and name_of(page) not in IN_A_PROJECT
        if page == WITH_A_RECEIVER:
            ports = {"9000": str(free_ports(1)[0])}
        terminal = Terminal(Path(directory), in_clone=in_clone, ports=ports)
        if page in EXAMPLES:
            for file in page.parent.rglob("*"):
                if file.is_file() and not MADE & {*file.relative_to(page.parent).parts}:
                    terminal.save(str(file.relative_to(page.parent)), file.read_text())
        yield terminal
        terminal.close()


@contextmanager
def _cluster(directory: Path) -> Iterator[dict[str, str]]:
    """What `make cluster` runs; gives the port of each node by the one that the page shows."""
    found = free_ports(2 * NODES)
    ports = sorted(found[:NODES])
    pairs = [each for pair in zip(ports, found[NODES:], strict=True) for each in pair]
    cluster = new_cluster(str(program()), directory, pairs)
    try:
        cluster.start()
        cluster.form(NODES // 2)
        yield {str(7001 + index): str(port) for index, port in enumerate(ports)}
    finally:
        cluster.kill()


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_what_a_page_says_to_type_shows_what_it_says(page: Path, terminal: Terminal) -> None:
    """From top to bottom in one terminal, as a reader would."""
    all_blocks = list(blocks(page.read_text()))
    typed = [command for block in all_blocks for command in commands(block)]
    without = _missing(typed)
    if typed and not any(Terminal.is_server(command.text) for command in typed):
        terminal.serve(SERVE, lambda shown: STARTED.search(shown) is not None)
    transcript = Transcript()
    for block in all_blocks:
        if block.language in SAVED and block.file_name:
            terminal.save(block.file_name, block.text)
        if block.language == "python":
            _run_python(terminal, block, page)
        for command in commands(block):
            if not any(program in command.text.split() for program in without):
                _check(terminal, transcript, command, page)
    if without:
        pytest.skip(f"{name_of(page)} works but for {', '.join(without)}, not installed here")


@pytest.mark.parametrize("page", SAME)
def test_the_files_of_a_tutorial_are_those_of_its_example(page: str) -> None:
    """Whoever saves them from the page has what whoever copies the folder has."""
    folder = ROOT / "examples" / SAME[page]
    shown = {
        block.file_name: block.text.removeprefix(f"# {block.file_name}\n")
        for block in blocks((ROOT / page).read_text())
        if block.file_name
    }
    assert shown == {name: (folder / name).read_text() for name in shown}
    assert {file.name for file in folder.iterdir() if file.is_file()} == {*shown, "README.md"}


def _check(terminal: Terminal, transcript: Transcript, command: Command, page: Path) -> None:
    place = f"{name_of(page)}:{command.line}: {command.text}"
    if command.text.startswith("make ") and not Terminal.is_server(command.text):
        # Only whether there is such a target: it would run these tests again.
        dry_run = ["make", "--dry-run", *command.text.split()[1:]]
        subprocess.run(dry_run, cwd=ROOT, check=True, capture_output=True, timeout=20)
    elif command.shown is None:
        came, code = _typed(terminal, command, lambda _: False)
        assert code == 0, f"{place}\n{came}"
    else:
        shown = command.shown.removesuffix("^C")
        came, _ = _typed(terminal, command, lambda came: transcript.matches(shown, came))
        assert transcript.matches(shown, came), place + transcript.difference(shown, came)


def _typed(terminal: Terminal, command: Command, enough: Callable[[str], bool]) -> tuple[str, int]:
    """What comes of a command, and its exit code; of one that does not end, until it is enough."""
    if Terminal.is_server(command.text):
        shows_all = enough if command.shown else lambda _: True
        came = terminal.serve(
            command.text, lambda came: STARTED.search(came) is not None and shows_all(came)
        )
        return came if command.shown else "", 0
    if command.shown is not None and command.shown.endswith("^C"):
        return terminal.interrupt(command.text, enough), 0
    return terminal.run(command.text)


def _missing(typed: list[Command]) -> list[str]:
    """Programs of the page that are not here; in continuous integration all must be."""
    words = {word for command in typed for word in command.text.split()}
    missing = sorted(name for name in words & PROGRAMS if not Terminal.has(name))
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{', '.join(missing)} is not installed")
    return missing


def _runner(block: Block) -> str:
    return "unittest" if "unittest" in block.text else "pytest -q -W error -p no:cacheprovider"


def _run_python(terminal: Terminal, block: Block, page: Path) -> None:
    """Runs a script, or the tests in a file of tests; any other named file is only there."""
    name = block.file_name or "example.py"
    terminal.save(name, block.text)
    if block.file_name is None:
        said, code = terminal.run(f".venv/bin/python {name}")
    elif Path(name).name.startswith("test_"):
        said, code = terminal.run(f".venv/bin/python -W error -m {_runner(block)} {name}")
    else:
        return
    assert code == 0, f"{name_of(page)}:{block.line}\n{said}"
