"""Catalogues and models by version, and the leader that publishes them."""
