"""Declare, read, check and print settings.

A setting is a dataclass field with an environment variable, bounds and help. The dataclasses in
this folder declare them; here they are read from an environment. All problems are reported at once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

PREFIX = "CONCIERGE_"
DAY_MS = 86_400_000
SECRET_FILE_SUFFIX = "_FILE"
# Read by the test suite, not by the application.
TEST_VARIABLES = frozenset(
    {"CONCIERGE_DATA", "CONCIERGE_LINTED", "CONCIERGE_REGISTRY_TEST", "CONCIERGE_REQUIRE_KAFKA"}
)

T = TypeVar("T")


class SettingsError(Exception):
    """Settings are invalid; each line names a variable, its value and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Declaration:
    """A setting: its variable, default, unit, bounds and help.

    `minimum` and `maximum` are inclusive and apply to whole numbers only.
    """

    name: str
    env: str
    default: Any
    help: str
    unit: str
    choices: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    secret: bool

    @property
    def allowed(self) -> str:
        """Return the accepted values, in words."""
        if self.choices:
            joined = ", ".join(self.choices)
            return f"any of {joined}" if isinstance(self.default, tuple) else f"one of {joined}"
        if isinstance(self.default, int):
            top = "" if self.maximum is None else f" to {self.maximum}"
            low = (
                "any whole number"
                if self.minimum is None
                else f"a whole number from {self.minimum}"
            )
            return low + top
        return "text"

    def display(self, value: object) -> str:
        """Return a value as text; a secret is hidden."""
        if self.secret:
            return "(secret)" if value else "(empty)"
        return ",".join(value) if isinstance(value, tuple) else str(value)


def setting(
    default: T,
    help: str,
    *,
    env: str = "",
    unit: str = "",
    choices: tuple[str, ...] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    secret: bool = False,
) -> T:
    """Declare one field of a settings dataclass; `env` if the variable has another name."""
    facts = {
        "env": env,
        "help": help,
        "unit": unit,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "secret": secret,
    }
    return dataclasses.field(default=default, repr=not secret, metadata=facts)


def declarations(cls: type[Any]) -> list[Declaration]:
    """Return the declarations of a settings dataclass, in the order they were written."""
    found = []
    for field in dataclasses.fields(cls):
        facts = dict(field.metadata)
        env = PREFIX + (facts.pop("env") or field.name.upper())
        found.append(Declaration(name=field.name, env=env, default=field.default, **facts))
    return found


def value_problem(declared: Declaration, value: object) -> str | None:
    """Return why a value is refused, or None when it is allowed."""
    names = value if isinstance(value, tuple) else (value,)
    wrong = bool(declared.choices) and not (names and set(names) <= set(declared.choices))
    if isinstance(value, int):
        wrong = (declared.minimum is not None and value < declared.minimum) or (
            declared.maximum is not None and value > declared.maximum
        )
    if not wrong:
        return None
    return f'{declared.env}="{declared.display(value)}": allowed is {declared.allowed}'


def read_environment(
    cls: type[Any], environ: Mapping[str, str], not_ours: frozenset[str]
) -> dict[str, Any]:
    """Read the fields that an environment sets; SettingsError lists all problems.

    The variable of a secret plus `_FILE` may name a file that holds it. A variable that starts with
    `CONCIERGE_` and is neither declared nor in `not_ours` is an error, since most are misspelt.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    known: set[str] = set(not_ours)
    for declared in declarations(cls):
        known.add(declared.env)
        text = environ.get(declared.env)
        if declared.secret:
            known.add(declared.env + SECRET_FILE_SUFFIX)
            text = _secret(declared, environ, problems)
        if text is None:
            continue
        try:
            values[declared.name] = _parse(declared, text)
        except ValueError:
            problems.append(f'{declared.env}="{text}": allowed is {declared.allowed}')
            continue
        problem = value_problem(declared, values[declared.name])
        if problem is not None:
            problems.append(problem)
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"{name}: there is no such setting{hint}")
    if problems:
        raise SettingsError(problems)
    return values


def markdown_table(declared: Iterable[Declaration]) -> str:
    """Return settings as a Markdown table for people."""
    rows = ["| variable | default | allowed | what it does |", "|---|---|---|---|"]
    for each in declared:
        default = "(secret)" if each.secret else each.display(each.default) or "(empty)"
        unit = f" {each.unit}" if each.unit else ""
        rows.append(f"| `{each.env}` | {default}{unit} | {each.allowed} | {each.help} |")
    return "\n".join(rows)


def _secret(declared: Declaration, environ: Mapping[str, str], problems: list[str]) -> str | None:
    file_variable = declared.env + SECRET_FILE_SUFFIX
    path = environ.get(file_variable)
    if path is None:
        return environ.get(declared.env)
    if declared.env in environ:
        problems.append(f"{declared.env} and {file_variable} are both set; keep one")
        return None
    try:
        # Editors and `kubectl create secret` often add a newline at the end.
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f'{file_variable}="{path}": cannot be read: {error}')
        return None


def _parse(declared: Declaration, text: str) -> object:
    if isinstance(declared.default, int):
        return int(text)
    if isinstance(declared.default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
