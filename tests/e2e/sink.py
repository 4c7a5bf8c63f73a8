"""An SMTP server that takes everything and keeps it in memory: where accepted mail arrives."""
import re
import socketserver
import threading
import time

# The trace field that the MTA under test put on top; it names its queue file.
QUEUE_ID = re.compile(rb"\(Postfix(?P<local>, from userid \d+)?\)\s+(?:with \S+ )?id (?P<id>\w+)")


class Delivered:
    """One message as it left the MTA."""

    def __init__(self, sender, recipients, data):
        self.sender = sender
        self.recipients = recipients
        self.data = data
        found = QUEUE_ID.search(data)
        self.queue_id = found.group("id").decode() if found else None
        self.local = bool(found and found.group("local"))

    @property
    def header(self):
        return self.data.split(b"\r\n\r\n", 1)[0] + b"\r\n"

    def fields(self, name):
        """Values of all header fields of that name, folds included."""
        found = re.findall(rb"(?mis)^" + name.encode() + rb"[ \t]*:(.*?)\r\n(?![ \t])", self.header)
        return [value.strip() for value in found]


class Handler(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.sender, self.recipients = None, []
        self.say("220 sink.test ESMTP")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            line = line.rstrip(b"\r\n")
            verb = line.split(b" ")[0].upper().decode("ascii", "replace")
            if verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            getattr(self, "do_" + verb, self.do_other)(line)

    def do_EHLO(self, _line):
        self.say("250-sink.test\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8")

    def do_MAIL(self, line):
        self.sender, self.recipients = self.path(line), []
        self.say("250 2.1.0 Ok")

    def do_RCPT(self, line):
        self.recipients.append(self.path(line))
        self.say("250 2.1.5 Ok")

    def do_DATA(self, _line):
        self.say("354 go on")
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                return
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server.keep(Delivered(self.sender, self.recipients, b"".join(lines)))
        self.say("250 2.0.0 kept")

    def do_other(self, _line):
        self.say("250 2.0.0 Ok")

    @staticmethod
    def path(line):
        found = re.search(rb"<(.*)>", line)
        return found.group(1).decode("utf-8", "backslashreplace") if found else ""


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.arrived = threading.Condition()
        self.kept = []
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def keep(self, delivered):
        with self.arrived:
            self.kept.append(delivered)
            self.arrived.notify_all()

    def wait_for(self, wanted, seconds=30):
        """The first message for which wanted() is true, or None."""
        deadline = time.monotonic() + seconds
        with self.arrived:
            while True:
                for delivered in self.kept:
                    if wanted(delivered):
                        return delivered
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.arrived.wait(left)

    def message(self, queue_id, seconds=30):
        return self.wait_for(lambda delivered: delivered.queue_id == queue_id, seconds)

    def all(self):
        with self.arrived:
            return list(self.kept)

    def stop(self):
        self.shutdown()
        self.server_close()
