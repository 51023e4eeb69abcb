"""The workbench of the labs in a browser: from the first visit to every task, and all that a run's page does."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from labs import registry
from labs.parameters import Parameter
from labs.registry import Lab
from tests.databases import Databases
from tests.e2e.conftest import Server, Watched
from tests.servers import free_port

# Runs before a release; exams by keyboard and under faults are tried at every commit.
pytestmark = [pytest.mark.browser, pytest.mark.full]
LABS = registry.load()[0]
NOWHERE = '{\n  "StartAt": "Nowhere",\n  "States": {\n    "Deliver": {"Type": "Pass", "End": true}\n  }\n}'
STEPS = 60
"""Messages of a run that is looked at while it goes on; at PAUSE it takes six seconds."""
PAUSE = 100


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("site") / "instance", free_port(), program=("-m", "tests.e2e.workbench_server")
    )
    made.start()
    yield made
    made.stop()


def _start(page: Page, server: Server, slug: str = "messages", **parameters: object) -> None:
    """Open a lab's page with these parameters in its form, and run it."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    page.goto(f"{server.address}/labs/{slug}?{query}")
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))


def _ended(page: Page, state: str = "done") -> None:
    expect(page.locator("#state")).to_have_text(re.compile(state), timeout=30_000)


def _set(page: Page, parameter: Parameter, text: str) -> None:
    field = page.locator(f"[name={parameter.name}]")
    if parameter.kind == "choice":
        field.select_option(text)
    else:
        field.fill(text)


# Every commit solves the first lab's tasks; the others differ in nothing that the page knows of.
@pytest.mark.parametrize(
    "lab",
    [pytest.param(lab, marks=pytest.mark.full if lab.slug != "lambda-concurrency" else ()) for lab in LABS],
    ids=lambda lab: lab.slug,
)
def test_every_task_is_solved_from_the_first_visit_on(
    server: Server, watched: Watched, lab: Lab, sized: Callable[..., int]
) -> None:
    """The quick size is the last run of the solution; tests/test_every_lab.py makes them all, without a page."""
    page, runs = watched.page, lab.solution()[sized(-1, 0) :]
    page.goto(f"{server.address}/labs")
    page.get_by_role("link", name=lab.title).click()
    tasks = page.locator(".tasks > li")
    expect(tasks).to_have_count(len(lab.tasks))
    expect(tasks.filter(has=page.locator(".tag.good"))).to_have_count(0)
    solved: set[str] = set()
    for run in runs:
        page.goto(f"{server.address}/labs/{lab.slug}")
        page.locator("#parameters details").evaluate_all("(all) => all.forEach((one) => (one.open = true))")
        for parameter in lab.parameters:
            if parameter.name in run.parameters:
                _set(page, parameter, run.parameters[parameter.name])
        page.locator("#seed").fill(str(run.seed))
        page.get_by_role("button", name="Run", exact=True).first.click()
        _ended(page)
        for title in (task.title for task in lab.tasks if task.check in run.checks):
            expect(tasks.filter(has_text=title)).to_contain_text("done")
        solved.update(run.checks)
    assert solved == {check for run in runs for check in run.checks}
    page.goto(f"{server.address}/labs/{lab.slug}")
    for title in (task.title for task in lab.tasks if task.check in solved):
        expect(tasks.filter(has_text=title)).to_contain_text("done")


def test_a_run_goes_on_through_a_reload_and_in_another_tab(bench: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, bench, messages=STEPS, pause=PAUSE)
    sent = page.locator("[data-metric=sent]").first
    expect(sent).to_have_text(re.compile(r"^([5-9]|[1-5]\d)$"), timeout=20_000)
    expect(page.locator("[data-arrow=sent].lit.used")).to_have_count(1)
    expect(page.locator("[data-part~=delivered].lit")).to_have_count(1)
    # Nothing was dropped, so that way stays dark.
    expect(page.locator("[data-arrow=dropped].lit, [data-arrow=dropped].used")).to_have_count(0)
    before = int(sent.text_content())
    page.reload()
    expect(sent).to_have_text(re.compile(r"^\d+$"))
    assert int(sent.text_content()) >= before
    drawn = "document.querySelector('[data-trace=sent]').getAttribute('points').split(' ').length"
    expect(page.locator("[data-trace=sent]")).to_have_attribute("points", re.compile(r"(\S+ ){5}"))
    assert page.evaluate(drawn) > before
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("[data-metric=sent]").first).to_have_text(re.compile(r"^\d+$"))
    for one in (page, other):
        _ended(one)
        expect(one.locator("[data-metric=sent]").first).to_have_text(str(STEPS))
        expect(one.locator("[data-arrow=sent].used")).to_have_count(1)
        expect(one.locator(".lit")).to_have_count(0)


