"""Rights from a real LDAP server, and what becomes of mail while it is stopped under load."""
import contextlib
import os
import pwd
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ldap"))

import ldapentries
import slapdkit

from harness import Failed, case, check, message
import rig
import smtp

SESSIONS = 8
BUDGET = 3          # seconds: the default command_budget
GRACE = 2           # the machine may be busy
BACK_SECONDS = 10   # until all is right again
BEFORE, DURING, AFTER = 2, 5, 1.5  # seconds of load
PAUSE = 0.05        # between the messages of a session

# What is remembered is short-lived, so that the load needs the server all the time.
DIRECTORY = """\
directory "corp" {{
    type = ldap
    uri = {{ '{uri}' }}
    base = '{base}'
    bind_dn = '{bind_dn}'
    bind_password_file = "{secret}"
    enabled_filter = '(!(employeeType=disabled))'
    cache_ttl = "1s"
    negative_ttl = "500ms"
}}
"""


def write_secret(path):
    """For the daemon's user alone."""
    with open(path, "w", encoding="ascii") as file:
        file.write(slapdkit.READER_PASSWORD + "\n")
    os.chmod(path, 0o600)
    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    return path


@contextlib.contextmanager
def with_slapd(bench):
    """A slapd, and the second daemon with it as its only directory."""
    secret = write_secret(bench.rig.path("ldap.secret"))
    try:
        with slapdkit.Slapd(ldapentries.staff_only()) as slapd, \
                bench.spare(directories=DIRECTORY.format(
                    uri=slapd.uri, base=ldapentries.CORP, bind_dn=slapdkit.READER_DN,
                    secret=secret)):
            yield slapd
    except slapdkit.SlapdError as fault:
        raise rig.RigError(str(fault)) from fault


@case("LDAP: own address, group, delegation, disabled, unknown")
def rights(bench):
    with with_slapd(bench):
        for login, mail, from_, want in (
                ("alice", "alice", "alice", "accept"),
                ("alice", "a.lee", "team", "accept"),
                ("alice", "alice", "bob", "eom from-not-granted"),
                ("alice", "bob", "alice", "rcpt sender-not-granted"),
                ("bob", "bob", "team", "eom from-not-granted"),
                ("carol", "carol", "carol", "rcpt login-disabled"),
                ("nobody", "alice", "alice", "rcpt login-unknown"),
                ("twin", "twin", "twin", "rcpt misconfigured")):
            session = bench.connect("spare", login)
            bench.expect(bench.send(session, message(f"From: {from_}@example.com"),
                                    mail=f"<{mail}@example.com>"), want)
            session.quit()


class Sender:
    """A client that sends one message after the other, each until it is accepted."""

    def __init__(self, bench, number):
        self.bench = bench
        self.login = ldapentries.crowd(number)
        self.accepted = []    # (subject, reply, when)
        self.deferred = []    # seconds that the answer took
        self.fault = None
        self.thread = threading.Thread(target=self.run)
        self.stopping = threading.Event()

    def run(self):
        try:
            self.session = smtp.Smtp(self.bench.rig.ports["spare"])
            self.session.ehlo()
            self.bench.expect_code(self.session.auth_plain(self.login, rig.PASSWORD), 235)
            self.send_all()
            self.session.quit()
        except Exception as fault:  # to the main thread, which reports it
            self.fault = f"{self.login}: {type(fault).__name__}: {fault}"

    def send_all(self):
        number = 0
        while not self.stopping.is_set():
            number += 1
            while not self.sent(f"{self.login} {number}"):
                time.sleep(PAUSE)
            self.forge()
            time.sleep(PAUSE)

    def attempt(self, address, *header):
        """The outcome of one transaction, or None where it was put off with a 451 in time."""
        started = time.monotonic()
        outcome = self.bench.send(self.session, message(f"From: {address}", *header),
                                  mail=f"<{self.login}@example.com>")
        self.session.rset()
        if outcome[1].code != 451:
            return outcome
        self.bench.expect_refusal(outcome[1], "directory-unavailable", outcome[0])
        self.deferred.append(time.monotonic() - started)
        return None

    def sent(self, subject):
        outcome = self.attempt(f"{self.login}@example.com", f"Subject: {subject}")
        if not outcome:
            return False
        if outcome[1].code != 250:
            raise Failed(f"refused for good: {outcome}")
        self.accepted.append((subject, outcome[1], time.monotonic()))
        return True

    def forge(self):
        """From of somebody else: refused, or put off."""
        outcome = self.attempt("alice@example.com")
        if outcome:
            self.bench.expect(outcome, "eom from-not-granted")


def wait_for_acceptance(senders, since, seconds):
    """Has every one of them had a message accepted since then?"""
    return rig.wait_until(lambda: all(sender.fault or sender.accepted
                                      and sender.accepted[-1][2] > since for sender in senders),
                          seconds)


def under_load(bench, fail, mend):
    with with_slapd(bench) as slapd:
        senders = [Sender(bench, number) for number in range(SESSIONS)]
        for sender in senders:
            sender.thread.start()
        try:
            time.sleep(BEFORE)
            fail(slapd)
            time.sleep(DURING)
            mend(slapd)
            back = wait_for_acceptance(senders, time.monotonic(), BACK_SECONDS)
            time.sleep(AFTER)
        finally:
            if not slapd.alive():
                slapd.start()
            slapd.thaw()
            for sender in senders:
                sender.stopping.set()
            for sender in senders:
                sender.thread.join(smtp.TIMEOUT)
    check(not any(sender.fault for sender in senders),
          "; ".join(sender.fault for sender in senders if sender.fault))
    check(back, f"not right again within {BACK_SECONDS} s")
    check_deferred(senders)
    check_delivered(bench, senders)


def check_deferred(senders):
    for sender in senders:
        check(sender.deferred, f"{sender.login} was never put off: the load needed no server")
        check(max(sender.deferred) <= BUDGET + GRACE,
              f"{sender.login} waited {max(sender.deferred):.1f} s for a 451")


def check_delivered(bench, senders):
    """Each message once, under its own queue id."""
    for sender in senders:
        for subject, reply, _ in sender.accepted:
            delivered = bench.expect_accepted(reply, f"{sender.login}@example.com")
            check(delivered.fields("Subject") == [subject.encode()],
                  f"{reply.queue_id} is {delivered.fields('Subject')}, not {subject}")
        check(len({subject for subject, _, _ in sender.accepted}) == len(sender.accepted),
              f"{sender.login} sent a message twice")
    queue_ids = [reply.queue_id for sender in senders for _, reply, _ in sender.accepted]
    check(len(set(queue_ids)) == len(queue_ids), "queue ids repeat")


@case("LDAP stopped under load: 451 in time, nothing lost, right again within 10 s")
def stopped_under_load(bench):
    under_load(bench, slapdkit.Slapd.freeze, slapdkit.Slapd.thaw)


@case("LDAP killed under load, started again: 451 in time, nothing lost, right within 10 s")
def killed_under_load(bench):
    under_load(bench, slapdkit.Slapd.kill, slapdkit.Slapd.start)
