"""Paths of resources, for tests that ask all of them."""

from __future__ import annotations

EXAMPLES = {
    "id": "foo",
    "n": "1",
    "slug": "forbidden",
    "file": "swagger-ui.css",
    "folder": "views",
    "collection": "items",
    "operation": "0198",
    "name": "nobody",
    "projection": "statistics",
}
"""What stands for each parameter of a path: a new one is added here."""


def path_of(template: str, **others: str) -> str:
    """A path that fits the template. Raises KeyError for a parameter without an example."""
    return template.format(**EXAMPLES | others)
