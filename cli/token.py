"""`itemstore token`: make, list and revoke bearer tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from json import dumps
from typing import Annotated

import typer

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.misuse import Verb
from itemstore.cli.options import Json
from itemstore.cli.output import say, write_text
from itemstore.cli.verb import Where, verb

token = typer.Typer(help="Make, list and revoke bearer tokens.", no_args_is_help=True)


class RoleName(Enum):
    """The roles of store.tokens, whose import would make --help slow; a test compares them."""

    reader = "reader"
    writer = "writer"
    admin = "admin"


@token.command("create", cls=Verb)
@verb
async def create(
    where: Where,
    name: Annotated[str, typer.Argument(help="Who will use it: the actor in events.")],
    role: Annotated[RoleName, typer.Option(help="What it allows.")] = RoleName.reader,
    collection: Annotated[
        list[str] | None,
        typer.Option(help="Only items of this collection; may be repeated.", metavar="<name>"),
    ] = None,
    prefix: Annotated[
        list[str] | None,
        typer.Option(help="Only ids that begin with it; may be repeated.", metavar="<prefix>"),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            help="When it ends: 2027-01-31T00:00:00Z, or 30d, 12h, 90m.", metavar="<when>"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a token and print it. From the first one on, every request needs one."""
    from itemstore.cli.opening import opened
    from itemstore.cli.token_scope import expiry_from, scope_from
    from itemstore.store import tokens
    from itemstore.store.beginning import begin
    from itemstore.store.token_terms import InvalidTerms, bounds_as_json, check_name, missing_from

    try:
        check_name(name)
    except InvalidTerms as error:
        raise Stop(str(error), MISUSED) from None
    scope = scope_from(collection or (), prefix or ())
    end = None if expires is None else expiry_from(expires, datetime.now(UTC))
    async with opened(where, new=True) as store:
        await begin(store)  # tokens are with the keys that go by the number of partitions
        try:
            secret = await tokens.create(
                store.partition, name, tokens.Role[role.value], scope, expires=end
            )
        except tokens.TokenExists:
            message = f"There is a token {name!r} already; revoke it first, or choose another name."
            raise Stop(message) from None
        if missing := missing_from(store, scope):
            say(missing)
        made = {
            "name": name,
            "role": role.value,
            **bounds_as_json(scope, end),
            "token": secret,
        }
        try:
            write_text(dumps(made) if json else secret)
        except Stop as stop:
            message = f"{stop} The token was made, and nobody has seen it: revoke {name}."
            raise Stop(message) from None
        say(f"Keep this {role.value}'s token: it is not shown again.")


@token.command("list", cls=Verb)
@verb
async def list_(where: Where, json: Json = False) -> None:
    """Show all tokens. Their names and roles, what they are bound to, when they end."""
    from itemstore.cli.opening import opened
    from itemstore.cli.token_scope import as_words
    from itemstore.store.token_terms import as_json
    from itemstore.store.tokens import read_tokens

    async with opened(where) as store:
        tokens = await read_tokens(store.partition)
    listed = tokens.readable.values()
    if json:
        write_text(dumps([as_json(each) for each in listed]))
    else:
        for each in listed:
            write_text(as_words(each))
    for name in tokens.unreadable:
        say(f"The row of token {name!r} can't be read, so it opens nothing; revoke it.")


@token.command("revoke", cls=Verb)
@verb
async def revoke(
    where: Where,
    name: Annotated[str, typer.Argument(help="The token's name.")],
    open_store: Annotated[
        bool, typer.Option("--open-store", help="Even the only one: then nobody needs a token.")
    ] = False,
) -> None:
    """Revoke a token."""
    from itemstore.cli.opening import opened
    from itemstore.store import tokens

    async with opened(where) as store:
        try:
            revoked = await tokens.revoke(store.partition, name, even_last=open_store)
        except tokens.LastToken:
            message = (
                f"{name!r} is the only token; without it the store is open to every client that "
                "reaches it. Make another one first, or use --open-store."
            )
            raise Stop(message) from None
    if not revoked:
        message = f"There is no token {name!r}; `itemstore token list` shows the ones there are."
        raise Stop(message)
    say(f"Revoked {name}; it is refused everywhere within two seconds.")
