"""Macros that libmilter keeps too long: no identity is used twice."""

from daemonkit import Daemon, accepted, case, main, refused
from milterwire import Milter, session

OWN = "alice@example.net"


def own_message(m):
    accepted(m.message("alice", OWN, OWN))


@case
def next_set_without_login(d):
    """An authenticated MAIL, then one whose macros name no login"""
    with session(d.socket) as m:
        own_message(m)
        refused(m.message(None, OWN, OWN), "530 5.7.0", "auth-required")


@case
def rset_then_set_without_login(d):
    """RSET, then a MAIL whose macros name no login"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.abort()
        refused(m.message(None, OWN, OWN), "auth-required")


@case
def no_next_set(d):
    """A second MAIL without any macros does not inherit the login"""
    with session(d.socket) as m:
        own_message(m)
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")


@case
def rset_then_no_set(d):
    """RSET, then a MAIL without any macros"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.abort()
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")


@case
def no_next_set_other_sender(d):
    """A MAIL without macros is judged by its own argument"""
    with session(d.socket) as m:
        own_message(m)
        m.mail("<someone@elsewhere.test>", macros=False)
        refused(m.rcpt(), "auth-required")


@case
def helo_forgets(d):
    """HELO after MAIL, as after STARTTLS: the login is gone"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.helo()
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")
        m.abort()
        own_message(m)


@case
def other_login(d):
    """One login after the other in a connection"""
    with session(d.socket) as m:
        own_message(m)
        refused(m.message("bob", OWN, "bob@example.net"), "sender-not-granted", "bob")
        accepted(m.message("bob", "bob@example.net", "bob@example.net"))
        refused(m.message("alice", "bob@example.net", OWN), "sender-not-granted", "alice")


@case
def half_a_login(d):
    """{auth_authen} without {auth_type}, and the reverse, is nobody's proof"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_authen}": "alice"})
        refused(m.rcpt(), "451 4.3.5", "misconfigured")
        m.abort()
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_type}": "PLAIN"})
        refused(m.rcpt(), "451 4.3.5", "misconfigured")
        m.abort()
        own_message(m)


@case
def empty_macros(d):
    """Empty macros are absent"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_authen}": "", "{auth_type}": ""})
        refused(m.rcpt(), "auth-required")


@case
def author_is_nobody(d):
    """{auth_author}, which the client chooses, is no identity"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_type}": "PLAIN",
                                     "{auth_author}": "alice"})
        refused(m.rcpt(), "misconfigured")


@case
def mail_addr_is_judged(d):
    """{mail_addr} is what the MTA will use: another mailbox in the argument is refused"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": "bob@example.net", "{auth_type}": "PLAIN",
                                     "{auth_authen}": "alice"})
        refused(m.rcpt(), "sender-malformed")


@case
def stale_recipient(d):
    """A second RCPT without macros is not the first one's recipient"""
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "MTA", "{daemon_port}": "25"})
        m.helo()
        m.mail("<stranger@elsewhere.test>")
        accepted(m.rcpt("<alice@example.net>"))
        refused(m.rcpt("<friend@elsewhere.test>", macros=False), "relay-denied")
        accepted(m.rcpt("<bob@example.net>", macros=False))


@case
def listener_by_port(d):
    """The listener's port selects the policy where its name says nothing"""
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "mx.example.net", "{daemon_port}": "587"})
        m.helo()
        refused(m.message(None, "a@elsewhere.test", "a@elsewhere.test", "<alice@example.net>"),
                "auth-required")


@case
def ipv6_client(d):
    """A client's IPv6 address, tagged or not, is the same one"""
    conf = 'trusted_networks = { "2001:db8::/32" }'
    with Daemon(conf) as own:
        for macros in ({}, {"{client_addr}": "IPv6:2001:db8::1"}):
            with Milter(own.socket) as m:
                m.connect(address="2001:db8::1", macros=dict(macros, **{"{daemon_name}": "MTA"}))
                m.helo()
                accepted(m.message(None, "a@elsewhere.test", "a@elsewhere.test"))
        with Milter(own.socket) as m:
            m.connect(address="2001:db9::1", macros={"{daemon_name}": "MTA"})
            m.helo()
            refused(m.message(None, "a@elsewhere.test", "a@elsewhere.test"), "relay-denied")


with Daemon() as daemon:
    main(daemon)
