"""Copies of the whole database: into a file, back from it, and into another database."""
