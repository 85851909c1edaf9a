"""One role between Kafka and its agent: gate, positions, checkpoints."""
