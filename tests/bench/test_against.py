"""Comparing with a revision: the arithmetic, the command line, the unpacked files; no speeds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tests.bench import __main__ as bench
from tests.bench import against as comparing
from tests.bench import revision as revisions
from tests.bench.against import (
    Compared,
    SideFailed,
    against,
    below,
    command,
    compare,
    numbers_of,
)
from tests.bench.options import Options, parse
from tests.bench.report import Found
from tests.bench.revision import (
    RevisionUnusable,
    Side,
    differences,
    installed_for,
    pinned,
    revision_tree,
)
from tests.support.checkout import ROOT
from tests.support.kafka import KafkaUnavailable

HERE = Side("working tree", Path("/here"), Path("/python"))
THERE = Side("v1", Path("/there"), Path("/python"))
QUIET = Console(quiet=True)


def _sides(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def unpacked(revision: str) -> Iterator[Side]:
        yield THERE

    monkeypatch.setattr(comparing, "working_tree", lambda: HERE)
    monkeypatch.setattr(comparing, "revision_tree", unpacked)


def test_numbers_of_a_part_are_flat_and_text_or_truth_is_no_number() -> None:
    line = json.dumps({"whole_road": {"rate": 5, "by": {"role": {"a": 1.5}}, "x": "no", "y": True}})
    assert numbers_of(line, "whole-road") == {"rate": 5.0, "by.role.a": 1.5}


def test_a_ratio_is_taken_within_a_round() -> None:
    both = compare(
        [{"rate": 10.0, "new": 1.0}, {"rate": 30.0, "new": 1.0}],
        [{"rate": 20.0, "old": 1.0}, {"rate": 20.0, "old": 1.0}],
    )
    assert both == [Compared("rate", (10.0, 30.0), (20.0, 20.0))]
    assert both[0].ratios == (0.5, 1.5)


def test_a_number_that_was_ever_zero_has_no_ratio() -> None:
    assert compare([{"a": 1.0}, {"a": 0.0}], [{"a": 1.0}, {"a": 1.0}]) == []
    assert compare([{"a": 1.0}], [{"a": 0.0}]) == []


def test_sides_run_in_turn_and_the_order_changes_from_round_to_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = iter([100, 50, 80, 100, 90, 60])
    ran = []

    def run(side: Side, part: str, options: Options, out: Path) -> str:
        ran.append(side.name)
        return json.dumps({"whole_road": {"events_per_s": next(rates), "stages_us": {"fold": 2}}})

    _sides(monkeypatch)
    monkeypatch.setattr(comparing, "_run", run)
    options = parse(["--only", "whole-road", "--against", "v1", "--out", str(tmp_path)])
    found = against("whole-road", options, QUIET)
    assert ran == ["working tree", "v1", "v1", "working tree", "working tree", "v1"]
    assert found.key == "whole_road_against"
    assert found.numbers["rounds"] == 3
    # 100 / 50, 100 / 80 and 90 / 60.
    assert found.numbers["ratios"]["events_per_s"] == {
        "ratio": 1.5,
        "least": 1.25,
        "most": 2.0,
        "here": [100.0, 100.0, 90.0],
        "there": [50.0, 80.0, 60.0],
    }
    rows = found.sheets[0].rows
    assert rows[0] == ("events_per_s *", "100", "60", "1.500", "1.250 .. 2.000")
    assert rows[1] == ("stages_us.fold", "2", "2", "1.000", "1.000 .. 1.000")


def test_each_side_is_one_run_of_our_own_contender_in_the_sizes_asked_for(tmp_path: Path) -> None:
    asked = [
        "--against",
        "v1",
        "--quick",
        "--events",
        "500",
        "--runs",
        "4",
        "--peers",
        "ours,plain",
    ]
    words = command(THERE, "same-job", parse(asked), tmp_path)
    assert words[:3] == ["/python", "-m", "tests.bench"]
    of_side = parse(words[3:])
    assert (of_side.parts, of_side.runs, of_side.events) == (("same-job",), 1, 500)
    assert of_side.quick
    assert of_side.as_json
    assert of_side.against is None
    assert of_side.peers == ("ours", "plain")
    plainly = parse(command(THERE, "growth", parse(["--against", "v1"]), tmp_path)[3:])
    assert (plainly.quick, plainly.events, plainly.peers) == (False, None, ("ours",))


def _ended_with(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def ran(*arguments: object, **options: object) -> SimpleNamespace:
        return SimpleNamespace(returncode=code, stdout='on the way\n{"fuzz": {}}\n')

    monkeypatch.setattr(comparing, "subprocess", SimpleNamespace(PIPE=-1, run=ran))


def test_the_last_line_of_a_side_is_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ended_with(monkeypatch, 0)
    side = Side("v1", tmp_path, Path(sys.executable))
    run = vars(comparing)["_run"]
    assert run(side, "fuzz", parse(["--against", "v1"]), tmp_path) == '{"fuzz": {}}'


@pytest.mark.parametrize(("code", "expected"), [(3, KafkaUnavailable), (70, SideFailed)])
def test_a_side_that_fails_is_distinguished_from_a_machine_without_kafka(
    code: int, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ended_with(monkeypatch, code)
    side = Side("v1", tmp_path, Path(sys.executable))
    with pytest.raises(expected, match="v1"):
        vars(comparing)["_run"](side, "fuzz", parse(["--against", "v1"]), tmp_path)


def _ratios(**by_name: float) -> Found:
    return Found("x", {"ratios": {name: {"ratio": ratio} for name, ratio in by_name.items()}})


def test_only_main_rates_are_held_to_a_ratio() -> None:
    found = _ratios(events_per_s=0.97, events_per_s_apart=0.94, events_per_s_steady=0.5)
    assert below("whole-road", found, 0.95) == [
        "whole-road: events_per_s_apart is 0.940 x, below 0.95 x"
    ]
    assert below("whole-road", found, 0.9) == []
    assert below("decisions", _ratios(cost=1.0), 0.95) != []


def test_the_exit_code_says_when_a_main_rate_is_below_what_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "against", lambda *_: _ratios(records_per_s=0.9))
    asked = ["--only", "fuzz", "--against", "v1", "--out", str(tmp_path)]
    assert bench.main(asked) == 0
    assert bench.main([*asked, "--at-least", "0.9"]) == 0
    assert bench.main([*asked, "--at-least", "0.95"]) == 1
    assert "records_per_s is 0.900 x, below 0.95 x" in capsys.readouterr().out


def test_a_ratio_to_hold_needs_a_revision() -> None:
    with pytest.raises(SystemExit):
        parse(["--at-least", "0.95"])


@pytest.fixture
def repository() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone: revisions come from the repository")


@pytest.mark.usefixtures("repository")
def test_an_unknown_revision_is_said_and_nothing_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--only", "fuzz", "--against", "no-such-revision", "--out", str(tmp_path)]
    assert bench.main(asked) == 2
    assert "git knows no revision 'no-such-revision'" in capsys.readouterr().out


@pytest.mark.usefixtures("repository")
def test_a_revision_is_unpacked_runs_its_own_files_and_is_removed() -> None:
    with revision_tree("HEAD") as side:
        told = [str(side.python), "-c", "import streams, tests.bench as b; print(b.__file__)"]
        printed = subprocess.run(told, cwd=side.tree, capture_output=True, text=True, check=True)
        assert Path(printed.stdout.strip()) == side.tree / "tests" / "bench" / "__init__.py"
        assert side.tree != ROOT
        assert (side.tree / "constraints.txt").exists()
    assert not side.tree.exists()


def test_a_side_that_would_run_an_installed_copy_is_refused(tmp_path: Path) -> None:
    # A folder without the project: what is imported there is the editable install.
    with pytest.raises(RevisionUnusable, match=r"would run|failed"):
        vars(revisions)["_made_ready"](Side("v1", tmp_path, Path(sys.executable)))


def test_pins_are_read_with_their_comments_left_out() -> None:
    text = "# exact\nnumpy==2.4.6\nPyYAML==6.0.3  # the C one\n\nast_serialize==0.13.1\n"
    assert pinned(text) == {"numpy": "2.4.6", "pyyaml": "6.0.3", "ast-serialize": "0.13.1"}


def test_an_environment_differs_by_what_the_revision_needs_and_by_nothing_else() -> None:
    installed = {"numpy": "2.4.6", "river": "0.26.1"}
    pins = {"numpy": "2.4.6", "river": "0.26.1", "ruff": "0.1"}
    assert differences(["numpy>=2", "river"], pins, installed) == {}
    assert differences(["numpy"], {**pins, "numpy": "2.4.5"}, installed) == {
        "numpy": "2.4.6 here, 2.4.5 there"
    }
    assert differences(["Old_Thing>=1", "numpy"], pins, installed) == {"old-thing": "missing here"}


def test_what_dependencies_bring_along_counts_as_needed() -> None:
    found = installed_for(["rich>=15", "aiokafka[lz4]", "no-such-package-here"])
    assert {"rich", "pygments", "aiokafka", "cramjam"} <= found.keys()
    assert "no-such-package-here" not in found
    assert "pytest" not in found
