"""What learns: the only package that names River."""
