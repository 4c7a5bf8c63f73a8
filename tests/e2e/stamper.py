"""Another filter of the same MTA: puts fields into every message, as one that checks SPF and DKIM
does, and keeps what it was shown. The filter's side of the milter protocol, with no more of it than
that takes."""
import socketserver
import struct
import threading

VERSION, ADDS_HEADERS = 6, 0x1
SILENT = "DAQKB"  # commands without an answer; the body is not asked for
NO_BODY = 0x10


class Handler(socketserver.StreamRequestHandler):
    def packet(self):
        """(command, data), or None at the end of the connection."""
        head = self.rfile.read(5)
        if len(head) < 5:
            return None
        size, command = struct.unpack("!Ic", head)
        return command.decode("latin-1"), self.rfile.read(size - 1)

    def say(self, command, data=b""):
        self.wfile.write(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def handle(self):
        while True:
            packet = self.packet()
            if packet is None or packet[0] == "Q":
                return
            self.answer(*packet)

    def answer(self, command, data):
        if command == "O":
            self.say("O", struct.pack("!III", VERSION, ADDS_HEADERS, NO_BODY))
        elif command == "M":
            self.seen = []
            self.say("c")
        elif command == "L":
            name, value, _ = data.split(b"\0")
            self.seen.append((name, value))
            self.say("c")
        elif command == "E":
            self.server.stamper.shown.append(self.seen)
            for index, name, value in self.server.stamper.fields:
                self.say("i", struct.pack("!I", index) + name.encode() + b"\0" + value.encode()
                         + b"\0")
            self.say("c")
        elif command not in SILENT:
            self.say("c")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Stamper:
    """Runs as a context. fields: (index, name, value) as smfi_insheader() takes them, to be set
    before a message; shown: of every message the (name, value) pairs that it was shown."""

    def __init__(self, port):
        self.fields = []
        self.shown = []
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.stamper = self

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
