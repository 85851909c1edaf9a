"""A worker that has said its last line is gone, whatever a library still waits for."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from streams.shell.exits import EXIT_CONFIG, EXIT_FAILED
from tests.support.patience import PATIENCE_S

_LEFT_BEHIND = {
    "a_task_that_swallows_its_cancellation": """
        async def stays():
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass
        tasks.append(asyncio.create_task(stays()))
        await asyncio.sleep(0)
    """,
    "a_thread_that_is_no_daemon": """
        threading.Thread(target=threading.Event().wait).start()
    """,
    "a_thread_of_the_executor": """
        tasks.append(asyncio.create_task(asyncio.to_thread(threading.Event().wait)))
        await asyncio.sleep(0.01)
    """,
    "a_stop_that_would_block_the_loop": """
        asyncio.get_running_loop().call_soon(threading.Event().wait)
    """,
}

_MAIN = """
import asyncio, threading
from streams.shell.process.serve import run
tasks = []
async def main():
{left}
    print("the last line")
    return 78
run(main)
"""

_BLOCKED = """
import asyncio, threading
from streams.shell.process import serve as worker
from streams.shell.exits import WorkerExit
worker._STEP_TIMEOUT_S = 0.1
class Closed:
    async def close(self): ...
class Runner:
    outbox = writer = Closed()
    async def run_checkpoints(self):
        await asyncio.Event().wait()
class App:
    runner = Runner()
    async def start(self): ...
    async def stop(self):
        # As mode joins the thread of its consumer.
        threading.Event().wait()
shutdown = worker.Shutdown()
shutdown.failed(WorkerExit("no broker took it"))
worker.run(lambda: worker.serve([App()], shutdown, (), 0.1))
"""


def _ended(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("what", _LEFT_BEHIND)
def test_what_is_left_behind_is_not_waited_for(what: str) -> None:
    left = dedent(_LEFT_BEHIND[what]).strip().replace("\n", "\n    ")
    ended = _ended(_MAIN.format(left=f"    {left}"))
    assert (ended.returncode, ended.stdout) == (EXIT_CONFIG, "the last line\n"), ended.stderr


def test_a_stop_that_blocks_the_event_loop_does_not_keep_the_worker() -> None:
    ended = _ended(_BLOCKED)
    assert ended.returncode == EXIT_FAILED
    assert "stopped with nothing further committed: no broker took it" in ended.stderr
