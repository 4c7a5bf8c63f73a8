"""Rows for a message that is taken: what is delivered of it, byte for byte."""
import dataclasses
import re

from harness import TO, case, check
from rig import SENDERS
from shown import check_shown
from smtp import octets

BODY = b"hello\r\n"


def header_of(fields):
    return b"".join(octets(field) + b"\r\n" for field in fields)


def without_received(header):
    """(fields above this hop's Received, fields below it)."""
    found = re.search(rb"(?s)(.*?)Received: from client\.test .*?\r\n(?![ \t])(.*)", header)
    check(found, f"no Received of this hop: {header!r}")
    return found.groups()


@dataclasses.dataclass
class Change:
    name: str
    sent: tuple                # header fields
    below: tuple = None        # those below this hop's Received then; None for the same
    above: tuple = ()          # those above it
    login: str = None
    mail: str = "<alice@example.com>"
    sender: str = "alice@example.com"
    rcpts: tuple = (TO,)
    parameters: str = ""
    held: bool = False         # 250 for the client, but in the hold queue
    listener: str = "spare"
    client: dict = None        # XCLIENT attributes
    judged: bool = True        # a mail program shows none but the login's own addresses
    spare: dict = dataclasses.field(default_factory=dict)

    def __call__(self, bench):
        bench.keep_spare(**self.spare)
        session = bench.connect(self.listener, self.login)
        if self.client:
            session.xclient(**self.client)
        data = header_of(self.sent) + b"\r\n" + BODY
        stage, reply = bench.send(session, data, self.mail, self.rcpts, self.parameters)
        check(stage == "eom", f"at {stage}: {reply}")
        got = bench.expect_held(reply) if self.held else bench.expect_accepted(reply)
        self.compare(got)
        if self.judged and self.login and not self.held:
            check_shown(got, self.spare.get("senders", SENDERS), self.login, names=True)
        session.quit()

    def compare(self, got):
        above, below = without_received(got.header)
        wanted = header_of(self.sent if self.below is None else self.below)
        check(above == header_of(self.above), f"above Received: {above!r}")
        check(below == wanted, f"delivered {below!r}, wanted {wanted!r}")
        check(got.data.endswith(b"\r\n\r\n" + BODY), f"body: {got.data!r}")
        check(got.sender == self.sender, f"envelope sender {got.sender!r}")


def on_spare(name, run, configuration):
    """A case that the second daemon answers with this configuration."""
    def kept(bench):
        bench.keep_spare(**configuration)
        run(bench)
    case(name)(kept)
