"""The only package that imports Faust and mode, and that overrides parts of them."""
