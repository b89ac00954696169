"""Settings: environment variables `ITEMSTORE_*`, each checked at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis
from pydantic import SecretStr, ValidationError

from itemstore.api.app import create_app
from itemstore.store.settings import Settings
from tests.api.conftest import Serve, client_of

GIVEN: dict[str, tuple[str, Any]] = {
    "redis_url": ("redis://engine:6379/0", "redis://engine:6379/0"),
    "data_dir": ("/var/lib/itemstore", Path("/var/lib/itemstore")),
    "host": ("::1", "::1"),
    "port": ("0", 0),
    "uds": ("/run/itemstore/http.sock", Path("/run/itemstore/http.sock")),
    "ssl_certfile": ("/etc/ssl/shop.pem", Path("/etc/ssl/shop.pem")),
    "ssl_keyfile": ("/etc/ssl/shop.key", Path("/etc/ssl/shop.key")),
    "ssl_keyfile_password": ("open sesame", SecretStr("open sesame")),
    "root_path": ("/shop/api", "/shop/api"),
    "forwarded_allow_ips": ("10.0.0.0/8", "10.0.0.0/8"),
    "workers": ("4", 4),
    "namespace": ("{shop}", "{shop}"),
    "partitions": ("4", 4),
    "durability": ("fsync", "fsync"),
    "model": ("shop:Product", "shop:Product"),
    "collections": ("products=shop:Product,notes=any", "products=shop:Product,notes=any"),
    "projections": ("shop:PRICES, shop:COLOURS", "shop:PRICES, shop:COLOURS"),
    "app": ("shop:application", "shop:application"),
    "archive": ("s3://shop/archive", "s3://shop/archive"),
    "archive_seconds": ("0.5", 0.5),
    "archive_cache": ("0", 0),
    "keep_events": ("1", 1),
    "keep_bytes": ("1", 1),
    "sql_url": ("postgresql://db.example/shop", "postgresql://db.example/shop"),
    "indexes": ("products=title,price_cents", "products=title,price_cents"),
    "text": ("products=title", "products=title"),
    "query_rows": ("1", 1),
    "query_seconds": ("0.5", 0.5),
    "max_body": ("100", 100),
    "max_waiting": ("1", 1),
    "max_connections": ("1", 1),
    "max_streams": ("1", 1),
    "max_unsent": ("1", 1),
    "client_seconds": ("1", 1),
    "insecure_no_auth": ("true", True),
    "cors_origins": ("https://a.example,http://b:3000", "https://a.example,http://b:3000"),
    "idempotency_seconds": ("60", 60),
    "require_conditions": ("true", True),
    "explorer": ("false", False),
    "log_format": ("json", "json"),
    "log_level": ("debug", "debug"),
    "access_log": ("true", True),
}
"""For each setting, a text in the environment and the value that it means."""

REFUSED = [
    ("port", "-1"),
    ("port", "65536"),
    ("port", "http"),
    ("root_path", "/"),
    ("root_path", "shop"),
    ("root_path", "/shop/"),
    ("root_path", "/sh op"),
    ("root_path", "/sh%20op"),
    ("workers", "0"),
    ("workers", "many"),
    ("namespace", "with space"),
    ("namespace", "a:b"),
    ("namespace", "a*"),
    ("namespace", "a?"),
    ("namespace", "x" * 65),
    ("partitions", "0"),
    ("partitions", "1025"),
    ("archive_seconds", "0"),
    ("archive_seconds", "soon"),
    ("archive_cache", "-1"),
    ("keep_events", "0"),
    ("keep_bytes", "0"),
    ("query_rows", "0"),
    ("query_seconds", "0"),
    ("max_body", "0"),
    ("max_body", "1MB"),
    ("max_waiting", "0"),
    ("max_connections", "0"),
    ("max_streams", "0"),
    ("max_unsent", "0"),
    ("client_seconds", "0"),
    ("insecure_no_auth", "maybe"),
    ("cors_origins", "a.example"),
    ("cors_origins", "https://a.example/"),
    ("cors_origins", "https://a.example,*"),
    ("idempotency_seconds", "0"),
    ("require_conditions", "perhaps"),
    ("log_format", "text"),
    ("log_level", "INFO"),
    ("access_log", "perhaps"),
]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"ITEMSTORE_{name.upper()}"


def test_every_setting_is_tested_here() -> None:
    """A setting that is added is added above."""
    assert set(GIVEN) == set(Settings.model_fields)


def test_every_setting_is_described_and_has_a_default() -> None:
    """Nothing has to be configured, and everything says what it is for."""
    for field in Settings.model_fields.values():
        assert field.description
        assert not field.is_required()


@pytest.mark.parametrize("name", GIVEN)
def test_a_setting_comes_from_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`ITEMSTORE_` and the name in capitals; all others keep their defaults."""
    text, value = GIVEN[name]
    defaults = Settings().model_dump()
    monkeypatch.setenv(variable(name), text)

    assert Settings().model_dump() == defaults | {name: value}
    assert defaults[name] != value


