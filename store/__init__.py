"""One store opened, for the API and the command alike. Nothing here knows of HTTP."""
