"""Items and queries at random: all that JSON and RFC 9535 know, and few enough values to meet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

NAMES = ("a", "b", "c", "d e", "é", "n", "l")
"""Members of a body, `n` an object and `l` an array as a rule."""

WORDS = ("", "a", "A", "ab", "b", "ä", "z", "ﬀ", "\uffff", "\U0001f600", "\U0001f600\U0001f601")

LONG = "x" * 1_100

NUMBERS: tuple[float, ...] = (
    *(0, -0.0, 1, 1.0, 2, -1, 0.5, 1e300, -1e300, 5e-324),
    *(2**53, 2**53 + 1, float(2**53), -(2**63) - 1, 2**64, 10**30, 10**400),
)

LITERALS: tuple[Any, ...] = (
    *(each for each in NUMBERS if (each < 1e301 and int(float(each)) == each) or each % 1),
    *WORDS,
    *range(20),
    *(True, False, None, LONG, LONG + "a"),
)
"""The library reads an integer as a float, so of them only those that are one."""

SEARCHES = ("a", "A b", "ab", "a*", "ä", "x*", "z -b", '"a ab"', "ff")

SINGULAR = ("@.a", "@.b", "@.c", "@['d e']", "@['é']", "@.n.a", "@.n.b", "@.l[0]", "@.l[-1]")

INDEXABLE = ("a", "b", "c", "@['d e']", "@['é']", "@.n.a", "@.l[0]", "@.l[-1]", "missing")

ID_PARTS = ("a", "b", "ab", "é", "\uffff", "\U0001f600", "%", "'", '"', "/", "?")


def random_id(random: Random) -> str:
    """One of many ids, some of which are hard to quote or to sort."""
    parts = random.choices(ID_PARTS, k=random.randrange(1, 4))
    return f"{''.join(parts)}{random.randrange(100_000)}"


def random_value(random: Random, depth: int = 0) -> Any:
    """A value of any kind, often one that others have."""
    kind = random.randrange(12 if depth < 3 else 9)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind < 5:
        return random.randrange(20)
    if kind < 8:
        return random.choice(WORDS) if random.random() < 0.9 else LONG + random.choice(WORDS)
    if kind < 9:
        # Within arrays and objects the library takes a true for a 1 (section 2.3.5.2.2 does not).
        return random.choice((True, False, None)) if depth == 0 else None
    if kind < 11:
        return [random_value(random, depth + 1) for _ in range(random.randrange(4))]
    return random_body(random, depth + 1)


def random_body(random: Random, depth: int = 0) -> dict[str, Any]:
    """An object that has some of the members."""
    body: dict[str, Any] = {}
    for name in NAMES:
        if random.random() < (0.8 if depth == 0 else 0.3):
            if name == "n" and depth < 3 and random.random() < 0.8:
                body[name] = random_body(random, depth + 1)
            elif name == "l" and depth < 3 and random.random() < 0.8:
                size = random.randrange(4)
                body[name] = [random_value(random, depth + 1) for _ in range(size)]
            else:
                body[name] = random_value(random, depth)
    return body


@dataclass(frozen=True, slots=True)
class RandomQuery:
    """What is asked for; `filter` is the expression for who sees all bodies as one array's."""

    where: str | None
    filter: str | None
    order: str | None
    search: str | None
    prefixes: tuple[str, ...]
    limit: int


def random_query(random: Random, *, with_search: bool) -> RandomQuery:
    """One that asks for some items in some order."""
    where = random_expression(random) if random.random() < 0.9 else None
    order = ",".join(
        random.choice(("", "-")) + path
        for path in random.sample(INDEXABLE, random.choice((0, 1, 1, 2, 3)))
    )
    prefixes: tuple[str, ...] = ("",)
    if random.random() < 0.15:
        prefixes = tuple(random.choices(ID_PARTS, k=random.randrange(1, 4)))
    return RandomQuery(
        None if where is None else where.replace("ROOT", "$"),
        None if where is None else where.replace("ROOT", "$[0]"),
        order or None,
        random.choice(SEARCHES) if with_search and random.random() < 0.2 else None,
        prefixes,
        random.choice((7, 50, 100, 333, 1000)),
    )


def random_expression(random: Random, depth: int = 0) -> str:
    """An expression of RFC 9535, section 2.3.5; `ROOT` stands for the body in it."""
    kind = random.randrange(14 if depth < 3 else 9)
    if kind < 6:
        return _comparison(random)
    if kind < 7:
        return random.choice(("", "!")) + _selection(random, depth)
    if kind < 9:
        function = random.choice(("match", "search"))
        return f"{random.choice(('', '!'))}{function}({_singular(random)}, {_pattern(random)})"
    if kind < 10:
        return f"!({random_expression(random, depth + 1)})"
    if kind < 11:
        return f"({random_expression(random, depth + 1)})"
    operator = random.choice((" && ", "&&", " || ", " && "))
    parts = [random_expression(random, depth + 1) for _ in range(random.randrange(2, 4))]
    return operator.join(parts)


def _comparison(random: Random) -> str:
    operator = random.choice(("==", "==", "!=", "<", "<=", ">", ">="))
    sides = [_singular(random), _comparable(random)]
    if random.random() < 0.2:
        sides.reverse()
    return random.choice((" ", "")).join((sides[0], operator, sides[1]))


def _comparable(random: Random) -> str:
    kind = random.randrange(12)
    if kind < 8:
        return _literal(random)
    if kind < 9:
        return f"length({random.choice((_singular(random), _literal(random)))})"
    if kind < 10:
        return f"count({_nodes(random)})"
    if kind < 11:
        return f"value({_nodes(random)})"
    return _singular(random)


def _literal(random: Random) -> str:
    value = random.choice(LITERALS)
    if isinstance(value, str) and random.random() < 0.3:
        return "'" + json.dumps(value)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return json.dumps(value, ensure_ascii=random.random() < 0.5)


def _singular(random: Random) -> str:
    path = random.choice(SINGULAR)
    return path.replace("@", "ROOT") if random.random() < 0.1 else path


def _nodes(random: Random) -> str:
    return random.choice(
        (
            "@.*",
            "@..a",
            "@.l[*]",
            "@.l[::-1]",
            "@.n.*",
            "@..*",
            "@['a','b']",
            "ROOT.l[1:]",
            "@.l[0]",
        )
    )


def _selection(random: Random, depth: int) -> str:
    if depth > 1 or random.random() < 0.6:
        return random.choice((_singular(random), _nodes(random)))
    # In there the library takes the body for what it is not (section 2.3.5.1 says what it is).
    inner = random_expression(random, depth + 2).replace("ROOT", "@")
    return random.choice(("@.l", "@.n", "@")) + f"[?{inner}]"


def _pattern(random: Random) -> str:
    pattern = random.choice(
        ("a", "a.*", "[ab]+", "(a|ä)b?", ".", "..", "x{3}.*", "\\\\p{Lu}", "[^a]*", "", "z", "(")
    )
    return f"'{pattern}'"
