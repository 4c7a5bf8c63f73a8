#!/usr/bin/env python3
"""Scores a checker against the rows of tests/data.

check_corpus.py ROWS --cmd "tests/corpus from"
    The command reads one JSON row a line and writes one JSON answer a line, with the row's "id".
    Where it dies, that row counts as failed and the command is started again with the rest.
check_corpus.py ROWS --milter unix:/path | inet:PORT@HOST
    Speaks the milter protocol to a running daemon: AUTH as the row's login, MAIL FROM its first own
    address, then the header fields. The daemon's directory must hold owners.json. Rows that cannot
    travel through the protocol (NUL) are left out.

Two scores. HARD: accepting or refusing is right; a false accept is a security bug, a false refusal
hurts a user. EXACT: the very verdict and addresses. Exit status 1 when a HARD check fails.

--skip-policy a,b   leave out the rows with one of these policy tags
--no-policy         leave out every row with a policy tag
--tap               one TAP line a row instead of the table; a row passes when it is HARD right
--json              one JSON line a row
"""
import argparse
import json
import shlex
import socket
import struct
import subprocess
import sys
import time

MAX_CRASHES = 50
TIMEOUT = 20


# ---- what is right ----

WANTED = {"from": "verdict", "envelope": "result", "ldap": "outcome", "login": "result"}
ACCEPTED = {
    "from": {"own"},
    "envelope": {"address", "null"},
    "ldap": {"match", "safe"},
    "login": {"same", "user"},
}


def kind_of(row):
    if "headers" in row:
        return "from"
    if "argv0" in row:
        return "envelope"
    return "ldap" if "outcome" in row else "login"


def is_nul_free(row):
    return not any("\0" in name + value for name, value in row["headers"])


def filter_value(text):
    """The attribute and the unescaped value of (attribute=value), None for any other filter."""
    if not text or text[0] != "(" or text[-1] != ")" or "=" not in text:
        return None
    attribute, _, escaped = text[1:-1].partition("=")
    raw, value, at = escaped.encode("utf-8", "surrogateescape"), bytearray(), 0
    while at < len(raw):
        if raw[at] in b"()*\0":
            return None
        if raw[at] == ord("\\"):
            value.append(int(raw[at + 1:at + 3], 16))
            at += 3
        else:
            value.append(raw[at])
            at += 1
    return attribute.lower(), bytes(value)


def refine_from(row, answer, hard, exact):
    compared = answer["verdict"] == row["verdict"] == "own"
    if compared and answer.get("addresses") is not None:
        exact = answer["addresses"] == row["addresses"]
    return hard, exact


def refine_envelope(row, answer, hard, exact):
    if answer["result"] == row["result"] == "address" and answer.get("address") != row["address"]:
        return False, False  # another address is as bad as another verdict
    return hard, exact


def refine_ldap(row, answer, _hard, exact):
    if exact and row["kind"] == "filter" and answer["outcome"] != "refuse":
        exact = filter_value(answer.get("filter")) == filter_value(row["filter"])
    return exact, exact  # finding where nothing may be found is as bad as the reverse


def refine_login(row, answer, _hard, exact):
    hard = exact
    if exact and answer["result"] in ("same", "user"):
        exact = answer.get("key") == row["key"]
    return hard, exact


REFINE = {
    "from": refine_from,
    "envelope": refine_envelope,
    "ldap": refine_ldap,
    "login": refine_login,
}


class Score:
    """One row and what was answered."""

    def __init__(self, row, answer):
        kind = kind_of(row)
        field, good = WANTED[kind], ACCEPTED[kind]
        self.row, self.answer = row, answer
        self.want = row[field]
        wanted = {self.want} | set(row.get("also", []))
        self.want_accept = self.want in good
        accepts = {word in good for word in wanted}
        if answer is None:
            self.hard = self.exact = False
        elif "accept" in answer:
            self.hard = self.exact = answer["accept"] in accepts
        else:
            got = answer.get(field)
            self.hard, self.exact = REFINE[kind](
                row, answer, (got in good) in accepts, got in wanted)

    def fault(self):
        if self.hard:
            return None
        return "FALSE-REFUSAL" if self.want_accept else "FALSE-ACCEPT"


