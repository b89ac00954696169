"""What event a command becomes: the one rule of the store."""

from __future__ import annotations

import pytest

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import ItemNotFound
from itemstore.domain.events import Event, ItemCreated, ItemDeleted, ItemUpdated
from itemstore.domain.expected import ABSENT, PRESENT, ExpectedVersion, one_of


@pytest.mark.parametrize(
    ("command", "exists", "event"),
    [
        (PutItem("foo", b"{}"), False, ItemCreated("foo", b"{}")),
        (PutItem("foo", b"{}"), True, ItemUpdated("foo", b"{}")),
        (PatchItem("foo", b"{}"), True, ItemUpdated("foo", b"{}")),
        (DeleteItem("foo"), True, ItemDeleted("foo")),
    ],
)
def test_a_command_becomes_the_event_that_fits_what_is_there(
    command: Command, event: Event, *, exists: bool
) -> None:
    """Every command and state that end in an event."""
    assert decide(command, exists=exists) == event


@pytest.mark.parametrize("command", [PatchItem("foo", b"{}"), DeleteItem("foo")])
def test_what_does_not_exist_can_be_neither_patched_nor_deleted(command: Command) -> None:
    """Every command and state that end in a refusal; it names the item."""
    with pytest.raises(ItemNotFound, match=r"There is no item 'foo'\.") as refused:
        decide(command, exists=False)
    assert refused.value.item == "foo"
    assert refused.value.deleted_version is None


@pytest.mark.parametrize("expected", [ABSENT, PRESENT, one_of(3)])
@pytest.mark.parametrize("exists", [False, True])
def test_the_expected_version_does_not_change_the_event(
    expected: ExpectedVersion, *, exists: bool
) -> None:
    """Whether a command is admitted is asked apart from what it becomes."""
    conditional = PutItem("foo", b"{}", expected)
    assert decide(conditional, exists=exists) == decide(PutItem("foo", b"{}"), exists=exists)
