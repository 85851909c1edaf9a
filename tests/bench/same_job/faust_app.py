"""The small job as the Faust manual shows it: one agent, one Table, event by event.

`python -m tests.bench.same_job.faust_app BOOTSTRAP INPUT OUTPUT APP_ID FOLDER`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import faust

from tests.bench.same_job.job import apply, decode_click, encode_totals, new_totals


def create(bootstrap: str, source: str, output: str, app_id: str, folder: str) -> Any:
    """Return the app."""
    app = faust.App(
        app_id,
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        topic_partitions=4,
        topic_replication_factor=1,
        producer_compression_type="lz4",
        web_enabled=False,
    )
    clicks = app.topic(source, key_type=bytes, value_type=bytes, value_serializer="raw")
    outputs = app.topic(output, key_type=bytes, value_type=bytes, value_serializer="raw")
    table = app.Table("totals", default=new_totals, partitions=4)
    begun: list[int] = []

    @app.agent(clicks)
    async def totalling(stream: Any) -> None:
        async for payload in stream:
            if not begun:
                begun.append(1)
                print(f"first {time.time_ns()}", flush=True)
            click = decode_click(payload)
            customer = click["customer_id"]
            totals = table[customer]
            apply(totals, click)
            table[customer] = totals
            await outputs.send(key=customer.encode(), value=encode_totals(customer, totals))

    return app


def main(arguments: Sequence[str]) -> None:
    app = create(*arguments)
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1:])
