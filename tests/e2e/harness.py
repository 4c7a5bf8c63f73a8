"""Named cases, what they may expect, and their TAP lines.

A case is a function that takes a Bench; it fails by an exception. The table form is a Row: one
message, one expectation. Every accepted message must arrive at the sink, and at the very end
nothing else may have arrived there.
"""
import contextlib
import dataclasses
import os
import re
import sys
import time
import traceback

import rig as rigs
import smtp

LOG_LINES_SHOWN = 40

# The first line of each refusal as the manual gives it.
REFUSALS = {
    "auth-required": (530, "5.7.0"),
    "login-unknown": (550, "5.7.1"),
    "login-disabled": (550, "5.7.13"),
    "sender-not-granted": (553, "5.7.1"),
    "sender-malformed": (553, "5.1.7"),
    "null-sender": (550, "5.7.1"),
    "from-not-granted": (550, "5.7.1"),
    "from-missing": (550, "5.6.0"),
    "from-duplicate": (550, "5.6.0"),
    "from-multiple": (550, "5.6.0"),
    "from-malformed": (550, "5.6.0"),
    "from-group": (550, "5.6.0"),
    "header-sender-not-granted": (550, "5.7.1"),
    "resent-not-granted": (550, "5.7.1"),
    "display-name-address": (550, "5.7.1"),
    "headers-too-large": (552, "5.3.4"),
    "local-sender": (550, "5.7.1"),
    "relay-denied": (550, "5.7.1"),
    "recipient-unknown": (550, "5.1.1"),
    "limit-recipients": (452, "4.5.3"),
    "directory-unavailable": (451, "4.4.3"),
    "misconfigured": (451, "4.3.5"),
}
REPLY_LINE_MAX = 200


