"""Learning, by the steps of River's learners: the only package that imports River."""
