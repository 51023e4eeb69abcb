"""Sending: what each answer of a server leads to, at what pace, in which hours, and by one worker alone."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from db import Base, Database
from publisher import bounces, countries, outbox, returns, subscribers
from publisher.bounces import Return
from publisher.delivery import LEASE, PAUSES, REPEAT, DeliveryError, Hours, Mail, Outcome, Policy, Sender, after, closed
from publisher.models import DeliveryRow, SubscriberRow
from publisher.outbox import Claim, Terms
from publisher.signatures import Signer
from publisher.transports import Folder, Smtp
from tests.databases import Databases
from tests.publisher.smtp_sink import Sink, listening

NOON = datetime(2018, 2, 12, 12, 0, tzinfo=UTC)
MONTH = "2018-02"
SIGNER = Signer("a key that only these tests have")
FAST = Policy(rate=60_000, domain_rate=60_000)
ANY = Terms(60_000, 60_000, (), LEASE)
HEAD = b"Message-ID: <1.x@archway.example.org>\r\nSubject: An issue\r\n\r\n.a line that begins with a dot\r\n"


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Script:
    """A way out that answers as it is told, and remembers who got what."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes, self.mails, self.during = list(outcomes), [], lambda: None

    def send(self, mail: Mail) -> Outcome:
        self.mails.append(mail)
        self.during()
        return self.outcomes.pop(0) if self.outcomes else Outcome("sent")

    def close(self) -> None:
        pass


def compose(claim: Claim) -> Mail:
    code = SIGNER.code(claim.id, claim.occasion, claim.subscriber, claim.queued_at)
    return Mail(
        code, "archway@example.org", claim.kindle or claim.email, f"Message-ID: <{code}@x>\r\n\r\nHi\r\n".encode()
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, databases: Databases) -> Iterator[Database]:
    made = Database(databases.address(tmp_path))
    Base.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture
def readers(database: Database) -> Callable[..., None]:
    """Return a function that subscribes people by name, and queues February for them."""

    def add(*names: str, **more: str) -> None:
        same = {"channel": "kindle", "kindle": "", "language": "en", "country": "DE", "state": "active", "reason": ""}
        rows = [{**same, **more, "id": name, "email": f"{name}@example.org", "domain": "example.org"} for name in names]
        with database.writing() as connection:
            connection.execute(insert(SubscriberRow), [{**row, "created_at": NOON, "changed_at": NOON} for row in rows])
            outbox.enqueue(database, connection, MONTH, "sha", NOON)

    return add


@pytest.fixture
def sender(database: Database, clock: Clock) -> Callable[..., Sender]:
    def make(transport: object, policy: Policy = FAST, make_mail: Callable[[Claim], Mail] = compose) -> Sender:
        return Sender(database, transport, make_mail, policy, countries.load(), clock)

    return make


def rows(database: Database) -> dict[str, str]:
    with database.reading() as connection:
        found = connection.execute(select(DeliveryRow.subscriber_id, DeliveryRow.state))
        return {row.subscriber_id: row.state for row in found}


def row(database: Database, name: str = "ada") -> DeliveryRow:
    with database.reading() as connection:
        return connection.execute(select(DeliveryRow.__table__).where(DeliveryRow.subscriber_id == name)).one()


# What a try leads to.


def test_a_refusal_that_may_pass_is_tried_again_after_ever_longer_pauses_for_two_days() -> None:
    results = [after(Outcome("later", "451 x"), attempts, PAUSES, NOON) for attempts in range(len(PAUSES) + 1)]
    waits = [one.due_at - NOON for one in results[:-1]]
    assert {one.state for one in results[:-1]} == {"queued"}
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) > timedelta(days=1, hours=20)
    assert (results[-1].state, results[-1].failure) == ("refused", "Given up after 9 tries: 451 x")


@pytest.mark.parametrize(
    ("outcome", "state", "attempts"),
    [
        ("sent", "sent", 3),
        ("refused", "refused", 3),
        ("uncertain", "uncertain", 3),
        ("away", "queued", 3),
        ("later", "queued", 4),
    ],
)
def test_what_a_try_leads_to(outcome: str, state: str, attempts: int) -> None:
    result = after(Outcome(outcome), 3, PAUSES, NOON)
    assert (result.state, result.attempts) == (state, attempts)


