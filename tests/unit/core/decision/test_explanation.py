"""Why somebody sees an action: in words they may read, from what they gave or saw us see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.phrases import DEFAULT_PHRASES, FEATURE_PHRASES, MOMENT_PHRASES
from streams.core.decision.explanation import LEAST_PUSH, MOST_REASONS, Reasons
from streams.core.features.definitions import FEATURE_NAMES, FEATURES
from streams.core.moments import MOMENTS
from tests.support.shops import SHOP, load

ACTIONS = {action.id: action for action in load().actions}
TEA, SERVICE = ACTIONS["show_tea"], ACTIONS["answer"]

reasons = Reasons(DEFAULT_PHRASES).of


def columns(**numbers: float) -> list[float]:
    return [numbers.get(name, 0.0) for name in FEATURE_NAMES]


def test_without_anything_known_the_moment_is_the_reason() -> None:
    assert reasons(TEA, "browsing", columns(), columns()) == [DEFAULT_PHRASES["browsing"]]


def test_the_sentence_of_the_catalogue_comes_before_the_moment() -> None:
    action = replace(TEA, why="you like tea")
    assert reasons(action, "browsing", columns(), columns()) == ["you like tea"]


def test_what_counted_most_is_named_first_in_words() -> None:
    known = columns(family_interest=1.0, orders_30d=1.0, family_preference=0.5)
    pushes = columns(family_interest=0.2, orders_30d=0.4, family_preference=0.3)
    assert reasons(TEA, "searching", known, pushes) == [
        DEFAULT_PHRASES["searching"],
        "you order from us often",
        "you told us that you like tea",
    ]


def test_families_are_called_by_their_readable_name() -> None:
    action = replace(TEA, family="tea_dining", family_name="tea and dining")
    why = reasons(action, "browsing", columns(family_interest=1.0), columns(family_interest=1.0))
    assert why[1] == "you looked at tea and dining lately"


def test_no_more_reasons_than_are_read() -> None:
    everything = [1.0] * len(FEATURE_NAMES)
    assert len(reasons(TEA, "browsing", everything, everything)) == MOST_REASONS + 1


def test_only_phrases_are_named() -> None:
    """With everything known and pushing, all that may be said is a phrase of the catalogue."""
    everything = [1.0] * len(FEATURE_NAMES)
    spoken = set()
    for place, name in enumerate(FEATURE_NAMES):
        pushes = [0.0] * len(FEATURE_NAMES)
        pushes[place] = 1.0
        why = reasons(TEA, "browsing", everything, pushes)[1:]
        if name not in FEATURE_PHRASES:
            assert why == []
        spoken.update(why)
    assert spoken == {phrase.replace("{family}", "tea") for phrase in FEATURE_PHRASES.values()}


def test_a_sensitive_feature_is_never_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sensitive = replace(FEATURES["orders_30d"], sensitive=True)
    monkeypatch.setitem(FEATURES, "orders_30d", sensitive)
    known = columns(orders_30d=1.0)
    found = Reasons(DEFAULT_PHRASES).of(TEA, "browsing", known, known)
    assert found == [DEFAULT_PHRASES["browsing"]]


def test_every_moment_has_a_phrase_and_every_phrase_a_feature() -> None:
    assert set(MOMENT_PHRASES) == set(MOMENTS)
    assert set(FEATURE_PHRASES) <= set(FEATURES)


def test_the_catalogues_own_words_are_read() -> None:
    words = "{browsing: sie schauen sich um, orders_30d: sie kaufen oft ein}"
    own = load(f"{SHOP}\nphrases: {words}\n")
    known = columns(orders_30d=1.0, searches_1d=0.9)
    assert Reasons(own.phrases).of(TEA, "browsing", known, known) == [
        "sie schauen sich um",
        "sie kaufen oft ein",
        DEFAULT_PHRASES["searches_1d"],
    ]


def test_a_phrase_may_be_given_to_any_feature_and_taken_from_one() -> None:
    own = load(f"{SHOP}\nphrases: {{orders_30d: null, views_1d: you looked around today}}\n")
    known = columns(orders_30d=1.0, views_1d=1.0)
    why = Reasons(own.phrases).of(TEA, "browsing", known, known)
    assert why == [DEFAULT_PHRASES["browsing"], "you looked around today"]


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("orders_30: hello", "neither a moment nor a feature; did you mean `orders_30d`?"),
        ("cart_lft: hello", "neither a moment nor a feature; did you mean `cart_left`?"),
        ("hour_sin: hello", "`hour_sin` is neither a moment nor a feature"),
        ("at_browsing: hello", "`at_browsing` is neither a moment nor a feature"),
        ("xyz: hello", "name a moment or a feature that rules may ask for"),
        ("browsing: null", "a moment needs a phrase"),
        ('browsing: ""', "the text is empty"),
        ("browsing: you looked at {family}", "has the slot {family}, but a moment is about no"),
        ("family_due: time for {famly}", "unknown slot {famly}; did you mean `family`?"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_refused_with_its_line(phrase: str, said: str) -> None:
    line = SHOP.count("\n") + 3
    with pytest.raises(CatalogueError) as refused:
        load(f"{SHOP}\nphrases:\n  {phrase}\n")
    assert said in str(refused.value)
    assert f"shop.yaml:{line} phrases." in str(refused.value)


def test_what_is_zero_or_pushed_away_is_no_reason() -> None:
    known = columns(family_interest=0.0, family_preference=-1.0, orders_30d=1.0)
    pushes = columns(family_interest=1.0, family_preference=1.0, orders_30d=LEAST_PUSH / 2)
    assert reasons(TEA, "browsing", known, pushes) == [DEFAULT_PHRASES["browsing"]]
    assert reasons(TEA, "browsing", known, [-push for push in pushes]) == [
        DEFAULT_PHRASES["browsing"]
    ]


def test_an_action_about_no_family_says_nothing_about_one() -> None:
    everything = [1.0] * len(FEATURE_NAMES)
    for words in reasons(SERVICE, "ticket_opened", everything, everything):
        assert "{family}" not in words
        assert "None" not in words
