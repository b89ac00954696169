"""The image with a model of the operator's own, read: no engine for images runs here."""

from __future__ import annotations

import tomllib

import yaml

from itemstore.store.setting_fields import PREFIX
from itemstore.store.settings import Settings
from tests.conftest import ROOT
from tests.house.test_image import instructions

LINES = (ROOT / "deploy/docker/Dockerfile").read_text().splitlines()
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def own(name: str) -> str:
    """What follows the only such instruction."""
    [line] = [line for line in LINES if line.startswith(f"{name} ")]
    return line.removeprefix(f"{name} ")


def test_the_model_is_where_the_service_runs() -> None:
    """Models are imported from the working directory of the image that it begins with."""
    file, place = own("COPY").split()
    variable, _, model = own("ENV").partition("=")
    assert place == "./"
    assert instructions("WORKDIR")[-1] == "/home/itemstore"
    assert variable.removeprefix(PREFIX).lower() in Settings.model_fields
    assert file == f"{model.partition(':')[0]}.py"


def test_all_recipes_mean_the_version_of_this_clone() -> None:
    """And name no other image than the one that is built here."""
    assert own("FROM") == f"itemstore:{VERSION}"
    for folder in ("embedded", "by-url"):
        file = ROOT / f"deploy/kubernetes/{folder}/kustomization.yaml"
        [image] = yaml.safe_load(file.read_text())["images"]
        assert (image["name"], image["newTag"]) == ("itemstore", VERSION)


def test_the_base_is_pinned_to_a_version_and_a_distribution() -> None:
    """In both stages the same."""
    bases = {line.partition(" AS ")[0] for line in instructions("FROM")}
    assert bases == {"python:3.13-slim-bookworm"}
