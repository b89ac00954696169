"""What the store is compared with, each an ASGI application of its own."""
