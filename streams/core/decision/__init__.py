"""One wave, from features to records."""