def test_a_server_that_is_away_stops_the_worker_and_costs_no_mail_a_try(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers("ada", "ben")
    way = Script(Outcome("away", "no route"))
    sender(way).run()
    assert len(way.mails) == 1
    assert rows(database) == {"ada": "queued", "ben": "queued"}
    assert row(database).attempts == 0


def test_a_mail_that_cannot_be_made_stops_none_of_the_others(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    def broken(claim: Claim) -> Mail:
        if claim.subscriber == "ada":
            raise DeliveryError("The book is gone.")
        if claim.subscriber == "ben":
            raise KeyError("a fault of ours")
        return compose(claim)

    readers("ada", "ben", "eva")
    sender(Script(), make_mail=broken).run()
    assert rows(database) == {"ada": "refused", "ben": "refused", "eva": "sent"}
    assert [row(database, name).failure for name in ("ada", "ben")] == [
        "The book is gone.",
        "The mail could not be made.",
    ]


# The claim.


def test_two_mails_of_one_issue_never_go_to_one_subscriber(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers("ada", "ben")
    with database.writing() as connection:
        assert outbox.enqueue(database, connection, MONTH, "sha", NOON) == 0
        assert outbox.enqueue(database, connection, MONTH, "another build", NOON) == 0
    way = Script()
    workers = [threading.Thread(target=sender(way).run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(mail.recipient for mail in way.mails) == ["ada@example.org", "ben@example.org"]


def test_who_unsubscribes_after_the_mail_was_queued_does_not_get_it(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers("ada", "ben")
    with database.writing() as connection:
        connection.execute(update(SubscriberRow).where(SubscriberRow.id == "ada").values(state="stopped"))
    way = Script()
    sender(way).run()
    assert [mail.recipient for mail in way.mails] == ["ben@example.org"]


def test_a_worker_that_outlives_its_lease_changes_nothing_and_its_mail_stands_as_uncertain(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender], clock: Clock
) -> None:
    readers("ada")
    way = Script()

    def oversleep() -> None:
        clock.now += LEASE
        with database.writing() as connection:
            assert outbox.recover(connection, clock.now) == 1

    way.during = oversleep
    sender(way).run()
    assert (row(database).state, row(database).failure) == ("uncertain", outbox.DIED)


def test_what_is_being_sent_is_left_alone_until_the_lease_ends(
    database: Database, readers: Callable[..., None]
) -> None:
    readers("ada")
    assert outbox.claim(database, ANY, "one", NOON) is not None
    assert outbox.claim(database, ANY, "two", NOON + LEASE) is None
    with database.writing() as connection:
        assert outbox.recover(connection, NOON + LEASE - timedelta(seconds=1)) == 0
        assert outbox.recover(connection, NOON + LEASE) == 1


def test_an_uncertain_link_is_sent_once_more_with_its_message_id_and_a_book_is_not(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender], clock: Clock
) -> None:
    readers("ada", channel="link")
    readers("ben", channel="kindle")
    way = Script(Outcome("uncertain"), Outcome("uncertain"), Outcome("uncertain"))
    for _ in range(4):
        sender(way).run()
        clock.now += REPEAT
        with database.writing() as connection:
            outbox.repeat_links(connection, clock.now, REPEAT)
    assert [mail.recipient for mail in way.mails] == ["ada@example.org", "ben@example.org", "ada@example.org"]
    assert way.mails[0].code == way.mails[2].code
    assert rows(database) == {"ada": "uncertain", "ben": "uncertain"}


def test_a_person_may_have_an_uncertain_book_sent_again(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers("ada")
    way = Script(Outcome("uncertain"))
    sender(way).run()
    with database.writing() as connection:
        assert outbox.again(connection, row(database).id, NOON)
    sender(way).run()
    assert row(database).state == "sent"
    assert way.mails[0].code == way.mails[1].code
    with database.writing() as connection:
        assert not outbox.again(connection, row(database).id, NOON)


# Pace and hours.


def test_the_pace_of_the_server_holds_for_all_workers_together(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender], clock: Clock
) -> None:
    readers(*(f"reader-{number}" for number in range(30)))
    way, policy = Script(), Policy(rate=6, domain_rate=60)
    sent = []
    for _ in range(4):
        for _ in range(2):
            sender(way, policy).run()
        sent.append(len(way.mails))
        clock.now += timedelta(seconds=30)
    assert sent == [6, 9, 12, 15]


def test_a_slow_domain_does_not_hold_up_the_others(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers(*(f"reader-{number}" for number in range(5)))
    readers("zoe")
    with database.writing() as connection:
        connection.execute(update(SubscriberRow).where(SubscriberRow.id == "zoe").values(domain="example.com"))
    way = Script()
    sender(way, Policy(rate=60, domain_rate=2)).run()
    assert [mail.recipient for mail in way.mails][-1] == "zoe@example.org"
    assert len(way.mails) == 3


@pytest.mark.parametrize(
    ("hours", "open_at"), [(Hours(7, 21), {7, 12, 20}), (Hours(), {0, 7, 12, 20, 23}), (Hours(22, 6), {0, 23})]
)
def test_hours_may_run_over_midnight(hours: Hours, open_at: set[int]) -> None:
    assert {hour for hour in (0, 7, 12, 20, 23) if hours.hold(NOON.replace(hour=hour))} == open_at


def test_issues_are_sent_in_the_hours_of_the_readers_country_and_letters_at_any(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender], clock: Clock
) -> None:
    assert "US" in closed(countries.load(), Hours(7, 21), NOON)
    assert "DE" not in closed(countries.load(), Hours(7, 21), NOON)
    readers("ada", country="US")
    readers("ben", country="DE")
    readers("eva", country="US", state="pending")
    with database.writing() as connection:
        outbox.post_letter(database, connection, "eva", "confirm", NOON)
    way, policy = Script(), replace(FAST, hours=Hours(7, 21))
    sender(way, policy).run()
    assert [mail.recipient for mail in way.mails] == ["eva@example.org", "ben@example.org"]
    clock.now += timedelta(hours=2)
    sender(way, policy).run()
    assert way.mails[-1].recipient == "ada@example.org"


def test_a_country_that_was_taken_out_of_the_file_is_not_forgotten(
    readers: Callable[..., None], sender: Callable[..., Sender]
) -> None:
    readers("ada", country="XK")
    way = Script()
    sender(way, replace(FAST, hours=Hours(7, 21))).run()
    assert len(way.mails) == 1


# A real connection.


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as server:
        yield server


def send_to(address: str, one: Mail) -> Outcome:
    """Send one mail over a connection of its own."""
    with contextlib.closing(Smtp(address)) as way:
        return way.send(one)


def mail(name: str, tail: bytes = b"") -> Mail:
    return Mail("1.x", "archway+1.x@example.org", f"{name}@example.org", HEAD, tail)


@pytest.mark.parametrize(
    ("name", "kind", "reply", "recipient"),
    [
        ("plain", "sent", "", False),
        ("grey", "later", "451 4.7.1 Come again later", True),
        ("gone", "refused", "550 5.1.1 There is nobody of that name here", True),
        ("unwanted", "refused", "554 5.6.0 This is not wanted", False),
        ("drop", "uncertain", "The connection was lost before the server's answer", False),
    ],
)
def test_each_answer_of_a_server_is_understood_and_the_connection_goes_on(
    sink: Sink, name: str, kind: str, reply: str, recipient: bool
) -> None:
    with contextlib.closing(Smtp(f"smtp://127.0.0.1:{sink.port}")) as way:
        outcome = way.send(mail(name))
        assert way.send(mail("other")).kind == "sent"
    assert (outcome.kind, outcome.recipient) == (kind, recipient)
    assert outcome.reply.startswith(reply)


def test_a_mail_arrives_as_it_was_written(sink: Sink) -> None:
    send_to(f"smtp://127.0.0.1:{sink.port}", mail("plain", b"and its tail\r\n"))
    assert sink.bodies["plain@example.org"] == HEAD + b"and its tail\r\n"
    assert sink.senders["plain@example.org"] == "archway+1.x@example.org"


def test_no_server_is_no_fault_of_the_mail() -> None:
    outcome = send_to("smtp://127.0.0.1:1", mail("plain"))
    assert (outcome.kind, "refused" in outcome.reply) == ("away", True)


def test_a_password_is_not_sent_in_the_open() -> None:
    with listening(host="127.0.0.2") as sink:
        outcome = send_to(f"smtp://ada:secret@127.0.0.2:{sink.port}", mail("plain"))
    assert (outcome.kind, sink.mails) == ("away", [])
    assert "no STARTTLS" in outcome.reply
    assert "secret" not in outcome.reply
    assert "secret" not in repr(Smtp("smtp://ada:secret@127.0.0.2"))


def test_the_connection_is_encrypted_where_the_server_offers_it(
    monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(tls=context) as sink:
        assert send_to(f"smtp://localhost:{sink.port}", mail("plain")).kind == "sent"
        monkeypatch.delenv("SSL_CERT_FILE")
        outcome = send_to(f"smtp://localhost:{sink.port}", mail("other"))
    assert (outcome.kind, "certificate verify failed" in outcome.reply) == ("away", True)
    assert sink.recipients() == ["plain@example.org"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that signs itself."""
    from cryptography import x509  # noqa: PLC0415 (slow to import, and only used here)
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 (the same)
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 (the same)

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begun = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begun).not_valid_after(begun + timedelta(days=9))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path, both = tmp_path / "certificate.pem", tmp_path / "both.pem"
    path.write_bytes(signed.public_bytes(pem))
    both.write_bytes(signed.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return path, context


def test_without_a_server_each_mail_is_one_file_however_often_it_is_sent(tmp_path: Path) -> None:
    way = Folder(tmp_path / "outbox")
    assert [way.send(mail("plain", b"tail\r\n")).kind for _ in range(2)] == ["sent", "sent"]
    assert [path.name for path in way.path.iterdir()] == ["1.x.eml"]
    assert (way.path / "1.x.eml").read_bytes() == HEAD + b"tail\r\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("")
    outcome = Folder(tmp_path / "outbox").send(mail("plain"))
    assert (outcome.kind, str(tmp_path / "outbox") in outcome.reply) == ("away", True)


# What comes back.


def bounced(database: Database, name: str, month: str, kind: str) -> None:
    """Send a month to somebody, and let it come back."""
    with database.writing() as connection:
        outbox.enqueue(database, connection, month, "sha", NOON)
        where = (DeliveryRow.subscriber_id == name, DeliveryRow.occasion == month)
        connection.execute(update(DeliveryRow).where(*where).values(state="sent"))
        found = connection.execute(select(DeliveryRow.id, DeliveryRow.queued_at).where(*where)).one()
        if kind:
            code = SIGNER.code(found.id, month, name, found.queued_at)
            assert returns.accept(connection, SIGNER, Return(code, kind, "5.2.2 full"), NOON)


def standing(database: Database, name: str = "ada") -> tuple[str, str]:
    with database.reading() as connection:
        found = subscribers.find(connection, name)
        return found.state, found.reason


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["hard"], ("stopped", "bounce")),
        (["complaint"], ("stopped", "complaint")),
        (["leave"], ("stopped", "left")),
        (["soft", "soft"], ("active", "")),
        (["soft", "soft", "", "soft"], ("active", "")),
        (["soft", "soft", "soft"], ("stopped", "bounce")),
    ],
)
def test_what_comes_back_stops_a_subscription_by_a_rule_that_fits_ten_issues_a_year(
    database: Database, readers: Callable[..., None], kinds: list[str], expected: tuple[str, str]
) -> None:
    readers("ada")
    with database.writing() as connection:
        connection.execute(DeliveryRow.__table__.delete())
    for number, kind in enumerate(kinds, 1):
        bounced(database, "ada", f"2018-{number:02}", kind)
    assert standing(database) == expected


def test_an_address_that_the_server_does_not_know_ends_its_subscription_at_once_and_says_which(
    database: Database, readers: Callable[..., None], sender: Callable[..., Sender], sink: Sink
) -> None:
    readers("gone", "full", "plain", "never")
    sender(Smtp(f"smtp://127.0.0.1:{sink.port}"), replace(FAST, pauses=())).run()
    assert rows(database) == {"gone": "refused", "full": "refused", "plain": "sent", "never": "refused"}
    assert standing(database, "gone") == ("stopped", "bounce")
    assert standing(database, "full") == ("active", "")
    assert standing(database, "never") == ("active", "")
    assert (row(database, "gone").bounce, row(database, "full").bounce) == ("hard", "soft")
    assert "5.1.1 There is nobody of that name here" in row(database, "gone").failure


def test_a_forged_return_changes_nothing(database: Database, readers: Callable[..., None]) -> None:
    readers("ada")
    with database.writing() as connection:
        for code in (f"{row(database).id}.{'0' * 32}", f"999.{'0' * 32}", "x.y", f"{'9' * 20}.{'0' * 32}"):
            assert not returns.accept(connection, SIGNER, Return(code, "hard", ""), NOON)
    assert standing(database) == ("active", "")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 unknown", "hard"),
        ("5.1.10", "hard"),
        ("5.2.1", "hard"),
        ("550 no such user", "hard"),
        ("552 5.2.2 full", "soft"),
        ("550 5.7.1 blocked", "soft"),
        ("552 5.3.4 too big", "soft"),
        ("4.2.2", "soft"),
    ],
)
def test_only_an_address_that_is_gone_is_a_hard_bounce(reply: str, expected: str) -> None:
    assert bounces.kind(reply) == expected
