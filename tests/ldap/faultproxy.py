"""A proxy in front of slapd that can be told to misbehave.

    with FaultProxy(slapd.port) as proxy:
        proxy.uri                        what the program under test is given
        proxy.behaviour = Silent()       from now on, on open connections too
        proxy.refuse(), proxy.listen()   the port is closed, and open again
        proxy.searches()                 what was asked through it, about whom
"""
import socket
import struct
import threading
import time

import ldapwire


class Pass:
    """How a proxy treats each message; this one hands all of them on. kind is the operation's tag,
    None for what is no LDAP, as in a TLS connection."""

    def request(self, link, kind, message):
        link.to_server(message)

    def response(self, link, kind, message):
        link.to_client(message)


class Silent(Pass):
    """Accepts, and says nothing: also in a TLS handshake."""

    def request(self, link, kind, message):
        pass

    def response(self, link, kind, message):
        pass


class SilentAfter(Pass):
    """Says so many messages of the server on each connection, then nothing. 1: the answer to a
    bind, or to StartTLS."""

    def __init__(self, messages):
        self.messages = messages

    def response(self, link, kind, message):
        if link.responses <= self.messages:
            link.to_client(message)


class SilentAfterOctets(Pass):
    """Hands on so many octets of the server on each connection, wherever that is in a record, then
    nothing."""

    def __init__(self, octets):
        self.octets = octets

    def response(self, link, kind, message):
        rest = max(0, self.octets - link.octets)
        link.octets += len(message)
        if message[:rest]:
            link.to_client(message[:rest])


