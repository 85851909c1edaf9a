"""The pure core: no broker, event loop, clock, logging or environment."""
