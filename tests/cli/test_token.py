"""`itemstore token`: what a token is bound to, and when it ends."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itemstore.cli.errors import Stop
from itemstore.cli.token_scope import expiry_from
from tests.cli.forked import command

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `itemstore token` on a data directory of the test's own."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
        return command(("token", *words), environment, "")

    return run


def test_a_token_is_made_and_listed_with_all_that_it_is_bound_to(run: Run) -> None:
    """For machines and for people, and nothing is said of what it is not bound to."""
    made = run(
        *("create", "ann", "--role", "writer", "--json", "--expires", "2127-01-31T01:00:00+01:00"),
        *("--collection", "orders", "--collection", "notes", "--prefix", "us/", "--prefix", "é"),
    )
    assert made.returncode == 0
    bounds = {
        "collections": ["notes", "orders"],
        "prefixes": ["us/", "é"],
        "expires": "2127-01-31T00:00:00Z",
    }
    shown = json.loads(made.stdout)
    assert shown.pop("token").startswith("ann.")
    assert shown == {"name": "ann", "role": "writer", **bounds}
    assert run("create", "bob").returncode == 0

    ann, bob = json.loads(run("list", "--json").stdout)
    assert ann.pop("created") <= bob.pop("created")
    assert ann == {"name": "ann", "role": "writer", **bounds, "expired": False}
    nothing = {"collections": None, "prefixes": None, "expires": None}
    assert bob == {"name": "bob", "role": "reader", **nothing, "expired": False}

    of_ann, of_bob = run("list").stdout.splitlines()
    assert of_ann.split("  ")[-3:] == [
        "expires 2127-01-31T00:00:00Z",
        "collections: notes, orders",
        "prefixes: 'us/', 'é'",
    ]
    assert of_bob.endswith("Z")
    assert "  expire" not in of_bob


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--expires", "2026-01-01T00:00:00Z"), "which is over"),
        (("--expires", "0d"), "which is over"),
        (("--expires", "soon"), "takes a time, such as"),
        (("--expires", "2127-01-31"), "takes a time, such as"),
        (("--expires", "2127-01-31T00:00:00"), "takes a time, such as"),
        (("--expires", "2127-02-30T00:00:00Z"), "takes a time, such as"),
        (("--expires", "-1d"), "takes a time, such as"),
        (("--expires", "1.5d"), "takes a time, such as"),
        (("--expires", ""), "takes a time, such as"),
        (("--expires", "999999999w"), "after the year 9999"),
        (("--expires", "999999999d"), "after the year 9999"),
        (("--prefix", ""), "what ids begin with. It is empty."),
        (("--prefix", "a\nb"), "control characters"),
        (("--prefix", "x" * 513), "513 bytes"),
        (("--collection", ""), "lower-case letters, digits and dashes, not ''"),
        (("--collection", "Orders"), "lower-case letters"),
        (("--collection", "orders,notes"), "lower-case letters"),
        (("--collection", "events"), "'events', which is a path of the API and no collection"),
        (tuple(word for n in range(33) for word in ("--prefix", f"{n}/")), "at most 32 prefixes"),
        (tuple(w for n in range(129) for w in ("--collection", f"c{n}")), "at most 128"),
    ],
)
def test_what_can_t_be_meant_makes_no_token(
    run: Run, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """A sentence, and not even a new store."""
    refused = run("create", "ann", *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_collection_that_is_not_there_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is made all the same: the collection may be yet to come."""
    monkeypatch.setenv("ITEMSTORE_COLLECTIONS", "orders,notes")
    made = run("create", "ann", "--collection", "ordres", "--collection", "notes")
    assert made.returncode == 0
    assert "no collection ordres so far. It has orders, notes." in made.stderr
    assert "no collection" not in run("create", "bob", "--collection", "notes").stderr
    assert "no collection" not in run("create", "eve").stderr


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("30d", NOW + timedelta(days=30)),
        ("12h", NOW + timedelta(hours=12)),
        ("90m", NOW + timedelta(minutes=90)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2027-01-31t00:00:00.999z", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2026-11-27T12:00:01Z", NOW + timedelta(seconds=1)),
    ],
)
def test_a_while_is_counted_from_now(text: str, end: datetime) -> None:
    """And a time is itself, to the second."""
    assert expiry_from(text, NOW) == end


@pytest.mark.parametrize("text", ["0h", "2026-11-27T12:00:00Z", "2026-11-27T13:00:00+01:00"])
def test_a_time_that_is_not_to_come_is_refused(text: str) -> None:
    """With the time that it is."""
    with pytest.raises(Stop, match="it is 2026-11-27T12:00:00Z now"):
        expiry_from(text, NOW)
