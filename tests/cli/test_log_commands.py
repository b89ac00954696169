"""tail, history, export, import, rebuild, verify and info, as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.forked import command

COMMAND = [sys.executable, "-m", "itemstore"]

LINES = [
    {"type": "ItemCreated", "subject": "foo", "time": "2020-01-01T00:00:00Z", "data": {"size": 1}},
    {"type": "ItemUpdated", "subject": "foo", "time": "2021-01-01T00:00:00Z", "data": {"size": 2}},
    {"type": "ItemCreated", "subject": "é/b", "time": "2020-06-01T00:00:00Z", "data": {"l": []}},
    {"type": "ItemDeleted", "subject": "foo", "time": "2022-01-01T00:00:00Z"},
]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command on a data directory of the test's own."""

    def run(*words: str, stdin: str = "", data: str = "data") -> subprocess.CompletedProcess[str]:
        return command(words, os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / data)}, stdin)

    return run


def as_lines(*events: object) -> str:
    """Events as JSON lines."""
    return "".join(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def imported(run: Run) -> Run:
    """The same, with four events in the log."""
    assert run("import", stdin=as_lines(*LINES)).returncode == 0
    return run


def test_imported_history_is_as_old_as_it_says(imported: Run) -> None:
    """Positions come from the times, and go up where a clock went back."""
    events = [json.loads(line) for line in imported("export").stdout.splitlines()]
    assert [event["time"] for event in events] == [
        "2020-01-01T00:00:00.000Z",
        "2021-01-01T00:00:00.000Z",
        "2021-01-01T00:00:00.000Z",
        "2022-01-01T00:00:00.000Z",
    ]
    assert [event["itemversion"] for event in events] == [1, 2, 1, 3]


def test_an_export_imported_is_the_same_store(imported: Run) -> None:
    """The same positions, the same digest, the same export."""
    exported = imported("export").stdout
    assert imported("import", stdin=exported, data="copy").returncode == 0
    assert imported("export", data="copy").stdout == exported
    digests = {
        json.loads(imported("verify", "--json", data=data).stdout)["digest"]
        for data in ("data", "copy")
    }
    assert len(digests) == 1


def test_a_log_with_events_is_not_imported_into_by_accident(imported: Run) -> None:
    """It says what to do; with --append the events get new positions."""
    more = as_lines({"type": "ItemCreated", "subject": "bar", "data": {}})
    refused = imported("import", stdin=more)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--append" in refused.stderr
    assert imported("import", "--append", "-", stdin=more).returncode == 0
    assert imported("verify").returncode == 0
    assert len(imported("export").stdout.splitlines()) == 5


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        *(
            (f'{{"type": "ItemCreated", "subject": "a", "data": {"[" * n}{"]" * n}}}', "201 levels")
            for n in (201, 260, 1000, 9000)
        ),
        (f'{{"type": "ItemCreated", "subject": "a", "data": {"9" * 4301}}}', "4300 digits"),
        ('{"subject": "a", "data": {}}', "'type' is missing"),
        ('{"type": "ItemCreated", "data": {}}', "'subject' is missing"),
        ('{"type": "ItemCreated", "subject": "a"}', "'data' is missing"),
        ('{"type": "ItemDeleted", "subject": "a", "data": {}}', "no data"),
        ('{"type": "ItemMoved", "subject": "a", "data": {}}', "ItemMoved"),
        ('{"type": "ItemUpdated", "subject": "a", "data": {}}', "does not exist"),
        ('{"type": "ItemCreated", "subject": "foo", "data": {}}', "exists already"),
        ('{"type": "ItemCreated", "subject": "..", "data": {}}', "item id"),
        ('{"type": "ItemCreated", "subject": "a", "data": {}, "time": "soon"}', "RFC 3339"),
        ('{"type": "ItemCreated", "subject": "a", "data": {}, "id": "1-1"}', "not after"),
        (
            '{"type": "ItemCreated", "subject": "a", "data": {}, "time": "2999-01-01T00:00:00Z"}',
            "future",
        ),
    ],
)
def test_a_line_that_can_t_be_imported_is_named_and_nothing_is_written(
    run: Run, line: str, why: str
) -> None:
    """The fourth line is wrong, so none of the five is imported."""
    text = as_lines(*LINES[:3]) + line + "\n" + as_lines(LINES[3])
    refused = run("import", stdin=text)
    assert refused.returncode == 1
    assert "line 4: " in refused.stderr
    assert why in refused.stderr
    assert run("export").stdout == ""


