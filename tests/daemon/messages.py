"""Messages of one connection, one after the other: nothing of one is known in the next."""

from daemonkit import Daemon, accepted, case, main, refused
from milterwire import ALL_NR, ALL_STEPS, LEADSPC, session

OWN, FOREIGN = "alice@example.net", "bob@example.net"


def begin(m, sender=OWN):
    m.mail("<%s>" % sender, "alice")
    accepted(m.rcpt())


@case
def foreign_then_own(d):
    """A refused From does not taint the next message"""
    with session(d.socket) as m:
        refused(m.message("alice", OWN, FOREIGN), "from-not-granted")
        accepted(m.message("alice", OWN, OWN))


@case
def own_then_foreign(d):
    """An accepted From does not excuse the next message"""
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))
        refused(m.message("alice", OWN, FOREIGN), "from-not-granted")


@case
def own_then_none(d):
    """The From of one message is not the From of the next"""
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))
        begin(m)
        refused(m.eom([("Subject", "no From")]), "from-missing")


@case
def two_froms_then_one(d):
    """A second From counts in its own message only"""
    with session(d.socket) as m:
        begin(m)
        refused(m.eom([("From", OWN), ("From", OWN)]), "from-duplicate")
        accepted(m.message("alice", OWN, OWN))


@case
def many_in_turn(d):
    """A hundred messages, own and foreign in turn"""
    with session(d.socket) as m:
        for i in range(50):
            accepted(m.message("alice", OWN, OWN))
            refused(m.message("alice", OWN, FOREIGN), "from-not-granted")


@case
def abort_after_headers(d):
    """A message that is given up in its headers leaves nothing"""
    with session(d.socket) as m:
        begin(m)
        m.header("From", FOREIGN)
        m.abort()
        accepted(m.message("alice", OWN, OWN))


@case
def abort_after_end(d):
    """ABORT after the end of a message, twice, as Postfix sends it"""
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))
        m.abort()
        m.abort()
        refused(m.message("alice", OWN, FOREIGN), "from-not-granted")
        m.abort()
        accepted(m.message("alice", OWN, OWN))


@case
def mail_without_abort(d):
    """A second MAIL without ABORT begins anew"""
    with session(d.socket) as m:
        begin(m)
        m.header("From", FOREIGN)
        accepted(m.message("alice", OWN, OWN))


@case
def helo_in_transaction(d):
    """HELO in the middle of a message ends it"""
    with session(d.socket) as m:
        begin(m)
        m.header("From", OWN)
        m.helo()
        refused(m.message("alice", OWN, FOREIGN), "from-not-granted")
        begin(m)
        m.helo()
        m.abort()
        accepted(m.message("alice", OWN, OWN))


@case
def refused_recipient_then_other(d):
    """A refused sender, then another message with the same connection"""
    with session(d.socket) as m:
        m.mail("<%s>" % FOREIGN, "alice")
        refused(m.rcpt(), "sender-not-granted")
        refused(m.rcpt("<second@elsewhere.test>"), "sender-not-granted")
        m.abort()
        accepted(m.message("alice", OWN, OWN))


@case
def own_sender_foreign_from(d):
    """From is judged by itself, whatever the envelope says"""
    with session(d.socket) as m:
        for header in ("From", "from", "FROM", "From ", "From\t"):
            begin(m)
            refused(m.eom([(header, FOREIGN)]), "from-not-granted")


@case
def long_header_first(d):
    """70 kB of header before From: From is judged all the same"""
    with session(d.socket) as m:
        long = ("X-Long", "x" * 70000)
        begin(m)
        refused(m.eom([long, ("From", FOREIGN)]), "from-not-granted")
        begin(m)
        accepted(m.eom([long, ("From", OWN)]))


@case
def very_long_header_first(d):
    """900 kB of header before From, with and without an answer to each"""
    for steps in (ALL_STEPS, ALL_STEPS & ~ALL_NR):
        with session(d.socket, steps=steps) as m:
            long = ("X-Long", "x" * 900000)
            begin(m)
            refused(m.eom([long, ("From", FOREIGN)]), "from-not-granted")
            begin(m)
            accepted(m.eom([long, ("From", OWN)]))


@case
def longest_line(d):
    """A line of From may have 998 octets, name, colon and blank included"""
    for steps in (ALL_STEPS, ALL_STEPS & ~LEADSPC):
        with session(d.socket, steps=steps) as m:
            for octets, verdict in ((998, accepted), (999, refused)):
                begin(m)
                rest = "From: ()" + OWN
                verdict(m.eom([("From", "(%s)%s" % ("x" * (octets - len(rest)), OWN))]),
                        *(["from-malformed"] if verdict is refused else []))


@case
def long_from(d):
    """A From field over the bound is refused, not cut"""
    with session(d.socket) as m:
        begin(m)
        refused(m.eom([("From", "x" * 70000 + " <%s>" % OWN)]), "552 5.3.4", "headers-too-large")
        accepted(m.message("alice", OWN, OWN))


@case
def many_headers(d):
    """More header fields than the bound are refused"""
    with session(d.socket) as m:
        begin(m)
        refused(m.eom([("From", OWN)] + [("X-%d" % i, "x") for i in range(2000)]),
                "headers-too-large")
        accepted(m.message("alice", OWN, OWN))


@case
def two_connections(d):
    """Two connections in turn keep their messages apart"""
    with session(d.socket) as one, session(d.socket) as two:
        one.mail("<%s>" % OWN, "alice")
        two.mail("<bob@example.net>", "bob")
        accepted(one.rcpt())
        accepted(two.rcpt())
        accepted(two.eom([("From", FOREIGN)]))
        refused(one.eom([("From", FOREIGN)]), "from-not-granted", "alice")


@case
def decision_line(d):
    """A message leaves one line in the log, with its queue id, and a refused one its reason"""
    with session(d.socket) as m:
        begin(m)
        accepted(m.eom([("From", OWN)], queue_id="4LOG1"))
        begin(m)
        refused(m.eom([("From", FOREIGN)], queue_id="4LOG2"), "from-not-granted")
    d.wait_for_log("4LOG2")
    lines = [line for line in d.log().split("\n") if "4LOG" in line]
    assert len(lines) == 2, lines
    assert "alice" in lines[0] and "from-not-granted" not in lines[0], lines[0]
    assert "from-not-granted" in lines[1] and FOREIGN in lines[1], lines[1]


@case
def decision_line_json(d):
    """The same as JSON with log_format = json, and a reload changes the form"""
    import json
    with Daemon("log_format = json") as own:
        def decide(queue_id):
            with session(own.socket) as m:
                begin(m)
                accepted(m.eom([("From", OWN)], queue_id=queue_id))
            own.wait_for_log(queue_id)
            return [line for line in own.log().split("\n") if queue_id in line][0]
        line = decide("4JSON")
        assert "4JSON" in json.dumps(json.loads(line[line.index("{"):])), line
        own.write_conf("log_format = text")
        own.reload()
        assert "{" not in decide("4TEXT")


with Daemon() as daemon:
    main(daemon)
