"""`concierge feed`: rows of data files, made into events by a user's SQL, sent to input topics."""
