"""An application of one's own with a store in it: uvicorn app:app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from itemstore import create_app

store = create_app()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Opens the store with the application. Nobody else runs the lifespan of what is mounted."""
    async with store.lifespan():
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/hello")
async def hello() -> dict[str, str]:
    """A route of one's own, beside the store."""
    return {"hello": "world"}


app.mount("/store", store)
