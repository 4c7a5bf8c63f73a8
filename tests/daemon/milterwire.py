"""The MTA's side of the milter protocol, byte by byte, so that a test can also say what no MTA
would. Keeps to what was negotiated: sends nothing that the filter does not want, and waits for no
answer where it gives none."""

import socket
import struct

NOBODY, NOEOH, NR_HDR = 0x10, 0x40, 0x80
NOUNKNOWN, NODATA, SKIP, RCPT_REJ = 0x100, 0x200, 0x400, 0x800
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT = 0x1000, 0x2000, 0x4000, 0x8000
NR_DATA, NR_UNKN, NR_EOH, NR_BODY = 0x10000, 0x20000, 0x40000, 0x80000
LEADSPC = 0x100000
ALL_STEPS = 0x1FFFFF
ALL_NR = NR_HDR | NR_CONN | NR_HELO | NR_MAIL | NR_RCPT | NR_DATA | NR_UNKN | NR_EOH | NR_BODY
ADDHDRS, CHGHDRS, QUARANTINE, CHGFROM, SETSYMLIST = 0x1, 0x10, 0x20, 0x40, 0x100
ALL_ACTIONS = 0x1FF
CHANGES = "himeq"  # packets in front of the answer to the end of a message

UNWANTED = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "T": NODATA, "L": 0x20, "N": NOEOH,
            "B": NOBODY, "U": NOUNKNOWN}
UNANSWERED = {"C": NR_CONN, "H": NR_HELO, "M": NR_MAIL, "R": NR_RCPT, "T": NR_DATA, "L": NR_HDR,
              "N": NR_EOH, "B": NR_BODY, "U": NR_UNKN}


def open_socket(address, timeout):
    kind, _, rest = address.partition(":")
    if kind == "inet":
        port, _, host = rest.partition("@")
        return socket.create_connection((host or "127.0.0.1", int(port)), timeout)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    try:
        s.connect(rest)
    except OSError:
        s.close()
        raise
    return s


def latin(text):
    """Text to bytes, one character a byte; bytes stay."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


class Answer:
    def __init__(self, code, data):
        self.code = code  # 'c', 'y', 'r', 't', or None where the filter does not answer
        self.data = data

    @property
    def text(self):
        return self.data.rstrip(b"\0").decode("latin-1")

    @property
    def ok(self):
        return self.code in (None, "c")

    def __repr__(self):
        return "Answer(%r, %r)" % (self.code, self.data)


SILENCE = Answer(None, b"")


def change(answer):
    """A change to the message as a tuple, such as ("m", 1, "Sender", " value")."""
    data, number = answer.data, ()
    if answer.code in "im":
        number, data = struct.unpack("!I", data[:4]), data[4:]
    assert data.endswith(b"\0"), answer
    return (answer.code, *number, *(text.decode("latin-1") for text in data[:-1].split(b"\0")))


class Milter:
    def __init__(self, address, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS, timeout=30,
                 negotiate=True):
        self.socket = open_socket(address, timeout)
        self.answers = 0  # to events, the negotiation does not count
        self.changes = []  # of the last message
        if negotiate:
            self.negotiate(version, actions, steps)

    # ---- packets ----

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, command, data=b""):
        self.send_raw(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def _exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more:
                raise ConnectionError("the filter closed the connection")
            got += more
        return got

    def receive(self):
        size, = struct.unpack("!I", self._exactly(4))
        packet = self._exactly(size)
        answer = Answer(chr(packet[0]), packet[1:])
        assert answer.code != "a", "the filter said ACCEPT, which ends the filtering"
        return answer

    def negotiate(self, version, actions, steps):
        self.send("O", struct.pack("!III", version, actions, steps))
        answer = self.receive()
        assert answer.code == "O", answer
        self.version, self.actions, self.steps = struct.unpack("!III", answer.data[:12])
        self.lists = {}
        rest = answer.data[12:]
        while rest:
            stage, = struct.unpack("!I", rest[:4])
            names, _, rest = rest[4:].partition(b"\0")
            self.lists[stage] = names.decode()

    # ---- events ----

    def event(self, command, data=b"", macros=None):
        if self.steps & UNWANTED.get(command, 0):
            return SILENCE
        if macros is not None:
            self.macros(command, macros)
        self.send(command, data)
        if self.steps & UNANSWERED.get(command, 0):
            return SILENCE
        self.answers += 1
        answer = self.receive()
        while command == "E" and answer.code in CHANGES:
            self.changes.append(change(answer))
            answer = self.receive()
        return answer

    def macros(self, command, values):
        self.send("D", command.encode() + b"".join(latin(k) + b"\0" + latin(v) + b"\0"
                                                   for k, v in values.items()))

    def connect(self, host="client.test", address="192.0.2.10", port=40000, macros=None):
        family = b"6" if ":" in address else b"4"
        data = latin(host) + b"\0" + family + struct.pack("!H", port) + latin(address) + b"\0"
        return self.event("C", data, macros if macros is not None else
                          {"j": "mx.test", "v": "Postfix 3.7.11", "{daemon_name}": "ORIGINATING",
                           "{daemon_port}": "587"})

    def helo(self, name="client.test"):
        return self.event("H", latin(name) + b"\0")

    def mail(self, argument, login=None, macros=None):
        """login None: not authenticated. macros False: no set of macros is sent at all."""
        if macros is None:
            macros = {"{mail_addr}": latin(argument).strip(b"<>")}
            if login is not None:
                macros.update({"{auth_type}": "PLAIN", "{auth_authen}": login})
        return self.event("M", latin(argument) + b"\0", macros or None)

    def rcpt(self, argument="<friend@elsewhere.test>", macros=None):
        if macros is None:
            macros = {"{rcpt_addr}": latin(argument).strip(b"<>")}
        return self.event("R", latin(argument) + b"\0", macros or None)

    def header(self, name, value):
        lead = b" " if self.steps & LEADSPC else b""
        return self.event("L", latin(name) + b"\0" + lead + latin(value) + b"\0")

    def eom(self, headers, queue_id="4QUEUE"):
        """From DATA to the final dot."""
        self.changes = []
        answers = [self.event("T")]
        answers += [self.header(n, v) for n, v in headers]
        answers.append(self.event("N"))
        answers.append(self.event("B", b"hello\r\n"))
        bad = [a for a in answers if not a.ok]
        assert not bad, bad
        return self.event("E", b"", {"i": queue_id})

    def abort(self):
        self.send("A")

    def message(self, login, sender, from_, rcpt="<friend@elsewhere.test>"):
        """The first answer that is no "continue", else the one to the end of the message."""
        for answer in (self.mail("<%s>" % sender, login), self.rcpt(rcpt)):
            if not answer.ok:
                self.abort()
                return answer
        return self.eom([("From", from_), ("Subject", "test")])

    def quit(self):
        try:
            self.send("Q")
        except OSError:
            pass
        self.socket.close()

    def vanish(self):
        self.socket.close()

    def closed(self):
        """Has the filter ended the connection? Waits for the end or for bytes."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.quit()


def session(address, **negotiation):
    """A connection that is ready for MAIL."""
    m = Milter(address, **negotiation)
    m.connect()
    m.helo()
    return m
