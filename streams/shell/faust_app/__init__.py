"""Faust: everything that overrides or names it."""
