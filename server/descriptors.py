"""How many connections the system lets one process have."""

from __future__ import annotations

import resource
from collections.abc import Callable

OWN = 256
"""Files and connections to the engine that a process has open beside its clients' connections."""


def connections_within(most: int, say: Callable[[str], object]) -> int:
    """This many connections, or as many as the limit on open files leaves.

    The soft limit, often 1024, is raised as far as the hard one lets it be. Says where that is not
    enough.
    """
    wanted = most + OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == wanted:
        return most
    allowed = max(1, soft - OWN)
    say(
        f"The system allows {soft} open files, so a process takes {allowed} connections at once, "
        f"not {most}. `ulimit -n`, or LimitNOFILE= in a unit file, raises it."
    )
    return allowed
