"""The words that fields of records may hold: kinds of events, channels, severities, purposes.

Avro enums list the same symbols (a test holds them together), and `unknown` besides.
"""

from __future__ import annotations

CLICK_KINDS = ("view", "search", "add_to_cart", "remove_from_cart", "wishlist", "page_leave")
PURCHASE_KINDS = (
    "order",
    "refund",
    "return",
    "subscription_start",
    "subscription_change",
    "subscription_end",
)
SUPPORT_KINDS = ("opened", "message", "escalated", "reopened", "resolved", "rated")
PROFILE_KINDS = (
    "signed_up",
    "preference",
    "survey_answer",
    "goal",
    "demographic",
    "contact_setting",
    "consent",
    "erasure",
    "channel_setting",
)
OUTCOME_KINDS = ("delivered", "impression", "click", "accept", "reject", "objection", "unsubscribe")
CHANNELS = ("web", "app", "email", "sms", "call_center", "store", "other")
SEVERITIES = ("low", "normal", "high", "urgent")
PURPOSES = ("personalization", "marketing")
# Experiment arms, see `streams.core.arbitration.arms`.
ARMS = ("holdout", "random", "model_only", "treated")
# Of what a decision is a customer's first, to be added up; see `streams.core.state.enrolment`.
FIRST_OF_ALL, FIRST_OF_FAMILY, FIRST_OF_ACTION = 1, 2, 4

# What programs and tools write for a missing value: JSON and Java, SQL, JavaScript, Python and
# pandas, C, Go, Postgres' COPY, spreadsheets. The list is closed and compared exactly, case and
# all: `Null`, `Nan`, `Nil` and `Na` are names of people, and `none`, `nil` or `0` can be real ids,
# while `NaN` and `undefined` are neither.
PLACEHOLDERS = frozenset(
    (
        *("null", "NULL", "(null)", "<null>", "undefined", "None", "NaN", "nan", "<NA>", "NaT"),
        *("<nil>", r"\N", "#N/A", "[object Object]"),
    )
)