class Failed(Exception):
    """The case's expectation does not hold."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def message(*header, body="hello\r\n"):
    """Header fields, an empty line, a body."""
    return "".join(field + "\r\n" for field in header) + "\r\n" + body


OWN = "From: alice@example.com"
TO = "<friend@far.example>"


class Bench:
    """What a case works with: the rig, its sessions, and the expectations."""

    def __init__(self, rig):
        self.rig = rig
        self.accepted = set()  # queue ids that a client was told
        self.kept = None       # configuration of the second daemon, where keep_spare() started it
        self.begin()

    def begin(self):
        self.transcript = []
        self.sessions = []
        self.mail_log_start = len(self.rig.mail_log())
        self.daemon_log_start = {d: len(d.lines()) for d in (self.rig.main, self.rig.spare)}

    def end(self):
        for session in self.sessions:
            with contextlib.suppress(OSError):
                session.drop()

    @contextlib.contextmanager
    def spare(self, **configuration):
        """The second daemon, behind the listener "spare", with a configuration of its own. The
        case may kill it."""
        self.drop_spare()
        daemon = self.rig.spare
        daemon.configure(**configuration)
        daemon.start()
        try:
            yield daemon
        finally:
            if daemon.alive():
                daemon.kill()

    def keep_spare(self, **configuration):
        """The same daemon for all cases in turn that ask for the same configuration, so that many
        rows cost one start. It ends when a case asks for another one."""
        daemon = self.rig.spare
        if self.kept == configuration and daemon.alive():
            return daemon
        self.drop_spare()
        daemon.configure(**configuration)
        daemon.start()
        self.kept = configuration
        return daemon

    def drop_spare(self):
        """Ends what keep_spare() keeps in good order, because leaks are looked for only then."""
        kept, self.kept = self.kept, None
        if kept is not None:
            status = self.rig.spare.stop()
            check(status == 0, f"the second daemon ended with {status}")

    # ---- sessions ----

    def connect(self, listener="submission", login=None, password=rigs.PASSWORD):
        session = smtp.Smtp(self.rig.ports[listener], self.transcript)
        self.sessions.append(session)
        session.ehlo()
        if login is not None:
            self.expect_code(session.auth_plain(login, password), 235)
        return session

    def send(self, session, data, mail="<alice@example.com>", rcpts=(TO,), parameters=""):
        """One transaction: (stage, reply) of its end, which is the first refusal or the last
        reply. It stops at MAIL or DATA, and at RCPT where no recipient was accepted."""
        reply = session.mail(mail, parameters)
        if reply.code != 250:
            return "mail", reply
        replies = [session.rcpt(rcpt) for rcpt in rcpts]
        if not any(reply.code == 250 for reply in replies):
            return "rcpt", replies[0]
        return "eom", session.data(data)

    # ---- expectations ----

    @staticmethod
    def expect_code(reply, code):
        check(reply.code == code, f"wanted {code}, got: {reply}")
        return reply

    def expect_refusal(self, reply, reason, stage, tempfail=False):
        """Code, enhanced code and the reason's identifier at the head of one printable line.
        tempfail: of a check that is set to that."""
        code, enhanced = REFUSALS[reason]
        if code == 553 and stage == "eom":
            code = 550  # RFC 5321 section 4.3.2
        if tempfail and code >= 500:
            code, enhanced = 451, "4" + enhanced[1:]
        check(reply.code == code, f"wanted {code} {enhanced} {reason}, got: {reply}")
        check(re.match(re.escape(f"{enhanced} {reason}") + r"(?![\w-])", reply.lines[0]),
              f"wanted {code} {enhanced} {reason}, got: {reply}")
        check(len(reply.lines) == 1, f"more than one line: {reply}")
        check(re.fullmatch(r"[ -~]+", reply.lines[0]), f"not printable ASCII: {reply}")
        check(len(reply.lines[0]) < REPLY_LINE_MAX, f"the line is too long: {reply}")
        return reply

    def expect_accepted(self, reply, sender=None, rcpts=None):
        """250 with a queue id, and the message arrives at the sink: returns it."""
        check(reply.code == 250 and reply.queue_id, f"wanted 250 and a queue id, got: {reply}")
        self.accepted.add(reply.queue_id)
        delivered = self.rig.sink.message(reply.queue_id)
        check(delivered, f"accepted as {reply.queue_id}, but never delivered")
        check(sender is None or delivered.sender == sender,
              f"envelope sender {delivered.sender!r}, wanted {sender!r}")
        check(rcpts is None or sorted(delivered.recipients) == sorted(rcpts),
              f"recipients {delivered.recipients!r}, wanted {rcpts!r}")
        return delivered

    def expect_held(self, reply):
        """250 with a queue id, and the message is in the hold queue and not delivered: returns it
        as it stands there, and takes it out."""
        check(reply.code == 250 and reply.queue_id, f"wanted 250 and a queue id, got: {reply}")
        held = self.rig.held(reply.queue_id)
        check(held is not None, f"{reply.queue_id} is not in the hold queue")
        self.rig.discard_held(reply.queue_id)
        return held

    def expect(self, outcome, want):
        """want: "accept", "STAGE REASON", or "STAGE tempfail REASON"."""
        stage, reply = outcome
        if want == "accept":
            return self.expect_accepted(reply)
        want_stage, *tempfail, reason = want.split(" ")
        check(stage == want_stage, f"wanted {reason} at {want_stage}, got at {stage}: {reply}")
        return self.expect_refusal(reply, reason, stage, bool(tempfail))

    def expect_tempfail_of_mta(self, reply):
        """The MTA answers in place of a milter that is not there."""
        check(400 <= reply.code < 500, f"wanted a 4xx of the MTA, got: {reply}")
        check(not any(reason in reply.text for reason in REFUSALS), f"not the MTA's own: {reply}")

    def decision(self, daemon=None, **wanted):
        """The decision line with these key=value pairs, as a dict, since the case began."""
        daemon = daemon or self.rig.main
        found = daemon.wait_line(lambda line: wanted.items() <= decision_fields(line).items(),
                                 self.daemon_log_start[daemon])
        check(found, f"no decision line with {wanted}")
        return decision_fields(found)

    # ---- afterwards ----

    def diagnostics(self):
        yield from self.transcript
        yield from (line.rstrip() for line in self.rig.mail_log()[self.mail_log_start:]
                    [-LOG_LINES_SHOWN:])
        for daemon, start in self.daemon_log_start.items():
            yield from (line.rstrip() for line in daemon.lines()[start:][-LOG_LINES_SHOWN:])


def decision_fields(line):
    """The key=value pairs of a log line; a quoted value without its quotes and escapes."""
    fields = {}
    for key, quoted, plain in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line):
        fields[key] = re.sub(r"\\(x[0-9a-f]{2}|.)", lambda m: m.group(1), quoted) or plain
    return fields


# ---- the registry ----

CASES = []


def case(name):
    """Register a function under a name."""
    def register(function):
        CASES.append((name, function))
        return function
    return register


@dataclasses.dataclass
class Row:
    """One message of one client and what becomes of it."""

    name: str
    want: str
    data: object = message(OWN)
    login: str = "alice"  # None: no AUTH
    listener: str = "submission"
    mail: str = "<alice@example.com>"
    parameters: str = ""
    rcpts: tuple = (TO,)
    delivered_from: str = None  # the sink's envelope sender

    def __call__(self, bench):
        session = bench.connect(self.listener, self.login)
        outcome = bench.send(session, self.data, self.mail, self.rcpts, self.parameters)
        got = bench.expect(outcome, self.want)
        if self.delivered_from is not None:
            check(got.sender == self.delivered_from, f"envelope sender {got.sender!r}")
        session.quit()


def rows(*table):
    for row in table:
        CASES.append((row.name, row))


# ---- running ----

def run_one(number, name, function, bench):
    """One TAP line, with the story of a failure under it. True for a pass."""
    bench.begin()
    start = time.monotonic()
    try:
        function(bench)
        passed, why = True, ""
    except (Failed, rigs.RigError, smtp.Closed, OSError) as fault:
        passed, why = False, f"{type(fault).__name__}: {fault}"
    except Exception:  # a fault of the test itself: still one TAP line
        passed, why = False, traceback.format_exc()
    finally:
        bench.end()
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
    if not passed:
        for line in [*why.splitlines(), *bench.diagnostics()]:
            print(f"#   {line}")
    if os.environ.get("SENDAS_E2E_TIMES"):
        print(f"#   {time.monotonic() - start:.2f} s")
    sys.stdout.flush()
    return passed


def run_all(rig, chosen):
    """The number of failed cases."""
    bench = Bench(rig)
    return sum(not run_one(number, name, function, bench)
               for number, (name, function) in enumerate(chosen, 1))
