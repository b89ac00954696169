"""docker-compose.yml: what it promises, held against the compose specification."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from compose_spec.models import ComposeSpecification
from pydantic import ValidationError

from itemstore.engine.server_process import SETTINGS
from tests.conftest import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()


@pytest.fixture
def services() -> dict[str, Any]:
    """The services by name."""
    services: dict[str, Any] = yaml.safe_load(TEXT)["services"]
    return services


def test_it_is_valid_by_the_compose_specification() -> None:
    """The specification's own schema takes it, and so does a compose parser."""
    ComposeSpecification.model_validate(yaml.safe_load(TEXT))
    PyCompose.from_yaml(TEXT)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("restart: unless-stopped", "restart: [1]"), ("condition: service_healthy", "condition: 3")],
)
def test_the_schema_would_notice_a_mistake(right: str, wrong: str) -> None:
    """The check above can fail."""
    with pytest.raises(ValidationError):
        ComposeSpecification.model_validate(yaml.safe_load(TEXT.replace(right, wrong)))


def test_the_engine_is_as_durable_as_the_embedded_one(services: dict[str, Any]) -> None:
    """Every acknowledged write is on disk, nothing is evicted, and the data outlives it."""
    words = services["engine"]["command"]
    given = dict(zip(words[1::2], words[2::2], strict=True))
    for name, value in given.items():
        assert SETTINGS[name.removeprefix("--")] == value
    assert given["--appendfsync"] == "always"
    assert services["engine"]["volumes"] == ["log:/data"]
    assert "ports" not in services["engine"]


def test_archive_and_read_model_outlive_the_container_too(services: dict[str, Any]) -> None:
    """In volumes: the rest of that file system can't be written to."""
    place = services["api"]["environment"]["ITEMSTORE_ARCHIVE"]
    assert services["api"]["volumes"] == [f"archive:{place}", "queries:/data"]
    assert services["api"]["read_only"] is True


def test_both_services_have_health_checks_and_the_api_waits(services: dict[str, Any]) -> None:
    """The API starts when the engine answers, and is published on loopback only."""
    assert all("healthcheck" in service for service in services.values())
    assert services["api"]["depends_on"]["engine"]["condition"] == "service_healthy"
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