class CutInResult(Pass):
    """Half of the first entry of a result, then the end: a reset, or an orderly close."""

    def __init__(self, reset):
        self.reset = reset

    def response(self, link, kind, message):
        if kind == ldapwire.ENTRY and not link.about_the_server:
            link.to_client(message[:len(message) // 2])
            link.end(self.reset)
        else:
            link.to_client(message)


class CloseAfterAnswer(Pass):
    """The connection is closed after so many searches have been answered."""

    def __init__(self, searches):
        self.searches = searches

    def response(self, link, kind, message):
        link.to_client(message)
        if kind == ldapwire.DONE and not link.about_the_server:
            link.answered += 1
            if link.answered >= self.searches:
                link.end(reset=False)


class Drip(Pass):
    """All of it, in many small pieces."""

    PIECES, PAUSE = 100, 0.001

    def response(self, link, kind, message):
        step = max(1, len(message) // self.PIECES)
        for start in range(0, len(message), step):
            link.to_client(message[start:start + step])
            time.sleep(self.PAUSE)


class Trickle(Pass):
    """One octet now and then: a time-out that begins anew with each never ends."""

    def response(self, link, kind, message):
        for octet in message:
            link.to_client(bytes([octet]))
            time.sleep(0.05)


class Garbage(Pass):
    """Answers that are no LDAP."""

    def response(self, link, kind, message):
        link.to_client(b"HTTP/1.1 400 Bad Request\r\n\r\n")


class Answer(Pass):
    """Answers searches by itself, with this result code, or never where it is None; hands on the
    rest: binds, and questions about the server."""

    def __init__(self, code, referrals=(), reference=None, attributes=None):
        """attributes: of one entry that comes first, see ldapwire.entry()."""
        self.code = code
        self.referrals = referrals
        self.reference = reference
        self.attributes = attributes

    def request(self, link, kind, message):
        if kind != ldapwire.SEARCH or link.about_the_server:
            link.to_server(message)
            return
        if self.code is None:
            return
        number = ldapwire.message_id(message)
        if self.attributes:
            link.to_client(ldapwire.entry(number, "cn=by the proxy", self.attributes))
        if self.reference:
            link.to_client(ldapwire.reference(number, self.reference))
        link.to_client(ldapwire.done(number, self.code, "by the proxy", self.referrals))


class Hold(Pass):
    """Answers about people are kept back until release()."""

    def __init__(self):
        self.free = threading.Event()

    def release(self):
        self.free.set()

    def response(self, link, kind, message):
        if not link.about_the_server:
            self.free.wait()
        link.to_client(message)


class Link:
    """One connection, with a thread for each direction."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = socket.create_connection(proxy.target)
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.responses = 0
        self.octets = 0  # for SilentAfterOctets
        self.answered = 0  # for CloseAfterAnswer
        self.about_the_server = True  # the last search asks for root DSE or schema
        for pump in (self.pump_requests, self.pump_responses):
            threading.Thread(target=pump, daemon=True).start()

    def pump_requests(self):
        self.pump(ldapwire.Reader(self.client), self.take_request)
        shut(self.server)

    def pump_responses(self):
        self.pump(ldapwire.Reader(self.server), self.take_response)
        self.end(reset=False)

    def pump(self, reader, take):
        try:
            while message := reader.message():
                take(None if reader.raw else ldapwire.kind(message), message)
        except OSError:
            pass

    def take_request(self, kind, message):
        if kind == ldapwire.SEARCH:
            search = ldapwire.search_of(message)
            self.about_the_server = search.about_the_server()
            self.proxy.note(search)
        elif kind == ldapwire.BIND:
            self.proxy.note_bind()
        self.proxy.behaviour.request(self, kind, message)

    def take_response(self, kind, message):
        self.responses += 1
        self.proxy.behaviour.response(self, kind, message)

    def to_client(self, data):
        self.client.sendall(data)

    def to_server(self, data):
        self.server.sendall(data)

    def end(self, reset):
        if reset:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            shut(self.client, socket.SHUT_RD)  # else the reset waits for our own recv()
            self.client.close()
        shut(self.client)
        shut(self.server)


def shut(sock, how=socket.SHUT_RDWR):
    try:
        sock.shutdown(how)
    except OSError:
        pass


class Deaf:
    """A port to which nobody can connect, nor is told so: its queue is full, and SYN is dropped."""

    def __enter__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.queue = [socket.socket() for _ in range(8)]
        for sock in self.queue:
            sock.setblocking(False)
            sock.connect_ex(self.listener.getsockname())
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        return self

    def __exit__(self, *_):
        for sock in (*self.queue, self.listener):
            sock.close()


class FaultProxy:
    """target_port: where slapd listens. scheme: "ldaps" for a proxy in front of that port."""

    def __init__(self, target_port, scheme="ldap"):
        self.target = ("127.0.0.1", target_port)
        self.behaviour = Pass()
        self.lock = threading.Lock()
        self.seen = []
        self.links = []
        self.binds = 0
        self.connections = 0
        self.port = 0
        self.listener = None
        self.listen()
        self.uri = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if isinstance(self.behaviour, Hold):
            self.behaviour.release()
        self.refuse()

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self.listener = listener
        self.acceptor = threading.Thread(target=self.accept, args=(listener,), daemon=True)
        self.acceptor.start()

    def accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            with self.lock:
                self.connections += 1
            try:
                link = Link(self, client)
            except OSError:
                client.close()  # slapd is not there: neither are we
                continue
            with self.lock:
                self.links.append(link)

    def refuse(self):
        """Nobody listens, and open connections are reset."""
        shut(self.listener)
        self.listener.close()
        self.acceptor.join()
        self.reset_links()

    def reset_links(self):
        with self.lock:
            links, self.links = self.links, []
        for link in links:
            try:
                link.end(reset=True)
            except OSError:
                pass

    # ---- what went through ----

    def note(self, search):
        with self.lock:
            self.seen.append(search)

    def note_bind(self):
        with self.lock:
            self.binds += 1

    def searches(self, text=""):
        """The searches about people whose filter holds that text."""
        with self.lock:
            return [search for search in self.seen
                    if not search.about_the_server() and text in search.filter]
