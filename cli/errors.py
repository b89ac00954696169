"""How a verb ends when it can't do what it was asked for."""

from __future__ import annotations

import click


class Stop(click.ClickException):
    """Ends the command with a sentence on stderr and exit code 1."""

    def show(self, file: object = None) -> None:
        """Prints the sentence as it is."""
        click.echo(f"itemstore: {self.message}", err=True)
