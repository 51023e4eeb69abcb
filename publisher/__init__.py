"""The monthly digest: choosing an issue, making a book of it, and building it when it is due."""
