"""Warn of a consent that is missing in all recent decisions, for `concierge check`.

A policy that needs an opt-in drops every action if the shop never sends the consents, and nothing
else reports that. Each decision record holds what was dropped and why; the newest are counted.
The funnel checks consent before every rule except the moment. So an action that a later rule
dropped shows that its customer has given the consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaException
from rich.console import Console
from rich.text import Text

from schemas.records import Decision
from schemas.symbols import PURPOSES
from streams.cli.logged_decisions import logged_decisions
from streams.core.catalogue.values import Catalogue
from streams.core.moments import WATCHED_MOMENTS
from streams.shell.kafka.error_advice import advice
from streams.shell.kafka.registry_errors import RegistryRefused, RegistryUnavailable
from streams.shell.settings.settings import Settings

# The newest decisions that are read: some hundred kilobytes, a second or two.
MOST_DECISIONS = 1_000
_NOT_NOW = "applicability:moment"
_CONSENT = "eligibility:consent_"


@dataclass
class ConsentTally:
    """Of the decisions that depend on a consent: in how many it was missing or given."""

    missing: int = 0
    given: int = 0
    customers: set[str] = field(default_factory=set)

    def warning(self, purpose: str, rule: str) -> str | None:
        """Return a sentence if it was always missing, None if it was ever given."""
        if self.given or not self.missing:
            return None
        return (
            f"consent to {purpose} ({rule} in the catalogue): missing in each of the newest "
            f"{self.missing:,} decisions that depend on it ({len(self.customers):,} customers), so "
            f"its actions are always dropped. Send profile events of kind consent (purpose "
            f"{purpose}, granted true) before the events that should lead to an action"
        )


def tally(decisions: Iterable[Decision], catalogue: Catalogue) -> Mapping[str, ConsentTally]:
    """Count, by purpose, the decisions in which consent was missing or given.

    Actions that are not in the catalogue are ignored, because their purpose is unknown.
    """
    purpose_of = {action.id: action.purpose for action in catalogue.actions}
    found = {purpose: ConsentTally() for purpose in PURPOSES}
    for decision in decisions:
        fates = [
            (purpose_of.get(action), fate)
            for action, fate in zip(decision.actions, decision.fates, strict=True)
            if fate != _NOT_NOW
        ]
        watched = decision.moment in WATCHED_MOMENTS
        for purpose, each in found.items():
            fates_of_purpose = [
                fate
                for of, fate in fates
                if of == purpose or (of is not None and watched and purpose == "personalization")
            ]
            if any(fate == f"{_CONSENT}{purpose}" for fate in fates_of_purpose):
                each.missing += 1
                each.customers.add(decision.customer)
            elif any(not fate.startswith(_CONSENT) for fate in fates_of_purpose):
                each.given += 1
    return found


def warn_about_consents(settings: Settings, catalogue: Catalogue, console: Console) -> None:
    """Print a warning for each consent that no decision had; the check never fails by it."""
    try:
        found = tally(logged_decisions(settings, MOST_DECISIONS), catalogue)
    except KafkaException as error:
        # A user who may set up topics may lack the right to read decisions: they are personal data.
        sentence = f"not checked, the decisions cannot be read: {advice(error.args[0])}"
        _note(console, sentence)
        return
    except (ValueError, RegistryRefused, RegistryUnavailable) as error:
        sentence = f"not checked, the decisions cannot be read: {error}"
        _note(console, sentence)
        return
    for purpose, each in found.items():
        rule = catalogue.consent.get(purpose, "opt_in")
        if (warning := each.warning(purpose, rule)) is not None:
            console.print("[yellow]warning[/]  ", Text(warning), sep="")


def _note(console: Console, sentence: str) -> None:
    console.print("[dim]note[/]     consent: ", Text(sentence), sep="")
