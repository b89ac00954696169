"""Which of the forms that a resource has a client wants: the Accept header (RFC 9110 §12.5.1)."""

from __future__ import annotations

from api.request import Request


def preferred(request: Request, *media_types: str) -> str:
    """The media type that Accept gives the highest weight; the earlier one where two have it.

    The first one where it accepts none of them: an answer helps more than a 406.
    """
    accept = request.field(b"accept")
    if accept is None:
        return media_types[0]
    weights = _weights(accept)
    return max(media_types, key=lambda media_type: _weight(weights, media_type))


def _weights(accept: str) -> dict[str, float]:
    """The weight of each media range, by its lower-case name; other parameters don't count."""
    weights = {}
    for element in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in element.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            weights[media_range] = float(weight)
        except ValueError:
            weights[media_range] = 0.0  # what can't be read is not asked for
    return weights


def _weight(weights: dict[str, float], media_type: str) -> float:
    """The weight of a media type: the most specific range that has it counts."""
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0
