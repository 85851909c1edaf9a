"""What crosses a topic: schemas, topics, records and the wire format."""
