"""Kafka: clients, topics, producers, readers."""
