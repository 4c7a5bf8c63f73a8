"""What the daemon asks an MTA for, and how it does with one that offers less."""

from daemonkit import Daemon, accepted, case, equal, main, refused
from milterwire import (ADDHDRS, ALL_ACTIONS, ALL_NR, ALL_STEPS, CHGFROM, CHGHDRS, LEADSPC, NOBODY,
                        NODATA, NOUNKNOWN, NR_CONN, NR_EOH, NR_HDR, NR_HELO, NR_MAIL, QUARANTINE,
                        SETSYMLIST, Milter, session)

ACTIONS = ADDHDRS | CHGHDRS | QUARANTINE | CHGFROM | SETSYMLIST
WANTED = (NOBODY | NODATA | NOUNKNOWN | LEADSPC | NR_CONN | NR_HELO | NR_MAIL | NR_HDR | NR_EOH)
LISTS = {
    0: "j _ v {client_addr} {client_name} {client_port} {daemon_name} {daemon_addr} "
       "{daemon_port} {if_addr}",
    2: "i {auth_type} {auth_authen} {mail_addr} {mail_host} {mail_mailer} {cert_subject} "
       "{cert_issuer} {verify}",
    3: "i {rcpt_addr} {rcpt_mailer}",
    5: "i",
}


def judges(address, **negotiation):
    """Own and foreign messages get their verdicts; returns the connection."""
    m = session(address, **negotiation)
    accepted(m.message("alice", "alice@example.net", "a.lee@example.net"))
    refused(m.message("alice", "alice@example.net", "bob@example.net"), "from-not-granted")
    refused(m.message("alice", "bob@example.net", "alice@example.net"), "sender-not-granted")
    return m


@case
def full_offer(d):
    """Of a full offer exactly the useful steps and actions, four lists of macros"""
    with judges(d.socket) as m:
        equal((m.version, hex(m.actions), hex(m.steps)), (6, hex(ACTIONS), hex(WANTED)))
        equal(m.lists, LISTS)


@case
def two_replies(d):
    """A message takes two replies, at RCPT and at its end"""
    with session(d.socket) as m:
        equal(m.answers, 0)
        accepted(m.message("alice", "alice@example.net", "alice@example.net"))
        equal(m.answers, 2)


@case
def no_nr(d):
    """An MTA that waits for every reply gets every reply"""
    offer = ALL_STEPS & ~ALL_NR
    with judges(d.socket, steps=offer) as m:
        equal(hex(m.steps), hex(WANTED & offer))
        assert m.answers > 10, m.answers


@case
def only_some_nr(d):
    """An MTA that knows silence at headers only"""
    offer = (ALL_STEPS & ~ALL_NR) | NR_HDR
    with judges(d.socket, steps=offer) as m:
        equal(hex(m.steps), hex(WANTED & offer))


@case
def protocol_2(d):
    """An MTA of protocol 2"""
    with judges(d.socket, version=2, actions=0x3F, steps=0x7F) as m:
        equal((m.version, m.actions, hex(m.steps), m.lists),
              (2, ADDHDRS | CHGHDRS | QUARANTINE, hex(NOBODY), {}))


@case
def protocol_4(d):
    """An MTA of protocol 4"""
    with judges(d.socket, version=4, actions=0x3F, steps=0x3FF) as m:
        equal((m.version, m.actions, m.lists), (4, ADDHDRS | CHGHDRS | QUARANTINE, {}))
        equal(hex(m.steps), hex(NOBODY | NODATA | NOUNKNOWN | NR_HDR))


@case
def nothing_offered(d):
    """An MTA that offers nothing: libmilter takes it for one of the first protocol, which adds fields"""
    with judges(d.socket, version=2, actions=0, steps=0) as m:
        equal((m.actions, hex(m.steps)), (ADDHDRS, hex(NOBODY)))


@case
def every_offer_of_actions(d):
    """Of every offer the useful actions, and no other"""
    for offer in range(1, ALL_ACTIONS + 1):
        with Milter(d.socket, actions=offer) as m:
            equal(hex(m.actions), hex(offer & ACTIONS))


@case
def no_lists(d):
    """Without SMFIF_SETSYMLIST no list is sent, and what comes is used"""
    with judges(d.socket, actions=ALL_ACTIONS & ~SETSYMLIST) as m:
        equal((m.actions, hex(m.steps), m.lists), (ACTIONS & ~SETSYMLIST, hex(WANTED), {}))


@case
def body_is_taken(d):
    """A body that comes all the same does no harm"""
    offer = ALL_STEPS & ~(NOBODY | ALL_NR)
    with session(d.socket, steps=offer) as m:
        equal(m.steps & NOBODY, 0)
        accepted(m.message("alice", "alice@example.net", "alice@example.net"))


@case
def newer_protocol(d):
    """A protocol from the future is answered with ours"""
    with judges(d.socket, version=7, actions=0xFFFF, steps=0x0FFFFFFF) as m:
        equal((m.version, hex(m.actions), hex(m.steps)), (6, hex(ACTIONS), hex(WANTED)))


@case
def mixed_offers(d):
    """Connections with different offers side by side"""
    offers = [{}, {"steps": ALL_STEPS & ~ALL_NR}, {"version": 2, "actions": 0x3F, "steps": 0x7F}]
    sessions = [session(d.socket, **o) for o in offers * 3]
    for m in sessions:
        accepted(m.message("alice", "alice@example.net", "alice@example.net"))
    for m in reversed(sessions):
        refused(m.message("bob", "alice@example.net", "bob@example.net"), "sender-not-granted")
        m.quit()


@case
def new_connection_follows(d):
    """A connection that is used again without negotiation starts from nothing"""
    with session(d.socket) as m:
        accepted(m.message("alice", "alice@example.net", "alice@example.net"))
        m.send("K")
        m.connect()
        m.helo()
        refused(m.message(None, "alice@example.net", "alice@example.net"), "auth-required")
        accepted(m.message("bob", "bob@example.net", "bob@example.net"))


@case
def refuse_at_mail(d):
    """refuse_at = mail costs a third reply and refuses at MAIL"""
    with Daemon("refuse_at = mail") as own:
        with session(own.socket) as m:
            equal(hex(m.steps), hex(WANTED & ~NR_MAIL))
            accepted(m.message("alice", "alice@example.net", "alice@example.net"))
            equal(m.answers, 3)
            refused(m.mail("<bob@example.net>", "alice"), "sender-not-granted")
            m.abort()
            accepted(m.message("alice", "a.lee@example.net", "alice@example.net"))
        with session(own.socket, steps=ALL_STEPS & ~ALL_NR) as m:
            refused(m.mail("<bob@example.net>", "alice"), "sender-not-granted")


with Daemon() as daemon:
    main(daemon)
