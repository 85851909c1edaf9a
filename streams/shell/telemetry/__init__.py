"""Metrics, logs, progress."""
