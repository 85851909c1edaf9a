"""A worker that only decides does not load River: 150 MB and more than a second."""

from __future__ import annotations

import subprocess
import sys


def test_scoring_from_a_snapshot_imports_no_river() -> None:
    code = (
        "import sys, models.scorer, models.snapshot_codec; "
        "sys.exit(', '.join({'river', 'scipy', 'pandas', 'sklearn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
