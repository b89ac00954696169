"""Accept: which form of a resource a client wants (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from itemstore.api.http.header_fields import members, named
from itemstore.api.http.media_types import JSON
from itemstore.api.http.request import Request

_WEIGHT = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class _Range:
    """A media range of Accept: `name` is a type, `text/*` or `*/*`."""

    name: str
    parameters: dict[str, str]
    weight: float

    def specificity(self, name: str, parameters: dict[str, str]) -> float:
        """How closely it describes a media type; negative where it does not match at all.

        A parameter that the type does not have says nothing about it.
        """
        common = self.parameters.keys() & parameters.keys()
        if any(self.parameters[each] != parameters[each] for each in common):
            return -inf
        if self.name == name:
            return 2 + len(common)
        return {name.partition("/")[0] + "/*": 1, "*/*": 0}.get(self.name, -inf)


def preferred(request: Request, *media_types: str) -> str:
    """The media type that Accept gives the highest weight; the earlier one where two have it.

    The first one where it accepts none of them: an answer helps more than a 406. A media type may
    have parameters, which count where a range names them: `text/plain; version=0.0.4`.
    """
    accept = request.field(b"accept")
    return media_types[0] if accept is None else _preferred(accept, media_types)


@lru_cache(maxsize=64)
def prefers_html(accept: bytes) -> bool:
    """Whether who sends this Accept, a browser mostly, would rather have HTML than JSON."""
    return _preferred(accept.decode("latin-1"), (JSON, "text/html")) == "text/html"


def _preferred(accept: str, media_types: Sequence[str]) -> str:
    ranges = [each for member in members(accept) if (each := _range(member))]
    return max(media_types, key=lambda media_type: _weight(ranges, media_type))


def _range(member: str) -> _Range | None:
    """What a member of Accept asks for, None for what can't be read."""
    read = named(member)
    if read is None:
        return None
    name, listed = read
    parameters = {each: value.lower() for each, value in listed}
    weight = weight_of(parameters)
    parameters.pop("q", None)
    return _Range(name, parameters, weight)


def weight_of(parameters: Mapping[str, str]) -> float:
    """How much a member of a list is wanted (§12.4.2).

    What has no weight of a form that can be read is not asked for.
    """
    text = parameters.get("q", "1")
    return float(text) if _WEIGHT.fullmatch(text) else 0.0


def _weight(ranges: list[_Range], media_type: str) -> float:
    """The weight of a media type: that of the most specific range that matches it."""
    read = named(media_type)
    assert read is not None
    name, parameters = read[0], dict(read[1])
    fits = [(each.specificity(name, parameters), each.weight) for each in ranges]
    specificity, weight = max(fits, default=(-inf, 0.0))
    return weight if specificity >= 0 else 0.0