def test_the_deepest_item_is_exported_and_imported(run: Run) -> None:
    """As deep as a body may be; the event around it is one level more."""
    deepest = json.loads('{"a":' * 200 + "1" + "}" * 200)
    event = {"type": "ItemCreated", "subject": "a", "data": deepest}
    assert run("import", stdin=as_lines(event)).returncode == 0

    assert run("import", stdin=run("export").stdout, data="copy").returncode == 0

    assert json.loads(run("export", data="copy").stdout)["data"] == deepest


def test_the_export_of_a_log_that_is_ahead_of_the_clock_is_imported(run: Run) -> None:
    """As it is, with a warning; verify says it too, and finds no difference."""
    largest = 2**64 - 1
    there = as_lines(
        {"type": "ItemCreated", "subject": "a", "data": {}, "id": "1700000000000-0"},
        {"type": "ItemUpdated", "subject": "a", "data": {}, "id": "4102444800000-0"},
        {"type": "ItemUpdated", "subject": "a", "data": {}, "id": f"4102444800000-{largest}"},
    )
    assert run("import", stdin=there).returncode == 0
    export = run("export").stdout
    again = run("import", stdin=export, data="other")
    assert again.returncode == 0
    assert "days ahead of the engine's clock" in again.stderr
    assert run("export", data="other").stdout == export
    verdict = run("verify", "--json", data="other")
    assert (verdict.returncode, json.loads(verdict.stdout)["clean"]) == (0, True)
    assert json.loads(verdict.stdout)["ahead_seconds"] > 0
    assert "days ahead of the engine's clock" in verdict.stderr
    last = run("tail", "--json", "--after", f"4102444800000-{largest - 1}").stdout
    assert json.loads(last)["id"] == f"4102444800000-{largest}"
    new = run("import", "--append", stdin=export, data="new")
    assert (new.returncode, "ahead" in new.stderr) == (0, False)
    assert json.loads(run("verify", "--json", data="new").stdout)["ahead_seconds"] == 0


def test_history_and_tail_show_events_a_line_each(imported: Run) -> None:
    """For people; with --json as CloudEvents."""
    lines = imported("history", "foo").stdout.splitlines()
    assert [line.split()[3] for line in lines] == ["ItemCreated", "ItemUpdated", "ItemDeleted"]
    assert lines[0].endswith('foo v1 {"size":1}')
    tail = imported("tail", "--json", "--after", "1609459200000-0").stdout.splitlines()
    assert [json.loads(line)["subject"] for line in tail] == ["é/b", "foo"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("history", "nothing"), "no item 'nothing'"),
        (("tail", "--after", "999999999999999-0"), "ahead of the log, which ends at"),
        (("export", "--after", "999999999999999-0"), "ahead of the log, which ends at"),
        (("tail", "--redis-url", "redis://127.0.0.1:1"), "does not answer"),
        (("verify", "--redis-url", "redis://127.0.0.1:1"), "connecting to 127.0.0.1:1"),
        (("serve", "--port", "0", "--redis-url", "redis://127.0.0.1:1"), "127.0.0.1:1"),
        (("rebuild", "nothing"), "no projection 'nothing'"),
        (("import", "--append", "/does/not/exist"), "No such file"),
        (("serve", "--host", "0.0.0.0", "--port", "0"), "token create"),
        (("token", "revoke", "nobody"), "no token 'nobody'"),
    ],
)
def test_a_mistake_is_one_sentence_on_stderr(
    imported: Run, words: tuple[str, ...], why: str
) -> None:
    """Exit code 1, nothing on stdout, no traceback."""
    ended = imported(*words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert why in ended.stderr
    assert ended.stderr.startswith("itemstore: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["tail", "export"])
def test_a_text_that_is_no_position_is_refused_as_a_mistake(imported: Run, verb: str) -> None:
    """Exit code 2, as for all that is typed wrong."""
    ended = imported(verb, "--after", "yesterday")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "position" in ended.stderr


@pytest.mark.parametrize(
    "words",
    ["tail", "history a", "export", "info", "verify", "rebuild", "token list", "token revoke a"],
)
def test_where_there_is_no_store_none_is_made(run: Run, tmp_path: Path, words: str) -> None:
    """A directory that was mistyped is named, and stays as it is."""
    ended = run(*words.split(), data="typo")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"There is no store in {tmp_path / 'typo'}" in ended.stderr
    assert not (tmp_path / "typo").exists()


def test_what_was_damaged_by_hand_is_found_and_healed(imported: Run, tmp_path: Path) -> None:
    """Verify names it and exits 1, rebuild heals it, verify exits 0 with the old digest."""
    digest = json.loads(imported("verify", "--json").stdout)["digest"]
    with_engine = (
        "import sys; from pathlib import Path; from redis import Redis;"
        "from itemstore.engine.embedded import attach\n"
        "with attach(Path(sys.argv[1])) as engine:\n"
        "    redis = Redis.from_url(engine.url)\n"
        "    redis.delete('items:ids'); redis.hset('items:current', 'foo', '{}')\n"
    )
    subprocess.run(
        [sys.executable, "-c", with_engine, str(tmp_path / "data")], check=True, timeout=60
    )
    found = imported("verify")
    assert found.returncode == 1
    assert "row foo: is {}" in found.stdout
    assert imported("rebuild", "--dry-run").returncode == 0
    assert imported("verify").returncode == 1
    assert json.loads(imported("rebuild", "--json").stdout)["digest_after"] == digest
    healed = imported("verify", "--json")
    assert (healed.returncode, json.loads(healed.stdout)["digest"]) == (0, digest)


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        ("delete('items:ids')", "`itemstore rebuild` rebuilds"),
        (
            "hincrby('items:projection:statistics', 'type:ItemCreated', 1)",
            "`itemstore rebuild statistics` rebuilds",
        ),
        ("xadd('items:events', {'stray': 'entry'})", "No rebuild mends"),
    ],
)
def test_verify_says_what_mends_what_is_wrong(
    imported: Run, tmp_path: Path, damage: str, advice: str
) -> None:
    """A command for each projection that is wrong, and a backup for the log itself."""
    assert imported("rebuild", "statistics").returncode == 0
    with_engine = (
        "import sys; from pathlib import Path; from redis import Redis;"
        "from itemstore.engine.embedded import attach\n"
        "with attach(Path(sys.argv[1])) as engine:\n"
        f"    Redis.from_url(engine.url).{damage}\n"
    )
    subprocess.run(
        [sys.executable, "-c", with_engine, str(tmp_path / "data")], check=True, timeout=60
    )
    lines = imported("verify").stdout.splitlines()
    (said,) = [line for line in lines if line.startswith(("`", "No"))]
    assert advice in said