def test_a_run_is_cancelled_and_run_again_with_its_seed(bench: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, bench, messages=1000, pause=50, seed=77)
    expect(page.locator("[data-arrow=sent].used")).to_have_count(1, timeout=20_000)
    page.get_by_role("button", name="Cancel").click()
    _ended(page, "cancelled")
    expect(page.get_by_text("The run was cancelled.")).to_be_visible()
    page.get_by_role("link", name="Change something").click()
    page.locator("[name=pause]").fill("0")
    page.get_by_role("button", name="Run", exact=True).first.click()
    _ended(page)
    expect(page.get_by_text("seed 77")).to_be_visible()
    first = page.url
    page.get_by_role("button", name="Run again with the same seed").click()
    expect(page).not_to_have_url(first)
    _ended(page)
    expect(page.get_by_text("seed 77")).to_be_visible()


def test_two_runs_are_chosen_from_the_history_and_compared(bench: Server, watched: Watched) -> None:
    page = watched.page
    for messages in (40, 30, 20):
        _start(page, bench, messages=messages)
        _ended(page)
    page.goto(f"{bench.address}/labs/messages")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    boxes.nth(0).uncheck()
    boxes.nth(2).check()
    page.get_by_role("button", name="Compare").click()
    row = page.get_by_role("row").filter(has_text="Delivered").first
    expect(row).to_contain_text(re.compile(r"40\s*30\s*−10\s*messages"))
    expect(page.locator("polyline")).to_have_count(4)
    page.go_back()
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("checkbox").nth(2).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Tick two of your runs")).to_be_visible()


def test_the_result_can_be_taken_away(bench: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, bench, messages=30, seed=5)
    _ended(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(downloading.value.path().read_text("utf-8"))))
    assert ["parameter", "seed", "5", ""] in rows
    assert ["finding", "delivered", "30", "messages"] in rows
    assert ["check", "all_are_delivered", "yes", ""] in rows
    answer = page.request.get(f"{page.url}.json")
    document = json.loads(answer.text())
    assert (document["state"], document["seed"]) == ("done", 5)
    assert document["findings"]["delivered"] == {"value": 30, "unit": "messages"}


def test_on_paper_a_run_is_a_report(bench: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, bench, messages=30)
    _ended(page)
    situation = page.get_by_text("Messages arrive at a state machine")
    expect(situation).to_be_hidden()
    page.emulate_media(media="print")
    for words in ("Messages arrive at a state machine", "Measured beside published", "seed", "Over the run's own time"):
        expect(page.get_by_text(words).first).to_be_visible()
    for name in ("Run again with the same seed", "Change something"):
        expect(page.get_by_text(name)).to_be_hidden()
    expect(page.get_by_text("Take the result with you")).to_be_hidden()
    assert len(page.pdf()) > 10_000


def test_what_the_lab_refuses_is_told_at_its_line(bench: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{bench.address}/labs/messages")
    area = page.get_by_role("textbox", name="State machine")
    area.fill(NOWHERE)
    page.get_by_role("button", name="Run", exact=True).last.click()
    _ended(page, "failed")
    expect(page.locator(".listing .wrong")).to_have_text(
        re.compile(r"StartAt.*Column 14: “Nowhere” is no state", re.DOTALL)
    )
    page.get_by_role("link", name="Change something").click()
    expect(area).to_have_value(NOWHERE)
    expect(area).to_have_accessible_description(re.compile("Line 2, column 14: “Nowhere” is no state"))
    expect(page.locator(".editor-copy .wrong")).to_have_text('  "StartAt": "Nowhere",')
    page.get_by_role("link", name="Line 2, column 14").click()
    expect(area).to_be_focused()
    page.keyboard.press("Shift+End")
    assert page.evaluate("document.activeElement.selectionStart") == len('{\n  "StartAt": ')
    page.keyboard.type('"Deliver",')
    page.keyboard.press("Tab")
    expect(area).not_to_be_focused()
    page.get_by_role("button", name="Run", exact=True).last.click()
    _ended(page)


def test_what_is_no_json_is_told_before_anything_is_run(bench: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{bench.address}/labs/messages")
    rules = page.get_by_role("textbox", name="Rules")
    rules.fill('{"a": 1,\n "b" 2}')
    page.get_by_role("button", name="Run", exact=True).last.click()
    expect(page.get_by_role("alert")).to_contain_text("rules, line 2, column 6: a colon must stand here.")
    expect(rules).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".editor-copy .wrong")).to_have_text(' "b" 2}')


TYPED = ("s", "Enter", "'", "x", "Enter", "Control+End", "Backspace", "Enter", "-", "-", "z", "ArrowUp", "Delete")
SET = """(one) => ["fontFamily", "fontSize", "lineHeight", "tabSize", "letterSpacing", "fontVariantLigatures",
    "paddingBlockStart", "paddingInlineStart", "borderInlineStartWidth"].map((name) => getComputedStyle(one)[name])"""


