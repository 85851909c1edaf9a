"""The worker's pages say how it is doing, to those who may ask."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from confluent_kafka import Producer

from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka_records import Partition
from streams.shell.pages.health import HealthServer, PortUnavailable
from streams.shell.pages.lag import LagWatch, StalledPartition
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import CUSTOMERS, Metrics
from streams.shell.telemetry.progress import PartitionProgress, Progress, RoleProgress

_PLACE = Partition("timeline", 0)
_READY = RoleProgress(
    assigned=True, recovered=True, records=9, partitions={_PLACE: PartitionProgress(5, 4)}
)


class _Pages:
    """A health server, with what it shows in the test's hands."""

    def __init__(self, settings: Settings) -> None:
        self.progress = Progress({"decide": _READY})
        self.metrics = Metrics()
        self.lag = LagWatch(settings, self.progress, self.metrics)
        self.server = HealthServer(settings, self.metrics, self.progress, self.lag)

    async def get(self, page: str, token: str = "") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(self.server.url + page) as answer,
        ):
            return answer.status, await answer.text()

    async def json(self, page: str) -> tuple[int, dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.get(self.server.url + page) as got:
            return got.status, await got.json()


def _serve(scenario: Callable[[_Pages], Awaitable[None]], settings: Settings | None = None) -> None:
    async def main() -> None:
        pages = _Pages(settings or Settings(http_port=0))
        await pages.server.start()
        try:
            await scenario(pages)
        finally:
            await pages.server.stop()

    asyncio.run(main())


def test_metrics_are_served_in_the_format_of_prometheus() -> None:
    async def scenario(pages: _Pages) -> None:
        pages.metrics.set(CUSTOMERS, 7)
        status, text = await pages.get("/metrics")
        assert status == 200
        assert "concierge_customers 7.0" in text

    _serve(scenario)


def test_a_worker_that_moves_is_healthy_and_shows_where_it_is() -> None:
    async def scenario(pages: _Pages) -> None:
        pages.lag.lag = {_PLACE: 3}
        status, page = await pages.json("/healthz")
        assert status == 200
        assert page["status"] == "ok"
        assert page["roles"]["decide"]["partitions"] == {
            "timeline/0": {"position": 5, "committed": 4, "lag": 3, "held_back": 0}
        }

    _serve(scenario)


def test_a_worker_that_stands_still_is_unhealthy_and_says_where() -> None:
    async def scenario(pages: _Pages) -> None:
        pages.lag.stalled = [StalledPartition("decide", _PLACE, "not been read on", 5, 3, 42)]
        status, page = await pages.json("/healthz")
        assert status == 503
        assert page["status"] == "standing still"
        assert "timeline/0 has not been read on at 5 for 42 s" in page["problems"][0]

    _serve(scenario)


def test_brokers_that_are_away_for_a_moment_are_told_and_are_no_trouble_yet() -> None:
    async def scenario(pages: _Pages) -> None:
        pages.lag.unknown = "all brokers down"
        status, page = await pages.json("/healthz")
        assert (status, page["lag_unknown"]) == (200, "all brokers down")

    _serve(scenario)


def test_brokers_that_do_not_answer_for_longer_are_trouble_and_named() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        now_s = [0.0]

        async def main() -> None:
            settings = Settings(bootstrap=address, http_port=0, broker_silence_ms=2_000)
            progress = Progress({"decide": _READY})
            watch = LagWatch(settings, progress, Metrics(), lambda: now_s[0])
            await watch.refresh()
            assert (bool(watch.unknown), watch.broker_silence) == (True, "")
            now_s[0] = 12.0
            await watch.refresh()
            assert watch.broker_silence == f"no answer from the brokers ({address}) for 12 s"
            pages = HealthServer(settings, Metrics(), progress, watch)
            await pages.start()
            async with (
                aiohttp.ClientSession() as session,
                session.get(pages.url + "/healthz") as got,
            ):
                assert got.status == 503
                assert (await got.json())["problems"] == [watch.broker_silence]
            await pages.stop()
            await watch.stop()

        asyncio.run(main())


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    async def main() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            settings = Settings(http_port=other.getsockname()[1])
            progress = Progress()
            watch = LagWatch(settings, progress, Metrics())
            with pytest.raises(
                PortUnavailable, match=r"address already in use.*CONCIERGE_HTTP_PORT"
            ):
                await HealthServer(settings, Metrics(), progress, watch).start()
            await watch.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("role", "problem"),
    [
        (RoleProgress(), "decide waits for partitions"),
        (RoleProgress(assigned=True), "decide waits for its state"),
    ],
)
def test_readiness_says_what_is_waited_for(role: RoleProgress, problem: str) -> None:
    async def scenario(pages: _Pages) -> None:
        assert (await pages.json("/readyz"))[0] == 200
        pages.progress.roles["decide"] = role
        status, page = await pages.json("/readyz")
        assert (status, page["problems"]) == (503, [problem])

    _serve(scenario)


@pytest.mark.parametrize("page", ["/metrics", "/healthz", "/readyz"])
def test_with_a_token_every_page_asks_for_it(page: str) -> None:
    async def scenario(pages: _Pages) -> None:
        assert (await pages.get(page))[0] == 401
        assert (await pages.get(page, "wrong"))[0] == 401
        assert (await pages.get(page, "hush"))[0] == 200

    _serve(scenario, Settings(http_host="0.0.0.0", http_port=0, http_token="hush"))


def test_the_lag_is_what_the_broker_holds_beyond_the_position(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    topic = topic_prefix + "timeline"
    producer = Producer({"bootstrap.servers": embedded_broker.bootstrap})
    for _ in range(7):
        producer.produce(topic, b"x", partition=1)
    assert producer.flush(30) == 0

    async def main() -> None:
        place = Partition(topic, 1)
        role = RoleProgress(recovered=True, partitions={place: PartitionProgress(2, 2)})
        watch = LagWatch(
            Settings(bootstrap=embedded_broker.bootstrap), Progress({"decide": role}), Metrics()
        )
        await watch.refresh()
        assert watch.lag == {place: 5}
        await watch.stop()

    asyncio.run(main())
