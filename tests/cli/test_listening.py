"""The address that `serve` listens on, and what is said where it can't be had."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from itemstore.cli.entrance import listening
from itemstore.cli.errors import Stop
from itemstore.server.processes import DIRECTORY, shared_directory
from itemstore.store.settings import Settings
from tests.logged import all_told


def test_an_address_that_is_left_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """By the last worker of a server that was killed, say."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        leaving = threading.Timer(0.3, other.close)
        leaving.start()
        with listening(Settings(port=port)) as listener:
            assert listener.getsockname() == ("127.0.0.1", port)
        leaving.join(10)
    assert all_told(caplog, event="The port is in use, and waited for", port=port)


def test_an_address_that_stays_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    monkeypatch.setattr("itemstore.server.listening.PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        use = rf"127\.0\.0\.1:{port}: it is in use\. Choose another port"
        with pytest.raises(Stop, match=use), listening(Settings(port=port)):
            pass


def test_an_address_of_another_machine_is_refused_at_once() -> None:
    """In the system's words (RFC 5737 keeps 192.0.2.1 free)."""
    with (
        pytest.raises(Stop, match=r"192\.0\.2\.1:0: Cannot assign requested address\. Choose"),
        listening(Settings(host="192.0.2.1", port=0)),
    ):
        pass


@pytest.mark.parametrize("host", ["::", "0::0"])
def test_all_addresses_are_those_of_both_families(host: str) -> None:
    """As with other servers: `::` means everything."""
    with listening(Settings(host=host, port=0)) as listener:
        port = listener.getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), timeout=5).close()


def test_a_system_that_keeps_the_families_apart_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And serves the one that was named."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listening(Settings(host="::", port=0)) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("::1", port), timeout=5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert all_told(caplog, event="The address is reached over IPv6 only", host="::")


def test_one_address_of_ipv6_is_no_other() -> None:
    """Loopback stays loopback."""
    with listening(Settings(host="::1", port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_what_is_no_address_is_refused() -> None:
    """With a sentence, although it looks like one of IPv6."""
    with pytest.raises(Stop, match="Choose an address"), listening(Settings(host="1:2", port=0)):
        pass


def no_temporary_directory() -> str:
    """What tempfile does where nothing can be written to."""
    message = "No usable temporary directory found"
    raise FileNotFoundError(message)


def test_without_a_temporary_directory_the_metrics_meet_in_the_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And where that can't be either, each process has its own, and it is said."""
    monkeypatch.setenv(DIRECTORY, "")
    monkeypatch.setattr(tempfile, "gettempdir", no_temporary_directory)
    with shared_directory(tmp_path):
        assert Path(os.environ[DIRECTORY]).parent == tmp_path
    assert not list(tmp_path.iterdir())
    with shared_directory(tmp_path / "none"):
        assert DIRECTORY not in os.environ
    [record] = caplog.records
    assert record.__dict__["hint"] == "Set TMPDIR to one that can."
