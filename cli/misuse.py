"""What is said of words that can't be understood: a sentence, and where to look for the right ones.

The library that reads them says some of it in words for programmers.
"""

from __future__ import annotations

import re
from typing import Any

from typer import TyperException
from typer.core import TyperCommand, TyperGroup, TyperOption

_CHOICES = re.compile(r"(?P<given>.*) is not one of (?P<choices>'.*')\.?", re.DOTALL)
_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", re.DOTALL)


class Verb(TyperCommand):
    """A verb whose mistakes know that they are its own, so that its help is the one to look at."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words after the verb."""
        try:
            return super().parse_args(ctx, args)
        except TyperException as mistake:
            if getattr(mistake, "ctx", ctx) is None:
                vars(mistake)["ctx"] = ctx
            raise


def told(mistake: TyperException, name: str) -> str:
    """A line about it; where there were no words at all, the help. `name` is the command's."""
    said = mistake.format_message()
    if said.startswith("Usage: "):
        return said
    context = getattr(mistake, "ctx", None)
    path = context.command_path if context else name
    said = _sentence(mistake, context) or said
    end = "" if said.endswith((".", "?")) else "."
    return f"{name}: {said}{end} `{path} --help` shows what there is."


def _sentence(mistake: TyperException, context: Any) -> str | None:
    """What is wrong, where it can be said better than the library says it."""
    message = str(getattr(mistake, "message", "")).removeprefix("Value error, ")
    if (extra := _EXTRA.fullmatch(message)) is not None:
        return f"Nothing is known of what comes last: {extra['words']}"
    if (parameter := getattr(mistake, "param", None)) is not None and message:
        return f"{_typed(parameter)} {_taken(message)}"
    option = getattr(mistake, "option_name", None)
    if option and context is not None and isinstance(context.command, TyperGroup):
        return _before_the_verb(context, option)
    return None


def _taken(message: str) -> str:
    """What an option or an argument takes, and what it was given."""
    found = _CHOICES.fullmatch(message)
    if found is None:
        return message if message.startswith("takes ") else f"is wrong: {message}"
    *others, last = found["choices"].replace("'", "").split(", ")
    return f"takes {', '.join(others)} or {last}, not {found['given']}"


def _typed(parameter: Any) -> str:
    """An option as it is typed, an argument as the help names it."""
    if isinstance(parameter, TyperOption):
        return max(parameter.opts, key=len)
    return str(parameter.name).upper()


def _before_the_verb(context: Any, option: str) -> str | None:
    """What is said of an option that verbs take, and that stands before the verb."""
    verbs = context.command.commands.values()
    if any(option in [*each.opts, *each.secondary_opts] for verb in verbs for each in verb.params):
        return f"{option} goes after the verb, as in `{context.command_path} VERB {option}`"
    return None
