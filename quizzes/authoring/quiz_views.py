"""The studio's offer of a bank as an exam of its own, which learners sit and cohorts are assigned."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from accounts.sessions import require_role
from db import database
from quizzes.authoring import quiz, store
from quizzes.authoring.authoring_views import find_bank
from quizzes.grading import HIGHEST, LOWEST
from quizzes.routes import routes


@routes.post("/studio/banks/<slug>/exam")
def offer_bank(slug: str) -> Answer:
    """Let learners sit a bank as an exam, in so many minutes and with that cut, or no longer."""
    require_role("instructor")
    form, offered = request.form, request.form.get("do") != "withdraw"
    minutes, cut = form.get("minutes", 0, int), form.get("cut", 0, int)
    if offered and not (quiz.MINUTES[0] <= minutes <= quiz.MINUTES[1] and LOWEST <= cut <= HIGHEST):
        abort(422, _("An exam takes 1 to 600 minutes, and its cut is from 100 to 1000; go back and change that."))
    with database().writing() as connection:
        bank = find_bank(connection, slug)
        if bank.pool != "exam":
            abort(422, _("Only a bank whose items are for exams and drills can be sat as an exam."))
        store.offer(connection, bank, (minutes, cut) if offered else (bank.minutes, bank.cut), offered=offered)
    return redirect(url_for("quizzes.studio_bank", slug=slug, _anchor="exam"), 303)
