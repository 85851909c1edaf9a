"""Who may get what: engagement policy, contact policy, budgets, ramp."""
