"""One role between Kafka and its agent: barrier, positions, checkpoints."""
