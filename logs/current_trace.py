"""Which span of a trace is being recorded, for the lines that are logged meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

ids: Callable[[], Mapping[str, str]] | None = None
"""Gives `trace_id` and `span_id`, where a span is recorded; None where nobody takes any.

Whoever makes spans puts it here: the command logs without OpenTelemetry.
"""
