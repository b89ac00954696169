"""How clients reach `serve`: what is tried before it starts, and what is said where it is wrong."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from itemstore.cli.entrance import entrance_of, listening
from itemstore.cli.errors import MISUSED, Stop
from itemstore.store.settings import Settings
from tests.certificates import write_certificate

SESAME = "open sesame"


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, Any]:
    """The settings for a certificate and its key."""
    certfile, keyfile = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(certfile, keyfile)
    return {"ssl_certfile": certfile, "ssl_keyfile": keyfile}


def refusal(**given: Any) -> str:
    """How settings are refused: as what was typed wrong, in one sentence."""
    with pytest.raises(Stop) as stop:
        entrance_of(Settings(**given))
    assert stop.value.code == MISUSED
    sentence = str(stop.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_certificate_that_fits_its_key_is_taken(certificate: dict[str, Any]) -> None:
    """From two files, or from one that has both."""
    assert entrance_of(Settings(**certificate)).certificate is not None
    both = certificate["ssl_certfile"]
    both.write_bytes(both.read_bytes() + certificate["ssl_keyfile"].read_bytes())
    assert entrance_of(Settings(ssl_certfile=both)).certificate is not None


def test_files_that_are_not_there_or_not_it_are_named(
    certificate: dict[str, Any], tmp_path: Path
) -> None:
    """With the option, the variable and the reason."""
    none, key = tmp_path / "none", certificate["ssl_keyfile"]
    said = refusal(ssl_certfile=none)
    assert said == f"--ssl-certfile (ITEMSTORE_SSL_CERTFILE): {none}: No such file or directory."
    assert f"{none}: No such file" in refusal(**certificate | {"ssl_keyfile": none})
    assert "no certificate in PEM" in refusal(**certificate | {"ssl_certfile": key})
    assert "no private key in PEM" in refusal(ssl_certfile=certificate["ssl_certfile"])


def test_a_key_of_another_certificate_is_refused(
    certificate: dict[str, Any], tmp_path: Path
) -> None:
    """What happens where only one of the two was put in place."""
    write_certificate(tmp_path / "other.pem", certificate["ssl_keyfile"])
    assert "is not that of" in refusal(**certificate)


def test_what_only_looks_like_a_certificate_is_refused(certificate: dict[str, Any]) -> None:
    """In the words of the library, and without a traceback."""
    lines = certificate["ssl_certfile"].read_text().splitlines()
    certificate["ssl_certfile"].write_text("\n".join([lines[0], lines[1][:40], lines[-1]]))
    assert "can't be used" in refusal(**certificate)


def test_an_encrypted_key_wants_its_password(certificate: dict[str, Any]) -> None:
    """From the environment alone; nobody is asked at the terminal."""
    write_certificate(*certificate.values(), password=SESAME)
    assert "password, and there is none" in refusal(**certificate)
    assert "can't be read" in refusal(**certificate | {"ssl_keyfile_password": "other"})
    settings = Settings(**certificate | {"ssl_keyfile_password": SESAME})
    entrance = entrance_of(settings)
    assert SESAME not in repr((settings, entrance))


@pytest.mark.parametrize("name", ["ssl_keyfile", "ssl_keyfile_password"])
def test_a_key_without_a_certificate_is_refused(name: str) -> None:
    """It would be served without TLS, and somebody thinks otherwise."""
    assert "nothing without --ssl-certfile" in refusal(**{name: "key.pem"})


@pytest.mark.parametrize("root", ["/items", "/docs/x", "/openapi.json", "/products"])
def test_a_prefix_that_is_a_path_of_the_store_is_refused(root: str) -> None:
    """Nobody could tell whether a proxy has taken it off."""
    said = refusal(root_path=root, collections="items=any,products=any")
    assert "is a path of the store itself" in said


def test_a_proxy_that_is_no_address_is_refused() -> None:
    """By the name of the setting."""
    said = refusal(forwarded_allow_ips="shop")
    assert said.startswith("--forwarded-allow-ips (ITEMSTORE_FORWARDED_ALLOW_IPS): It takes")


def test_a_unix_socket_lets_in_its_user_and_its_group(tmp_path: Path) -> None:
    """Whatever the umask, and is gone at the end."""
    path = tmp_path / "http.sock"
    before = os.umask(0o077)
    with listening(Settings(uds=path)):
        assert os.umask(before) == 0o077
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    assert not path.exists()


def test_the_socket_of_a_server_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """Nobody listens there."""
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with listening(Settings(uds=path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_in_use_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that is told to end does so in a moment."""
    path = tmp_path / "http.sock"
    other = listening(Settings(uds=path))
    other.__enter__()
    leaving = threading.Timer(0.3, other.__exit__, (None, None, None))
    leaving.start()
    with listening(Settings(uds=path)):
        assert path.exists()
    leaving.join(10)
    assert [each.message for each in caplog.records] == ["The socket is in use, and waited for"]


def test_a_socket_that_stays_in_use_is_refused_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other server goes on."""
    monkeypatch.setattr("itemstore.server.unix_socket.PATIENCE", 0.1)
    path = tmp_path / "http.sock"
    with listening(Settings(uds=path)):
        with pytest.raises(Stop, match="another process listens"), listening(Settings(uds=path)):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_what_is_no_socket_is_refused_and_left(tmp_path: Path) -> None:
    """Somebody's file, whose name was mistyped."""
    path = tmp_path / "http.sock"
    path.write_text("kept")
    with pytest.raises(Stop, match="is no socket"), listening(Settings(uds=path)):
        pass
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "why"), [("x" * 200, "more than"), ("none/http.sock", "No such file")]
)
def test_a_path_that_can_be_no_socket_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """In one sentence."""
    with pytest.raises(Stop, match=why), listening(Settings(uds=tmp_path / name)):
        pass


def test_another_servers_socket_is_not_taken_away_at_the_end(tmp_path: Path) -> None:
    """One that was put in the place of ours."""
    path = tmp_path / "http.sock"
    with listening(Settings(uds=path)):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
    assert path.exists()
