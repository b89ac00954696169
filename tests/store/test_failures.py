"""What is said of an error that ends a command."""

from __future__ import annotations

import pytest
from redis import exceptions

from itemstore.engine.errors import LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.store.failures import told


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            exceptions.ConnectionError("Refused."),
            "The engine does not answer; try again. (Refused.)",
        ),
        (exceptions.ResponseError("BUSY a script"), "The engine refuses: BUSY a script"),
        (TimeoutError(), "The engine does not answer; try again."),
    ],
)
def test_the_engines_own_words_are_said_once(error: Exception, said: str) -> None:
    """Behind the sentence, where that does not have them."""
    with pytest.raises(LogUnavailable) as raised, translated():
        raise error
    assert told(raised.value) == said
