"""Where spans go: what the usual variables `OTEL_*` ask for, set up for one process."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module, metadata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import trace

if TYPE_CHECKING:  # they are there with the extra `otel` only
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

FLUSH_SECONDS = 1.5
"""How long the end of a process waits until its last spans are sent."""

HTTP = "http/protobuf"

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*[ !#-+\--:<-\[\]-~]*")
"""What OpenTelemetry takes for a field: without quotes, semicolons and backslashes."""
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = {HTTP: "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_GROUP = "opentelemetry_traces_exporter"


class CannotExport(Exception):
    """Traces are asked for, and can't be exported: the sentence says what to do."""


def asked_for(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters that the environment asks for, by their names; none where traces are off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    named = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if named:
        return tuple(
            name for each in named.split(",") if (name := each.strip().lower()) not in {"", "none"}
        )
    return ("otlp",) if any(environment.get(name) for name in _ENDPOINTS) else ()


def check(environment: Mapping[str, str]) -> None:
    """Raises CannotExport where what is asked for is not to be had here, or not understood.

    What is understood is OpenTelemetry's to say, which reads the environment of this process.
    """
    names = asked_for(environment)
    for name in names:
        _entry_point(name, environment)
    if not names:
        return
    _check_headers(environment)
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - of the extra
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: PLC0415
        InMemorySpanExporter,
    )

    try:
        provider = _provider()
        provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
        provider.shutdown()
    except ValueError as error:
        raise _not_taken(error) from None


def check_propagators() -> None:
    """Raises CannotExport where OTEL_PROPAGATORS names one that is not installed.

    FastAPI looks for it, and can't be imported then, whether traces are on or off.
    """
    try:
        import_module("opentelemetry.propagate")
    except ValueError as error:
        raise _not_taken(error) from None


def _not_taken(error: ValueError) -> CannotExport:
    return CannotExport(f"OpenTelemetry does not take its variables OTEL_*: {error}")


def begin(environment: Mapping[str, str]) -> Exporting | None:
    """Has the spans of this process exported; None where nobody asks for that.

    Raises CannotExport.
    """
    names = asked_for(environment)
    if not names:
        return None
    found = [_entry_point(name, environment) for name in names]
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - of the extra

    provider = _provider()
    for each in found:
        provider.add_span_processor(BatchSpanProcessor(each.load()()))
    trace.set_tracer_provider(provider)
    return Exporting(provider)


class Exporting:
    """The export of one process's spans, from a thread of its own."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    async def finish(self) -> None:
        """Sends what is left, and gives up on a receiver that does not take it in time."""
        loop, is_sent = asyncio.get_running_loop(), asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(is_sent.set)

        # It may stay behind: whoever ends the process does not wait for a daemon.
        threading.Thread(target=send, daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await is_sent.wait()


def _provider() -> TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - of the extra

    return TracerProvider(resource=_resource(), shutdown_on_exit=False)


def _check_headers(environment: Mapping[str, str]) -> None:
    """Refuses what OpenTelemetry would write into the log as it can't read it: a secret, mostly."""
    for name in _HEADERS:
        for field in environment.get(name, "").split(","):
            if field.strip() and not _FIELD.fullmatch(field.strip()):
                raise CannotExport(
                    f"{name} takes fields such as name=value, separated by commas, and one of "
                    f"them is none: it is not shown, as it may be a secret."
                )


def _resource() -> Resource:
    """What the spans are of: this process, of the service that the environment names."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - of the extra

    named = {"service.version": metadata.version("itemstore"), **Resource.create().attributes}
    if str(named["service.name"]).startswith("unknown_service"):
        named["service.name"] = "itemstore"
    return Resource.create(named)


def _entry_point(name: str, environment: Mapping[str, str]) -> metadata.EntryPoint:
    name = _otlp(environment) if name == "otlp" else name
    known = {each.name: each for each in metadata.entry_points(group=_GROUP)}
    if not known or (name == _OTLP[HTTP] and name not in known):
        raise CannotExport(
            "OTEL_* variables ask for traces, and what exports them is not installed: "
            "pip install 'itemstore[otel]', or set OTEL_SDK_DISABLED=true."
        )
    if name not in known:
        raise CannotExport(
            f"There is no exporter {name} of traces here: OTEL_TRACES_EXPORTER takes otlp, none, "
            f"and what is installed: {', '.join(sorted(known))}."
        )
    return known[name]


def _otlp(environment: Mapping[str, str]) -> str:
    """The name of the exporter that speaks the protocol that is asked for."""
    protocol = next((given for name in _PROTOCOLS if (given := environment.get(name))), HTTP)
    if protocol not in _OTLP:
        raise CannotExport(f"OTEL_EXPORTER_OTLP_PROTOCOL takes {HTTP}, not {protocol}.")
    for name in _ENDPOINTS:
        endpoint = environment.get(name)
        if protocol == HTTP and endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise CannotExport(f"{name} takes a URL such as http://localhost:4318.")
    return _OTLP[protocol]
