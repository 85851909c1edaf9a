"""State by timeline partition, its changelog and its checks."""
