"""How a model travels."""
