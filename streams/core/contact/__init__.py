"""Contact policy: how often, through which channel, and when to leave somebody alone."""

from streams.core.contact.memory import (
    Answered,
    contacted_about,
    note_refusal,
    note_response,
    record_contact,
)
from streams.core.contact.policy import NO_TREATMENT, Contactable, ContactPolicy, consented

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
