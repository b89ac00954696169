"""uvicorn within limits. Nothing here knows of items."""
