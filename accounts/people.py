"""People as values, and what the database knows of them."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("learner", "instructor", "admin")


@dataclass(frozen=True)
class Person:
    """Someone who uses the site. A guest is a learner without an address, whose work is kept if they sign up."""

    id: int
    name: str
    role: str
    email: str | None
    theme: str
    language: str

    @property
    def is_guest(self) -> bool:
        """Whether this person has no account yet."""
        return self.email is None

    def may(self, role: str) -> bool:
        """Return whether this person's role includes ``role``: an admin may all that an instructor may."""
        return ROLES.index(self.role) >= ROLES.index(role)
