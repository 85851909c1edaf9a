"""How each type of event changes a customer's state: one file per type."""
