"""What ITEMSTORE_INDEXES and ITEMSTORE_TEXT may declare, and what is said of everything else."""

from __future__ import annotations

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import create_app
from itemstore.projections.queries.indexes.declared import NotDeclarable, declared, with_index
from itemstore.projections.queries.paths import MOST_PATHS, path_of
from itemstore.store.settings import Settings

SHOP = ("items", "products", "orders")


def _indexes(setting: str | None, collections: tuple[str, ...] = SHOP) -> dict[str, list[str]]:
    """The paths that the setting declares, for collections that have any."""
    found = declared(setting, None, collections)
    assert [*found] == [*collections]
    paths = {name: [each.normalized for each in of.indexes] for name, of in found.items()}
    return {name: each for name, each in paths.items() if each}


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        (None, {}),
        ("title", {"items": ["$['title']"]}),
        ("title,size", {"items": ["$['title']", "$['size']"]}),
        (
            "products=title,price_cents,orders=customer",
            {"products": ["$['title']", "$['price_cents']"], "orders": ["$['customer']"]},
        ),
        (
            " size , products = title , @.tags[0] ",
            {"items": ["$['size']"], "products": ["$['title']", "$['tags'][0]"]},
        ),
        (
            "products=title,orders=customer,products=size",
            {"products": ["$['title']", "$['size']"], "orders": ["$['customer']"]},
        ),
        ("$['a,b'],@['c=d']", {"items": ["$['a,b']", "$['c=d']"]}),
        (
            r"""products=$["it's, a=b"],$['\'a\',']""",
            {"products": [r"$['it\'s, a=b']", r"$['\'a\',']"]},
        ),
    ],
)
def test_a_part_with_an_equals_sign_begins_a_collection(
    setting: str | None, paths: dict[str, list[str]]
) -> None:
    """One without goes on with it, and at the very start it is of the items."""
    assert _indexes(setting) == paths


def test_both_settings_say_what_a_collection_has() -> None:
    """The same path may be in both."""
    found = declared("products=title", "products=title,description", SHOP)["products"]
    assert [each.normalized for each in found.indexes] == ["$['title']"]
    assert [each.normalized for each in found.text] == ["$['title']", "$['description']"]


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("", "is '', with an empty entry; write collection=path, several paths"),
        ("title,", "is 'title,', with an empty entry"),
        ("products=", "is 'products=', with an empty entry"),
        ("=title", "is '=title', with an empty entry"),
        (
            "prodcuts=title",
            "names the collection 'prodcuts': the store has items, orders, products",
        ),
        ("a=b=c", "names the collection 'a': the store has"),
        ("products=b=c", "names 'b=c' of products: "),
        ("$.*", r"names '\$\.\*' of items: "),
        ("a b", "names 'a b' of items: "),
        ("$..title", "of items: "),
        ("title,@.title", "names '@.title' of items twice"),
        ("$['title", "with a quote (') that has no end; write"),
        (
            ",".join(f"m{n}" for n in range(MOST_PATHS + 1)),
            f"names more than {MOST_PATHS} paths of items",
        ),
    ],
)
def test_a_setting_of_another_form_is_an_error_in_words(setting: str, reason: str) -> None:
    """With the variable's name, what is wrong, and what to write."""
    with pytest.raises(NotDeclarable) as said:
        declared(setting, None, SHOP)
    assert str(said.value).startswith("ITEMSTORE_INDEXES ")
    assert reason.replace("\\", "") in str(said.value)
    with pytest.raises(NotDeclarable, match=r"^ITEMSTORE_TEXT "):
        declared(None, setting, SHOP)


def test_a_path_of_no_collection_is_told_which_there_are() -> None:
    """Where the store has no items."""
    with pytest.raises(
        NotDeclarable, match="names 'title' of no collection, and there is no items"
    ):
        declared("title", None, ("products",))


def test_an_application_is_not_made_of_a_wrong_setting() -> None:
    """In process, too."""
    for wrong in (Settings(indexes="prices=size"), Settings(text="@.*")):
        with pytest.raises(NotDeclarable):
            create_app(wrong, redis=FakeAsyncRedis())


@pytest.mark.parametrize(
    ("indexes", "collection", "path", "expected"),
    [
        (None, "items", "size", "items=size"),
        ("title", "items", "size", "items=title,size"),
        ("products=title,notes=by", "products", "@.a.b", "products=title,@.a.b,notes=by"),
        ("products=$['a,b']", "notes", "$['=']", "products=$['a,b'],notes=$['=']"),
        ("title", "items", "@.title", None),
    ],
)
def test_one_more_index_is_written_where_it_belongs(
    indexes: str | None, collection: str, path: str, expected: str | None
) -> None:
    """And what is declared already stays as it is written."""
    assert with_index(indexes, collection, path) == expected
    found = declared(expected or indexes, None, ["items", "products", "notes"])
    assert str(path_of(path, "order")) in [str(each) for each in found[collection].indexes]
