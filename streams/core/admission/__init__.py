"""Admission: bytes of an input record become an event, or a rejection that says why."""
