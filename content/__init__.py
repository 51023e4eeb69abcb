"""The course: Markdown files on disk, read into frozen values and rendered once."""
