"""Back-test: replay a company's own campaign log through our learner, and judge what it chose."""
