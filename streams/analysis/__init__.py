"""What logged decisions tell: what-if, challengers, explanations, back-tests."""
