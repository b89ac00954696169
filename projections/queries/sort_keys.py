r"""Bytes whose order is that of JSON values, so that any database sorts and finds values by them.

Numbers come first, by what they are worth: 1 and 1.0 are one, and integers are exact whatever their
size. Then strings by code point, false, true, null, arrays, objects. Arrays are all equal here, and
so are objects: no expression compares them with anything but each other.

    first byte   what follows
    01 number    the largest 64-bit float that is not above it, in 8 bytes whose order is that of
                 floats, and what an integer is above that float, if anything
    02 string    UTF-8, whose order is that of code points
    03 false     nothing, and so for 04 true, 05 null, 06 array, 07 object

A key is cut off at KEY_BYTES, so values that begin alike are ties.
"""

from __future__ import annotations

import math
import struct
from typing import Any

KEY_BYTES = 1000
"""The longest key. One that is shorter is of one value only."""

NUMBERS, STRINGS = b"\x01", b"\x02"
FALSE, TRUE, NULL = b"\x03", b"\x04", b"\x05"
ARRAY, OBJECT = b"\x06", b"\x07"
"""What a key begins with, or all of it."""

END = b"\x08"
"""After all keys."""

_AFTER_ALL = b"\xff\xff"
"""Follows an infinite float, which expressions can have (1e400): it is above every integer."""

_EXACT = 2**53
_SIGN = 1 << 63
_ALL_BITS = 2**64 - 1
_FLOAT, _BITS = struct.Struct(">d"), struct.Struct(">Q")


def sort_key(value: Any) -> bytes:  # noqa: PLR0911 - a table
    """The key of a value as json.loads gives it."""
    match value:
        case str():
            return STRINGS + value[:KEY_BYTES].encode(errors="surrogatepass")[: KEY_BYTES - 1]
        case bool():
            return TRUE if value else FALSE
        case int():
            return NUMBERS + _integer(value)[: KEY_BYTES - 1]
        case float():
            return NUMBERS + _float(value) + (_AFTER_ALL if value == math.inf else b"")
        case None:
            return NULL
        case list():
            return ARRAY
        case _:
            return OBJECT


def _float(number: float) -> bytes:
    """Eight bytes whose order is that of floats, the infinite ones included."""
    bits: int = _BITS.unpack(_FLOAT.pack(number + 0.0))[0]  # -0.0 + 0.0 is 0.0
    return _BITS.pack(bits ^ _ALL_BITS if bits & _SIGN else bits | _SIGN)


def _integer(number: int) -> bytes:
    """The float below it and, where it is another, how much larger the integer is.

    That has as many bytes for each integer that has the same float below it.
    """
    if -_EXACT <= number <= _EXACT:
        return _float(float(number))
    try:
        below = float(number)
    except OverflowError:
        return _beyond(number)
    if below > number:
        below = math.nextafter(below, -math.inf)
    if math.isinf(below):
        return _beyond(number)
    rest = number - int(below)
    return _float(below) + (
        rest.to_bytes(-(-int(math.ulp(below)).bit_length() // 8)) if rest else b""
    )


def _beyond(number: int) -> bytes:
    """An integer beyond all floats: how many bytes it has, and these; inverted below zero."""
    size = -(-number.bit_length() // 8)
    if number > 0:
        return _float(math.inf) + size.to_bytes(2) + number.to_bytes(size)
    inverted = (1 << 8 * size + 16) - 1 + number - (size << 8 * size)
    return _float(-math.inf) + inverted.to_bytes(size + 2)
