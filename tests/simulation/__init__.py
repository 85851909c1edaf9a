"""A whole installation in one process and one thread, where a seed decides what happens when."""
