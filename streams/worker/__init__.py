"""Where settings become a worker: the only package that knows every part and joins them."""
