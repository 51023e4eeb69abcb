"""Names for addresses, made of titles in any script; pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection

_LONGEST = 60


def of(title: str) -> str:
    """Return lower-case words of a to z and digits joined by hyphens; a title without any becomes a hash of itself."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:_LONGEST].strip("-")
    return words or f"bank-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def free(title: str, taken: Collection[str]) -> str:
    """Return the title's name, with the first number from 2 on that makes it one of its own where it is taken."""
    name, number = of(title), 2
    found = name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found
