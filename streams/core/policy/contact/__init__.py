"""Contact policy: how often a customer may be contacted, on which channel, and when not."""
