"""Load a catalogue: YAML text in, checked values out, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.core.catalogue import Catalogue, Scope
from streams.core.catalogue_yaml.actions import ActionReader, Words
from streams.core.catalogue_yaml.durations import durations
from streams.core.catalogue_yaml.nodes import canonical, compose, content_version, decoded
from streams.core.catalogue_yaml.parts import MAX_VALUE, TREATMENT_CHANNELS
from streams.core.catalogue_yaml.policy import (
    read_consent,
    read_contact_limits,
    read_families,
    read_timers,
)
from streams.core.catalogue_yaml.problems import CatalogueError, Problems
from streams.core.catalogue_yaml.rules import read_shared_rules
from streams.core.catalogue_yaml.sections import Place, Section, line_of

__all__ = ["CatalogueError", "load_catalogue"]

_KEYS = (
    *("name", "currency", "model", "holdout_ratio", "exploration", "no_action"),
    *durations("cool_down"),
    *("timers", "contact_limits", "consent", "families", "rules", "issues"),
)
# Above a half there would be more customers watched than served.
MAX_HOLDOUT_RATIO = 0.5
# Without a control group nobody can tell what the rest is worth.
DEFAULT_HOLDOUT_RATIO = 0.05
MAX_GAMMA = 1_000_000.0
DEFAULT_GAMMA = 20.0
DEFAULT_COOL_DOWN_MS = 2_000
MAX_COOL_DOWN_MS = 24 * 3_600_000


def load_catalogue(
    text: str | bytes, source: str, features: Mapping[str, str], moments: Collection[str]
) -> Catalogue:
    """Return the catalogue that `text` describes.

    `source` names the text in messages (a file name), `features` maps each declared feature to
    "number" or "flag", `moments` are the known moments. Raises `CatalogueError` with every
    problem found; bytes that are not UTF-8 are one.
    """
    problems = Problems(source)
    decoded_text = canonical(decoded(text, problems))
    _raise(problems)
    root = compose(decoded_text, problems)
    _raise(problems)
    if root is None:
        raise AssertionError("a text without problems has a root")
    section = Place(root, "", problems, line_of(root)).section(_KEYS)
    _raise(problems if section is None else None)
    if section is None:
        raise AssertionError("a root is a mapping")
    catalogue = _read(section, decoded_text, features, moments)
    _raise(problems)
    return catalogue


def _raise(problems: Problems | None) -> None:
    error = problems.error() if problems else None
    if error:
        raise error


def _read(
    section: Section, text: str, features: Mapping[str, str], moments: Collection[str]
) -> Catalogue:
    name, currency, model = (
        section.need("name", "Gift shop"),
        section.need("currency", "GBP"),
        section.get("model"),
    )
    families = read_families(section.get("families"))
    shared = read_shared_rules(section.get("rules"), features)
    reader = ActionReader(Words(features, moments, families, shared))
    issues = section.need("issues", "[...]")
    if issues:
        reader.read_issues(issues)
    names: dict[Scope, tuple[str, ...]] = {
        "channel": TREATMENT_CHANNELS,
        "issue": tuple(reader.issues),
        "family": tuple(families),
        "action": tuple(action.id for action in reader.actions),
    }
    return Catalogue(
        name=(name.text(100) if name else None) or "",
        version=content_version(text),
        currency=_currency(currency) if currency else "",
        model=(model.identifier() if model else None) or "main",
        holdout_ratio=section.number(
            "holdout_ratio", 0.0, MAX_HOLDOUT_RATIO, DEFAULT_HOLDOUT_RATIO
        ),
        gamma=_inner_number(section, "exploration", "gamma", MAX_GAMMA, DEFAULT_GAMMA),
        no_action_priority=_inner_number(section, "no_action", "priority", MAX_VALUE, 0.0),
        cool_down_ms=_cool_down_ms(section),
        timers=read_timers(section.get("timers")),
        contact_limits=read_contact_limits(section.get("contact_limits"), names),
        consent=read_consent(section.get("consent")),
        families=tuple(families),
        actions=tuple(reader.actions),
        text=text,
    )


def _currency(place: Place) -> str:
    code = place.text(3)
    if code is not None and not (len(code) == 3 and code.isascii() and code.isupper()):
        place.wrong(f"`{code}` is no currency code; write three capitals, for example GBP")
    return code or ""


def _inner_number(section: Section, key: str, inner: str, high: float, default: float) -> float:
    place = section.get(key)
    inside = place.section((inner,)) if place else None
    return inside.number(inner, 0.0, high, default) if inside else default


def _cool_down_ms(section: Section) -> int:
    found = section.duration_ms("cool_down", 0, MAX_COOL_DOWN_MS, DEFAULT_COOL_DOWN_MS)
    return DEFAULT_COOL_DOWN_MS if found is None else found