def test_the_editor_shows_exactly_what_is_typed(bench: Server, watched_in_each: Watched) -> None:
    page = watched_in_each.page
    page.goto(f"{bench.address}/labs/messages")
    area = page.get_by_role("textbox", name="Query")
    copy = page.locator(".editor[data-language=sql] .editor-copy")
    shown = copy.locator("> div > span")
    expect(copy.locator(".code-comment")).to_have_text(["-- What was delivered, by the hour.", "/* not", "yet */"])
    area.focus()
    page.keyboard.press("Control+Home")
    for key in TYPED:
        page.keyboard.press(key)
        assert shown.all_text_contents() == area.input_value().split("\n")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    assert shown.all_text_contents() == [""]
    area.fill("\n".join(f"SELECT {number} -- {'line' * (number % 50)}" for number in range(500)))
    expect(shown).to_have_count(500)
    area.evaluate("area => { area.scrollTop = 4000; area.scrollLeft = 50 }")
    expect(copy.locator("> div")).to_have_css("translate", "-50px -4000px")
    # The copy lies under the text area letter for letter only if the two are set alike.
    assert area.evaluate(SET) == copy.evaluate(SET)
    lines = copy.locator("> div").evaluate("one => one.getBoundingClientRect().height")
    assert lines == pytest.approx(area.evaluate("area => area.scrollHeight") - 24, abs=2)


def _faults(watched: Watched, where: str) -> list[str]:
    """Return what is wrong with the page as it is shown, in both themes at two widths."""
    return [f"{where} {one}" for one in watched.unsound_at(360, 1280)]


@pytest.mark.full
def test_every_state_is_sound(bench: Server, watched: Watched) -> None:
    page, faults = watched.page, []
    page.goto(f"{bench.address}/labs/messages")
    faults += _faults(watched, "first visit")
    page.get_by_role("textbox", name="State machine").fill(NOWHERE)
    page.get_by_role("button", name="Run", exact=True).first.click()
    _ended(page, "failed")
    faults += _faults(watched, "refused")
    page.get_by_role("link", name="Change something").click()
    faults += _faults(watched, "refused, in the editor")
    _start(page, bench, messages=1000, pause=50)
    expect(page.locator(".lit").first).to_be_attached(timeout=20_000)
    faults += _faults(watched, "going on")
    page.get_by_role("button", name="Cancel").click()
    _ended(page, "cancelled")
    for messages in (20, 30):
        _start(page, bench, messages=messages)
        _ended(page)
    faults += _faults(watched, "done")
    page.goto(f"{bench.address}/labs/messages")
    faults += _faults(watched, "history")
    page.get_by_role("button", name="Compare").click()
    faults += _faults(watched, "comparison")
    assert faults == []


def test_the_seventh_tab_of_a_browser_loads_at_once(bench: Server, context: BrowserContext) -> None:
    first = context.new_page()
    _start(first, bench, messages=300, pause=50)
    for _ in range(5):
        context.new_page().goto(first.url)
    for tab in context.pages:
        expect(tab.locator("[data-arrow=sent].used")).to_have_count(1, timeout=20_000)
    begun = time.monotonic()
    seventh = context.new_page()
    seventh.goto(f"{bench.address}/learn", wait_until="load")
    assert time.monotonic() - begun < 2
    first.get_by_role("button", name="Cancel").click()


def test_without_scripts_a_text_is_written_and_run(bench: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{bench.address}/labs/messages")
    page.get_by_role("textbox", name="State machine").fill(NOWHERE)
    page.get_by_role("button", name="Run", exact=True).first.click()
    end = time.monotonic() + 60
    while not page.get_by_text("✗ failed").count() and time.monotonic() < end:
        page.goto(page.url)
    expect(page.locator(".listing .wrong")).to_contain_text("“Nowhere” is no state")
    context.close()


@pytest.mark.full
def test_a_run_of_real_processes_shows_them_at_work_and_a_chart_for_each_word(server: Server, watched: Watched) -> None:
    page = watched.page
    _start(page, server, "reactive-tracking", fault="Redis killed", fault_seconds=1, updater="writes and publishes")
    expect(page.locator("[data-arrow=rows].used")).to_have_count(2, timeout=30_000)
    _ended(page)
    for word in ("Responsive", "Resilient", "Elastic", "Message-driven"):
        chart = page.locator("figure.chart").filter(has_text=f"{word}:")
        expect(chart.locator("polyline").first).to_be_visible()
        box = chart.locator("svg").bounding_box()
        tops = [text.bounding_box()["y"] for text in chart.locator("svg text.label").all()]
        assert all(top >= box["y"] - 1 for top in tops)
    assert watched.axe() == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert watched.overflow() == 0
