"""Models: learning, scoring, evaluation. Only `models.learning` imports River."""
