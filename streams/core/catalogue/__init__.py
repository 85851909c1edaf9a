"""The business catalogue as values."""
