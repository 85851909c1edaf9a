"""A catalogue of any number of actions, with rules, limits and treatments as a shop has them."""

from __future__ import annotations

FAMILIES = tuple(f"family_{number}" for number in range(12))
_FIXED = 8

_HEAD = """
name: Bench shop
currency: EUR
holdout_ratio: 0.05
exploration: {gamma: 150}
no_action: {priority: 0.05}
cool_down_seconds: 60
timers: {cart_left_minutes: 60, gone_quiet_days: 45}
consent: {marketing: opt_out, personalization: opt_out}
contact_limits:
  - {id: some_a_week, scope: overall, max_contacts: 6, window_days: 7}
  - {id: not_the_same_again, scope: action, max_contacts: 2, window_days: 7}
  - {id: mails, scope: channel, name: email, max_contacts: 3, window_days: 7}
  - {id: texts, scope: channel, name: sms, max_contacts: 1, window_days: 7}
"""
_RULES = """
rules:
  no_open_ticket: open_tickets == 0
  not_tired_of_us: ignored_in_a_row < 8
  has_bought: orders_lifetime > 0
  not_just_bought: family_days_since_purchase > 1
  not_disliked: family_preference > -0.4
issues:
  - id: discovery
    purpose: marketing
    rules:
      eligibility: [no_open_ticket]
      suitability: [not_tired_of_us]
    reward: {outcomes: [click, accept], window_hours: 12}
    valid_hours: 12
    families:
      - each: all
        rules:
          applicability: [not_just_bought]
          suitability: [not_disliked]
        actions:
"""
_SUGGEST = """
          - id: suggest_{family}NUMBER
            moments: [browsing, searching, order_placed]
            context: {searching: 1.1, order_placed: 0.7}
            value: 4
            treatments:
              - {id: shelf, channel: web, message: "A closer look at our {family}?"}
              - {id: card, channel: app, message: "Our {family}, picked for today."}
              - {id: letter, channel: email, message: "This week in the shop: {family}."}
"""
_REST = """
  - id: moments
    purpose: marketing
    rules:
      eligibility: [no_open_ticket]
      suitability: [not_tired_of_us]
    reward: {outcomes: [click, accept], family_purchase: true, window_hours: 12}
    valid_hours: 24
    actions:
      - id: welcome
        moments: [signed_up]
        value: 3
        treatments: [{id: letter, channel: email, message: "Welcome!"}]
      - id: something_new
        moments: [browsing]
        value: 4
        rules: {applicability: [knows_some_of_us: families_bought >= 2]}
        treatments: [{id: shelf, channel: web, message: "Something quite different"}]
      - id: remind_of_cart
        moments: [cart_left]
        value: 9
        rules: {applicability: [something_in_it: cart_items > 0]}
        treatments:
          - {id: letter, channel: email, message: "Your cart is waiting."}
          - {id: note, channel: app, message: "Your cart is waiting."}
      - id: the_usual
        moments: [replenishment_due, browsing, searching]
        value: 8
        rules:
          eligibility: [has_bought]
          applicability: [about_time: 0.9 <= usual_due < 2.5]
        treatments:
          - {id: basket, channel: web, message: "The usual?"}
          - {id: text, channel: sms, message: "The usual?"}
      - id: we_miss_you
        moments: [gone_quiet]
        value: 7
        rules: {eligibility: [has_bought]}
        treatments: [{id: letter, channel: email, message: "We miss you."}]
  - id: service
    purpose: service
    reward: {outcomes: [click, accept], window_hours: 12}
    valid_hours: 24
    actions:
      - id: we_are_on_it
        moments: [ticket_opened]
        value: 4
        treatments: [{id: note, channel: app, message: "Somebody is on it."}]
      - id: follow_up
        moments: [ticket_resolved]
        value: 4
        treatments: [{id: letter, channel: email, message: "Is everything in order now?"}]
      - id: apology
        moments: [refunded]
        value: 5
        treatments: [{id: letter, channel: email, message: "We are sorry."}]
"""


def catalogue(actions: int = 20) -> str:
    """Return a catalogue of `actions` actions (10 or more); most are about a family each."""
    suggestions = actions - _FIXED
    families = FAMILIES[: min(len(FAMILIES), suggestions)]
    rounds, left = divmod(suggestions, len(families))
    made = [_SUGGEST.replace("NUMBER", "" if n == 0 else f"_{n}") for n in range(rounds)]
    extra = "".join(
        f"\n      - id: extra_{number}\n        moments: [browsing, searching]\n        value: 4\n"
        "        treatments: [{id: shelf, channel: web, message: More}]"
        for number in range(left)
    )
    rest = _REST.replace("\n  - id: service\n", f"{extra}\n  - id: service\n", 1)
    return f"{_HEAD}families: [{', '.join(families)}]\n{_RULES}{''.join(made)}{rest}"
