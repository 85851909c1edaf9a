"""A worker that only decides does not load River: 150 MB and more than a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What a worker without the learn role imports; it builds its roles from here.
_WORKER = "streams.cli.main, streams.worker.run_worker"


@pytest.mark.parametrize("modules", ["models.scoring, models.snapshot.snapshot_codec", _WORKER])
def test_who_only_scores_from_snapshots_imports_no_river(modules: str) -> None:
    code = (
        f"import sys, {modules}; "
        "sys.exit(', '.join({'river', 'scipy', 'pandas', 'sklearn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
