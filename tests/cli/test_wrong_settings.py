"""A setting that is wrong: a line that names it as it was given, with what it takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from itemstore.cli.main import app
from itemstore.cli.setting_options import kind_of, optional_settings
from itemstore.cli.variables import option_of, variable_of
from itemstore.cli.wrong_settings import taken_by
from itemstore.store.setting_fields import Secret, SettingFields, Takes
from tests.api.test_settings import REFUSED
from tests.cli.forked import command
from tests.cli.test_help import VERBS

TYPED = [
    (name, text) for name, text in REFUSED if kind_of(SettingFields.model_fields[name]) is not bool
]
"""Values that a setting does not take; those of flags can't be typed."""

NAMED_LATER = [
    ("redis_url", "http://ann:sesame@engine", "is not the URL of an engine"),
    ("archive", "ftp://files", "ftp://files"),
    ("sql_url", "mysql://ann:sesame@db", "postgresql"),
    ("model", "nothing:Item", "No module named 'nothing'"),
    ("collections", "Notes=any", "Notes"),
    ("projections", "nothing:ONE", "No module named 'nothing'"),
    ("indexes", "products=size", "products"),
    ("text", "@..name", "@..name"),
    ("app", "nothing:application", "No module named 'nothing'"),
    ("ssl_certfile", "/does/not/exist", "No such file"),
    ("forwarded_allow_ips", "shop", "addresses"),
]
"""Settings that no store could have, and a part of what is said of them."""


def refused(directory: Path, *words: str, **environment: str) -> list[str]:
    """The lines that `serve` ends with, before it has opened anything."""
    there = {name: value for name, value in os.environ.items() if "ITEMSTORE" not in name}
    there |= {"ITEMSTORE_DATA_DIR": str(directory / "data"), "ITEMSTORE_PORT": "0"}
    ended = command(["serve", *words], there | environment, "")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert not (directory / "data").exists()
    lines = ended.stderr.splitlines()
    assert all(line.startswith("itemstore: ") and line.endswith(".") for line in lines)
    return [line.removeprefix("itemstore: ") for line in lines]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_a_variable_that_is_wrong_is_named_with_its_value_and_what_it_takes(
    tmp_path: Path, name: str, text: str
) -> None:
    """In words: no pattern, and nothing of the library that looked at it."""
    takes = taken_by(SettingFields.model_fields[name])
    variable = variable_of(name)
    assert refused(tmp_path, **{variable: text}) == [f"{variable} takes {takes}, not {text!r}."]


@pytest.mark.parametrize(("name", "text"), TYPED)
def test_an_option_that_is_wrong_is_named_as_it_was_typed(
    tmp_path: Path, name: str, text: str
) -> None:
    """Although the variable is there too."""
    takes = taken_by(SettingFields.model_fields[name])
    lines = refused(tmp_path, f"{option_of(name)}={text}", **{variable_of(name): "1"})
    assert lines == [f"{option_of(name)} takes {takes}, not {text!r}."]


