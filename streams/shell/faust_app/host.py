"""The app as transport, recovery and table see it: a Faust app with the runner of its role."""

from __future__ import annotations

import faust

from streams.shell.runner.role_runner import RoleRunner


class HostApp(faust.App):
    """Base of `ShellApp`, so that the parts which it builds need not import it."""

    runner: RoleRunner
