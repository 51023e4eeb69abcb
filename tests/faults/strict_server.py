"""A server that counts rate limits in Redis alone: the control of the test that kills Redis."""

from __future__ import annotations

from flask import Flask

import accounts.views
from web.server import main

_share_limits = accounts.views._share_limits


def _share_strictly(app: Flask) -> None:
    _share_limits(app)
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = False


if __name__ == "__main__":
    accounts.views._share_limits = _share_strictly
    main()
