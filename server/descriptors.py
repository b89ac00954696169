"""How many connections the system lets one process have."""

from __future__ import annotations

import logging
import resource

OWN = 256
"""Files and connections to the engine that a process has open beside its clients' connections."""

logger = logging.getLogger(__name__)


def connections_within(most: int) -> int:
    """This many connections, or as many as the limit on open files leaves.

    The soft limit, often 1024, is raised as far as the hard one lets it be. Where that is not
    enough it is logged.
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
    logger.warning(
        "The system allows too few open files for as many connections",
        extra={
            "open_files": soft,
            "connections": allowed,
            "wanted": most,
            "hint": "`ulimit -n`, or LimitNOFILE= in a unit file, raises it.",
        },
    )
    return allowed
