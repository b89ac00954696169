"""The `itemstore` command: each verb parses, calls one function, and sets the exit code."""
