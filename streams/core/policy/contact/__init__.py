"""Contact policy: how often, through which channel, and when to leave somebody alone."""

from streams.core.folds.contacts import (
    Answered,
    contacted_about,
    note_refusal,
    note_response,
    record_contact,
)
from streams.core.policy.contact.contact_policy import (
    NO_TREATMENT,
    Contactable,
    ContactPolicy,
    consented,
)

__all__ = [
    "NO_TREATMENT",
    "Answered",
    "ContactPolicy",
    "Contactable",
    "consented",
    "contacted_about",
    "note_refusal",
    "note_response",
    "record_contact",
]
