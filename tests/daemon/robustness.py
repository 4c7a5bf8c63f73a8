"""Peers that vanish, talk nonsense, or come in crowds."""

import os
import random
import struct

from daemonkit import Daemon, accepted, case, equal, main, refused, wait_for
from milterwire import ALL_ACTIONS, ALL_NR, ALL_STEPS, Milter, session

OWN = "alice@example.net"
CROWD = 200


def works(d):
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))
        refused(m.message("alice", OWN, "bob@example.net"), "from-not-granted")


@case
def vanishes(d):
    """A client that vanishes at any point of a message"""
    def play(m, steps):
        todo = [lambda: m.connect(), lambda: m.helo(), lambda: m.mail("<%s>" % OWN, "alice"),
                lambda: m.rcpt(), lambda: m.header("From", OWN), lambda: m.event("N"),
                lambda: m.send("E")]
        for step in todo[:steps]:
            step()
    for offer in (ALL_STEPS, ALL_STEPS & ~ALL_NR):
        for steps in range(8):
            for _ in range(10):
                m = Milter(d.socket, steps=offer)
                play(m, steps)
                m.vanish()
    works(d)


@case
def vanishes_in_a_packet(d):
    """A client that vanishes in the middle of a packet"""
    packet = struct.pack("!I", 21) + b"M<alice@example.net>\0"
    for size in range(1, len(packet)):
        m = session(d.socket)
        m.send_raw(packet[:size])
        m.vanish()
    works(d)


@case
def before_negotiation(d):
    """Events before the negotiation, and no negotiation at all"""
    for command in "CHMRTLNBEAQUDK":
        m = Milter(d.socket, negotiate=False)
        m.send(command, b"x\0y\0")
        m.vanish()
    Milter(d.socket, negotiate=False).vanish()
    works(d)


@case
def negotiation_twice(d):
    """A second negotiation is not taken"""
    with session(d.socket) as m:
        m.send("O", struct.pack("!III", 6, ALL_ACTIONS, ALL_STEPS))
        accepted(m.message("alice", OWN, OWN))


@case
def negotiation_too_short(d):
    """A negotiation that is too short, or of protocol 1"""
    for data in (b"", b"\0\0\0\6", struct.pack("!II", 6, 0), struct.pack("!III", 1, 0, 0)):
        m = Milter(d.socket, negotiate=False)
        m.send("O", data)
        assert m.closed()
        m.vanish()
    works(d)


@case
def out_of_order(d):
    """Events in an order that no MTA has"""
    chance = random.Random(4711)
    for _ in range(300):
        m = Milter(d.socket)
        for _ in range(chance.randrange(1, 12)):
            command = chance.choice("CHMRLNEA")
            data = {"C": b"client\x004\x00\x01192.0.2.1\0", "H": b"client\0", "M": b"<a@b>\0",
                    "R": b"<c@d>\0", "L": b"From\0a@b\0"}.get(command, b"")
            m.send(command, data)
        m.vanish()
    works(d)


@case
def garbage(d):
    """Random bytes"""
    chance = random.Random(42)
    for _ in range(300):
        m = Milter(d.socket, negotiate=chance.random() < 0.5)
        try:
            m.send_raw(chance.randbytes(chance.randrange(1, 3000)))
        except OSError:
            pass
        m.vanish()
    works(d)


@case
def odd_arguments(d):
    """Packets without their arguments, or without the end of their text"""
    for command in "CHMRLTNEU":
        for data in (b"", b"\0", b"x", b"x\0", b"\0\0\0\0", b"x\0y", b"\xff" * 100):
            m = session(d.socket)
            m.mail("<%s>" % OWN, "alice")
            m.rcpt()
            m.send(command, data)
            m.vanish()
    works(d)


@case
def oversized(d):
    """A packet over a megabyte ends its own connection only"""
    for claimed in (2 ** 20 + 2, 2 ** 31 - 1, 2 ** 32 - 1):
        m = session(d.socket)
        m.mail("<%s>" % OWN, "alice")
        accepted(m.rcpt())
        m.send_raw(struct.pack("!I", claimed) + b"L")
        assert m.closed()
        m.vanish()
    works(d)


@case
def long_arguments(d):
    """Arguments and macros of 400 kB"""
    long = "x" * 400000
    with session(d.socket) as m:
        m.mail("<%s@example.net>" % long, "alice")
        refused(m.rcpt(), "sender-malformed")
        m.abort()
        refused(m.message(long, OWN, OWN), "login-unknown")
        m.mail("<%s>" % OWN, "alice")
        m.rcpt("<%s@example.net>" % long)
        m.abort()
        accepted(m.message("alice", OWN, OWN))
    with Milter(d.socket) as m:
        m.connect(host=long, macros={"{client_name}": long, "{daemon_name}": long})
        m.helo(long)
        accepted(m.message("alice", OWN, OWN))


def crowd_senders():
    return "".join("user%d@example.net user%d\n" % (i, i) for i in range(CROWD))


@case
def crowd(_):
    """200 connections step by step, each with a login of its own: no mix-up"""
    with Daemon(senders=crowd_senders()) as d:
        sessions = [session(d.socket) for _ in range(CROWD)]
        chance = random.Random(1)

        def each():
            order = list(range(CROWD))
            chance.shuffle(order)
            return order

        for turn in range(3):
            # One in three claims the address of the next one: in the envelope or in From.
            claim = [i if (i + turn) % 3 else (i + 1) % CROWD for i in range(CROWD)]
            in_from = [(i // 3) % 2 == 0 for i in range(CROWD)]
            for i in each():
                sender = i if in_from[i] else claim[i]
                sessions[i].mail("<user%d@example.net>" % sender, "user%d" % i)
            alive = set()
            for i in each():
                answer = sessions[i].rcpt()
                if in_from[i] or claim[i] == i:
                    accepted(answer)
                    alive.add(i)
                else:
                    refused(answer, "sender-not-granted", "user%d@" % claim[i], "user%d" % i)
                    sessions[i].abort()
            for i in each():
                if i in alive:
                    sessions[i].header("From", "user%d@example.net" % claim[i])
                    sessions[i].event("N")
            for i in each():
                if i not in alive:
                    continue
                answer = sessions[i].event("E", b"", {"i": "Q%d" % i})
                if claim[i] == i:
                    accepted(answer)
                else:
                    refused(answer, "from-not-granted", "user%d@" % claim[i], "login user%d;" % i)
        for m in sessions:
            m.quit()
        return "%d threads at the end" % d.status("Threads")


@case
def descriptors(_):
    """Connections are refused before descriptors run out, and taken again later"""
    with Daemon(descriptors=128) as d:
        open_, refusals = [], 0
        for _ in range(100):
            try:
                open_.append(Milter(d.socket))
            except ConnectionError:
                refusals += 1
        equal((len(open_), refusals), (64, 36))
        used = len(os.listdir("/proc/%d/fd" % d.process.pid))
        assert used < 128, used
        d.wait_for_log("no more are taken")
        equal(d.log().count("no more are taken"), 1)
        for m in open_:
            m.connect()
            m.helo()
            accepted(m.message("alice", OWN, OWN))
        for m in open_[:32]:
            m.quit()
        wait_for(d.answers, "room")
        works(d)
        for m in open_[32:]:
            m.quit()
        works(d)


with Daemon() as daemon:
    main(daemon)
