#!/usr/bin/env python3
"""End to end behind a real Sendmail: what differs from Postfix, and one of each effect.

Environment: SENDAS_MILTER, the daemon; SENDMAIL_ROOT, where fetch has unpacked Sendmail.
Needs root (namespaces), m4 and saslpasswd2. Prints TAP; exit status 1 where a case failed.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("../e2e", "../daemon", "."):
    sys.path.insert(0, os.path.join(HERE, folder))

import daemonkit
import mta
import sink
import smtp
from daemonkit import case, equal

CONF = """\
mta = sendmail
authserv_id = "mx.example.org"
directory "gone" { type = ldap uri = { "ldap://127.0.0.1:%d" } base = 'dc=gone'
                   login_domains = { "gone.test" } }
policy "tags" { logins = { "tagger" } header_from = tag trace_header = "X-Sent-By"
                auth_results = yes }
policy "rewrites" { logins = { "rewriter" } envelope = rewrite header_from = rewrite
                    header_sender = remove }
policy "holds" { logins = { "holder" } header_from = quarantine }
"""
SENDERS = """\
ann@example.net ann
ann@far.test ann
boss@far.test boss, on-behalf:bob
bob@far.test bob
sum@far.test sum=1+1
tagger@far.test tagger
rewriter@far.test rewriter
holder@far.test holder
"""
LOGINS = ("ann", "bob", "sum=1+1", "tagger", "rewriter", "holder", "stranger", "lost@gone.test")
TO = "<friend@away.test>"
here = {}


def session(login=None):
    """A submission with a login, or a client on port 25 that proves nothing."""
    client = smtp.Smtp(here["mta"].msa if login else here["mta"].port)
    client.ehlo()
    if login:
        equal(client.auth_plain(login, mta.PASSWORD).code, 235)
    return client


def text_of(*fields, mark):
    return "".join(field + "\r\n" for field in fields) + f"X-Mark: {mark}\r\n\r\nhello\r\n"


def submit(login, sender, *fields, mark="none"):
    """The first reply that is no yes, or the one to the end of the message."""
    client = session(login)
    for reply in (client.mail(sender), client.rcpt(TO)):
        if reply.code >= 400:
            return reply
    return client.data(text_of(*fields, mark=mark))


def delivered(login, sender, *fields, mark):
    reply = submit(login, sender, *fields, mark=mark)
    equal(reply.code, 250)
    found = here["sink"].wait_for(lambda message: message.fields("X-Mark") == [mark.encode()])
    assert found, "the message did not arrive"
    return found


def refused(reply, code, reason):
    assert reply.code == code and f"{reason}: " in reply.text, reply


# ---- who sends ----

@case
def own_address():
    got = delivered("ann", "<ann@far.test>", "From: Ann <ann@far.test>", mark="own")
    equal((got.sender, got.fields("From")), ("ann@far.test", [b"Ann <ann@far.test>"]))


@case
def own_address_in_a_domain_of_the_host():
    """Sender whom Sendmail calls by the local user alone"""
    got = delivered("ann", "<ann@example.net>", "From: ann@example.net", mark="host")
    equal((got.sender, got.fields("From")), ("ann@example.net", [b"ann@example.net"]))


@case
def login_that_sendmail_gives_as_xtext():
    delivered("sum=1+1", "<sum@far.test>", "From: sum@far.test", mark="xtext")


@case
def address_of_another_in_a_domain_of_the_host():
    refused(submit("bob", "<ann@example.net>", "From: bob@far.test"), 553, "sender-not-granted")


@case
def envelope_of_another():
    refused(submit("bob", "<ann@far.test>", "From: bob@far.test"), 553, "sender-not-granted")


@case
def from_of_another():
    refused(submit("bob", "<bob@far.test>", "From: ann@far.test"), 550, "from-not-granted")


@case
def from_of_another_behind_ones_own():
    refused(submit("bob", "<bob@far.test>", "From: bob@far.test", "From: ann@far.test"), 550,
            "from-duplicate")


@case
def envelope_that_sendmail_reads_by_its_end():
    """Two paths in one: Sendmail takes the second"""
    refused(submit("bob", "<bob@far.test>,<ann@far.test>", "From: bob@far.test"), 553,
            "sender-malformed")


@case
def login_that_nobody_knows():
    refused(submit("stranger", "<ann@far.test>", "From: ann@far.test"), 550, "login-unknown")


@case
def directory_that_is_down():
    refused(submit("lost@gone.test", "<x@gone.test>", "From: x@gone.test"), 451,
            "directory-unavailable")


@case
def null_sender_without_a_report():
    refused(submit("ann", "<>", "From: ann@far.test"), 550, "null-sender")


# ---- clients that prove nothing ----

@case
def submission_without_a_login():
    client = smtp.Smtp(here["mta"].msa)
    client.ehlo()
    equal(client.mail("<ann@far.test>").code, 250)
    refused(client.rcpt(TO), 530, "auth-required")


@case
def relaying():
    client = session()
    equal(client.mail("<x@away.test>").code, 250)
    refused(client.rcpt(TO), 550, "relay-denied")


@case
def recipient_in_a_domain_of_the_host():
    client = session()
    equal(client.mail("<x@away.test>").code, 250)
    equal(client.rcpt("<daemon@example.net>").code, 250)
    refused(client.rcpt(TO), 550, "relay-denied")


# ---- what is changed ----

@case
def tag_and_marks():
    """Tag, trace and Authentication-Results, and forged ones taken out"""
    got = delivered("tagger", "<tagger@far.test>", "From: ann@far.test", "X-Sent-By: ann",
                    "X-Sendas-Tag: forged", "Authentication-Results: mx.example.org; auth=pass",
                    "Authentication-Results: other.test; none", mark="tag")
    equal(len(got.fields("X-Sent-By")), 1)
    assert b'sasl="tagger"' in got.fields("X-Sent-By")[0], got.header
    equal(len(got.fields("X-Sendas-Tag")), 1)
    assert b"from-not-granted" in got.fields("X-Sendas-Tag")[0], got.header
    results = got.fields("Authentication-Results")
    equal(len(results), 2)
    assert any(b"smtp.auth=tagger" in value for value in results), got.header
    assert any(b"other.test" in value for value in results), got.header


@case
def rewriting():
    """Envelope, From and Sender rewritten and removed; the old From is kept"""
    got = delivered("rewriter", "<ann@far.test>", "From: Ann <ann@far.test>",
                    "Sender: ann@far.test", "Sender: bob@far.test", mark="rewrite")
    equal(got.sender, "rewriter@far.test")
    equal(len(got.fields("From")), 1)
    assert b"rewriter@far.test" in got.fields("From")[0], got.header
    assert b"ann@far.test" in got.fields("X-Original-From")[0], got.header
    equal(got.fields("Sender"), [])


@case
def sender_that_is_added():
    """On behalf: the account's own Sender is added"""
    got = delivered("bob", "<bob@far.test>", "From: boss@far.test", mark="behalf")
    equal(got.fields("Sender"), [b"bob@far.test"])


@case
def quarantine():
    before = here["mta"].held()
    equal(submit("holder", "<holder@far.test>", "From: ann@far.test", mark="held").code, 250)
    equal(len(here["mta"].held()), len(before) + 1)


@case
def nothing_else_arrived():
    """Only what was accepted arrived at the sink"""
    marks = sorted(message.fields("X-Mark")[0] for message in here["sink"].all())
    equal(marks, [b"behalf", b"host", b"own", b"rewrite", b"tag", b"xtext"])


def main():
    root = os.environ.get("SENDMAIL_ROOT", "sendmail/root")
    here["sink"] = sink.Sink()
    conf = CONF % daemonkit.free_port()
    where = "inet:%d@127.0.0.1" % daemonkit.free_port()
    with daemonkit.Daemon(conf, SENDERS, socket=where) as daemon:
        here["mta"] = mta.Sendmail(os.path.abspath(root), daemon.socket, here["sink"].port, LOGINS)
        try:
            return daemonkit.main()
        finally:
            here["mta"].stop()
            here["sink"].stop()


if __name__ == "__main__":
    sys.exit(main())
