"""Settings become a worker: this package alone knows all parts, and joins them."""
