"""The address that `serve` listens on, and what is said where it can't be had."""

from __future__ import annotations

import socket
import threading

import pytest

from api.settings import Settings
from cli import serve
from cli.errors import Stop
from cli.serve import listening


def test_an_address_that_is_left_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """By the last worker of a server that was killed, say."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        leaving = threading.Timer(0.3, other.close)
        leaving.start()
        with listening(Settings(port=port)) as listener:
            assert listener.getsockname() == ("127.0.0.1", port)
        leaving.join(10)
    assert capsys.readouterr().err == f"127.0.0.1:{port} is in use, waiting for it.\n"


def test_an_address_that_stays_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    monkeypatch.setattr(serve, "PATIENCE", 0.1)
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
