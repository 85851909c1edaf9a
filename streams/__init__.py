"""What flows: the pure core, the Kafka shell around it, the agents and the command line."""
