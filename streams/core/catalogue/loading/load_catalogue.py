"""Load a catalogue: YAML text in, checked values out, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from models.protocol import LEARNER_NAMES
from streams.core.catalogue.contact_rules import Scope
from streams.core.catalogue.loading.action_parts import TREATMENT_CHANNELS
from streams.core.catalogue.loading.actions_section import ActionReader, Words
from streams.core.catalogue.loading.arbitration_section import KEYS as ARBITRATION_KEYS
from streams.core.catalogue.loading.arbitration_section import (
    read_arms,
    read_contact_cost,
    read_exploration,
)
from streams.core.catalogue.loading.budgets_section import read_budgets
from streams.core.catalogue.loading.cold_start_section import KEYS as COLD_START_KEYS
from streams.core.catalogue.loading.cold_start_section import read_answers, read_ramp
from streams.core.catalogue.loading.contact_section import KEYS as CONTACT_KEYS
from streams.core.catalogue.loading.contact_section import read_contact_rules
from streams.core.catalogue.loading.general_section import (
    read_consent,
    read_families,
    read_slates,
    read_timers,
)
from streams.core.catalogue.loading.phrases_section import read_phrases
from streams.core.catalogue.loading.quiet_section import read_time_zone
from streams.core.catalogue.loading.rules_section import read_shared_rules
from streams.core.catalogue.values import Catalogue
from streams.core.money import COMMON_CURRENCIES, MINOR_DIGITS
from streams.core.rules import Features
from streams.core.suggestions import near
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.nodes import canonical, compose, content_version, decoded
from streams.core.yaml_file.problems import CatalogueError, Problems
from streams.core.yaml_file.typed_node import Section, TypedNode, line_of

__all__ = ["CatalogueError", "load_catalogue"]

_KEYS = (
    *("name", "currency", "time_zone", "model", "learner", "challenger"),
    *ARBITRATION_KEYS,
    *COLD_START_KEYS,
    *durations("cool_down"),
    *("timers", "slates", "budgets", *CONTACT_KEYS, "consent", "families", "phrases"),
    *("rules", "issues"),
)
DEFAULT_COOL_DOWN_MS = 2_000
MAX_COOL_DOWN_MS = 24 * 3_600_000


def load_catalogue(
    text: str | bytes, source: str, features: Features, moments: Collection[str]
) -> Catalogue:
    """Return the catalogue that `text` describes.

    `source` names the text in messages (a file name), `features` are the declared features by
    name (or only "number" or "flag" for each), `moments` are the known moments. Raises
    `CatalogueError` with every problem found; bytes that are not UTF-8 are one.
    """
    problems = Problems(source)
    decoded_text = canonical(decoded(text, problems))
    _raise(problems)
    root = compose(decoded_text, problems)
    _raise(problems)
    if root is None:
        raise AssertionError("a text without problems has a root")
    section = TypedNode(root, "", problems, line_of(root)).section(_KEYS)
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


def _read(section: Section, text: str, features: Features, moments: Collection[str]) -> Catalogue:
    name, currency, model = (
        section.need("name", "Gift shop"),
        section.need("currency", "GBP"),
        section.get("model"),
    )
    families = read_families(section.get("families"))
    shared = read_shared_rules(section.get("rules"), features)
    learner, challenger = _learners(section)
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
    contact, ticket_closes_ms = read_contact_rules(section, names)
    return Catalogue(
        name=(name.text(100) if name else None) or "",
        version=content_version(text),
        currency=_currency(currency) if currency else "",
        model=(model.identifier() if model else None) or "main",
        arms=read_arms(section),
        exploration=read_exploration(section),
        bothering=read_contact_cost(section),
        cool_down_ms=_cool_down_ms(section),
        timers=replace(read_timers(section.get("timers")), ticket_closes_ms=ticket_closes_ms),
        slates=read_slates(section.get("slates")),
        budgets=read_budgets(section.get("budgets"), names),
        contact=contact,
        consent=read_consent(section.get("consent")),
        families=tuple(families),
        actions=tuple(reader.actions),
        text=text,
        ramp=read_ramp(section),
        answers=read_answers(section, families),
        learner=learner,
        challenger=challenger,
        time_zone=read_time_zone(section),
        phrases=read_phrases(section.get("phrases"), features, moments),
    )


def _learners(section: Section) -> tuple[str, str | None]:
    """Return the learner of the model, and its challenger."""
    place, rival = section.get("learner"), section.get("challenger")
    learner = (place.word(LEARNER_NAMES, "learner") if place else None) or LEARNER_NAMES[0]
    challenger = rival.word(LEARNER_NAMES, "learner") if rival else None
    if rival and challenger == learner:
        rival.wrong(f"`{learner}` learns this model already; name another learner")
    return learner, challenger


def _currency(place: TypedNode) -> str:
    """Return the currency, whose minor units must be known: else amounts would be guessed."""
    code = place.text(3)
    if code is None or code in MINOR_DIGITS:
        return code or ""
    if not (len(code) == 3 and code.isascii() and code.isupper()):
        place.wrong(f"`{code}` is no currency code; write three capitals, for example GBP")
    else:
        hint = near(code, COMMON_CURRENCIES) or near(code, MINOR_DIGITS)
        place.wrong(f"`{code}` is no currency of ISO 4217{hint}")
    return code


def _cool_down_ms(section: Section) -> int:
    found = section.duration_ms("cool_down", 0, MAX_COOL_DOWN_MS, DEFAULT_COOL_DOWN_MS)
    return DEFAULT_COOL_DOWN_MS if found is None else found
