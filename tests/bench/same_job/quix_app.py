"""The small job in Quix Streams: stateful apply, RocksDB store with its changelog.

Run by the interpreter of Quix's own virtual environment, beside `job.py`:
`python quix_app.py BOOTSTRAP INPUT OUTPUT APP_ID FOLDER`
"""

from __future__ import annotations

import sys
import time
from typing import Any

from job import (  # type: ignore[import-not-found]  # its folder is on the path when run as a file
    apply,
    decode_click,
    encode_totals,
    new_totals,
)
from quixstreams import Application  # type: ignore[import-not-found]  # not in our environment

_begun = False


def work(payload: bytes, state: Any) -> bytes:
    global _begun
    if not _begun:
        _begun = True
        print(f"first {time.time_ns()}", flush=True)
    click = decode_click(payload)
    totals = state.get("totals") or new_totals()
    apply(totals, click)
    state.set("totals", totals)
    encoded: bytes = encode_totals(click["customer_id"], totals)
    return encoded


def main(arguments: list[str]) -> None:
    bootstrap, source, output, app_id, folder = arguments
    app = Application(
        broker_address=bootstrap,
        consumer_group=app_id,
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="WARNING",
        # As everybody else here; the rest, such as a checkpoint every 5 s, is as it comes.
        producer_extra_config={"compression.type": "lz4", "enable.idempotence": True},
    )
    clicks = app.topic(source, key_deserializer="bytes", value_deserializer="bytes")
    totals = app.topic(output, key_serializer="bytes", value_serializer="bytes")
    app.dataframe(clicks).apply(work, stateful=True).to_topic(totals)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1:])
