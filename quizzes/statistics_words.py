"""What pages and commands say of statistics, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from quizzes.flags import Flag


def sentence(flag: Flag) -> str:
    """Return what a flag says."""
    letters = ", ".join(flag.letters.upper())
    said: str = ""
    match flag.rule:
        case "rival":
            said = _("The strong choose %(letters)s more than the key: look at the key.", letters=letters)
        case "negative":
            said = _("Those who know more get it wrong more often.")
        case "weak":
            said = _("It hardly tells the strong from the weak.")
        case "easy":
            said = _("Nearly everybody gets it right.")
        case "hard":
            said = _("Too hard or ambiguous: no more get it right than guessing would.")
        case "nobody":
            said = _("Nobody chooses %(letters)s.", letters=letters)
        case "idle":
            said = _("Hardly anybody chooses %(letters)s.", letters=letters)
        case "omitted":
            said = _("One in ten or more leaves it out.")
        case "slow":
            said = _("It takes more than twice its share of the time.")
    return said


def action(flag: Flag) -> str:
    """Return what an author can do about a flag."""
    said: str = ""
    match flag.rule:
        case "rival":
            said = _(
                "Check the key against its proof or its lesson. If it holds, say in the stem what rules the other out."
            )
        case "negative":
            said = _("Check the key first. Then look for a second reading of the stem that only the strong see.")
        case "weak":
            said = _("Begin with the option below that the strong choose as often as the weak.")
        case "easy":
            said = _("Keep it if everybody must know this; otherwise make the distractors more likely.")
        case "hard":
            said = _("Ask whether the lesson teaches it, and whether one option is right beyond dispute.")
        case "nobody" | "idle":
            said = _("Write another that a learner could believe, or leave it out.")
        case "omitted":
            said = _("See whether it takes too long to read, or asks for something that is not clear.")
        case "slow":
            said = _("Shorten the stem to what the answer needs.")
    return said
