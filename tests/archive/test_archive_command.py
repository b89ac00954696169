"""`itemstore archive`, as a person types it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from itemstore.cli import archive_export, opening
from itemstore.cli.interruption import Interrupted
from itemstore.cli.main import app
from tests.cli.forked import command

EVENTS = 3000


def run(data: Path, *words: object, **environment: str) -> CompletedProcess[str]:
    """What comes of a command on a data directory."""
    words = (*words, "--data-dir", data)
    return command([str(word) for word in words], os.environ | environment, "")


def told(data: Path, *words: object, **environment: str) -> dict[str, Any]:
    """What a command says in JSON."""
    ended = run(data, *words, "--json", **environment)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a store whose events are in no archive yet."""
    events = [
        {"id": f"{1000 + n}-0", "type": "ItemUpdated" if n > 9 else "ItemCreated",
         "source": "/items", "subject": f"item {n % 10}", "data": {"n": n}}
        for n in range(EVENTS)
    ]  # fmt: skip
    file = tmp_path / "lines"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert run(tmp_path / "data", "import", file).returncode == 0
    return tmp_path / "data"


def test_it_shows_how_the_archive_stands_and_seals_now(data: Path) -> None:
    """For people a fact a line, and JSON for machines."""
    before = told(data, "archive")
    assert (before["archive_id"], before["events"], before["not_archived"]) == (None, 0, EVENTS)
    sealed = told(data, "archive", "seal")
    assert (sealed["events"], sealed["not_archived"]) == (EVENTS, 0)
    after = told(data, "archive")
    assert (after["first"], after["last"]) == ("1000-0", f"{999 + EVENTS}-0")
    assert after["archive_id"] == sealed["archive_id"]
    lines = run(data, "archive").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*after]
    assert f"events                {EVENTS}" in lines


def test_what_would_be_trimmed_is_what_is_trimmed(data: Path) -> None:
    """And the store is the same after it."""
    keep = {"ITEMSTORE_KEEP_EVENTS": "500"}
    told(data, "archive", "seal")
    wanted = told(data, "archive", "trim", "--dry-run", **keep)
    assert wanted["to_trim"] >= EVENTS - 500 - 1000 > 0
    assert told(data, "archive", "trim", "--dry-run", **keep) == wanted
    done = told(data, "archive", "trim", **keep)
    assert done == {"trimmed": wanted["to_trim"], "trimmed_up_to": wanted["to_trim_up_to"]}
    assert told(data, "archive", "trim", **keep)["trimmed"] == 0
    again = run(data, "archive", "trim", "--dry-run", **keep).stdout
    assert [line.split() for line in again.splitlines()] == [
        ["to_trim", "0"],
        ["to_trim_up_to", "none"],
    ]
    assert len(run(data, "export").stdout.splitlines()) == EVENTS


def test_a_check_names_what_is_damaged(data: Path) -> None:
    """It ends with exit code 1 then."""
    told(data, "archive", "seal")
    assert told(data, "archive", "check")["sound"]
    [segment] = (data / "archive" / "segments").iterdir()
    content = segment.read_bytes()
    segment.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    ended = run(data, "archive", "check")
    assert ended.returncode == 1
    assert segment.name in ended.stderr
    assert "sound                 False" in ended.stdout


def test_an_archive_that_is_gone_is_not_sound(data: Path, tmp_path: Path) -> None:
    """Nor that of another store: the engine knows which one is its own."""
    told(data, "archive", "seal")
    assert run(tmp_path / "another", "import", tmp_path / "lines").returncode == 0
    told(tmp_path / "another", "archive", "seal")
    for place, said in (("none", "is empty"), ("another/archive", "has the id")):
        for work in ("show", "check"):
            ended = run(data, "archive", work, "--archive", tmp_path / place)
            assert ended.returncode == 1
            assert said in ended.stderr
            assert "sound                 True" not in ended.stdout


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("archive", "seal", "--dry-run"), "--dry-run goes with `itemstore archive trim`", 2),
        (("archive", "--archive", "off"), "The store has no archive", 1),
        (("archive", "--archive", "s3://"), "--archive: An archive is in", 2),
        (("archive", "mend"), "WORK takes show, seal, check or trim, not 'mend'.", 2),
    ],
)
def test_what_is_asked_for_wrongly_is_said(
    tmp_path: Path, words: tuple[str, ...], said: str, code: int
) -> None:
    """In words, and nothing is done."""
    assert run(tmp_path / "data", "import").returncode == 0
    ended = run(tmp_path / "data", *words)
    assert ended.returncode == code
    assert said in ended.stderr
    assert not (tmp_path / "data" / "archive").exists()


def test_an_interrupted_export_of_an_archive_says_so_once(
    data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """How many events were exported, and nothing that is less."""
    assert run(data, "archive", "seal").returncode == 0

    async def interrupted(*_: object) -> None:
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(archive_export, "_export", interrupted)
    monkeypatch.setattr(opening, "set_up", lambda *_: None)  # it is the log of this process
    with pytest.raises(Interrupted):
        app(["export", "--from", str(data / "archive")], standalone_mode=False)
    assert capfd.readouterr().err == "Interrupted. 0 events were exported, but not all.\n"
