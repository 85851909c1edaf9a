"""The small job as a plain loop: confluent-kafka and fastavro, state in a dict, no changelog.

The ceiling for a Python process: outputs are acknowledged before offsets are committed, once a
second, but the state itself is lost with the process.

`python -m tests.bench.same_job.plain BOOTSTRAP INPUT OUTPUT APP_ID FOLDER`
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, Producer

from tests.bench.same_job.job import apply, decode_click, encode_totals, new_totals

_BATCH = 10_000
_POLL_S = 0.1
_COMMIT_EVERY_S = 1.0


def main(arguments: Sequence[str]) -> int:
    bootstrap, source, output, app_id, _ = arguments
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": app_id,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    consumer.subscribe([source])
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    totals: dict[str, list[int]] = {}
    begun = dirty = False
    committed_s = time.monotonic()
    while not stopping:
        messages = consumer.consume(_BATCH, _POLL_S)
        if messages and not begun:
            begun = True
            print(f"first {time.time_ns()}", flush=True)
        for message in messages:
            if (error := message.error()) is not None:
                raise KafkaException(error)
            click = decode_click(message.value() or b"")
            customer = click["customer_id"]
            known = totals.get(customer)
            if known is None:
                known = totals[customer] = new_totals()
            apply(known, click)
            producer.produce(output, encode_totals(customer, known), customer.encode())
        dirty = dirty or bool(messages)
        producer.poll(0)
        if dirty and time.monotonic() - committed_s >= _COMMIT_EVERY_S:
            producer.flush()
            consumer.commit(asynchronous=False)
            dirty, committed_s = False, time.monotonic()
    producer.flush()
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
