"""What is remembered of a customer and of a partition, and its bytes."""
