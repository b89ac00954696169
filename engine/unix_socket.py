"""Where the embedded engine's socket is: in the data directory, where its path is short enough."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from itemstore.engine.server_process import EngineFailed

LONGEST_SOCKET = 100
"""Bytes in a path that every system takes for a unix socket (macOS 103, Linux 107)."""


def new_socket(data_dir: Path) -> Path:
    """The path for a socket; in a new temporary directory if need be. Raises EngineFailed."""
    socket = data_dir / "engine.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    try:
        return Path(tempfile.mkdtemp(prefix="itemstore-")) / socket.name
    except OSError as error:
        why = (
            f"The path is too long for a socket, and a directory for one can't be made: "
            f"{error.strerror}. TMPDIR can name another place, or choose a shorter path."
        )
        raise EngineFailed(data_dir, why) from error
