"""`itemstore token`: make, list and revoke bearer tokens."""

from __future__ import annotations

import json

from itemstore.cli.errors import Stop
from itemstore.cli.output import say, write_text
from itemstore.store.store import Store
from itemstore.store.tokens import NAME, LastToken, Role, TokenExists, create, read_tokens, revoke


async def create_token(store: Store, name: str, role: str, *, as_json: bool) -> None:
    """Makes a token and prints it, once. Raises Stop."""
    if not NAME.fullmatch(name):
        message = f"A token's name has 1 to 64 letters, digits, - or _; {name!r} has others."
        raise Stop(message)
    try:
        token = await create(store.partition, name, Role[role])
    except TokenExists:
        message = f"There is a token {name!r} already; revoke it first, or choose another name."
        raise Stop(message) from None
    try:
        write_text(json.dumps({"name": name, "role": role, "token": token}) if as_json else token)
    except Stop as stop:
        message = f"{stop} The token was made, and nobody has seen it: revoke {name}."
        raise Stop(message) from None
    say(f"Keep this {role}'s token: it is not shown again.")


async def list_tokens(store: Store, *, as_json: bool) -> None:
    """Prints the names and roles of all tokens."""
    tokens = await read_tokens(store.partition)
    listed = tokens.readable.values()
    if as_json:
        rows = [{"name": t.name, "role": t.role.name, "created": t.created} for t in listed]
        write_text(json.dumps(rows))
    else:
        for token in listed:
            write_text(f"{token.name:<24}{token.role.name:<8}{token.created}")
    for name in tokens.unreadable:
        say(f"The row of token {name!r} can't be read, so it opens nothing; revoke it.")


async def revoke_token(store: Store, name: str, *, opens_store: bool) -> None:
    """Takes a token back. Raises Stop where there is none of this name, and for the only one."""
    try:
        revoked = await revoke(store.partition, name, even_last=opens_store)
    except LastToken:
        message = (
            f"{name!r} is the only token; without it the store is open to all who reach it. Make "
            "another one first, or say --open-store."
        )
        raise Stop(message) from None
    if not revoked:
        message = f"There is no token {name!r}; `itemstore token list` shows those there are."
        raise Stop(message)
    say(f"Revoked {name}; it is refused everywhere within two seconds.")
