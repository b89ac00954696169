"""The application: the store's routes, and one of the shop's own."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from itemstore import Settings, create_app

from domain.product import Product, shown_price

router = APIRouter(prefix="/shop")


@router.get("/price")
def price(cents: int) -> dict[str, str]:
    """A price as people read it."""
    return {"price": shown_price(cents)}


def application(settings: Settings | None = None) -> FastAPI:
    """For `itemstore serve --app api:application`."""
    app = create_app(settings, collections={"products": Product})
    app.include_router(router)
    return app
