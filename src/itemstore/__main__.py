"""The `itemstore` command, and `python -m itemstore`."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the command. What interrupts it while its modules are read ends it without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from itemstore.cli.main import main as run  # noqa: PLC0415 - from here on it can be interrupted

    run()


if __name__ == "__main__":
    main()
