"""The shell around every room: the base page, its look, its headers, its errors, and what rooms offer each other."""
