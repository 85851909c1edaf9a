"""Which candidate wins, and with exactly what probability."""
