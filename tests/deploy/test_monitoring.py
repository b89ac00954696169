"""Rules for Prometheus and the dashboard for Grafana, held against what a real server tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from itemstore.api.http.problem_types import PROBLEM_TYPES
from tests.conftest import ROOT
from tests.deploy.promql import grouped_by, selectors
from tests.deploy.proxies import program
from tests.server.conftest import serving

RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())

OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus adds by itself."""


def documented(name: str) -> set[str]:
    """The labels of a counter that nothing has made count yet, as the table of metrics has them."""
    row = re.search(rf"^\| `{name}` \|.*$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row[0])) - {name} if row else set()


def rules() -> list[dict[str, Any]]:
    """All of them."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Those of the dashboard that show something."""
    return [each for each in DASHBOARD["panels"] if each["type"] != "row"]


def expressions() -> list[str]:
    """All that is asked of Prometheus, in rules and panels."""
    asked = [rule["expr"] for rule in rules()]
    return asked + [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """The labels of each series of a server that has everything: partitions, archive, queries.

    And a projection that handles events.
    """
    directory = tmp_path_factory.mktemp("told")
    (directory / "shop.py").write_text(
        "from itemstore import HandlerProjection\nMAIL = HandlerProjection('mail', str)\n"
    )
    with serving(directory) as serve:
        server = serve(
            *("--partitions", "2", "--workers", "2", "--indexes", "size"),
            *("--projections", "shop:MAIL"),
            queries=True,
            PYTHONPATH=str(directory),
        )
        with httpx.Client(base_url=server.url, timeout=20) as client:
            client.put("/items/a", json={})
            client.get("/items/none")
            client.get("/items?where=@.size < 3")
            text = client.get("/metrics").text
    labels: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        labels[f"{family.name}_total" if family.type == "counter" else family.name] |= set()
        for sample in family.samples:
            labels[sample.name] |= set(sample.labels)
    return labels


def test_every_metric_and_every_label_that_is_asked_for_is_there(
    told: Mapping[str, set[str]],
) -> None:
    """Else an alarm would never come, and a panel stay empty, without a word."""
    assert [fault for each in expressions() for fault in faults(each, told)] == []


def faults(expression: str, told: Mapping[str, set[str]]) -> Iterator[str]:
    """What an expression asks for that there is not."""
    known = OF_PROMETHEUS.copy()
    for name, asked in selectors(expression):
        labels = told.get(name) or documented(name)
        if name != "up" and name not in told:
            yield name
        yield from (f"{name}: {label}" for label in asked.keys() - labels - OF_PROMETHEUS)
        known |= labels
    if ":" not in expression:
        yield from (f"by {label}: {expression}" for label in grouped_by(expression) - known)


@pytest.mark.parametrize(
    "wrong",
    [
        "itemstore_itmes",
        'itemstore_items{colection="items"}',
        "max by (colection) (itemstore_items)",
        "rate(itemstore_requests[5m])",
    ],
)
def test_a_metric_or_a_label_that_there_is_not_would_be_noticed(
    told: Mapping[str, set[str]], wrong: str
) -> None:
    """The check above can fail."""
    assert list(faults(wrong, told))


def test_every_problem_that_is_asked_for_is_one() -> None:
    """By its slug."""
    asked = [
        slug
        for expression in expressions()
        for name, labels in selectors(expression)
        if name == "itemstore_problems_total"
        for slug in labels.get("type", "").split("|")
        if slug
    ]
    assert asked
    assert set(asked) <= PROBLEM_TYPES.keys()


def test_every_rule_that_is_recorded_is_made_of_what_is_there() -> None:
    """Alerts use only recorded names that a rule records."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for rule in rules() for name in re.findall(r"\b\w+(?::\w+)+", rule["expr"])}
    assert used <= recorded


def test_prometheus_takes_the_rules_and_they_say_what_their_tests_want(tmp_path: Path) -> None:
    """Promtool check and promtool test; and the tests can fail."""
    promtool = program("promtool")
    for file in RULES.parent.iterdir():
        shutil.copy(file, tmp_path)
    check = [promtool, "check", "rules", "rules.yml"]
    subprocess.run(check, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    test = [promtool, "test", "rules", "tests.yml"]
    subprocess.run(test, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    (tmp_path / "rules.yml").write_text(RULES.read_text().replace("> 0.8", "> 0.95"))
    wrong = subprocess.run(test, cwd=tmp_path, check=False, capture_output=True, timeout=60)
    assert wrong.returncode == 1


def test_every_alert_has_a_sentence_and_how_bad_it_is() -> None:
    """For the person who is woken by it."""
    alerts = [rule for rule in rules() if "alert" in rule]
    assert {rule["labels"]["severity"] for rule in alerts} == {"critical", "warning"}
    assert all(rule["annotations"]["summary"] and rule["for"] for rule in alerts)


def test_panels_say_what_they_show_and_stand_beside_each_other() -> None:
    """Nothing is drawn over something else, and each has an id of its own."""
    everything = DASHBOARD["panels"]
    assert len({each["id"] for each in everything}) == len(everything)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels())
    taken: set[tuple[int, int]] = set()
    for each in everything:
        place = each["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert taken.isdisjoint(cells)
        taken |= cells


def test_a_dashboard_is_for_the_jobs_instances_and_collections_that_are_chosen() -> None:
    """Its variables, each of which is used."""
    names = [each["name"] for each in DASHBOARD["templating"]["list"]]
    assert names == ["datasource", "job", "instance", "collection"]
    text = json.dumps(DASHBOARD["panels"])
    assert all(f"${name}" in text or f"${{{name}}}" in text for name in names)
    assert set(re.findall(r"\$(\w+)", text)) - {"__rate_interval", "__all"} <= set(names)
