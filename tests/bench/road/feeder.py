"""Feed an installation at a fixed rate, by the clock: an open loop that waits for nobody.

`python -m tests.bench.road.feeder BOOTSTRAP PREFIX RATE COUNT CUSTOMERS SEED`. Event number n is
due at "began" + n / rate, which is what a latency is measured from; the number is in its id.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from schemas.avro_writer import write_long
from tests.bench.broker import bulk_producer, produce
from tests.bench.road.traffic import Traffic

# Stands where the time of sending goes; no other field holds these bytes.
_MARK_MS = 1_357_924_680_135
_LEAD_S = 0.5


def number_of(event_id: str) -> tuple[int, int]:
    """Return the seed and the number in an event's id."""
    _, seed, number = event_id.rsplit("-", 2)
    return int(seed), int(number) - 1


def main(arguments: Sequence[str]) -> int:
    bootstrap, prefix = arguments[:2]
    rate, count, customers, seed = map(int, arguments[2:6])
    traffic = Traffic(customers, _MARK_MS, _MARK_MS, seed, spacing_s=1 / rate)
    mark = write_long(_MARK_MS)
    records = []
    for sent in traffic.events(count):
        before, after = sent.encoded().split(mark)
        records.append((prefix + sent.topic, sent.customer.encode(), before, after))
    # What producers wait by default, librdkafka's and, since Kafka 4.0, Java's.
    producer = bulk_producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    began_s = time.time() + _LEAD_S
    print(f"began {int(began_s * 1_000)}", flush=True)
    worst_s = 0.0
    for number, (topic, key, before, after) in enumerate(records):
        due_s = began_s + number / rate
        while (early_s := due_s - time.time()) > 0:
            producer.poll(0)
            time.sleep(min(early_s, 0.001))
        worst_s = max(worst_s, -early_s)
        produce(producer, topic, key, before + write_long(int(due_s * 1_000)) + after)
    producer.flush(60)
    print(f"ended {worst_s * 1_000:.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
