"""What an operator gets wrong about a projection of their own is said before anything runs."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from itemstore import SqlHandlerProjection, WebhookProjection
from itemstore.cli.errors import Stop
from itemstore.cli.serving import checked

TABLES = {"sales": "CREATE TABLE sales (product TEXT)"}

PASSWORD = "swordfish"  # noqa: S105 - to see that it is not shown

URL = "https://example.org/hook"

SECRET = "HOOK_SECRET"  # noqa: S105 - the name of a variable

WEBHOOKS = [
    ("example.org/hook", "it begins with http:// or https://"),
    ("ftp://example.org", "it begins with http:// or https://"),
    ("http://", "it names no host"),
    ("http://[::1/hook", "it can't be read"),
    ("http://example.org:99999/", "it can't be read"),
    ("http://example.org:0/", "a port is a number from 1 to 65535"),
    (f"https://me:{PASSWORD}@example.org/", "a name or a password in it would not be sent"),
    ("https://example.org/a b", "are written with %"),
]

DATABASES = [
    ("sales.db", "it is sqlite:///PATH or postgresql://"),
    (f"mysql://me:{PASSWORD}@host/sales", "it is sqlite:///PATH or postgresql://"),
    ("sqlite:////nowhere/sales.db", "there is no directory /nowhere"),
    ("sqlite:////tmp", "whose database is a directory: /tmp"),
    (f"postgresql://me:{PASSWORD}@host:port/sales", "whose url can't be used: "),
]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the operator's own, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    return tmp_path / "shop.py"


@pytest.mark.parametrize(("url", "why"), WEBHOOKS)
def test_a_url_that_is_none_is_refused_without_saying_it(url: str, why: str) -> None:
    """Its path may be a secret, and there may be a password in it."""
    trouble = WebhookProjection("hook", url).trouble
    assert trouble is not None
    assert why in trouble
    assert PASSWORD not in trouble + repr(WebhookProjection("hook", url))


@pytest.mark.parametrize(("url", "why"), DATABASES)
def test_a_database_that_is_none_is_refused_without_saying_its_password(url: str, why: str) -> None:
    """The sentence says what to write."""
    projection = SqlHandlerProjection("sales", print, TABLES, url)
    assert projection.trouble is not None
    assert why in projection.trouble
    assert PASSWORD not in projection.trouble + repr(projection)


def test_what_is_to_be_in_the_environment_is_missed_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name; and a secret that is none is not said."""
    hook = WebhookProjection("hook", URL, secret_from=SECRET)
    assert hook.trouble == "whose secret is to be in HOOK_SECRET, which is not set"
    monkeypatch.setenv(SECRET, PASSWORD)
    assert hook.trouble is not None
    assert "openssl rand -base64 32" in hook.trouble
    assert PASSWORD not in hook.trouble
    monkeypatch.setenv(SECRET, "whsec_" + b64encode(bytes(32)).decode())
    assert hook.trouble is None
    sales = SqlHandlerProjection("sales", print, TABLES, url_from="SALES_URL")
    assert sales.trouble == "whose URL is to be in SALES_URL, which is not set"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise KeyError('color')", "can't be imported: KeyError: 'color'"),
        ("1 +", "can't be imported: SyntaxError: "),
        (
            "import itemstore\nP = itemstore.WebhookProjection('hook', 'nowhere')",
            "whose url is no URL of a receiver",
        ),
        (
            "import itemstore\nP = itemstore.HandlerProjection('h', print, types=('x',))",
            "types names 'x'",
        ),
        ("import itemstore\nP = itemstore.HandlerProjection", "which is not a projection"),
        (
            "import itemstore\nP = itemstore.SqlHandlerProjection('s', print, {}, 'sqlite:///s')",
            "tables names none",
        ),
    ],
)
def test_a_module_that_is_wrong_stops_the_start_with_a_sentence(
    shop: Path, text: str, why: str
) -> None:
    """And with the exit code of a mistake in the settings."""
    shop.write_text(text)
    with pytest.raises(Stop) as stopped:
        checked({"projections": "shop:P"})
    said = str(stopped.value)
    assert said.startswith("--projections names 'shop:P', ")
    assert why in said
    assert "\n" not in said
    assert stopped.value.code == 2


def test_nothing_is_started_then(shop: Path) -> None:
    """No engine, and no directory for one."""
    shop.write_text("raise KeyError('color')")
    command = [sys.executable, "-m", "itemstore", "serve", "--projections", "shop:P"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert [each.name for each in shop.parent.iterdir() if each.name.startswith("items")] == []
