"""The benchmarks' command line, JSON and pieces; no broker, no speeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from streams.shell.versions.catalogue_file import parse_catalogue
from tests.bench import __main__ as bench
from tests.bench.options import PARTS, Options, parse
from tests.bench.plot import Bar, bars, lines
from tests.bench.report import Found, Sheet, json_line, show, spread
from tests.bench.road.catalogue import catalogue
from tests.bench.road.drive import Watch, share_read, together
from tests.bench.road.feeder import number_of
from tests.bench.road.stages import INNER, Budget
from tests.bench.road.traffic import Traffic
from tests.bench.same_job.feed import clicks
from tests.bench.same_job.job import decode_click, decode_totals, encode_totals
from tests.support.kafka import KafkaUnavailable

NOON_MS = 1_705_320_000_000


def test_every_part_has_a_name_on_the_command_line_and_something_that_runs_it() -> None:
    assert tuple(bench.PARTS) == PARTS
    assert parse([]).parts == PARTS
    assert parse(["--only", "recovery", "--only", "same-job"]).parts == ("same-job", "recovery")


def test_sizes_are_those_asked_for_else_the_parts_own() -> None:
    assert parse(["--events", "5_000"]).size(5_000, 9, 1) == 5_000
    assert parse(["--quick"]).size(None, 9, 1) == 1
    assert parse([]).size(None, 9, 1) == 9


@pytest.mark.parametrize("wrong", [["--only", "speed"], ["--events", "0"], ["--runs", "-1"]])
def test_what_makes_no_sense_ends_with_a_message(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(wrong)


def test_the_last_line_is_json_with_only_the_parts_that_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Sheet("A table", ("who", "how much"), [("ours", "1")], ["a note"])

    def part(options: Options, console: Console) -> Found:
        console.print("on the way")
        return Found("same_job", {"ours": 1}, [sheet], {"same-job": bars("t", "u", [])})

    monkeypatch.setitem(vars(bench)["PARTS"], "same-job", part)
    assert bench.main(["--only", "same-job", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "A table" in printed
    assert json.loads(printed.splitlines()[-1]) == {"same_job": {"ours": 1}}
    assert json.loads((tmp_path / "results.json").read_text()) == {"same_job": {"ours": 1}}
    assert (tmp_path / "same-job.svg").read_text().startswith("<svg")
    bench.main(["--only", "same-job", "--json", "--out", str(tmp_path)])
    assert capsys.readouterr().out == '{"same_job": {"ours": 1}}\n'


def test_a_part_without_a_broker_is_not_run_and_the_others_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_java(options: Options, console: Console) -> Found:
        raise KafkaUnavailable("there is no java")

    monkeypatch.setitem(vars(bench)["PARTS"], "latency", no_java)
    monkeypatch.setitem(vars(bench)["PARTS"], "fuzz", lambda *_: Found("fuzz", {"records": 1}))
    assert bench.main(["--only", "latency", "--only", "fuzz", "--out", str(tmp_path)]) == 3
    printed = capsys.readouterr().out.splitlines()
    assert "latency not run: there is no java" in printed
    assert json.loads(printed[-1]) == {"fuzz": {"records": 1}}


def test_a_part_shows_its_tables_and_writes_its_plots(tmp_path: Path) -> None:
    console = Console(record=True, width=100, quiet=True)
    show(Found("growth", {}, [], {"growth": "<svg/>"}), console, tmp_path / "new")
    assert (tmp_path / "new" / "growth.svg").read_text() == "<svg/>"
    assert json_line([]) == "{}"
    assert spread([3.0, 1.0, 2.0]) == (1.0, 2.0, 3.0)


def test_a_plot_is_svg_with_its_labels_escaped() -> None:
    svg = bars("Speed <now>", "events/s", [Bar("a & b", 2.0, 1.0, 3.0), Bar("c", 1.0, 1.0, 1.0)])
    assert "Speed &lt;now&gt;" in svg
    assert "a &amp; b" in svg
    assert "polyline" in lines("Growth", "x", "y", {"one": [(10.0, 1.0), (100.0, 2.0)]})


def test_the_small_job_adds_up_what_it_reads() -> None:
    newest: dict[str, list[int]] = {}
    for customer, payload, totals in clicks(200, 7):
        assert decode_click(payload)["customer_id"] == customer
        assert decode_totals(encode_totals(customer, totals)) == (customer, totals)
        newest[customer] = totals
    assert sum(totals[0] for totals in newest.values()) == 200
    assert len(newest) == 7


@pytest.mark.parametrize("actions", [10, 20, 100, 1_000])
def test_a_catalogue_has_as_many_actions_as_asked_for(actions: int) -> None:
    assert len(parse_catalogue(catalogue(actions), "bench").actions) == actions


def test_traffic_is_the_same_for_the_same_seed_and_counts_its_events() -> None:
    made = [list(Traffic(20, NOON_MS, NOON_MS + 60_000, 5).events(300)) for _ in range(2)]
    assert made[0] == made[1]
    assert [number_of(sent.value["event_id"]) for sent in made[0]] == [(5, n) for n in range(300)]


def test_the_stages_that_are_timed_exist_and_their_budget_adds_up() -> None:
    assert all(hasattr(owner, name) for _, owner, name in INNER)
    budget = Budget(events=600, customers=60)
    spent = budget.measure()
    assert {
        *(stage for stage, *_ in INNER),
        "decode Avro",
        "admit",
        "learn",
        "state encode",
    } <= spent.keys()
    assert budget.decisions > 0
    budget.rest()
    assert len(budget.states) > 50


def test_a_watch_tells_rates_from_what_was_read_when() -> None:
    watch = Watch()
    for second, count in enumerate((0, 100, 200, 300, 400, 500)):
        watch.times_s.append(float(second))
        watch.records.setdefault("decide", []).append(count)
    watch.ended_s["decide"] = 5.0
    assert watch.overall("decide") == 100.0
    assert watch.middle("decide") == 100.0


def test_workers_that_share_the_work_are_told_of_as_one() -> None:
    first = {"intake": {"records": 2, "unacknowledged": 0, "partitions": {"c/0": {"position": 2}}}}
    second = {"intake": {"records": 3, "unacknowledged": 1, "partitions": {"c/1": {"position": 3}}}}
    both = together([first, second, {}])
    assert both["intake"]["records"] == 5
    assert share_read(both, {"c/0": 4, "c/1": 3, "c/2": 0}) == 0.5