@pytest.mark.parametrize(("name", "text", "why"), NAMED_LATER)
def test_a_name_that_leads_nowhere_is_a_line_with_the_option_or_the_variable(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    """As it was given, without a password in it."""
    for given, words, environment in (
        (option_of(name), [option_of(name), text], {}),
        (variable_of(name), [], {variable_of(name): text}),
    ):
        [line] = refused(tmp_path, *words, **environment)
        assert line.startswith((f"{given} ", f"{given}: "))
        assert why in line
        assert "sesame" not in line


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    """Whoever mends one is not shown the next one then."""
    lines = refused(tmp_path, "--workers", "0", "--port", "http", ITEMSTORE_MAX_BODY="1MB")
    assert [line.partition(" ")[0] for line in lines] == [
        "--port",
        "--workers",
        "ITEMSTORE_MAX_BODY",
    ]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    """It may be a whole file that was pasted."""
    [line] = refused(tmp_path, "--port", "9" * 10_000)
    assert len(line) < 200


def test_every_setting_with_a_pattern_says_in_words_what_it_takes() -> None:
    """A new one is not forgotten."""
    schemas = SettingFields.model_json_schema()["properties"]
    patterned = {name for name, schema in schemas.items() if "'pattern'" in str(schema)}
    in_words = {name for name in schemas if marked(SettingFields.model_fields[name], Takes)}
    assert patterned
    assert patterned == in_words


def test_settings_with_a_password_in_them_are_marked() -> None:
    """A URL of an engine or of a database has one."""
    secret = {name for name in SettingFields.model_fields if name.endswith("_url")}
    marks = {n for n, field in SettingFields.model_fields.items() if marked(field, Secret)}
    assert marks == secret | {"ssl_keyfile_password"}
    assert "ssl_keyfile_password" not in optional_settings()


def marked(field: FieldInfo, mark: type) -> bool:
    """Whether a setting is declared with such a mark."""
    return any(isinstance(each, mark) for each in field.metadata)


SAID = {
    "tial": "No such command 'tial'. Did you mean 'tail'?",
    "tail --folow": "No such option: --folow (Possible options: --follow).",
    "tail --after": "Option '--after' requires an argument.",
    "tail --follow=yes": "Option '--follow' does not take a value.",
    "tail -n x": "--lines takes a whole number from 0 to 2147483647, not 'x'.",
    "tail -n -1": "--lines takes a whole number from 0 to 2147483647, not '-1'.",
    "tail --type Made": "--type takes ItemCreated, ItemUpdated or ItemDeleted, not 'Made'.",
    "history": "Missing argument 'item'.",
    "history a b c": "Nothing is known of what comes last: b c.",
    "archive sale": "WORK takes show, seal, check or trim, not 'sale'.",
    "restore": "Missing option '--from'.",
    "token create a --role boss": "--role takes reader, writer or admin, not 'boss'.",
    "--data-dir shop info": "--data-dir goes after the verb, as in `itemstore VERB --data-dir`.",
    "--verson": "No such option: --verson (Possible options: --version).",
}
"""What is typed, and what is said of it."""


@pytest.mark.parametrize("words", SAID)
def test_words_that_mean_nothing_are_one_line_that_leads_to_the_help_of_their_verb(
    words: str,
) -> None:
    """Exit code 2."""
    ended = command(words.split(), os.environ, "")
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    said, _, advice = line.removeprefix("itemstore: ").rpartition(" `")
    assert said == SAID[words]
    helped = advice.removesuffix("` shows what there is.").split()
    assert helped[-1] == "--help"
    known = [each for each in words.split()[:2] if each in {"token", "create", *VERBS}]
    assert helped[1:-1] == known
    assert CliRunner().invoke(app, helped[1:]).exit_code == 0


def test_an_option_that_is_given_nothing_is_refused(tmp_path: Path) -> None:
    """A shell's variable that is not set makes it so; it would be the working directory."""
    lines = refused(tmp_path, "--data-dir", "", "--archive", "", "--redis-url=")
    assert lines == [
        "--redis-url takes a text, not ''.",
        "--data-dir takes a path, not ''.",
        "--archive takes a text, not ''.",
    ]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ITEMSTORE_MODEL", "nothing:Item"),
        ("ITEMSTORE_PROJECTIONS", "nothing"),
        ("ITEMSTORE_INDEXES", "products=size"),
        ("ITEMSTORE_SQL_URL", "mysql://db"),
        ("OTEL_TRACES_EXPORTER", "nothing"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_the_file(
    tmp_path: Path, variable: str, text: str
) -> None:
    """Also where it is seen only when the name is looked up."""
    file = tmp_path / "shop.env"
    file.write_text(f"{variable}={text}\n")
    [line] = refused(tmp_path, "--env-file", str(file))
    assert f"{variable} in {file}" in line


def test_an_application_that_fails_is_a_line(tmp_path: Path) -> None:
    """With what it raised."""
    [line] = refused(tmp_path, "--app", "os:getcwd")
    assert line.startswith("--app is 'os:getcwd', which failed: TypeError: ")
