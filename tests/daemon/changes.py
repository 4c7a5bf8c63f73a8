"""Changes to a message that is accepted: what the MTA is told, in which order, and what becomes of
a message that it cannot change."""

import re

from daemonkit import Daemon, accepted, case, equal, main, refused
from milterwire import (ADDHDRS, ALL_ACTIONS, ALL_NR, ALL_STEPS, CHGFROM, CHGHDRS, LEADSPC,
                        QUARANTINE, Milter, session)

OWN, FOREIGN = "alice@example.net", "bob@example.net"
CONF = """
policy "rewrite" { logins = { "alice" } envelope = rewrite header_from = rewrite
                   header_sender = rewrite resent = remove display_name = rewrite }
policy "held"    { logins = { "held" } header_from = quarantine }
policy "tagged"  { logins = { "tagged" } header_from = tag }
policy "all"     { logins = { "all" } envelope = rewrite header_from = rewrite header_sender = tag
                   resent = quarantine trace_header = "X-Sent-By" auth_results = yes }
policy "marked"  { logins = { "marked" } trace_header = "X-Sent-By" auth_results = yes }
policy "observe" { logins = { "observed" } mode = observe header_from = rewrite
                   trace_header = "X-Sent-By" auth_results = yes }
"""
SENDERS = "alice@example.net  alice, held, tagged, all, marked, observed\n"
RESULTS = "mx.test; auth=pass (plain) smtp.auth="


def send(m, headers, login="alice", sender=OWN):
    """The answer to the end of a message; what was changed is in m.changes."""
    m.mail("<%s>" % sender, login)
    accepted(m.rcpt())
    return m.eom(headers)


def changed(m, headers, want, login="alice", sender=OWN):
    accepted(send(m, headers, login, sender))
    equal(m.changes, want)


@case
def nothing(d):
    """A message that is right is not changed"""
    with session(d.socket) as m:
        changed(m, [("From", OWN), ("Sender", OWN), ("Resent-From", OWN)], [])


@case
def in_order(d):
    """Forged fields go first, then claims, tags, quarantine, the marks, and then the answer"""
    with session(d.socket) as m:
        changed(m, [("X-Sent-By", "a"), ("From", "Bob <%s>" % FOREIGN), ("Sender", FOREIGN),
                    ("Resent-From", FOREIGN), ("x-sent-by ", "b"), ("X-Sendas-Tag", "c"),
                    ("Authentication-Results", "mx.test; none")], [
            ("m", 1, "Authentication-Results", ""),
            ("m", 1, "X-Sendas-Tag", ""),
            ("m", 2, "X-Sent-By", ""),
            ("m", 1, "X-Sent-By", ""),
            ("m", 1, "From", " Bob <%s>" % OWN),
            ("h", "X-Original-From", " Bob <%s>" % FOREIGN),
            ("h", "Reply-To", " Bob <%s>" % FOREIGN),
            ("e", "<%s>" % OWN),
            ("i", 0, "X-Sendas-Tag", ' header-sender-not-granted;\n address="%s";\n login="all"'
             % FOREIGN),
            ("q", "sendas-milter: resent-not-granted"),
            ("i", 0, "X-Sent-By", ' sasl="all";\n policy="all"'),
            ("i", 0, "Authentication-Results", " " + RESULTS + "all"),
        ], "all", "x@elsewhere.test")


@case
def leading_blank(d):
    """With SMFIP_HDR_LEADSPC a value brings its blank along, without it the MTA puts it there"""
    headers = [("From", FOREIGN), ("Sender", FOREIGN)]
    for steps, blank in ((ALL_STEPS, " "), (ALL_STEPS & ~LEADSPC, ""), (ALL_STEPS & ~ALL_NR, " "),
                         (0x7F, "")):
        with session(d.socket, steps=steps) as m:
            changed(m, headers, [("m", 1, "From", blank + OWN),
                                 ("h", "X-Original-From", blank + FOREIGN),
                                 ("h", "Reply-To", blank + FOREIGN),
                                 ("m", 1, "Sender", blank + OWN)])
            changed(m, [("From", OWN)], [
                ("i", 0, "X-Sent-By", blank + 'sasl="marked";\n policy="marked"'),
                ("i", 0, "Authentication-Results", blank + RESULTS + "marked")], "marked")