# ---- a program ----

def ask_once(command, rows, answers):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    run = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=False)
    for line in run.stdout.splitlines():
        try:
            answer = json.loads(line)
            answers[answer["id"]] = answer
        except (ValueError, KeyError, TypeError):
            pass
    return run.returncode


def ask_command(command, rows):
    answers, crashes = {}, []
    while rows and len(crashes) <= MAX_CRASHES:
        status = ask_once(command, rows, answers)
        rows = [row for row in rows if row["id"] not in answers]
        if not rows:
            if status != 0:
                crashes.append(("the end", "exit status %d" % status))
            break
        crashes.append((rows[0]["id"], "exit status %d" % status))
        rows = rows[1:]
    return answers, crashes


# ---- a daemon ----

class Milter:
    """The MTA's side of one milter connection."""

    NO_REPLY = {"C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000,
                "L": 0x80, "N": 0x40000, "B": 0x80000}
    NOT_WANTED = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "T": 0x200,
                  "L": 0x20, "N": 0x40, "B": 0x10}
    LEADING_SPACE = 0x100000
    VERDICTS = "catrdys4"

    def __init__(self, where):
        kind, _, place = where.partition(":")
        if kind == "inet":
            port, _, host = place.partition("@")
            self.socket = socket.create_connection((host or "127.0.0.1", int(port)), TIMEOUT)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT)
            self.socket.connect(place)
        self.send("O", struct.pack("!III", 6, 0x1FF, 0x1FFFFF))
        command, data = self.receive()
        if command != "O":
            raise ConnectionError("no negotiation but %r" % command)
        self.protocol = struct.unpack("!I", data[8:12])[0]

    def close(self):
        self.socket.close()

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def read_exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the daemon closed the connection")
            data += more
        return data

    def receive(self):
        data = self.read_exactly(struct.unpack("!I", self.read_exactly(4))[0])
        return chr(data[0]), data[1:]

    def macros(self, stage, macros):
        pairs = "".join("%s\0%s\0" % pair for pair in macros.items())
        self.send("D", (stage + pairs).encode())

    def step(self, command, data=b""):
        if self.protocol & self.NOT_WANTED.get(command, 0):
            return "c"
        self.send(command, data)
        if self.protocol & self.NO_REPLY.get(command, 0):
            return "c"
        while True:
            verdict, _ = self.receive()
            if verdict in self.VERDICTS:
                return verdict

    def header(self, row, name, value):
        encoding = "latin-1" if row.get("enc") == "latin1" else "utf-8"
        if self.protocol & self.LEADING_SPACE and not value.startswith("\n"):
            value = " " + value
        return (name + "\0" + value + "\0").encode(encoding)

    def commands(self, row, sender):
        yield "C", b"client.test\0" + b"4" + struct.pack("!H", 40000) + b"192.0.2.10\0"
        yield "H", b"client.test\0"
        yield "M", ("<%s>\0" % sender).encode()
        yield "R", b"<rcpt@other.example>\0"
        yield "T", b""
        for name, value in row["headers"]:
            yield "L", self.header(row, name, value)
        yield "N", b""
        yield "B", b"hello\r\n"
        yield "E", b""

    def play(self, row):
        """True for accepted, and the last verdict."""
        sender = row.get("owns", ["alice@example.com"])[0]
        self.macros("C", {"j": "mx.test", "{daemon_name}": "test", "v": "Postfix 3.7.11"})
        for command, data in self.commands(row, sender):
            if command == "M":
                self.macros("M", {"i": "4TEST", "{auth_type}": "PLAIN",
                                  "{auth_authen}": row.get("login", "alice"),
                                  "{mail_addr}": sender})
            verdict = self.step(command, data)
            if verdict in "rtdy4":
                return False, verdict
            if verdict == "a":
                return True, verdict
        return True, "c"


