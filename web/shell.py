"""The shell: security, errors, static files and the base page, made ready before the rooms are registered."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from accounts.sessions import current_person
from config import Settings
from web import (
    assets,
    cli,
    errors,
    health_views,
    languages,
    metrics,
    requests,
    retention,
    schedule,
    security,
    views,
)
from web.lifecycle import lifecycle
from web.offers import studio_pages

MAXIMUM_REQUEST_BYTES = 16 * 1024 * 1024


def init_app(app: Flask) -> None:
    """Prepare the application for its rooms."""
    settings: Settings = app.extensions["settings"]
    if settings.proxies:
        count = settings.proxies
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
        app.wsgi_app = proxied  # type: ignore[method-assign] # Flask documents this as the way to wrap an application
    requests.init_app(app)
    metrics.init_app(app)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAXIMUM_REQUEST_BYTES
    security.init_app(app)
    languages.init_app(app)
    errors.init_app(app)
    assets.init_app(app)
    app.register_blueprint(views.routes)
    app.cli.add_command(cli.worker)
    app.cli.add_command(cli.scheduler)
    lifecycle(app).sweep.append(retention.sweep)
    app.register_blueprint(health_views.routes)
    lifecycle(app).sweep.append(schedule.note_sweep)
    app.context_processor(_known_to_every_page)


def _known_to_every_page() -> dict[str, Any]:
    return {
        "person": current_person(),
        "theme": views.current_theme(),
        "language": languages.current_language(),
        "languages": languages.LANGUAGES,
        "studio_navigation": studio_pages,
    }
