"""The names of Faust and aiokafka that the shell overrides exist, and a missing one is noticed."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator

import pytest
from faust.tables.recovery import Recovery

from streams.shell import faust_app
from streams.shell.faust_app.app import ShellApp, ShellBoot
from streams.shell.faust_app.hooks import HOOKS, HooksMissing, check_hooks
from streams.shell.faust_app.recovery import ShellRecovery, ShellTables
from streams.shell.faust_app.transport import ShellConsumer, ShellTransport

_LIBRARIES = ("faust", "mode", "aiokafka")


def test_every_overridden_name_exists_in_the_pinned_release() -> None:
    check_hooks()


def test_a_renamed_hook_stops_the_worker_with_its_name() -> None:
    with pytest.raises(HooksMissing, match=r"ShellBoot\.no_such_hook"):
        check_hooks(((ShellBoot, ("enable_web", "no_such_hook")),))


def _own_classes() -> Iterator[type]:
    for module in pkgutil.iter_modules(faust_app.__path__, f"{faust_app.__name__}."):
        for found in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(found) and found.__module__ == module.name:
                yield found


def _assigned_names(owner: type) -> set[str]:
    """Return what the body of a class defines, without what metaclasses add to it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(tree, ast.ClassDef)
    names = set()
    for each in tree.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(each.name)
        elif isinstance(each, ast.Assign):
            names |= {target.id for target in each.targets if isinstance(target, ast.Name)}
        elif isinstance(each, ast.AnnAssign) and each.value and isinstance(each.target, ast.Name):
            names.add(each.target.id)
    return names - {"__init__"}


def _overrides(owner: type) -> set[str]:
    foreign = [b for b in owner.__mro__ if b.__module__.partition(".")[0] in _LIBRARIES]
    # Put in the place of Faust's own service, of which it is no subclass.
    foreign += [Recovery] if owner is ShellRecovery else []
    return {name for name in _assigned_names(owner) if any(name in vars(b) for b in foreign)}


def test_every_override_of_every_class_is_listed() -> None:
    found = {owner: overrides for owner in _own_classes() if (overrides := _overrides(owner))}
    assert {ShellConsumer, ShellApp, ShellTransport, ShellRecovery, ShellTables} <= set(found)
    assert "_create_directories" in found[ShellApp]
    unlisted = {
        f"{owner.__name__}.{name}"
        for owner, names in found.items()
        for name in names
        if not any(
            name in listed and (issubclass(owner, hooked) or owner is ShellRecovery)
            for hooked, listed in HOOKS
        )
    }
    assert unlisted == set()


def test_no_web_server_and_no_faust_producer_are_started() -> None:
    assert ShellBoot.enable_web is False
    assert ShellBoot.enable_kafka_producer is False
