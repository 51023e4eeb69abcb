"""The application: settings, database, the rooms, errors and the command line. ``python app.py`` serves it."""

from __future__ import annotations

from flask import Flask

import accounts.views
import backups.cli
import content.views
import labs.views
import publisher.views
import quizzes.views
import web.bell
import web.shell
from config import Settings, load
from db import Database
from web.clock import SteadyClock

ROOMS = (accounts.views, content.views, quizzes.views, labs.views, publisher.views, backups.cli)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; without settings, from the environment."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    settings = settings or load()
    app.extensions.update(settings=settings, clock=SteadyClock())
    app.extensions.update(database=Database(settings.database_url), bell=web.bell.make(settings.redis_url))
    web.shell.init_app(app)
    for room in ROOMS:
        room.init_app(app)
    return app


if __name__ == "__main__":
    from web.server import main

    main()
