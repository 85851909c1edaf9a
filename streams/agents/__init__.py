"""The three agents: intake, decide, learn."""
