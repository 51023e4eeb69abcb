"""``flask content check``: every fault listed, and the exit status scripts rely on."""

from __future__ import annotations

import shutil
from pathlib import Path

from flask import Flask

FAULTS = {
    "courses/solutions-architect-associate/1-resilient-architectures/1-durable-storage.md": (
        "\n# Another title\n\n![](none.png)\n\n[x](nowhere.md)\n\n:::quiz no-such-check\n\n:::danger\n"
    ),
    "notes/2018-01-broken.md": "---\ntitle: T\nsummary: S.\nkind: gossip\n---\nText.\n",
    "talks/2018-03.md": ("---\ntitle: T\nsummary: S.\nzone: Mars/Olympus\n---\nText.\n"),
}


def test_it_lists_ten_planted_faults(app: Flask, tmp_path: Path) -> None:
    root = tmp_path / "content"
    shutil.copytree("content", root, ignore=shutil.ignore_patterns("*.py", "__pycache__", "templates"))
    for name, text in FAULTS.items():
        path = root / name
        path.write_text((path.read_text("utf-8") if path.exists() else "") + text, "utf-8")
    (root / "notes" / "2018-01-binary.md").write_bytes(b"---\ntitle: \xff\n---\n")
    (root / "startups" / "2018-03.md").write_text("---\ntitle: T\nsummary: S.\n---\n\n## Nameless\n\nText.\n")
    result = app.test_cli_runner().invoke(args=["content", "check", str(root)])
    assert result.exit_code == 1
    for sentence in (
        "one first-level heading",
        "no text alternative",
        "There is no picture",
        "leads nowhere",
        "There is no quiz “no-such-check”",
        "no container “:::danger”",
        "must be one of whitepaper",
        "must be a time zone",
        "not UTF-8",
        "A startup's heading",
    ):
        lines = [line for line in result.stderr.splitlines() if sentence in line]
        assert lines, sentence
        assert all(line.split(":")[1].isdigit() and line.split(":")[2].isdigit() for line in lines)


def test_the_shipped_content_is_sound(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["content", "check"])
    assert (result.exit_code, result.stderr) == (0, "")
