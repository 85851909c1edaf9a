"""A probability that was written into the SQL by hand is no logged probability."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logs import backtested, chosen_by


@pytest.mark.parametrize("written", ["0.5", "the share of the action"])
def test_a_probability_written_by_hand_over_a_log_chosen_by_a_rule(
    tmp_path: Path, written: str
) -> None:
    """B does nothing; the best fixed action looked .281 (.252 .. .310) where the truth is .175."""
    rows = chosen_by(lambda row: 0.9 if row["segment"] == "gold" else 0.1)
    share = sum(row["action"] == "B" for row in rows) / len(rows)
    for row in rows:
        row["p"] = 0.5 if written == "0.5" else share if row["action"] == "B" else 1.0 - share
    _, found = backtested(tmp_path, rows)
    for policy in ("ours", "best_fixed", "random"):
        assert found["policies"][policy]["ips"] is None
        reason = found["not_evaluable"][f"{policy}.ips"]
        assert "segment predicts which action was taken beyond its logged probability" in reason
    assert found["policies"]["logged"]["ips"] is not None
    assert found["rows_to_beat_logged"] is None
