"""A key that was wrong: what learners dispute, what a correction would change, and what it has changed."""
