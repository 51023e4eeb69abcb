"""Where the questions of a Markdown bank of a forge begin and end, found in one pass over its lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TASK = re.compile(r"\s{0,8}[-*+] \[([ xX])\] ?(.*)$")
LABEL = re.compile(r"\s{0,8}(?:[-*+] )?(?:\*\*|__)?\(?([A-Ha-h])[.):](?:\*\*|__)?\s+(.+)$")
NUMBERED = re.compile(r"(\s{0,8})(\d{1,4})[.)]\s+(.+)$")
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
BULLET = re.compile(r"\s{0,8}[-*+] (.+)$")
_DETAILS = re.compile(r"<details\b[^>]{0,200}>", re.IGNORECASE)
_DETAILS_END = re.compile(r"</details\s*>", re.IGNORECASE)
_KEY = re.compile(
    r"[\s>*_#-]{0,12}(?:the )?(?:correct )?(?:answers?|solution|key)(?:\(s\))?(?: is| are)?"
    r"[*_]{0,3}\s?[:：=][*_]{0,3}\s*(.*)$"
    r"|[\s>*_#-]{0,12}(?:the )?correct (?:answers?|options?)(?: is| are)[*_]{0,3}\s*(.+)$",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(r"(?:question|q)\s?\d+\s?[.):-]?\s*", re.IGNORECASE)
_BOLD_NUMBER = re.compile(
    r"(?:\*\*|__)\s?(?:(?:question|q)\s?)?\d{1,4}[.):]?\s*(.*?)\s*(?:\*\*|__)\s*(.*)$", re.IGNORECASE
)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")


@dataclass
class Choice:
    """An option as it is written: its label, whether it is ticked (None where there is no box), and its line."""

    label: str
    ticked: bool | None
    text: str
    line: int
    column: int
    more: list[str] = field(default_factory=list)
    rationale: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The text with the lines that it is wrapped to."""
        return " ".join([self.text, *self.more])


@dataclass
class Question:
    """A question while it is read."""

    line: int
    numbered: bool = False
    """Whether it begins as an entry of a numbered list, so that the next number is the next question."""
    category: str = ""
    stem: list[str] = field(default_factory=list)
    options: list[Choice] = field(default_factory=list)
    key: str = ""
    key_line: int = 0
    others: list[tuple[str, int]] = field(default_factory=list)
    """What reads as a key after the first one, and its line: prose, or a contradiction."""
    explanation: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    blank: bool = False
    hidden: bool = False
    """Whether a ``<details>`` is open."""
    asks: bool = False
    """Whether the stem has a question mark, so that a list under it is its options."""
    ended: bool = False
    """Whether the key or what stands after the options was seen."""
    fenced: bool = False

    def may_have_bullet(self, line: str) -> bool:
        """Return whether an entry of a plain list is an option: the first under a question, or one of its like."""
        if not self.options:
            return self.begun and self.asks
        return not self.options[-1].label and not line.startswith("  ")

    @property
    def begun(self) -> bool:
        """Whether the question has a stem."""
        return any(line.strip() for line in self.stem[:1] + self.stem[-1:]) or any(map(str.strip, self.stem))


def questions(text: str) -> tuple[list[Question], list[Question]]:
    """Return the questions of a bank, faulty ones too, and the texts between them, which have no options and no key."""
    scanner = _Scanner()
    for number, line in enumerate(text.split("\n"), 1):
        scanner.take(number, line)
    scanner.finish()
    return scanner.found, scanner.texts


