"""The HTTP side: routes, wire shapes, headers, problems and settings."""
