"""The catalogue's reference names every key that the loader knows, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.symbols import SEVERITIES
from streams.core.catalogue.contact_rules import AFTERS, CALENDARS, QUIET_ANSWERS, SCOPES
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.loading.action_parts import REWARDABLE, TREATMENT_CHANNELS
from streams.core.catalogue.loading.contact_section import TAKEN
from streams.core.catalogue.phrases import DEFAULT_PHRASES
from streams.core.catalogue.service import SERVICE_FIRST
from streams.core.catalogue.values import ITEMS, PERSONAL_SLOTS, TIERS
from streams.core.decision.decider import SLATE_DISTURBS, SLATE_SERVICE, SLATE_SHOWN
from streams.core.decision.plan import OUT_OF_ORDER, OUTDATED
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from streams.core.policy.contact.open_treatments import CLOSED
from streams.core.policy.ramp import RAMP, TRIAL
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.typed_node import Section, TypedNode

FOLDER = Path(__file__).parents[2] / "deploy" / "catalogue"
REFERENCE = (FOLDER / "README.md").read_text("utf-8")
_TOP = "catalogue"


def without_units(keys: Iterable[str]) -> set[str]:
    """Return the keys, those of one duration in all its units as one."""
    named = set(keys)
    for stem in {key.rpartition("_")[0] for key in named}:
        if stem and named >= set(durations(stem)):
            named = named - set(durations(stem)) | {f"{stem}_<unit>"}
    return named


def section_of(path: str) -> str | None:
    """Name a section by its path; None for one whose keys are the owner's own."""
    parts = [part for part in re.sub(r"\[\d+\]", "", path).split(".") if part]
    if parts[:1] == ["answers"]:
        return None
    if parts[-2:] == ["issues", "families"]:
        return "issues.families"
    if "weekdays" in parts:
        # The same days and hours, for all channels or for one.
        return "quiet_hours.weekdays" + (".<day>" if parts[-1] != "weekdays" else "")
    if parts[:2] == ["quiet_hours", "channels"]:
        return "quiet_hours.channels"
    return parts[-1] if parts else _TOP


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Section -> the keys that the loader asked for while it read every pack."""
    found: dict[str, set[str]] = {}
    original = TypedNode.section

    def watched(self: TypedNode, keys: Iterable[str]) -> Section | None:
        keys = tuple(keys)
        if (name := section_of(self.path)) is not None:
            found.setdefault(name, set()).update(without_units(keys))
        return original(self, keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TypedNode, "section", watched)
        for path in FOLDER.glob("*.yaml"):
            load_catalogue(path.read_bytes(), path.name, FEATURES, MOMENTS)
    return found


def documented() -> dict[str, set[str]]:
    """Section -> the keys of its table."""
    found: dict[str, set[str]] = {}
    for heading, body in re.findall(r"^### `([^`]+)`\n(.*?)(?=^#|\Z)", REFERENCE, re.M | re.S):
        found[heading] = set(re.findall(r"^\| `([^`]+)` \|", body, re.M))
    return found


def table(heading: str) -> set[str]:
    (body,) = re.findall(rf"^## {heading}\n(.*?)(?=^#|\Z)", REFERENCE, re.M | re.S)
    return set(re.findall(r"^\| `([^`]+)` \|", body, re.M))


def test_every_key_is_explained_and_every_explained_key_exists(
    known: dict[str, set[str]],
) -> None:
    assert documented() == known


def test_every_moment_is_explained() -> None:
    assert table("Moments") == set(MOMENTS)


def test_every_default_phrase_is_listed_in_its_words() -> None:
    (body,) = re.findall(r"^## What a customer reads\n(.*?)(?=^## )", REFERENCE, re.M | re.S)
    assert dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", body, re.M)) == DEFAULT_PHRASES


def test_every_name_that_a_condition_may_use_is_listed() -> None:
    offered = [name for name, feature in FEATURES.items() if feature.instead is None]
    names = {"at_<moment>" if name.startswith("at_") else name for name in offered}
    assert table("What a condition may ask") == names


def test_every_word_that_a_key_may_have_is_named() -> None:
    words = (*SCOPES, *CALENDARS, *QUIET_ANSWERS, *AFTERS, *SEVERITIES, *TREATMENT_CHANNELS)
    for word in (*words, *REWARDABLE, *ITEMS, "opt_in", "opt_out", "always_quiet", "all_day"):
        assert f"`{word}`" in REFERENCE, word
    for slot in PERSONAL_SLOTS:
        assert f"{{{slot}\\|" in REFERENCE, slot


def test_every_pack_is_named() -> None:
    for path in FOLDER.glob("*.yaml"):
        assert f"`{path.name}`" in REFERENCE


def test_every_reason_that_leaves_an_action_out_is_explained() -> None:
    said = REFERENCE[REFERENCE.index("## Why an action was left out") :]
    fixed = {*CLOSED, OUTDATED, OUT_OF_ORDER, RAMP, TRIAL, SERVICE_FIRST}
    fixed |= {SLATE_SHOWN, SLATE_DISTURBS, SLATE_SERVICE, *(f"contact:{name}" for name in TAKEN)}
    for reason in fixed:
        assert f"`{reason}`" in said, reason
    for tier in TIERS:
        assert f"`{tier}:<rule>`" in said
