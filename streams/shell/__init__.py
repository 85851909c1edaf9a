"""Kafka and Faust: everything that touches the outside world."""