@case
def envelope_has_no_blank(d):
    """The new envelope sender stands in brackets and has no blank"""
    with session(d.socket) as m:
        changed(m, [("From", OWN)], [("e", "<%s>" % OWN)], sender="x@elsewhere.test")


@case
def from_the_last_on(d):
    """Of many fields of one name the last one goes first"""
    with session(d.socket) as m:
        resent = [("Resent-From", FOREIGN if n % 3 else OWN) for n in range(12)]
        changed(m, [("From", OWN)] + resent,
                [("m", n, "Resent-From", "") for n in (12, 11, 9, 8, 6, 5, 3, 2)])
        changed(m, [("X-Sent-By", "x")] * 300 + [("From", OWN)],
                [("m", n, "X-Sent-By", "") for n in range(300, 0, -1)]
                + [("i", 0, "X-Sent-By", ' sasl="marked";\n policy="marked"'),
                   ("i", 0, "Authentication-Results", " " + RESULTS + "marked")], "marked")


@case
def folds(d):
    """Folds of an old value go with it, as the MTA sent them"""
    with session(d.socket) as m:
        changed(m, [("From", "Bob\n\tBaker\n <%s>" % FOREIGN), ("reply-to", "x@elsewhere.test")],
                [("m", 1, "From", " Bob\n\tBaker <%s>" % OWN),
                 ("h", "X-Original-From", " Bob\n\tBaker\n <%s>" % FOREIGN)])


@case
def eight_bit(d):
    """Bytes beyond ASCII go as they came"""
    with session(d.socket) as m:
        changed(m, [("From", "J\xfcrgen <%s>" % FOREIGN)],
                [("m", 1, "From", " J\xfcrgen <%s>" % OWN),
                 ("h", "X-Original-From", " J\xfcrgen <%s>" % FOREIGN),
                 ("h", "Reply-To", " J\xfcrgen <%s>" % FOREIGN)])


@case
def refused_is_not_changed(d):
    """A message that is refused is not changed"""
    with session(d.socket) as m:
        refused(send(m, [("X-Sent-By", "x"), ("From", OWN), ("From", OWN), ("Sender", FOREIGN)],
                     "all", "x@elsewhere.test"), "from-duplicate")
        equal(m.changes, [])


@case
def observed_is_not_changed(d):
    """A policy that observes changes nothing"""
    with session(d.socket) as m:
        changed(m, [("X-Sent-By", "x"), ("From", FOREIGN), ("X-Sendas-Tag", "x"),
                    ("Authentication-Results", "mx.test; none")], [], "observed")


@case
def outsider(d):
    """Of an outsider forged tags go, and nothing comes"""
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "MTA", "{daemon_port}": "25"})
        m.helo()
        m.mail("<x@elsewhere.test>")
        accepted(m.rcpt("<%s>" % OWN))
        accepted(m.eom([("X-Sendas-Tag", "x"), ("From", "x@elsewhere.test"), ("X-Sent-By", "y")]))
        equal(m.changes, [("m", 1, "X-Sendas-Tag", "")])


# What a message needs, and an MTA that does not offer it
LACKING = (
    ("CHGHDRS", CHGHDRS, "alice", OWN, [("From", FOREIGN)], "From"),
    ("CHGHDRS for what is taken out", CHGHDRS, "alice", OWN, [("From", OWN), ("X-Sendas-Tag", "x")],
     "X-Sendas-Tag"),
    ("ADDHDRS", ADDHDRS, "marked", OWN, [("From", OWN)], "X-Sent-By"),
    ("ADDHDRS for a tag", ADDHDRS, "tagged", OWN, [("From", FOREIGN)], "X-Sendas-Tag"),
    ("CHGFROM", CHGFROM, "alice", FOREIGN, [("From", OWN)], "the envelope"),
    ("QUARANTINE", QUARANTINE, "held", OWN, [("From", FOREIGN)], "the envelope or the queue"),
)


