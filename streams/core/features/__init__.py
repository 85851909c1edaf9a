"""A wave of customers as columns, for rules and models."""
