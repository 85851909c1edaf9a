"""The app as transport, recovery and table know it: a Faust app with the runner of its role."""

from __future__ import annotations

import faust

from streams.shell.runner.role_runner import RoleRunner


class HostApp(faust.App):
    """Base of `ShellApp`; the parts that a `ShellApp` creates import this class instead."""

    runner: RoleRunner
