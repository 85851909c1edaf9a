"""Send one event of yours and print the next-best-actions that it leads to.

    python deploy/examples/own_event.py profile \
        customer_id=ada kind=consent purpose=marketing granted=true
    python deploy/examples/own_event.py clickstream \
        customer_id=ada kind=search family=candles_lights channel=web

Fields are those of the topic's schema in schemas/avro. Values are JSON; what is no JSON is a text.
`event_id` and `occurred_at` (now) are added where they are missing. Reads the variables that the
worker reads (CONCIERGE_KAFKA, ...). After five seconds without an action it says so and ends.
"""

import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.wire import decode_action, encode_event
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.settings.settings import Settings

topic, *words = sys.argv[1:]
event = {"event_id": str(uuid.uuid4()), "occurred_at": int(time.time() * 1000)}
for name, text in (word.split("=", 1) for word in words):
    try:
        event[name] = json.loads(text)
    except ValueError:
        event[name] = text

settings = Settings.from_env(os.environ)
kafka, prefix = librdkafka_config(settings), settings.topic_prefix

# Where actions end before the event is sent: from there on none of its actions can be missed.
actions = prefix + "next-best-actions"
consumer = Consumer({**kafka, "group.id": f"{settings.app_id}-own-event"})
numbers = consumer.list_topics(actions, timeout=10).topics[actions].partitions
for partition in (partitions := [TopicPartition(actions, number) for number in numbers]):
    partition.offset = consumer.get_watermark_offsets(partition, timeout=10)[1]
consumer.assign(partitions)

producer = Producer(kafka)
producer.produce(prefix + topic, encode_event(topic, event), event["customer_id"])
producer.flush()

found = False
while (record := consumer.poll(5.0)) is not None:
    if record.error() is None:
        action = decode_action(record.value())
        if action.customer == event["customer_id"]:
            found = True
            print(action.action, action.channel, action.message, *action.why, sep=" | ")
consumer.close()
if not found:
    print("No action within five seconds. Why not:", "concierge explain", event["customer_id"])
