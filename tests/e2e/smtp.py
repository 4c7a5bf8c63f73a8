"""A raw SMTP client: says exactly what it is told, byte for byte, and keeps the transcript.

smtplib would repair half of what these tests want to send.
"""
import base64
import re
import socket
import ssl

TIMEOUT = 60
SHOWN = 160  # octets of a line in the transcript


class Reply:
    """One SMTP reply, possibly of several lines."""

    def __init__(self, code, lines):
        self.code = code
        self.lines = lines

    @property
    def text(self):
        return " / ".join(self.lines)

    @property
    def queue_id(self):
        found = re.search(r"queued as (\w+)", self.text)
        return found.group(1) if found else None

    def __repr__(self):
        return f"{self.code} {self.text}"


class Closed(Exception):
    """The server closed the connection."""


def octets(text):
    return text.encode("utf-8") if isinstance(text, str) else text


def dot_stuffed(data):
    """Message data as it goes over the wire after DATA, the final dot included."""
    data = re.sub(rb"(?m)^\.", b"..", octets(data))
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    return data + b".\r\n"


class Smtp:
    def __init__(self, port, transcript=None):
        self.transcript = transcript if transcript is not None else []
        self.port = port
        self.sock = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.file = self.sock.makefile("rb")
        self.banner = self.reply()

    def note(self, mark, data):
        for line in octets(data).split(b"\r\n")[:40]:
            shown = repr(line[:SHOWN])[2:-1]
            more = f" ... {len(line)} octets" if len(line) > SHOWN else ""
            self.transcript.append(f"{self.port} {mark} {shown}{more}")

    def send(self, data):
        self.note(">", octets(data).removesuffix(b"\r\n"))
        self.sock.sendall(octets(data))

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                self.transcript.append(f"{self.port} < (closed)")
                raise Closed("the server closed the connection")
            line = line.rstrip(b"\r\n")
            self.note("<", line)
            lines.append(line[4:].decode("utf-8", "backslashreplace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), lines)

    def command(self, line):
        self.send(octets(line) + b"\r\n")
        return self.reply()

    def ehlo(self, name="client.test"):
        return self.command(f"EHLO {name}")

    def starttls(self, certificate=None):
        """TLS, with a certificate of the client's own where one is given, and EHLO."""
        reply = self.command("STARTTLS")
        if reply.code != 220:
            return reply
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate.cert, certificate.key)
        self.file.close()
        self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")
        return self.ehlo()

    def auth_plain(self, login, password):
        token = base64.b64encode(b"\0" + octets(login) + b"\0" + octets(password))
        return self.command(b"AUTH PLAIN " + token)

    def auth_login(self, login, password):
        self.command("AUTH LOGIN")
        self.command(base64.b64encode(octets(login)))
        return self.command(base64.b64encode(octets(password)))

    def xclient(self, **attributes):
        """A new session as someone else; the server answers with a new greeting."""
        words = " ".join(f"{name}={value}" for name, value in attributes.items())
        reply = self.command(f"XCLIENT {words}")
        if reply.code != 220:
            raise ValueError(f"XCLIENT {words}: {reply}")
        self.ehlo()
        return reply

    def mail(self, path, parameters=""):
        return self.command(f"MAIL FROM:{path}" + (f" {parameters}" if parameters else ""))

    def rcpt(self, path):
        return self.command(f"RCPT TO:{path}")

    def data(self, message):
        """DATA and the message; the reply to the final dot, or to DATA where that was refused."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        return self.raw_data(dot_stuffed(message))

    def raw_data(self, wire):
        """What follows a 354, final dot included."""
        self.send(wire)
        return self.reply()

    def bdat(self, chunks):
        """The chunks by BDAT (RFC 3030), the last one with LAST; the reply to that."""
        for chunk in chunks[:-1]:
            self.send(b"BDAT %d\r\n" % len(chunk) + chunk)
            reply = self.reply()
            if reply.code != 250:
                return reply
        self.send(b"BDAT %d LAST\r\n" % len(chunks[-1]) + chunks[-1])
        return self.reply()

    def rset(self):
        return self.command("RSET")

    def replies_until_closed(self):
        """QUIT, and all that the server still says."""
        self.send("QUIT\r\n")
        replies = []
        try:
            while True:
                replies.append(self.reply())
        except Closed:
            return replies

    def quit(self):
        try:
            self.command("QUIT")
        except (Closed, OSError):
            pass
        self.drop()

    def drop(self):
        """Gone without a word."""
        self.file.close()
        self.sock.close()