def test_info_says_what_the_store_holds(imported: Run) -> None:
    """For machines with --json, for people without."""
    facts = json.loads(imported("info", "--json").stdout)
    assert (facts["events"], facts["items"], facts["deleted_items"]) == (4, 1, 1)
    assert facts["fsync"] == "always"
    assert "An acknowledged write is on disk." in imported("info").stdout


def test_help_names_every_verb(run: Run) -> None:
    """And so does the command without words."""
    text = run("--help").stdout
    for verb in [
        "serve",
        "rebuild",
        "verify",
        "tail",
        "history",
        "export",
        "import",
        "token",
        "info",
    ]:
        assert f" {verb} " in text


def test_an_import_onto_a_row_that_is_none_says_so(imported: Run, tmp_path: Path) -> None:
    """One sentence, and nothing is written."""
    by_hand = (
        "import sys\nfrom pathlib import Path\nfrom redis import Redis\n"
        "from itemstore.engine.embedded import run\n"
        "with run(Path(sys.argv[1])) as engine: Redis.from_url(engine.url)"
        ".hset('items:current', 'foo', '?')"
    )
    subprocess.run([sys.executable, "-c", by_hand, str(tmp_path / "data")], check=True, timeout=60)
    log = imported("export").stdout
    ended = imported("import", "--append", stdin=as_lines(LINES[0]))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "'foo'" in ended.stderr
    assert imported("export").stdout == log


def test_the_version_is_that_of_the_package(run: Run) -> None:
    """For a person who reports something."""
    assert run("--version").stdout == f"itemstore {version('itemstore')}\n"


def test_the_last_token_is_revoked_only_on_purpose(imported: Run) -> None:
    """What is made says whose it is; the way back to an open store has a name of its own."""
    assert "this reader's token" in imported("token", "create", "ann").stderr
    refused = imported("token", "revoke", "ann")
    assert (refused.returncode, "--open-store" in refused.stderr) == (1, True)
    assert imported("token", "list").stdout.split()[:2] == ["ann", "reader"]
    assert imported("token", "revoke", "ann", "--open-store").returncode == 0
    assert imported("token", "list").stdout == ""


def test_what_a_projection_counts_is_not_called_items(imported: Run) -> None:
    """The receipt names what was made again."""
    assert "  numbers    " in imported("rebuild", "statistics").stdout
    assert "  items      " in imported("rebuild").stdout
