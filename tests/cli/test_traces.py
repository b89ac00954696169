"""What `serve` says of the variables OTEL_* before it opens anything."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from itemstore.cli.errors import Stop
from itemstore.cli.serving import checked
from itemstore.tracing.export import asked_for

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}


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
        (
            ON | {"OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
            "OpenTelemetry does not take its variables OTEL_*: max_queue_size must be a positive",
        ),
        (
            ON | {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"},
            "OpenTelemetry does not take its variables OTEL_*: OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
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


@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"]
)
@pytest.mark.parametrize("given", ["a=b, Authorization: Bearer s3cret", 'a="s3cret"', "a=b;s3cret"])
def test_header_fields_for_the_receiver_that_cannot_be_read_are_refused_and_not_shown(  # noqa: PLR0917 - fixtures and cases
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    name: str,
    given: str,
) -> None:
    """OpenTelemetry would write them into the log, with the token that is in them."""
    for variable, value in (ON | {name: given}).items():
        monkeypatch.setenv(variable, value)

    with pytest.raises(Stop, match=f"{name} takes fields such as") as stop:
        checked({"data_dir": tmp_path / "data"})

    assert stop.value.code == 2
    assert not any("s3cret" in text for text in (str(stop.value), caplog.text, *capfd.readouterr()))


@pytest.mark.parametrize(
    "value", ["", "a=b", "authorization=Bearer%20x, b=c,", "a=b c=d,e=", "a=b=="]
)
def test_header_fields_that_can_be_read_are_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    """As OpenTelemetry reads them: also those that are not encoded."""
    for variable, given in (ON | {"OTEL_EXPORTER_OTLP_HEADERS": value}).items():
        monkeypatch.setenv(variable, given)

    checked({"data_dir": tmp_path / "data"})


def test_a_propagator_that_is_not_installed_is_said_in_one_line(tmp_path: Path) -> None:
    """Whoever imports FastAPI has to have it, also where traces are off."""
    ran = subprocess.run(
        [sys.executable, "-m", "itemstore", "serve", "--data-dir", str(tmp_path / "data")],
        env=os.environ | {"OTEL_PROPAGATORS": "pigeon"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 2
    [line] = ran.stderr.splitlines()
    assert line.startswith(
        "itemstore: OpenTelemetry does not take its variables OTEL_*: Propagator pigeon not found."
    )


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
