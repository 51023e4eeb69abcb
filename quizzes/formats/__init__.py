"""One module a format: text into items and findings, items into text."""
