"""An event-sourced item store: every write is an event in a Redis stream.

    from itemstore import create_app

`import itemstore` alone imports nothing more: what is named here is imported when it is first
asked for (PEP 562).
"""

TYPE_CHECKING = False  # to type checkers, and they know it by its name; nothing is imported for it
if TYPE_CHECKING:
    from itemstore.api.app import ItemStore, create_app
    from itemstore.domain.events import RecordedEvent
    from itemstore.projections.counting import CountingProjection
    from itemstore.projections.own.handler import HandlerProjection
    from itemstore.projections.own.sql_handler import SqlHandlerProjection
    from itemstore.projections.own.webhook import WebhookProjection
    from itemstore.store.settings import Settings

    __version__: str
else:  # type checkers would take any name for one that is here

    def __getattr__(name: str) -> object:
        match name:
            case "ItemStore" | "create_app":
                from itemstore.api import app as home
            case "CountingProjection":
                from itemstore.projections import counting as home
            case "HandlerProjection":
                from itemstore.projections.own import handler as home
            case "SqlHandlerProjection":
                from itemstore.projections.own import sql_handler as home
            case "WebhookProjection":
                from itemstore.projections.own import webhook as home
            case "RecordedEvent":
                from itemstore.domain import events as home
            case "Settings":
                from itemstore.store import settings as home
            case "__version__":
                from importlib.metadata import version

                return version("itemstore")
            case _:
                message = f"module 'itemstore' has no attribute {name!r}"
                raise AttributeError(message)
        return getattr(home, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "CountingProjection",
    "HandlerProjection",
    "ItemStore",
    "RecordedEvent",
    "Settings",
    "SqlHandlerProjection",
    "WebhookProjection",
    "__version__",
    "create_app",
]
