"""What `serve` says of the variables OTEL_* before it opens anything."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from itemstore.cli.errors import Stop
from itemstore.cli.serving import checked
from itemstore.tracing.export import asked_for

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "zipkin"},
            "There is no exporter zipkin of traces here: OTEL_TRACES_EXPORTER takes",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT takes a URL such as http://localhost:4318.",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "carrier-pigeon"},
            "OTEL_EXPORTER_OTLP_PROTOCOL takes http/protobuf, not carrier-pigeon.",
        ),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], says: str
) -> None:
    """As every mistake in settings, with exit code 2."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Stop) as stop:
        checked({"data_dir": tmp_path / "data"})

    assert str(stop.value).startswith(says)
    assert stop.value.code == 2


@pytest.mark.parametrize("installed", [(), ("console",)])
def test_traces_without_the_extra_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: tuple[str, ...]
) -> None:
    """Also where the SDK is there, and what speaks OTLP is not."""
    known = metadata.entry_points

    def without(group: str) -> list[metadata.EntryPoint]:
        return [each for each in known(group=group) if each.name in installed]

    monkeypatch.setattr("itemstore.tracing.export.metadata.entry_points", without)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")

    with pytest.raises(Stop, match=r"pip install 'itemstore\[otel\]'") as stop:
        checked({"data_dir": tmp_path / "data"})

    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("environment", "exporters"),
    [
        ({}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318"}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ("otlp", "console")),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "True"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "false"}, ("otlp",)),
        ({"OTEL_SERVICE_NAME": "shop"}, ()),
    ],
)
def test_traces_are_on_where_the_usual_variables_ask_for_them(
    environment: dict[str, str], exporters: tuple[str, ...]
) -> None:
    """And off where nothing does, or OTEL_SDK_DISABLED is true."""
    assert asked_for(environment) == exporters
