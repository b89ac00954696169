"""The `itemstore` command, and `python -m itemstore`."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the command. What interrupts it while its modules are read ends it without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # From here on it can be interrupted.
    from itemstore.store.garbage import look_for_garbage_rarely  # noqa: PLC0415

    look_for_garbage_rarely()  # what is imported stays
    from itemstore.cli.main import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
