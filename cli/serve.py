"""`itemstore serve`: the API, and the embedded engine where no other is named."""

from __future__ import annotations

from inspect import Signature
from typing import Any

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.interruption import leave_signals_alone
from itemstore.cli.setting_options import optional_settings
from itemstore.cli.verb import shared_parameters


def serve(**given: Any) -> None:
    """Run the API, and the embedded engine where no other is named.

    Every option is also an environment variable, which a file named .env may have. The password of
    an encrypted key is one only: ITEMSTORE_SSL_KEYFILE_PASSWORD.
    """
    from itemstore.tracing.export import CannotExport, check_propagators

    try:
        check_propagators()  # before FastAPI does
    except CannotExport as error:
        raise Stop(str(error), MISUSED) from None
    from itemstore.cli import serving
    from itemstore.cli.entrance import entrance_of, listening
    from itemstore.cli.env_file import read_env_file
    from itemstore.cli.opening import run_to_end

    read_env_file(given.pop("env_file"))
    settings = serving.checked(given)
    entrance = entrance_of(settings, given)
    with listening(settings) as listener, serving.engine_of(settings) as found:
        store = run_to_end(lambda: serving.check(found), given)
        leave_signals_alone()
        serving.announce(store, listener)
        serving.serve_on(listener, store.settings, entrance)


# Typer reads the options from the signature: every setting is one.
serve.__signature__ = Signature(shared_parameters(optional_settings()))  # type: ignore[attr-defined]
