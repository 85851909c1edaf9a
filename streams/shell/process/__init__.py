"""The process: start, signals, children, memory, end."""