def lacks(name, action, login, sender, headers, what):
    def run(d):
        with session(d.socket, actions=ALL_ACTIONS & ~action) as m:
            told = "4QUEUE: the MTA takes no change of %s.*has to wait" % what
            before = d.log().count("takes no change")
            seen = len(re.findall(told, d.log()))
            answer = send(m, headers, login, sender)
            equal(answer.code, "t")
            d.wait_for_log(told, seen + 1)
            equal(d.log().count("takes no change"), before + 1)
            changed(m, [("From", OWN)], [])
        with session(d.socket) as m:
            accepted(send(m, headers, login, sender))
            assert m.changes
    run.__doc__ = "An MTA that does not offer %s: what needs it waits, what does not passes" % name
    case(run)


for row in LACKING:
    lacks(*row)


@case
def half_of_it(d):
    """An MTA that takes a part of the changes is told to let the message wait"""
    with session(d.socket, actions=ALL_ACTIONS & ~CHGFROM) as m:
        equal(send(m, [("From", FOREIGN)], sender=FOREIGN).code, "t")
        equal([change[2 if change[0] == "m" else 1] for change in m.changes],
              ["From", "X-Original-From", "Reply-To"])


@case
def protocol_2(d):
    """An MTA of protocol 2 changes fields, not the envelope"""
    with session(d.socket, version=2, actions=0x3F, steps=0x7F) as m:
        changed(m, [("From", OWN), ("Sender", FOREIGN)], [("m", 1, "Sender", OWN)])
        equal(send(m, [("From", OWN)], sender=FOREIGN).code, "t")


@case
def id_of_the_mta(d):
    """Results have the MTA's own name where there is no authserv_id, and none without both"""
    forged = ("Authentication-Results", "other.test; none")
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "ORIGINATING", "j": "other.test"})
        m.helo()
        changed(m, [("From", OWN), forged], [
            ("m", 1, "Authentication-Results", ""),
            ("i", 0, "X-Sent-By", ' sasl="marked";\n policy="marked"'),
            ("i", 0, "Authentication-Results",
             " other.test; auth=pass (plain) smtp.auth=marked")], "marked")
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "ORIGINATING"})
        m.helo()
        changed(m, [("From", OWN), forged],
                [("i", 0, "X-Sent-By", ' sasl="marked";\n policy="marked"')], "marked")
    conf = 'authserv_id = "ID.example.net"\n' + CONF
    with Daemon(conf, SENDERS) as own, session(own.socket) as m:
        changed(m, [("From", OWN), ("Authentication-Results", "mx.test; none"),
                    ("Authentication-Results", "id.EXAMPLE.net; none")], [
            ("m", 2, "Authentication-Results", ""),
            ("i", 0, "X-Sent-By", ' sasl="marked";\n policy="marked"'),
            ("i", 0, "Authentication-Results",
             " id.example.net; auth=pass (plain) smtp.auth=marked")], "marked")


@case
def next_message(d):
    """What one message was told is not told to the next one"""
    with session(d.socket) as m:
        accepted(send(m, [("From", FOREIGN), ("Sender", FOREIGN)], sender=FOREIGN))
        equal(len(m.changes), 5)
        changed(m, [("From", OWN)], [])
        m.abort()
        accepted(send(m, [("From", OWN), ("Sender", FOREIGN)]))
        equal(m.changes, [("m", 1, "Sender", " " + OWN)])


@case
def reload_between(d):
    """A message that has begun is changed by the policy that it began with"""
    with Daemon(CONF, SENDERS) as own, session(own.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        accepted(m.rcpt())
        own.write_conf("")
        own.reload()
        accepted(m.eom([("From", FOREIGN)]))
        equal(len(m.changes), 3)
        m.mail("<%s>" % OWN, "alice")
        accepted(m.rcpt())
        refused(m.eom([("From", FOREIGN)]), "from-not-granted")


with Daemon(CONF, SENDERS) as daemon:
    main(daemon)
