"""The corpus of raw messages, and every spelling of an envelope sender, through the real MTA."""
import json
import os
import re
import sys

from harness import Failed, case, check
from rig import SENDERS
from shown import check_shown
from smtp import octets

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
OWNER = "corpus"  # owns alice@example.com and nothing else


def owners():
    """The directory that the From corpus is about, as a senders file."""
    with open(os.path.join(DATA, "owners.json"), encoding="utf-8") as file:
        table = json.load(file)
    return "".join(f"{address} {login}\n" for login in table for address in table[login])


def corpus(name):
    """The rows of a file that do not hang on a product choice."""
    try:
        with open(os.path.join(DATA, name), encoding="utf-8") as file:
            found = [json.loads(line) for line in file if line.strip()]
    except FileNotFoundError as fault:
        sys.exit(f"Bail out! {fault}")
    return [row for row in found if not row.get("policy")]


def login_of(row):
    return OWNER if row["auth"] == "alice" else row["auth"]


def send(bench, session, mail, rcpt, how, data):
    """One message as it stands, dots not doubled: (stage, reply)."""
    reply = session.command("MAIL FROM:" + mail)
    if reply.code != 250:
        return "mail", reply
    reply = session.rcpt(rcpt)
    if reply.code != 250:
        return "rcpt", reply
    if how == "BDAT":
        return "eom", session.bdat([octets(data)])
    bench.expect_code(session.command("DATA"), 354)
    end = b".\r\n" if octets(data).endswith(b"\r\n") else b"\r\n.\r\n"
    return "eom", session.raw_data(octets(data) + end)


def expect_refused(bench, outcome):
    stage, reply = outcome
    check(reply.code >= 500, f"wanted a refusal at {stage}, got: {reply}")
    check(stage != "mail", f"refused by the MTA, not by us: {reply}")


def expect_clean(bench, outcome):
    """Refused; or what was delivered shows nobody but the sender in From."""
    _, reply = outcome
    if reply.code >= 500:
        return None
    delivered = bench.expect_accepted(reply)
    shown = b" ".join(delivered.fields("From"))
    check(b"victim" not in shown and b"alice@example.com" in shown, f"From: {shown!r}")
    return delivered


def expect_accepted(bench, outcome):
    return bench.expect_accepted(outcome[1])


def expect_one_message(bench, outcome, session):
    """Whatever the data pretends, no second message gets in."""
    _, reply = outcome
    delivered = bench.expect_accepted(reply) if reply.code == 250 else None
    for further in session.replies_until_closed():
        check(not further.queue_id, f"a second message: {further}")
    return delivered


def check_identities(delivered, login):
    """Of whoever logged in, a mail program shows nobody else."""
    if delivered and login:
        check_shown(delivered, SENDERS, login)


EXPECT = {
    "accept": expect_accepted,
    "no-check": expect_accepted,
    "refuse": expect_refused,
    "refuse-or-clean": expect_clean,
}


def play(row):
    def run(bench):
        session = bench.connect("submission" if row["auth"] else "mx", login_of(row))
        outcome = send(bench, session, row["mail"], row["rcpt"], row["how"], row["data"])
        if row["expect"] == "one-message":
            check_identities(expect_one_message(bench, outcome, session), login_of(row))
            return
        first, _, _ = row["expect"].partition("-then-")
        check_identities(EXPECT[first](bench, outcome), login_of(row))
        if "second" in row:
            session.rset()
            second = row["second"]
            outcome = send(bench, session, second["mail"], row["rcpt"], row["how"],
                           second["data"])
            check_identities(EXPECT[second["expect"]](bench, outcome), login_of(row))
    return run


for smtp_row in corpus("smtp_cases.jsonl"):
    case(f"corpus {smtp_row['id']}: {smtp_row['why']}")(play(smtp_row))


def can_be_typed(row):
    """One command line, with a domain: a bare name is completed by the MTA."""
    return row["cmd"] == "MAIL" and not re.search(r"[\0\r\n]", row["argv0"]) and (
        "@" in row["argv0"])


@case("corpus of envelope senders: only the owner's own address passes")
def envelope_senders(bench):
    wrong = []
    session = bench.connect("submission", OWNER)
    for row in filter(can_be_typed, corpus("envelope_cases.jsonl")):
        path = row["argv0"].encode("latin-1" if row.get("enc") == "latin1" else "utf-8")
        reply = session.command(b"MAIL FROM:" + path + b" SMTPUTF8")
        if reply.code == 250:
            reply = session.rcpt("<friend@far.example>")
        if (reply.code == 250) != bool(row["owned"]):
            wrong.append(f"{row['id']} {path!r}: {reply}")
        session.rset()
    check(not wrong, "; ".join(wrong))


def wire(row):
    """The header of a row as it goes over the wire: its folds as CR LF, a blank after the colon.
    In the first line Postfix takes "From " for the mark of a mailbox file, so that is another."""
    encoding = "latin-1" if row.get("enc") == "latin1" else "utf-8"
    lines = ["Subject: corpus\r\n"]
    for name, value in row["headers"]:
        blank = "" if value[:1] in ("\n", "\t", " ") else " "
        lines.append(re.sub(r"\n(?=[ \t])", "\r\n", f"{name}:{blank}{value}") + "\r\n")
    return "".join(lines).encode(encoding) + b"\r\nbody\r\n"


def survives_smtp(row):
    """NUL, CR and a bare LF do not reach the milter as they are."""
    return not re.search(r"[\0\r]|\n(?![ \t])", "".join(map("".join, row["headers"])))


def from_verdict(bench, row):
    """What is wrong with the verdict on this row, or None."""
    session = bench.connect("spare", row.get("login", "alice"))
    own = row.get("owns", ["alice@example.com"])
    outcome = bench.send(session, wire(row), f"<{own[0]}>", parameters="SMTPUTF8")
    session.quit()
    try:
        if row["verdict"] == "own":
            delivered = expect_accepted(bench, outcome)
            check(check_shown(delivered, owners(), row.get("login", "alice")),
                  f"nobody is shown: {delivered.header!r}")
        elif survives_smtp(row) and "own" not in row.get("also", ()):
            expect_refused(bench, outcome)
        else:
            expect_clean(bench, outcome)
    except Failed as fault:
        return f"{row['id']} ({row['verdict']}) {row['headers']}: {fault}"
    return None


@case("corpus of From fields: no false accept and no false refusal")
def from_fields(bench):
    with bench.spare(senders=owners(), address=""):
        faults = [from_verdict(bench, row) for row in corpus("from_cases.jsonl")]
    wrong = [fault[:600] for fault in faults if fault]
    check(not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong))
