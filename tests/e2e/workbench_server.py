"""A server whose catalog also has a lab with texts to write, a living drawing and a sender that takes its time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from labs import registry
from web.server import main

_SHIPPED = registry.CATALOG
_ADDED = Path(__file__).resolve().parents[1] / "labs/catalog"

# Not below: the server's worker process imports this module, but does not run it.
registry.CATALOG = Path(os.environ["ARCHWAY_INSTANCE"]) / "catalog"


def fill_catalog() -> None:
    """Put the shipped labs and the added one where this server has its catalog."""
    for catalog in (_SHIPPED, _ADDED):
        shutil.copytree(catalog, registry.CATALOG, dirs_exist_ok=True)


if __name__ == "__main__":
    fill_catalog()
    main()
