"""The engine: a timeline partition advanced by a batch of records."""
