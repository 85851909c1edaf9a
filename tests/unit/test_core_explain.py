"""Why somebody sees an action: in words they may read, from what they gave or saw us see."""

from __future__ import annotations

from dataclasses import replace

from streams.core import explain
from streams.core.explain import LEAST_PUSH, MOST_REASONS, reasons
from streams.core.features import FEATURE_NAMES, FEATURES
from streams.core.moments import MOMENTS
from tests.shops import load

ACTIONS = {action.id: action for action in load().actions}
TEA, SERVICE = ACTIONS["show_tea"], ACTIONS["answer"]


def columns(**numbers: float) -> list[float]:
    return [numbers.get(name, 0.0) for name in FEATURE_NAMES]


def test_without_anything_known_the_moment_is_the_reason() -> None:
    assert reasons(TEA, "browsing", columns(), columns()) == [MOMENTS["browsing"]]


def test_the_sentence_of_the_catalogue_comes_before_the_moment() -> None:
    action = replace(TEA, why="you like tea")
    assert reasons(action, "browsing", columns(), columns()) == ["you like tea"]


def test_what_counted_most_is_named_first_in_words() -> None:
    known = columns(family_interest=1.0, orders_30d=1.0, family_preference=0.5)
    pushes = columns(family_interest=0.2, orders_30d=0.4, family_preference=0.3)
    assert reasons(TEA, "searching", known, pushes) == [
        MOMENTS["searching"],
        "you shop with us often",
        "what you told us speaks for tea",
    ]


def test_families_are_called_by_their_readable_name() -> None:
    action = replace(TEA, family="tea_dining", family_name="tea and dining")
    why = reasons(action, "browsing", columns(family_interest=1.0), columns(family_interest=1.0))
    assert why[1] == "you looked at tea and dining lately"


def test_no_more_reasons_than_are_read() -> None:
    everything = [1.0] * len(FEATURE_NAMES)
    assert len(reasons(TEA, "browsing", everything, everything)) == MOST_REASONS + 1


def test_only_phrases_and_never_the_sensitive_are_named() -> None:
    """With everything known and pushing, all that may be said is a declared phrase."""
    everything = [1.0] * len(FEATURE_NAMES)
    spoken = set()
    for place, name in enumerate(FEATURE_NAMES):
        pushes = [0.0] * len(FEATURE_NAMES)
        pushes[place] = 1.0
        why = reasons(TEA, "browsing", everything, pushes)[1:]
        feature = FEATURES[name]
        if feature.phrase is None or feature.sensitive:
            assert why == []
        spoken.update(why)
    phrases = {f.phrase.replace("{family}", "tea") for f in FEATURES.values() if f.phrase}
    assert spoken == phrases
    readable = {FEATURE_NAMES[place] for place in explain._READABLE}
    assert not any(FEATURES[name].sensitive for name in readable)


def test_what_is_zero_or_pushed_away_is_no_reason() -> None:
    known = columns(family_interest=0.0, family_preference=-1.0, orders_30d=1.0)
    pushes = columns(family_interest=1.0, family_preference=1.0, orders_30d=LEAST_PUSH / 2)
    assert reasons(TEA, "browsing", known, pushes) == [MOMENTS["browsing"]]
    assert reasons(TEA, "browsing", known, [-push for push in pushes]) == [MOMENTS["browsing"]]


def test_an_action_about_no_family_says_nothing_about_one() -> None:
    everything = [1.0] * len(FEATURE_NAMES)
    for words in reasons(SERVICE, "ticket_opened", everything, everything):
        assert "{family}" not in words
        assert "None" not in words
