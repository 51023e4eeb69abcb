"""Takes the pictures of docs/pictures/: ``python -m tests.e2e.screenshots [FOLDER]``; all widths and both themes."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import Server
from tests.servers import free_port

SHIPPED = ("home", "lesson", "exam", "report", "lab", "issue")
LESSON = "/learn/solutions-architect-associate/resilient-architectures/high-availability"


def visit(page: Page, site: str, shoot: object) -> None:
    """Go through the site as a new learner does and take a picture at each stop."""
    page.goto(site)
    shoot("home")
    page.goto(f"{site}{LESSON}")
    shoot("lesson")
    for name, path in {
        "learn": "/learn",
        "talks": "/talks/2018-01",
        "issue": "/issues/2018-01",
        "issues": "/issues",
    }.items():
        page.goto(f"{site}{path}")
        shoot(name)
    page.goto(f"{site}/sign-up")
    shoot("sign-up")
    page.goto(f"{site}/exams/saa-c01")
    shoot("exam-rules")
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator("#exam.live")).to_be_visible()
    for place in range(1, 49):
        page.keyboard.press(str(place % 4 + 1))
        if place % 11 == 0:
            page.keyboard.press("f")
        page.keyboard.press("n")
    page.keyboard.press("2")
    expect(page.locator("#saved")).to_contain_text("are on the server")
    shoot("exam")
    page.goto(site)
    shoot("home-returning")
    page.go_back()
    page.get_by_role("button", name="Submit the exam").click()
    shoot("asking")
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("heading", name="Score report")).to_be_visible()
    shoot("report")
    page.get_by_role("link", name="Review every question").click()
    shoot("review")
    page.goto(f"{site}/labs/lambda-concurrency")
    shoot("lab-brief")
    page.locator("[name=reserved_concurrency]").fill("25")
    page.get_by_role("button", name="Run").first.click()
    expect(page.get_by_text("done").first).to_be_visible(timeout=20_000)
    shoot("lab")


def main() -> None:
    """Write PNG files named after page, width and theme; with no folder given, only the ones that docs/ shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--full", action="store_true", help="whole pages instead of the first screen")
    options = parser.parse_args()
    folder = options.folder or Path("docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    sizes = (
        [(1280, "light")] if options.folder is None else [(w, t) for w in (360, 768, 1280) for t in ("light", "dark")]
    )
    with tempfile.TemporaryDirectory() as instance, sync_playwright() as playwright:
        server = Server(Path(instance) / "instance", free_port())
        server.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width, theme in sizes:
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)

            def shoot(name: str, page: Page = page, width: int = width, theme: str = theme) -> None:
                if options.folder is None and name not in SHIPPED:
                    return
                file = f"{name}.png" if options.folder is None else f"{name}-{width}-{theme}.png"
                page.screenshot(path=folder / file, full_page=options.full)

            visit(page, server.address, shoot)
            page.close()
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
