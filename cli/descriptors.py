"""How many connections the system lets one process have."""

from __future__ import annotations

import resource

from itemstore.cli.output import say
from itemstore.store.settings import Settings

OWN = 256
"""Files and connections to the engine that a process has open beside its clients' connections."""


def within_descriptors(settings: Settings) -> Settings:
    """The settings, with no more connections than a process may have open files.

    The soft limit, often 1024, is raised as far as the hard one lets it be.
    """
    wanted = settings.max_connections + OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == wanted:
        return settings
    allowed = max(1, soft - OWN)
    say(
        f"The system allows {soft} open files, so a process takes {allowed} connections at once, "
        f"not {settings.max_connections}. `ulimit -n`, or LimitNOFILE= in a unit file, raises it."
    )
    return settings.model_copy(update={"max_connections": allowed})
