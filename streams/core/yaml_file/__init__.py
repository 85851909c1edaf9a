"""YAML written by people: nodes with lines, and everything that is wrong at once."""