def test_settings_say_which_variables_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """So `serve` hands them to its worker processes, whatever they came from."""
    settings = Settings(**{name: value for name, (_, value) in GIVEN.items()})
    for name, text in settings.environment.items():
        monkeypatch.setenv(name, text)

    assert Settings() == settings


def test_settings_say_which_variables_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is started with them has another database otherwise."""
    monkeypatch.setenv(variable("sql_url"), "sqlite:///other.db")
    settings = Settings(sql_url=None)
    for name, value in settings.environment.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize("name", GIVEN)
def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`ITEMSTORE_PORT=` in a compose file means the default."""
    defaults = Settings()
    monkeypatch.setenv(variable(name), "")

    assert Settings() == defaults


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_a_value_that_is_not_valid_is_refused(
    monkeypatch: pytest.MonkeyPatch, redis: FakeAsyncRedis, name: str, text: str
) -> None:
    """At the start, by the name of the setting."""
    monkeypatch.setenv(variable(name), text)

    with pytest.raises(ValidationError) as refusal:
        create_app(redis=redis)

    assert [error["loc"] for error in refusal.value.errors()] == [(name,)]


def test_what_is_passed_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option of the command line wins over the variable of the same name."""
    monkeypatch.setenv("ITEMSTORE_PORT", "1")

    assert Settings(port=2).port == 2


def test_a_setting_that_is_none_is_refused() -> None:
    """A typo in code is noticed."""
    with pytest.raises(ValidationError, match="colour"):
        Settings(colour="red")  # type: ignore[call-arg]


def test_settings_do_not_change() -> None:
    """What the app was made with stays as it is."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


async def test_the_environment_reaches_the_app(
    monkeypatch: pytest.MonkeyPatch, redis: FakeAsyncRedis
) -> None:
    """`create_app()` reads it where no settings are passed."""
    monkeypatch.setenv("ITEMSTORE_MAX_BODY", "10")

    async with client_of(create_app(redis=redis)) as client:
        answer = await client.put("/items/foo", json={"name": "more than ten"})

    assert answer.status_code == 413


@pytest.mark.parametrize("namespace", ["shop", "{shop}", "läden", "a-b_c.d"])
async def test_all_keys_begin_with_the_namespace(
    serve: Serve, redis: FakeAsyncRedis, namespace: str
) -> None:
    """So that several stores, and other programs, can share an engine."""
    client = serve(namespace=namespace)
    await client.put("/items/foo", json={}, headers={"Idempotency-Key": "k"})
    await client.delete("/items/foo")

    keys: Any = await redis.keys("*")
    assert len(keys) >= 5
    assert all(key.decode().startswith(f"{namespace}:") for key in keys)


async def test_two_namespaces_know_nothing_of_each_other(serve: Serve) -> None:
    """The same id is another item there."""
    one, two = serve(namespace="one"), serve(namespace="two")

    answers = [await client.put("/items/foo", json={}) for client in (one, two, one)]

    assert [answer.status_code for answer in answers] == [201, 201, 200]
    assert (await two.get("/items")).json()["total"] == 1