def ask_row(where, row):
    milter = Milter(where)
    try:
        accepted, verdict = milter.play(row)
        return {"accept": accepted, "verdict": verdict}
    finally:
        milter.close()


def ask_milter(where, rows):
    answers, crashes = {}, []
    for row in rows:
        try:
            answers[row["id"]] = ask_row(where, row)
        except OSError as error:
            # The MTA then uses its default action, which must be tempfail.
            print("# %s: connection lost: %s" % (row["id"], error))
            answers[row["id"]] = {"accept": False, "verdict": "lost"}
            time.sleep(0.3)
            try:
                Milter(where).close()
            except OSError as gone:
                crashes.append((row["id"], "the daemon is gone: %s" % gone))
    return answers, crashes


# ---- reports ----

def shown(row):
    for name in ("headers", "argv0", "value", "login", "macros", "a"):
        if row.get(name):
            return json.dumps(row[name])[:140]
    return '""'


def print_tap(scores, crashes):
    print("1..%d" % (len(scores) + bool(crashes)))
    for number, score in enumerate(scores, 1):
        row = score.row
        why = row["why"].replace("#", "\\#")
        print("%sok %d - %s %s" % ("" if score.hard else "not ", number, row["id"], why))
        if not score.hard:
            print("# %s: want %s, got %s for %s" % (
                score.fault(), score.want, json.dumps(score.answer), shown(row)))
    if crashes:
        print("not ok %d - the program answers every row" % (len(scores) + 1))
        for where, what in crashes:
            print("# at %s: %s" % (where, what))


def print_json(scores):
    for score in scores:
        print(json.dumps({"id": score.row["id"], "hard": score.hard, "exact": score.exact,
                          "want": score.want, "got": score.answer}))


def count(scores):
    return (len(scores), sum(s.hard for s in scores), sum(s.exact for s in scores),
            sum(s.fault() == "FALSE-ACCEPT" for s in scores),
            sum(s.fault() == "FALSE-REFUSAL" for s in scores))


def print_table(scores, crashes):
    for score in scores:
        if not score.hard:
            print("%s %s want %s got %s for %s" % (score.fault(), score.row["id"], score.want,
                                                  json.dumps(score.answer), shown(score.row)))
    classes = {}
    for score in scores:
        classes.setdefault(score.row["class"], []).append(score)
    print("%-18s %5s %5s %5s %13s %13s" % (
        "class", "rows", "hard", "exact", "false-accept", "false-refusal"))
    for name, some in list(classes.items()) + [("TOTAL", scores)]:
        print("%-18s %5d %5d %5d %13d %13d" % ((name,) + count(some)))
    for where, what in crashes:
        print("CRASH at %s: %s" % (where, what))


def read_rows(options):
    with open(options.rows, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    skipped = set(filter(None, options.skip_policy.split(",")))
    rows = [row for row in rows if row.get("policy") not in skipped]
    if options.no_policy:
        rows = [row for row in rows if "policy" not in row]
    if options.milter:
        rows = [row for row in rows if is_nul_free(row)]
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--cmd")
    target.add_argument("--milter")
    parser.add_argument("--skip-policy", default="")
    parser.add_argument("--no-policy", action="store_true")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    options = parse_arguments()
    rows = read_rows(options)
    if options.milter:
        answers, crashes = ask_milter(options.milter, rows)
    else:
        answers, crashes = ask_command(shlex.split(options.cmd), rows)
    scores = [Score(row, answers.get(row["id"])) for row in rows]
    if options.tap:
        print_tap(scores, crashes)
    elif options.json:
        print_json(scores)
    else:
        print_table(scores, crashes)
    return 0 if rows and all(score.hard for score in scores) and not crashes else 1


if __name__ == "__main__":
    sys.exit(main())
