"""Messages put together at random from the pieces that readers differ about, under policies that
change them: whatever is accepted shows nobody but the login's own addresses, in names too."""
import os
import random

from cases_actions import SENDERS, SPARE, login_of
from harness import case, check
from shown import check_shown
from smtp import octets

COUNT = int(os.environ.get("SENDAS_E2E_RANDOM", "100"))
SEED = 20261124
OWN = ("alice@example.com", "alice.second@example.com", "team@example.com",
       '"alice smith"@example.com', "alice+x@example.com", "ALICE@Example.COM")
FOREIGN = ("victim@bank.example", "bob@example.com", '"alice@example.com"@bank.example',
           "alice@example.com.bank.example", '"a<alice@example.com>"@bank.example',
           "alice@[192.0.2.1]", "postmaster@localhost.bank.example")
NAMES = ("", "Alice", "A. Lee", '"Lee, A."', "=?utf-8?q?J=C3=BCrgen?=", "J\u00fcrgen",
         '"victim@bank.example"', '"team@example.com"', "=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?=",
         '"=?utf-8?q?victim=40bank.example?="', "victim@bank.example", "\u202evictim", '""',
         '"a\\"b"', "Alice (x)", "(victim@bank.example)", "a\r\n b", '"a\r\n b"',
         "=?utf-8?q?a?= =?utf-8?q?=40bank.example?=", "Alice, Bob")
COMMENTS = ("", "", "", " (c)", "\r\n (victim@bank.example)", " (a (b) c)", " (")
FORMS = ("{name} <{address}>{comment}", "{address}{comment}", "<{address}>", "{name}<{address}>",
         "{comment} {name}\r\n\t<{address}>", "{name} < {address} >", "<{address}", "{address},",
         ", {name} <{address}>", "{name} <{address}> x", "<@bank.example:{address}>",
         "g: {address};", "{address} <{address}>")
SPELLINGS = ("{}: ", "{} : ", "{}\t:", "{}:", "{}:\r\n ")
OTHERS = ("Subject: x", "To: friend@far.example", "Reply-To: x@y.example", "X-Sendas-Tag: forged",
          "Resent-To: x@y.example", "Received: from a by b; x")


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, choices):
        return self.random.choice(choices)

    def often(self, usual, choices):
        return usual if self.random.random() < 0.6 else self.one(choices)

    def mailbox(self):
        address = self.one(OWN) if self.random.random() < 0.6 else self.one(FOREIGN)
        return self.often(FORMS[0], FORMS).format(
            name=self.often("Alice", NAMES), address=address, comment=self.often("", COMMENTS))

    def field(self, name):
        letters = self.one((name, name, name.upper(), name.lower()))
        count = self.often(1, (0, 1, 2, 3, 20))
        return (self.often(SPELLINGS[0], SPELLINGS).format(letters)
                + ", ".join(self.mailbox() for _ in range(count)))

    def header(self):
        names = ["From"] * self.often(1, (0, 1, 2)) + ["Sender"] * self.one((0, 0, 1, 1, 2, 3))
        names += ["Resent-From"] * self.one((0, 0, 1, 2, 20))
        names += ["Resent-Sender"] * self.one((0, 0, 1, 2))
        fields = [self.field(name) for name in names]
        fields += [self.one(OTHERS) for _ in range(self.random.randrange(3))]
        self.random.shuffle(fields)
        return ["Subject: random", *fields]


def is_accepted(bench, session, header, policy, names):
    data = b"".join(octets(field) + b"\r\n" for field in header) + b"\r\nbody\r\n"
    _, reply = bench.send(session, data, parameters="SMTPUTF8")
    if reply.code >= 500:
        return False
    delivered = bench.expect_accepted(reply)
    check_shown(delivered, SENDERS, login_of(policy), names=names)
    check(len(delivered.fields("From")) == 1 and len(delivered.fields("Sender")) <= 1,
          f"From or Sender more than once: {delivered.header!r}")
    check(not delivered.fields("X-Sendas-Tag"), f"a tag: {delivered.header!r}")
    return True


def plays(policy, at_least, names=False):
    """at_least of a hundred must get through, or the pieces are badly chosen."""
    @case(f"random messages under {policy}: nobody is shown but who may be")
    def run(bench):
        bench.keep_spare(**SPARE)
        session = bench.connect("spare", login_of(policy))
        accepted = 0
        for number in range(COUNT):
            header = Maker(SEED + number).header()
            del bench.transcript[:]  # of the one that fails, not of all
            accepted += is_accepted(bench, session, header, policy, names)
        check(accepted * 100 >= at_least * COUNT, f"only {accepted} of {COUNT} were accepted")


plays("rewrite", 20, names=True)
plays("remove", 5)
plays("reject", 1, names=True)
