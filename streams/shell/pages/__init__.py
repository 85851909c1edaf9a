"""The health pages, and what they watch."""
