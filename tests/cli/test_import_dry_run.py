"""import --dry-run: what would come of it, and about how long it would take; it writes nothing."""

from __future__ import annotations

import re
from pathlib import Path

from redis import Redis

from tests.cli.test_import_export import FIRST
from tests.cli.test_log_commands import LINES, Run, as_lines, imported, run
from tests.conftest import Start

__all__ = ["imported", "run"]  # fixtures


def test_it_says_how_many_and_how_long_and_makes_no_store(run: Run, tmp_path: Path) -> None:
    """What the figure is of, is said with it."""
    result = run("import", "--dry-run", stdin=as_lines(*LINES))

    assert result.returncode == 0
    assert re.match(
        r"4 events can be imported; nothing was written\. That would take about \d+\.\d s: "
        r"\d+\.\d s to check them, .* wrote the first 4, .* round trips of \d+\.\d ms",
        result.stdout,
    )
    assert not (tmp_path / "data").exists()


def test_an_engine_stays_as_it_is(run: Run, start: Start) -> None:
    """Also one of several partitions, in which there is nothing yet."""
    server = start("valkey")
    with Redis(unix_socket_path=str(server.socket)) as client:
        result = run("import", "--dry-run", "--redis-url", server.url, stdin=as_lines(*LINES))
        assert result.returncode == 0
        assert client.keys() == []


def test_what_is_there_already_is_counted(imported: Run) -> None:
    """As the import that goes on would."""
    result = imported("import", "--dry-run", stdin=as_lines(*LINES))
    assert "0 events can be imported; nothing was written. 4 more are there already." in (
        result.stdout
    )
    more = imported("import", "--dry-run", "--append", stdin=as_lines(LINES[1]))
    assert more.returncode == 1
    assert "ItemUpdated of 'foo'" in more.stderr
    assert imported("export").stderr.startswith("4 events exported")


def test_a_line_that_can_not_be_imported_is_told_as_ever(run: Run, tmp_path: Path) -> None:
    """With its number, and exit code 1."""
    result = run("import", "--dry-run", stdin=as_lines(FIRST, FIRST))

    assert result.returncode == 1
    assert "line 2: ItemCreated of 'foo'" in result.stderr
    assert not (tmp_path / "data").exists()
