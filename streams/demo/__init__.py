"""Real and simulated sources that feed the input topics."""
