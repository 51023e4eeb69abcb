"""What the docs show works: each command runs, each link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from flask import Flask

from labs import experiments, registry
from labs.experiments import Evidence
from labs.runner import Limits
from publisher.issue import compose, read_choice
from quizzes import proofs
from quizzes.formats import markdown
from quizzes.questions import Item

DOCS = [Path("README.md"), Path("benchmarks/README.md"), *sorted(Path("docs").rglob("*.md"))]
COMMANDS = [
    line.removeprefix("$ flask ")
    for path in DOCS
    for block in re.findall(r"```console\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ flask ")
]


RUN_ELSEWHERE = {
    "labs verify": "tests/test_every_lab.py runs every solution, and tests/labs/test_cli.py the command",
    "restore --check build/archway-2018-02-12.zip": "tests/backups/test_backup.py, where there is a backup",
    "restore build/archway-2018-02-12.zip": "the same",
    "move-database sqlite:////var/lib/archway/archway.sqlite3": "the same, where there is an older database",
    "accounts export ina@example.org": "tests/accounts/test_personal.py, where there is an account",
    "accounts delete ina@example.org --yes": "the same",
}


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in RUN_ELSEWHERE])
def test_a_command_of_the_docs_runs(app: Flask, command: str, tmp_path: Path) -> None:
    arguments = [one.replace("build/", f"{tmp_path}/") for one in shlex.split(command)]
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output


def test_every_make_target_of_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", Path("Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for path in DOCS
        for name in re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {one or other for one, other in named} <= targets


@pytest.mark.parametrize("path", DOCS, ids=str)
def test_links_between_docs_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


POSTS = (
    "aws.amazon.com/blogs/architecture/new-aws-certified-solutions-architect-associate-exam-now-in-general-availability/",
    "aws.amazon.com/blogs/aws/aws-hot-startups-for-february-2018-canva-figma-invision/",
    "aws.amazon.com/blogs/big-data/build-a-multi-tenant-amazon-emr-cluster-with-kerberos-microsoft-active-directory-integration-and-emrfs-authorization/",
    "aws.amazon.com/blogs/architecture/reactive-microservices-architecture-on-aws/",
    "aws.amazon.com/blogs/architecture/announcing-our-new-beta-for-the-aws-certified-security-specialty-exam/",
    "aws.amazon.com/blogs/aws/aws-online-tech-talks-january-2018/",
    "aws.amazon.com/blogs/big-data/combine-transactional-and-analytical-data-using-amazon-aurora-and-amazon-redshift/",
    "aws.amazon.com/blogs/big-data/now-available-new-digital-training-to-help-you-learn-about-aws-big-data-services/",
    "aws.amazon.com/blogs/architecture/aws-architecture-monthly-for-kindle/",
    "aws.amazon.com/blogs/architecture/start-off-the-new-year-by-earning-aws-certified-solutions-architect-associate/",
    "aws.amazon.com/blogs/compute/managing-aws-lambda-function-concurrency/",
    "nellyo.wordpress.com/2017/12/10/2014-26-ip/",
    "nellyo.wordpress.com/2017/12/09/three_billboards/",
    "aws.amazon.com/blogs/compute/implementing-dynamic-etl-pipelines-using-aws-step-functions/",
)
ROWS = [line for line in Path("docs/archive.md").read_text("utf-8").splitlines() if line.startswith("| [")]


def test_the_table_of_the_archive_has_each_post_once() -> None:
    assert [re.search(r"\(https://([^)]+)\)", row)[1] for row in ROWS] == list(POSTS)


@pytest.mark.parametrize("row", ROWS, ids=POSTS)
def test_every_page_of_a_post_is_served_and_names_the_post(app: Flask, row: str) -> None:
    post, *files = re.findall(r"\]\(([^)]+)\)", row)
    pages = {page.path.resolve(): page for page in app.extensions["library"].current().pages()}
    assert files
    for file in files:
        page = pages.get((Path("docs") / file).resolve())
        if page is not None:
            assert app.test_client().get(page.address).status_code == 200
            assert post in page.sources, page.path


def test_the_readme_counts_right(app: Flask) -> None:
    courses = app.extensions["library"].current().courses
    lessons = sum(1 for course in courses for _ in course.lessons())
    assert f"{lessons} lessons with drawings and checks" in Path("README.md").read_text("utf-8")


def test_the_issue_that_the_docs_show_can_be_made(app: Flask) -> None:
    text = Path("docs/instructors/editing-issues.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    chosen = read_choice(example, Path("2018-01.toml"))
    found = compose(app.extensions["library"].current(), (), (), "2018-01", chosen)
    assert "big-data-courses" not in {note.slug for note in found.articles}
    assert found.remarks == chosen.corrections != ()


QUESTIONS = re.findall(
    r"```markdown\n(.*?)```", Path("docs/instructors/writing-questions.md").read_text("utf-8"), re.DOTALL
)


def _shown(text: str, count: int) -> tuple[Item, ...]:
    """Read an example of the docs as a bank, under the head that the first of them has."""
    head = QUESTIONS[0].partition("## ")[0]
    bank, findings = markdown.read(text if text.startswith("---") else head + text, Path("c/b.md"))
    assert findings == ()
    assert len(bank.items) == count
    return bank.items


def test_the_items_that_the_docs_show_can_be_read() -> None:
    for text, count in zip(QUESTIONS, (1, 4, 2), strict=True):
        _shown(text, count)


def test_the_proofs_that_the_docs_show_hold() -> None:
    labs, _ = registry.load()
    for item in _shown(QUESTIONS[2], 2):
        proof = proofs.of(item.key)
        assert proof is not None
        measured = {str(one): experiments.measure(labs, one, names, Limits()) for one, names in proof.cited().items()}
        assert proofs.judge(item, proof, Evidence(labs, measured)) == []
