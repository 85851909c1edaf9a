"""The catalogue's YAML: text in, checked values out, or everything that is wrong with it."""

from streams.core.catalogue.loading.load_catalogue import load_catalogue
from streams.core.yaml_file.problems import CatalogueError

__all__ = ["CatalogueError", "load_catalogue"]
