"""Runs the migrations on the connection it is given."""

from __future__ import annotations

from alembic import context

import accounts.cohort_models
import accounts.models
import content.models
import labs.models
import publisher.models
import quizzes.authoring.models
import quizzes.corrections.models
import quizzes.exchange.models
import quizzes.models
from db import Base, Instant

MODELS = (
    *(accounts.models, accounts.cohort_models, content.models, labs.models, publisher.models),
    *(quizzes.models, quizzes.authoring.models, quizzes.corrections.models, quizzes.exchange.models),
)


def _render(kind: str, item: object, _context: object) -> str | bool:
    """Write an Instant as the integer it is, so that a migration never changes with the application's code."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_render,
    transactional_ddl=True,
)
context.run_migrations()