@dataclass
class _Scanner:
    found: list[Question] = field(default_factory=list)
    texts: list[Question] = field(default_factory=list)
    current: Question = field(default_factory=lambda: Question(1))
    category: str = ""

    def finish(self) -> None:
        """Keep the current question, or text if it is none."""
        if self.current.options or self.current.key:
            self.found.append(self.current)
        elif self.current.begun or self.current.explanation:
            self.texts.append(self.current)

    def begin(self, number: int, line: str, stem: str, *, numbered: bool) -> None:
        """End the current question; where it had neither options nor key, its stem was a text between questions."""
        self.finish()
        self.current = Question(number, numbered, self.category, [stem] if stem else [], asks="?" in stem, raw=[line])

    def take(self, number: int, line: str) -> None:
        """Take one line as what it is, in the order in which it could be mistaken."""
        now = self.current
        if now.hidden or _DETAILS.search(line):
            self._take_hidden(number, line)
        elif now.fenced or _FENCE.match(line):
            now.fenced = now.fenced != bool(_FENCE.match(line))
            self._take_text(number, line)
        elif found := HEADING.match(line):
            self._take_heading(number, line, found[1])
        elif not self._take_option(number, line) and not self._take_start(number, line):
            self._take_text(number, line)
        self.current.blank = not line.strip()

    def _take_heading(self, number: int, line: str, title: str) -> None:
        if (self.current.options or self.current.key) and (found := _KEY.match(line)):
            self._take_key(number, line, found)
            return
        stem = _without_number(title)
        following = NUMBERED.match(title) is not None or stem != title or title.rstrip().endswith("?")
        if not following:
            self.category = title.strip()
        self.begin(number, line, stem if following else "", numbered=False)

    def _take_option(self, number: int, line: str) -> bool:
        """Take a line as an option if it is one, and return whether it is."""
        now = self.current
        task, label = TASK.match(line), LABEL.match(line)
        if not (task or label or (now.begun and not now.numbered) or line.startswith("  ")):
            return False
        if now.ended and (task or (label and label[1] in "Aa")):
            # A list of options after a key, without a stem of its own, is a question that lacks its stem.
            self.begin(number, line, "", numbered=False)
            now = self.current
        if now.ended:
            return False
        if task:
            inner = LABEL.match(task[2])
            text, mark = (inner[2], inner[1]) if inner else (task[2], "")
            option = Choice(mark.lower(), task[1] in "xX", text, number, line.index("[") + 1)
        elif label and now.begun:
            option = Choice(label[1].lower(), None, label[2], number, label.start(1) + 1)
        elif (found := NUMBERED.match(line)) and now.begun and (not now.numbered or found[1]):
            option = Choice(found[2], None, found[3], number, found.start(2) + 1)
        elif (found := BULLET.match(line)) and now.may_have_bullet(line):
            option = Choice("", None, found[1], number, found.start(1) + 1)
        else:
            return False
        now.options.append(option)
        now.raw.append(line)
        return True

    def _take_start(self, number: int, line: str) -> bool:
        """Take a line as the beginning of a question if it is one, and return whether it is."""
        now = self.current
        if found := _KEY.match(line):
            if now.options:
                self._take_key(number, line, found)
            return bool(now.options)
        if bold := _BOLD_NUMBER.match(line):
            self.begin(number, line, f"{bold[1]} {bold[2]}".strip(), numbered=False)
            return True
        numbered = NUMBERED.match(line)
        if numbered and not numbered[1]:
            self.begin(number, line, _without_number(line), numbered=True)
            return True
        over = now.ended or (now.options and now.blank)
        if over and line.strip() and not line.startswith(("  ", ">", "\t")) and not _is_rule(line) and now.key == "":
            self.begin(number, line, line, numbered=False)
            return True
        if over and line.strip() and now.blank and not line.startswith((" ", ">")) and not _is_rule(line):
            self.begin(number, line, line, numbered=False)
            return True
        return False

    def _take_key(self, number: int, line: str, found: re.Match[str]) -> None:
        now = self.current
        now.ended = True
        now.raw.append(line)
        self._keep_key(number, (found[1] or found[2] or "").strip(), line)

    def _keep_key(self, number: int, key: str, line: str) -> None:
        """Keep the first key; a later one is judged when all options are known, and explains until then."""
        if not self.current.key:
            self.current.key, self.current.key_line = key, number
        elif key:
            self.current.others.append((key, number))
            self.current.explanation.append(line.strip(" >"))

    def _take_hidden(self, number: int, line: str) -> None:
        """Take a line of a ``<details>``: the key, or what explains it."""
        now = self.current
        now.raw.append(line)
        now.hidden = not _DETAILS_END.search(line)
        now.ended = True
        words = re.sub(r"<summary>[^<]{0,200}</summary>|</?[a-z][^<>]{0,200}>", " ", line, flags=re.IGNORECASE).strip()
        if not words:
            return
        found = _KEY.match(words)
        if found:
            self._keep_key(number, (found[1] or found[2] or "").strip(), words)
        elif now.key or now.explanation:
            now.explanation.append(words)
        elif not _is_summary(words):
            now.key, now.key_line = words, number

    def _take_text(self, number: int, line: str) -> None:
        """Take a line as part of the stem, of an option, of a rationale or of the explanation."""
        now = self.current
        now.raw.append(line)
        if not now.options:
            if line.strip() and not now.begun:
                now.line = number
            if not _is_rule(line):
                now.stem.append(line)
                now.asks = now.asks or "?" in line
        elif _is_rule(line) or not line.strip():
            now.ended = now.ended or _is_rule(line)
        elif now.ended:
            now.explanation.append(line.strip(" >"))
        elif line.lstrip().startswith(">"):
            now.options[-1].rationale.append(line.lstrip(" >").strip())
        else:
            now.options[-1].more.append(line.strip())


def _is_summary(words: str) -> bool:
    return words.casefold().strip(" :*_") in ("answer", "answers", "show answer", "solution", "explanation", "show")


def _is_rule(line: str) -> bool:
    stripped = line.replace(" ", "")
    return len(stripped) > 2 and stripped[0] in "-*_" and not stripped.strip(stripped[0])


def _without_number(title: str) -> str:
    """Return a heading or a line without the number of its question, and without bold marks around the rest."""
    if found := NUMBERED.match(title):
        title = found[3]
    title = _QUESTION_WORD.sub("", title, count=1) if _QUESTION_WORD.match(title) else title
    bold = title.startswith("**") and title.endswith("**") and title.count("**") == 2
    return title[2:-2].strip() if bold else title
