"""Twenty customers agree to marketing, then look at candles; most of them get an action.

Reads the variables that the worker reads (CONCIERGE_KAFKA, CONCIERGE_SCHEMA_REGISTRY_URL, ...).
"""

import os
import time

from confluent_kafka import Consumer, Producer

from schemas.wire import BUNDLED_IDS, decode_action, encode_event
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.settings.settings import Settings

settings = Settings.from_env(os.environ)
kafka, prefix = librdkafka_config(settings), settings.topic_prefix
# Beside a registry the ids of the schemas are the registry's, else those that ship with Concierge.
registry = RegistrySchemas(settings) if settings.schema_registry_url else None
topics = {prefix + name: name for name in ("profile", "clickstream")}
ids = BUNDLED_IDS if registry is None else registry.register(topics)

producer = Producer(kafka)
customers = [f"visitor-{number}" for number in range(20)]


def send(topic: str, customer: str, **fields: object) -> None:
    """Send one event that happens now."""
    now_ms = int(time.time() * 1000)
    name = f"{topic}-{customer}-{now_ms}"
    event = {"event_id": name, "customer_id": customer, "occurred_at": now_ms}
    producer.produce(prefix + topic, encode_event(topic, {**event, **fields}, ids), customer)


for customer in customers:
    send("profile", customer, kind="consent", purpose="marketing", granted=True)
producer.flush()
# Topics are read side by side: without a pause a view could be read before the consent.
time.sleep(5)
for customer in customers:
    send("clickstream", customer, kind="view", family="candles_lights", channel="web")
producer.flush()

group = {"group.id": f"{settings.app_id}-first-action", "auto.offset.reset": "earliest"}
consumer = Consumer({**kafka, **group})
consumer.subscribe([prefix + "next-best-actions"])
while (record := consumer.poll(15.0)) is not None:
    if record.error() is None:
        action = decode_action(record.value(), registry)
        print(action.customer, action.action, action.channel, action.message, sep=" | ")
consumer.close()
