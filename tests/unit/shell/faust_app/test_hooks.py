"""The names of Faust and aiokafka that the shell overrides exist, and a missing one is noticed."""

from __future__ import annotations

import pytest

from streams.shell.faust_app.app import ShellApp, ShellBoot
from streams.shell.faust_app.hooks import HOOKS, HooksMissing, check_hooks
from streams.shell.faust_app.transport import ShellConsumer


def test_every_overridden_name_exists_in_the_pinned_release() -> None:
    check_hooks()


def test_a_renamed_hook_stops_the_worker_with_its_name() -> None:
    with pytest.raises(HooksMissing, match=r"ShellBoot\.no_such_hook"):
        check_hooks(((ShellBoot, ("enable_web", "no_such_hook")),))


def test_what_the_consumer_and_the_app_override_is_listed() -> None:
    listed = {name for _, names in HOOKS for name in names}
    ours = {"start_from", "committed", "bounds", "commit_positions", "_fetch_and_deliver"}
    for owner in (ShellConsumer, ShellApp):
        overrides = {
            name
            for name, value in vars(owner).items()
            if callable(value) and not name.startswith("__") and hasattr(owner.__mro__[1], name)
        }
        assert overrides - listed - ours <= {"_create_directories", "BootStrategy"}


def test_no_web_server_and_no_faust_producer_are_started() -> None:
    assert ShellBoot.enable_web is False
    assert ShellBoot.enable_kafka_producer is False
