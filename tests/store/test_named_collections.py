"""What ITEMSTORE_COLLECTIONS may name, and what is said of everything else."""

from __future__ import annotations

import pytest

from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName
from itemstore.store.named_collections import collection_names, named_collections


def test_each_collection_has_the_model_that_is_named_with_it() -> None:
    """A model, any JSON object, or the default one; in the order in which they are named."""
    models = named_collections("products=tests.models:Open, notes = any,plain", None)

    assert [*models] == ["products", "notes", "plain"]
    assert [model.name for model in models.values()] == ["Open", "Item", "Item"]
    assert models["notes"].stored(b'{"text":1}') == b'{"text":1}'


def test_without_the_setting_there_is_one() -> None:
    """`items`, with the model of its own setting."""
    assert collection_names(None) == ("items",)
    models = named_collections(None, "any")
    assert [*models] == ["items"]
    assert isinstance(models["items"], ItemModel)


@pytest.mark.parametrize("name", ["a", "9", "old-products", "items", "a" * 63, "a--b-"])
def test_a_name_is_letters_digits_and_dashes(name: str) -> None:
    """1 to 63 of them."""
    assert collection_names(name) == (name,)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("Products", "names 'Products': a name is 1 to 63 lower-case letters, digits and dashes"),
        ("-a", "names '-a': a name is"),
        ("a_b", "names 'a_b': a name is"),
        ("a/b", "names 'a/b': a name is"),
        ("é", "names 'é': a name is"),
        ("a" * 64, "a name is 1 to 63"),
        ("events", "names 'events', which is a path of the API itself: choose another"),
        ("batch", "which is a path of the API itself"),
        ("explorer", "which is a path of the API itself"),
        ("schemas", "which is a path of the API itself"),
        ("itemstore", "which is a path of the API itself"),
        ("a,b,a", "names 'a' twice"),
        ("a=any,a", "names 'a' twice"),
        ("", "is '', with an empty entry; write name=module:Model, or name=any"),
        ("a,", "is 'a,', with an empty entry"),
        (",a", "with an empty entry"),
        ("a,,b", "with an empty entry"),
        ("a=", "names 'a=' without a model; write name=module:Model"),
        ("=any", "names '': a name is"),
        ("a=nowhere:Product", "names 'nowhere:Product', which can't be imported: No module named"),
        ("a=tests.models:Nothing", "which can't be imported"),
        ("a=shop", "names 'shop'; write module:Model, or any"),
        ("a=json:loads", "names 'json:loads', which is not a pydantic model"),
    ],
)
def test_a_setting_of_another_form_is_an_error_in_words(setting: str, reason: str) -> None:
    """With the variable's name, what is wrong, and what to write."""
    with pytest.raises(UnknownName, match=f"^ITEMSTORE_COLLECTIONS .*{reason}"):
        named_collections(setting, None)


def test_a_model_beside_collections_is_an_error() -> None:
    """It would be nobody's: the sentence says where to name it."""
    with pytest.raises(
        UnknownName, match=r"^ITEMSTORE_MODEL is 'shop:Product', .*items=shop:Product"
    ):
        named_collections("items,notes=any", "shop:Product")
