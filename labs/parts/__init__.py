"""Parts of an architecture that labs share, as pure models."""
