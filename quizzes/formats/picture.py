"""What a file must be to count as a picture of an item."""

from __future__ import annotations

MAXIMUM_PICTURE = 2_000_000
"""How many bytes one picture may have."""
_MAGIC = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}


def picture_type(data: bytes) -> str | None:
    """Return png, jpeg or gif by how the bytes begin, or None."""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
