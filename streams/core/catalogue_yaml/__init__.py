"""The catalogue's YAML: text in, checked values out, or everything that is wrong with it."""

from streams.core.catalogue_yaml.load import load_catalogue
from streams.core.catalogue_yaml.problems import CatalogueError

__all__ = ["CatalogueError", "load_catalogue"]
