"""People: accounts, guests, roles and their sessions."""
