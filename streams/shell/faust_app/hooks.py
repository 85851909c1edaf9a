"""Every name of Faust, mode and aiokafka that this package overrides or uses without a promise.

Most of them are no public interface. A worker checks before it starts that each still exists. If a
release renamed one, Faust would silently commit by itself again. A test finds the overrides of all
classes in this package by inspection and compares them with this list.
"""

from __future__ import annotations

from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.protocol.api import Request, RequestStruct, Response
from faust.agents import Agent
from faust.app.base import App, BootStrategy
from faust.channels import Channel
from faust.serializers.schemas import Schema
from faust.streams import Stream
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, Fetcher
from faust.transport.drivers import aiokafka as driver
from mode import Service

HOOKS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (
        driver.Consumer,
        (
            "_new_consumer_thread",
            "perform_seek",
            "_drain_messages",
            "on_buffer_full",
            "on_buffer_drop",
            "verify_event_path",
            "commit",
            "_commit_handler",
            "wait_empty",
            "on_task_error",
            "create_topic",
            "on_partitions_revoked",
            "resume_partitions",
            "resume_flow",
            "consumer_stopped_errors",
        ),
    ),
    (Consumer, ("force_commit", "_commit_tps", "on_stop", "_commit_livelock_detector")),
    (
        driver.AIOKafkaConsumerThread,
        (
            "_create_worker_consumer",
            "_ensure_consumer",
            "_fetch_records",
            "call_thread",
            "on_start",
        ),
    ),
    (driver.Transport, ("Consumer",)),
    (Fetcher, ("_fetcher",)),
    (
        App,
        (
            "BootStrategy",
            "_new_transport",
            "_new_consumer",
            "_stop_consumer",
            "_create_directories",
            "_producer_flush",
            "_crash",
            "_fetcher",
            "_on_partitions_revoked",
            "_on_partitions_assigned",
            "on_rebalance_end",
            "flow_control",
        ),
    ),
    (BootStrategy, ("enable_web", "enable_kafka_producer", "_should_enable_web")),
    (Agent, ("_execute_actor",)),
    (Stream, ("__aiter__", "maybe_start", "_set_current_event")),
    (Channel, ("__anext__",)),
    (Schema, ("compile",)),
    (
        TableManager,
        ("recovery", "on_start", "_update_channels", "on_actives_ready", "on_standbys_ready"),
    ),
    (Recovery, ("in_recovery", "on_partitions_revoked", "on_rebalance")),
    (Collection, ("send_changelog", "on_start")),
    (AIOKafkaConsumer, ("seek", "commit", "committed", "beginning_offsets")),
    (aiokafka_fetcher.Fetcher, ("end_offsets", "fetched_records")),
    (aiokafka_fetcher.FetchResult, ("getall",)),
    (TopicPartitionState, ("position", "has_valid_position")),
    (GroupCoordinator, ("_send_req", "_do_rejoin_group", "reset_generation", "check_errors")),
    (Response, ("API_VERSION",)),
    (Request, ("build",)),
    (RequestStruct, ("SCHEMA",)),
    (Service, ("on_stop",)),
)


class HooksMissing(Exception):
    """The installed Faust or aiokafka is not the release that this package was written for."""


def check_hooks(hooks: tuple[tuple[type, tuple[str, ...]], ...] = HOOKS) -> None:
    """Raise `HooksMissing` unless every listed name still exists."""
    missing = [
        f"{owner.__module__}.{owner.__qualname__}.{name}"
        for owner, names in hooks
        for name in names
        if not hasattr(owner, name)
    ]
    if missing:
        raise HooksMissing(
            "the installed faust-streaming or aiokafka lacks names that the worker overrides: "
            f"{', '.join(missing)}; install the versions pinned in pyproject.toml"
        )
