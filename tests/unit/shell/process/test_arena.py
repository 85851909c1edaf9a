"""Memory that a thread has freed is there for the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE_S

# A thread makes what stays, as recovery does; then the main thread replaces it piece by piece.
_REPLACED = """
import resource, threading
from streams.shell.process.arena import share_one_arena
share_one_arena()
kept = []
reading = threading.Thread(target=lambda: kept.extend(bytes(1_000) for _ in range(60_000)))
reading.start()
reading.join()
before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(len(kept)):
    kept[number] = None
    kept[number] = bytes(1_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' libraries are not asked")
def test_what_recovery_read_in_a_thread_is_replaced_in_its_own_room() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _REPLACED],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert int(ran.stdout) < 6_000
