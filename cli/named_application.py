"""The application that ITEMSTORE_APP names: the store's, with what somebody added to it."""

from __future__ import annotations

from collections.abc import Callable

from itemstore.api.added import CannotAdd
from itemstore.api.app import ItemStore, create_app
from itemstore.store.named import UnknownName, imported
from itemstore.store.settings import Settings

SAID = "ITEMSTORE_APP is"


def named_application(name: str | None) -> Callable[[Settings], ItemStore]:
    """What makes the application of settings; create_app where nothing is named.

    Raises UnknownName, and so does what it gives where it makes another application.
    """
    if name is None:
        return create_app
    make = imported(SAID, name, "module:function")
    if not callable(make) or isinstance(make, ItemStore):
        raise UnknownName(
            SAID, name, ", which is no function: it takes the settings, and gives the application"
        )

    def made(settings: Settings) -> ItemStore:
        try:
            app = make(settings)
        except (CannotAdd, UnknownName):
            raise
        except Exception as error:  # it is the operator's own
            reason = f", which failed: {type(error).__name__}: {error}"
            raise UnknownName(SAID, name, reason) from error
        if not isinstance(app, ItemStore):
            reason = f", which gave {type(app).__name__} and not what create_app made"
            raise UnknownName(SAID, name, reason)
        return app

    return made
