"""Evaluation: what was gained, from arms and from logs, with intervals that survive peeking."""
