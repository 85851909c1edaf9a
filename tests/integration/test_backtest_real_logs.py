"""What the back-test finds in public logs, by the commands that deploy/backtest states.

The logs are not part of the product; where they do not lie beside the checkout (`../shared/data`)
a test is skipped. All five take about 35 s of processor time. Nothing was tuned on them: learner,
back-off and prior are those of a worker, and every figure is progressive.
"""

from __future__ import annotations

import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli.commands.backtest import backtest_command
from tests.bench.thompson_policy import main as thompson
from tests.support.checkout import ROOT

pytestmark = pytest.mark.long

DATA = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "deploy" / "backtest"


def log_file(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the log {name} is not there")
    return path


def found_by(example: str, *logs: Path) -> Any:
    """Run the command that an example's SQL states, on these files instead of those it names."""
    text = (EXAMPLES / f"{example}.sql").read_text(encoding="utf-8")
    stated = re.search(r"^--   concierge backtest (.*)$", text, re.MULTILINE)
    assert stated is not None
    words = shlex.split(stated[1])
    options = words[next(n for n, word in enumerate(words) if word.startswith("--")) :]
    options = [str(ROOT / o) if o.startswith("deploy/") else o for o in options]
    result = CliRunner().invoke(backtest_command, [*map(str, logs), *options, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_a_thompson_sampler_on_the_open_bandit_log_has_its_published_value() -> None:
    """IPW and SNIPS as the Open Bandit Pipeline computes them (its repository: .00455)."""
    found = found_by("obd", log_file("obd/random/all/all.csv"))
    target = found["policies"]["target"]
    assert (found["rows"], found["actions"]) == (10_000, 80)
    assert round(target["ips"], 6) == 0.004553
    assert round(target["snips"], 6) == 0.004776
    assert found["policies"]["random"]["ips"] == pytest.approx(0.0038)
    # 38 clicks: no interval excludes anything, and nothing of the sort is claimed.
    low, high = target["ips_interval"]
    # A click rate is never below 0.
    assert low == 0.0
    assert high == pytest.approx(0.015839, abs=1e-6)
    assert found["rows_to_beat_logged"] is None


def test_the_policy_file_of_the_open_bandit_example_is_what_its_command_writes(
    tmp_path: Path,
) -> None:
    prior, out = log_file("obd/prior_bts.yaml"), tmp_path / "policy.csv"
    assert CliRunner().invoke(thompson, [str(prior), "--out", str(out)]).exit_code == 0
    assert out.read_bytes() == (EXAMPLES / "obd_bts.csv").read_bytes()


def test_calls_of_a_bank_in_their_order(tmp_path: Path) -> None:
    archive = log_file("bank_marketing/bank-additional_a.zip")
    with zipfile.ZipFile(archive) as held:
        log = Path(held.extract("bank-additional/bank-additional-full.csv", tmp_path))
    found = found_by("bank_marketing", log)
    assert found["rows"] == 41_188
    assert found["progressive"]["auc"] == pytest.approx(0.795472, abs=1e-6)
    assert found["progressive"]["ece"] == pytest.approx(0.008426, abs=1e-6)


def test_sessions_of_shoppers() -> None:
    log = log_file("uci_online_shoppers/online_shoppers_intention.csv")
    found = found_by("uci_online_shoppers", log)
    assert found["rows"] == 12_330
    assert found["progressive"]["auc"] == pytest.approx(0.914549, abs=1e-6)
    assert found["progressive"]["ece"] == pytest.approx(0.016131, abs=1e-6)


def test_who_comes_back_to_a_gift_shop_is_foreseen_from_rolling_state() -> None:
    log = log_file("online_retail/online_retail.parquet")
    found = found_by("online_retail", log)
    assert found["rows"] == 16_766
    assert found["progressive"]["auc"] == pytest.approx(0.813512, abs=1e-6)
    assert found["progressive"]["ece"] == pytest.approx(0.021776, abs=1e-6)


def test_offers_earn_more_than_the_best_fixed_one() -> None:
    logs = [log_file(f"starbucks_offers/{part}_v3_starbucks.csv.gz") for part in ("train", "test")]
    found = found_by("starbucks_offers", *logs)
    assert found["rows"] == 61_042
    assert found["progressive"]["auc"] == pytest.approx(0.803338, abs=1e-6)
    policies = found["policies"]
    for method, expected in {"ips": 6.928118, "snips": 6.924176, "dr": 6.914365}.items():
        assert policies["ours"][method] == pytest.approx(expected, abs=1e-6)
        assert policies["best_fixed"][method] == pytest.approx(6.57, abs=0.05)
        assert policies["logged"][method] == pytest.approx(2.372445, abs=1e-6)
    # A learner that pays for what it tries, and sees only what it chose.
    assert policies["ours"]["replay"] == pytest.approx(6.612467, abs=1e-6)
    assert found["rows_to_beat_logged"] == 578
    # Offers were drawn by lot; no probability is logged, and no rule is found.
    assert found["assumed_probabilities"] == 61_042
    assert found["predicted"]["by"] is None
    assert found["predicted"]["detectable_auc"] < 0.51


def test_no_example_has_settings_of_its_own_for_the_learner() -> None:
    for path in EXAMPLES.glob("*.sql"):
        assert not re.search("--(prior|gamma|growth)", path.read_text(encoding="utf-8")), path.name
