"""What the back-test finds in public logs, through the command and the maps in deploy/backtest.

The logs are not part of the product; where they do not lie beside the checkout (`../shared/data`)
a test is skipped. All five take about 40 s of processor time. Nothing was tuned on them: learner,
back-off and prior are those of a worker, and every figure is progressive.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from streams.backtest.thompson import main as thompson
from streams.cli.backtest import backtest_command
from tests.kafka import ROOT

DATA = ROOT.parent / "shared" / "data"
MAPS = ROOT / "deploy" / "backtest"


def log_file(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the log {name} is not there")
    return path


def found_in(*arguments: object) -> Any:
    result = CliRunner().invoke(backtest_command, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_a_thompson_sampler_on_the_open_bandit_log_has_its_published_value() -> None:
    """IPW and SNIPS as the Open Bandit Pipeline computes them (its repository: .00455)."""
    found = found_in(log_file("obd/random/all/all.csv"), "--map", MAPS / "obd.yaml")
    target = found["policies"]["target"]
    assert (found["rows"], found["actions"]) == (10_000, 80)
    assert round(target["ips"], 6) == 0.004553
    assert round(target["snips"], 6) == 0.004776
    assert found["policies"]["random"]["ips"] == pytest.approx(0.0038)
    # 38 clicks: no interval excludes anything, and nothing of the sort is claimed.
    low, high = target["ips_interval"]
    assert low < 0.0038 < high
    assert found["rows_to_beat_logged"] is None


def test_the_policy_file_of_the_open_bandit_example_is_what_its_command_writes(
    tmp_path: Path,
) -> None:
    prior, out = log_file("obd/prior_bts.yaml"), tmp_path / "policy.csv"
    assert CliRunner().invoke(thompson, [str(prior), "--out", str(out)]).exit_code == 0
    assert out.read_bytes() == (MAPS / "obd_bts.csv").read_bytes()


def test_calls_of_a_bank_in_their_order(tmp_path: Path) -> None:
    archive = log_file("bank_marketing/bank-additional_a.zip")
    with zipfile.ZipFile(archive) as held:
        log = Path(held.extract("bank-additional/bank-additional-full.csv", tmp_path))
    found = found_in(log, "--map", MAPS / "bank_marketing.yaml", "--target")
    assert found["rows"] == 41_188
    assert found["progressive"]["auc"] >= 0.79
    assert found["progressive"]["ece"] <= 0.01


def test_sessions_of_shoppers() -> None:
    log = log_file("uci_online_shoppers/online_shoppers_intention.csv")
    found = found_in(log, "--map", MAPS / "uci_online_shoppers.yaml", "--target")
    assert found["rows"] == 12_330
    assert found["progressive"]["auc"] >= 0.885
    assert found["progressive"]["ece"] <= 0.035


def test_who_comes_back_to_a_gift_shop_is_foreseen_from_rolling_state() -> None:
    log = log_file("online_retail/online_retail.parquet")
    found = found_in(log, "--map", MAPS / "online_retail.yaml", "--target")
    assert found["progressive"]["auc"] >= 0.808


def test_offers_earn_more_than_the_best_fixed_one() -> None:
    logs = [log_file(f"starbucks_offers/{part}_v3_starbucks.csv.gz") for part in ("train", "test")]
    found = found_in(*logs, "--map", MAPS / "starbucks_offers.yaml")
    assert found["progressive"]["auc"] >= 0.80
    assert found["progressive"]["ece"] <= 0.035
    policies = found["policies"]
    for method in ("ips", "snips", "dr"):
        assert policies["ours"][method] >= 6.85
        assert policies["best_fixed"][method] == pytest.approx(6.57, abs=0.05)
        assert policies["logged"][method] == pytest.approx(2.37, abs=0.01)
    # A learner that pays for what it tries, and sees only what it chose.
    assert policies["ours"]["replay"] >= 6.5
    assert found["rows_to_beat_logged"] < 1_000


def test_no_example_has_settings_of_its_own_for_the_learner() -> None:
    for path in MAPS.glob("*.yaml"):
        assert not {"prior", "exploration"} & yaml.safe_load(path.read_text()).keys(), path.name
