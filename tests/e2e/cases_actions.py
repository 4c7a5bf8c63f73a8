"""What becomes of a message whose claims are tagged, rewritten, removed or held: the sink must get
exactly what the manual says, byte for byte."""
import dataclasses
import re

from harness import CASES, OWN, TO, Row, case, check, message
from shown import check_shown
from smtp import octets

VICTIM = "victim@bank.example"
FOREIGN = f"From: Victim <{VICTIM}>"
SUBJECT = "Subject: first"
CHECKS = ("envelope", "header_from", "multiple_from", "missing_from", "header_sender", "resent",
          "display_name")
REMOVABLE = ("header_sender", "resent")

# A policy is chosen by the domain of the login; alice has the same addresses under each of them.
POLICIES = {
    "tag": dict.fromkeys(CHECKS, "tag"),
    "rewrite": dict.fromkeys(CHECKS, "rewrite"),
    "remove": dict.fromkeys(REMOVABLE, "remove"),
    "quarantine": dict.fromkeys(CHECKS, "quarantine"),
    "tempfail": dict.fromkeys(CHECKS, "tempfail"),
    "reject": dict.fromkeys(CHECKS, "reject"),
    "mixed": {"envelope": "rewrite", "header_from": "rewrite", "header_sender": "quarantine",
              "resent": "tag", "display_name": "tag"},
    "stern": {"envelope": "rewrite", "header_from": "rewrite", "header_sender": "reject",
               "resent": "tempfail", "display_name": "quarantine"},
    "names": {"display_name": "rewrite", "header_sender": "tag", "resent": "tag"},
    "exempt": {**dict.fromkeys(CHECKS, "rewrite"), "exempt_logins": '{ "@exempt.test" }'},
    "homeless": dict.fromkeys(CHECKS, "rewrite"),
}
ADDRESSES = ("alice@example.com", "alice.second@example.com", '"alice smith"@example.com',
             "j\u00fcrgen@example.com", "team@example.com")


def login_of(policy):
    return f"alice@{policy}.test"


def policy_block(name, options):
    lines = "".join(f"    {option} = {value}\n" for option, value in options.items())
    return f'policy "{name}" {{\n    logins = {{ "@{name}.test" }}\n{lines}}}\n'


def senders():
    """Nobody's primary address is in a domain that is granted as a whole."""
    owners = ", ".join(login_of(name) for name in POLICIES if name != "homeless")
    return ("".join(f"{address} {owners}\n" for address in ADDRESSES)
            + f"@home.example {login_of('homeless')}\n")


SENDERS = senders()
SPARE = {"senders": SENDERS,
         "extra": "".join(policy_block(name, options) for name, options in POLICIES.items())}


def tag(reason, address, policy="tag"):
    return (f'X-Sendas-Tag: {reason};\r\n address="{address}";\r\n'
            f' login="{login_of(policy)}"')


def original(value):
    """What a rewritten From leaves behind."""
    return f"X-Original-From: {value}", f"Reply-To: {value}"


def without_received(header):
    """(fields above this hop's Received, fields below it)."""
    found = re.search(rb"(?s)(.*?)Received: from client\.test .*?\r\n(?![ \t])(.*)", header)
    check(found, f"no Received of this hop: {header!r}")
    return found.groups()


def header_of(fields):
    return b"".join(octets(field) + b"\r\n" for field in fields)


@dataclasses.dataclass
class Change:
    """A message that is taken, and what is delivered of it."""

    name: str
    policy: str
    sent: tuple                # header fields
    below: tuple = None        # what becomes of them; None for nothing
    above: tuple = ()          # fields above this hop's Received
    mail: str = "<alice@example.com>"
    sender: str = "alice@example.com"
    held: bool = False
    parameters: str = ""

    def __call__(self, bench):
        bench.keep_spare(**SPARE)
        session = bench.connect("spare", login_of(self.policy))
        data = header_of(self.sent) + b"\r\nhello\r\n"
        stage, reply = bench.send(session, data, self.mail, parameters=self.parameters)
        check(stage == "eom", f"at {stage}: {reply}")
        got = bench.expect_held(reply) if self.held else bench.expect_accepted(reply)
        self.compare(got)
        if not self.held and self.policy != "exempt":
            check_shown(got, SENDERS, login_of(self.policy), names=True)
        session.quit()

    def compare(self, got):
        above, below = without_received(got.header)
        wanted = header_of(self.sent if self.below is None else self.below)
        check(above == header_of(self.above), f"above Received: {above!r}")
        check(below == wanted, f"delivered {below!r}, wanted {wanted!r}")
        check(got.data.endswith(b"\r\n\r\nhello\r\n"), f"body: {got.data!r}")
        check(got.sender == self.sender, f"envelope sender {got.sender!r}")


@dataclasses.dataclass
class Refusal(Row):
    listener: str = "spare"
    policy: str = "rewrite"

    def __call__(self, bench):
        bench.keep_spare(**SPARE)
        self.login = login_of(self.policy)
        super().__call__(bench)


def changes(*table):
    for row in table:
        CASES.append((f"{row.policy}: {row.name}", row))


# ---- tag: all is delivered as it came, and named ----

changes(
    Change("own message has no tag", "tag", (OWN,)),
    Change("foreign envelope sender", "tag", (OWN,), mail=f"<{VICTIM}>", sender=VICTIM,
           above=(tag("sender-not-granted", VICTIM),)),
    Change("malformed envelope sender", "tag", (OWN,), mail="<(c)alice@example.com>",
           above=(tag("sender-malformed", "<(c)alice@example.com>"),)),
    Change("foreign From", "tag", (FOREIGN,), above=(tag("from-not-granted", VICTIM),)),
    Change("several mailboxes in From", "tag", (OWN + ", team@example.com",),
           above=(tag("from-multiple", "team@example.com"),)),
    Change("missing From", "tag", (SUBJECT,), above=('X-Sendas-Tag: from-missing;\r\n login='
                                                     '"alice@tag.test"',)),
    Change("two From fields", "tag", (OWN, "From: team@example.com"),
           above=('X-Sendas-Tag: from-duplicate;\r\n login="alice@tag.test"',)),
    Change("foreign Sender", "tag", (OWN, f"Sender: {VICTIM}"),
           above=(tag("header-sender-not-granted", VICTIM),)),
    Change("foreign Resent-From", "tag", (f"Resent-From: {VICTIM}", OWN),
           above=(tag("resent-not-granted", VICTIM),)),
    Change("foreign address in the name", "tag", (f'From: "{VICTIM}" <alice@example.com>',),
           above=(tag("display-name-address", VICTIM),)),
    Change("each finding has a tag, the first one lowest", "tag",
           (FOREIGN, "Sender: bob@example.com"), mail="<x@far.example>", sender="x@far.example",
           above=(tag("header-sender-not-granted", "bob@example.com"),
                  tag("from-not-granted", VICTIM), tag("sender-not-granted", "x@far.example"))),
    Change("tags of the client's own are taken out", "tag",
           ("X-Sendas-Tag: from-not-granted; address=\"bob@example.com\"", OWN,
            "x-sendas-tag : forged\r\n folded", SUBJECT), (OWN, SUBJECT)),
    Change("quotes and 8-bit octets of an address stay inside the tag's quotes", "tag",
           ('From: "a\\"b;c"@bank.example',),
           above=(tag("from-not-granted", '\\"a\\\\\\"b;c\\"@bank.example'),)),
)

# ---- rewrite ----

changes(
    Change("own message is as it was", "rewrite", (OWN, "Sender: alice.second@example.com")),
    Change("foreign envelope sender becomes the primary address", "rewrite", (OWN,),
           mail=f"<{VICTIM}>"),
    Change("malformed envelope sender becomes the primary address", "rewrite", (OWN,),
           mail="<(victim@bank.example)alice.second@example.com>"),
    Change("foreign envelope sender in UTF-8 becomes the primary address", "rewrite", (OWN,),
           mail="<m\u00fcller@example.com>", parameters="SMTPUTF8"),
    Change("second own address stays", "rewrite", ("From: Alice <alice.second@example.com>",),
           mail="<alice.second@example.com>", sender="alice.second@example.com"),
    Change("From keeps its plain name, the old value is kept beside it", "rewrite",
           (FOREIGN, SUBJECT),
           ("From: Victim <alice@example.com>", SUBJECT, *original(f"Victim <{VICTIM}>"))),
    Change("From without a name", "rewrite", (SUBJECT, f"From: {VICTIM}"),
           (SUBJECT, "From: alice@example.com", *original(VICTIM))),
    Change("Reply-To that is there stays", "rewrite",
           ("reply-TO : helpdesk@far.example", f"From: <{VICTIM}>"),
           ("reply-TO: helpdesk@far.example", "From: alice@example.com",
            f"X-Original-From: <{VICTIM}>")),
    Change("name with an address in it goes", "rewrite",
           (f'From: "{VICTIM}" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"{VICTIM}" <{VICTIM}>'))),
    Change("name with an own address in it goes too where the address does", "rewrite",
           (f'From: "team@example.com" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"team@example.com" <{VICTIM}>'))),
    Change("comment behind the address goes", "rewrite",
           (f"From: Alice <{VICTIM}> (boss@bank.example)",),
           ("From: alice@example.com", *original(f"Alice <{VICTIM}> (boss@bank.example)"))),
    Change("quoted name", "rewrite", (f'From: "Victim, V. \\"x\\"" <{VICTIM}>',),
           ('From: "Victim, V. \\"x\\"" <alice@example.com>',
            *original(f'"Victim, V. \\"x\\"" <{VICTIM}>'))),
    Change("encoded words in the name", "rewrite",
           (f"From: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <{VICTIM}>",),
           ("From: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <alice@example.com>",
            *original(f"=?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <{VICTIM}>"))),
    Change("encoded words that hide an address", "rewrite",
           (f"From: =?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <{VICTIM}>",),
           ("From: alice@example.com",
            *original(f"=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <{VICTIM}>"))),
    Change("8-bit name", "rewrite", (f"From: J\u00fcrgen <{VICTIM}>",),
           ("From: J\u00fcrgen <alice@example.com>", *original(f"J\u00fcrgen <{VICTIM}>")),
           parameters="BODY=8BITMIME"),
    Change("8-bit name that is not UTF-8", "rewrite", (b"From: J\xfcrgen <victim@bank.example>",),
           (b"From: J\xfcrgen <alice@example.com>",
            b"X-Original-From: J\xfcrgen <victim@bank.example>",
            b"Reply-To: J\xfcrgen <victim@bank.example>")),
    Change("folded From", "rewrite",
           (f"From: Victim\r\n\tof the\r\n Bank\r\n   <{VICTIM}>", SUBJECT),
           ("From: Victim\r\n\tof the\r\n Bank <alice@example.com>", SUBJECT,
            *original(f"Victim\r\n\tof the\r\n Bank\r\n   <{VICTIM}>"))),
    Change("From folded right behind the colon", "rewrite", (f"From:\r\n {VICTIM}",),
           ("From: alice@example.com", *original(VICTIM))),
    Change("From with a blank before the colon, behind others", "rewrite",
           (SUBJECT, f"From : {VICTIM}", "To: friend@far.example"),
           (SUBJECT, "From: alice@example.com", "To: friend@far.example", *original(VICTIM))),
    Change("FROM in capitals", "rewrite", (f"FROM: {VICTIM}",),
           ("From: alice@example.com", *original(VICTIM))),
    Change("from in small letters with a tab before the colon", "rewrite",
           (SUBJECT, f"from\t:{VICTIM}"), (SUBJECT, "From: alice@example.com", *original(VICTIM))),
    Change("long name goes where the line would be too long", "rewrite",
           (f'From: "{"n" * 900}" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"{"n" * 900}" <{VICTIM}>'))),
    Change("name that just fits is kept, and a line that would be too long is folded", "rewrite",
           (f'From: {"n" * 700} <{VICTIM}> ({"c" * (998 - 700 - 32)})',),
           (f'From: {"n" * 700} <alice@example.com>',
            *(f'{name}:{blank}{"n" * 700} <{VICTIM}> ({"c" * (998 - 700 - 32)})'
              for name, blank in (("X-Original-From", " \r\n "), ("Reply-To", " \r\n "))))),
    Change("several mailboxes become one", "rewrite",
           ("From: Alice <alice@example.com>, Team <team@example.com>",),
           ("From: alice@example.com",
            *original("Alice <alice@example.com>, Team <team@example.com>"))),
    Change("several mailboxes, one of them foreign", "rewrite",
           (f"From: alice@example.com,\r\n {VICTIM}",),
           ("From: alice@example.com", *original(f"alice@example.com,\r\n {VICTIM}"))),
    Change("missing From is added", "rewrite", (SUBJECT,), (SUBJECT, "From: alice@example.com")),
    Change("From without a value is filled", "rewrite", ("From:  ", SUBJECT),
           ("From: alice@example.com", SUBJECT)),
    Change("foreign Sender", "rewrite", (f"Sender: Victim <{VICTIM}>", OWN),
           ("Sender: alice@example.com", OWN)),
    Change("foreign Sender in front of From, in odd letters", "rewrite",
           (SUBJECT, f"SENDER\t: {VICTIM}", OWN), (SUBJECT, "Sender: alice@example.com", OWN)),
    Change("folded Sender", "rewrite", (OWN, f"Sender:\r\n Victim\r\n <{VICTIM}>", SUBJECT),
           (OWN, "Sender: alice@example.com", SUBJECT)),
    Change("malformed Sender", "rewrite", (OWN, f"Sender: <{VICTIM}> <alice@example.com>"),
           (OWN, "Sender: alice@example.com")),
    Change("group in Sender", "rewrite", (OWN, "Sender: team: alice@example.com;"),
           (OWN, "Sender: alice@example.com")),
    Change("several mailboxes in Sender", "rewrite",
           (OWN, "Sender: alice@example.com, alice.second@example.com"),
           (OWN, "Sender: alice@example.com")),
    Change("second Sender goes, the first one becomes the primary address", "rewrite",
           ("Sender: alice.second@example.com", OWN, f"sender : {VICTIM}", SUBJECT),
           ("Sender: alice@example.com", OWN, SUBJECT)),
    Change("three Senders", "rewrite",
           (f"Sender: {VICTIM}", "Sender: ", OWN, "sender: bob@example.com"),
           ("Sender: alice@example.com", OWN)),
    Change("foreign Resent-From of the second block", "rewrite",
           ("Resent-From: team@example.com", "Resent-To: x@far.example",
            f"Resent-From: Victim <{VICTIM}>", OWN, "Resent-From: alice.second@example.com"),
           ("Resent-From: team@example.com", "Resent-To: x@far.example",
            "Resent-From: alice@example.com", OWN, "Resent-From: alice.second@example.com")),
    Change("foreign Resent-* in odd letters and places", "rewrite",
           ("RESENT-FROM: team@example.com", "Resent-Sender : team@example.com",
            f"resent-from\t: {VICTIM}", f"Resent-Sender:\r\n {VICTIM}", OWN,
            "Resent-From: team@example.com, bob@example.com", "Resent-sender: bob@example.com"),
           ("RESENT-FROM: team@example.com", "Resent-Sender: team@example.com",
            "Resent-From: alice@example.com", "Resent-Sender: alice@example.com", OWN,
            "Resent-From: alice@example.com", "Resent-Sender: alice@example.com")),
    Change("name with a foreign address beside an own one goes", "rewrite",
           (f'From: "{VICTIM}" <alice.second@example.com>', "Sender: team@example.com"),
           ("From: alice.second@example.com", "Sender: team@example.com")),
    Change("names in Sender and Resent-From go", "rewrite",
           (OWN, f"Sender: {VICTIM} (x) <team@example.com>",
            f'Resent-From: Team <team@example.com>, "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: alice@example.com",
            "Resent-From: team@example.com,\r\n alice@example.com")),
    Change("name that turns the direction goes", "rewrite",
           ('From: "\u202emitciV\u202c" <alice@example.com>',), (OWN,), parameters="SMTPUTF8"),
    Change("all at once", "rewrite",
           (f"Sender: {VICTIM}", f"From: Boss <{VICTIM}>", f"Resent-From: {VICTIM}"),
           ("Sender: alice@example.com", "From: Boss <alice@example.com>",
            "Resent-From: alice@example.com", *original(f"Boss <{VICTIM}>")),
           mail="<bob@example.com>"),
    Change("own report with the null sender keeps it", "rewrite",
           (OWN, "Auto-Submitted: auto-replied"), mail="<>", sender=""),
    Change("quoted local part of one's own is written with its quotes", "rewrite",
           (f'From: "{VICTIM}" <"alice smith"@example.com>',),
           ('From: "alice smith"@example.com',)),
    Change("exempt login is rewritten nothing", "exempt",
           (f"Sender: {VICTIM}", f"From: Boss <{VICTIM}>", f"Resent-From: {VICTIM}"),
           mail=f"<{VICTIM}>", sender=VICTIM),
)


def many(count):
    return ",\r\n ".join(f"Victim {number} <v{number}@bank.example>" for number in range(count))


changes(
    Change("From with two hundred mailboxes", "rewrite", (f"From: {many(200)}", SUBJECT),
           ("From: alice@example.com", SUBJECT, *original(many(200)))),
    Change("foreign Sender behind a From with twenty mailboxes", "rewrite",
           (f"From: {many(20)}", f"Sender: {VICTIM}", f"Resent-From: {VICTIM}"),
           ("From: alice@example.com", "Sender: alice@example.com",
            "Resent-From: alice@example.com", *original(many(20)))),
    Refusal("more changed fields than a decision has findings are refused",
            "eom resent-not-granted", message(OWN, *[f"Resent-From: {VICTIM}"] * 40)),
    Refusal("malformed From is refused", "eom from-malformed",
            message(f"From: <{VICTIM}> <alice@example.com>")),
    Refusal("two From fields are refused", "eom from-duplicate",
            message(OWN, f"From : {VICTIM}")),
    Refusal("group in From is refused", "eom from-group", message(f"From: g: {VICTIM};")),
    Refusal("control character in the name of From is refused", "eom from-malformed",
            message(f"From: =?utf-8?q?A=0D=0AB?= <{VICTIM}>")),
    Refusal("null sender of no report is refused", "eom null-sender", mail="<>"),
    Refusal("account without a primary address is refused as sender", "rcpt sender-not-granted",
            policy="homeless", mail=f"<{VICTIM}>"),
    Refusal("account without a primary address is refused in From", "eom from-not-granted",
            message(FOREIGN), policy="homeless", mail="<x@home.example>"),
    Refusal("account without a primary address is refused as Sender",
            "eom header-sender-not-granted", policy="homeless", mail="<x@home.example>",
            data=message("From: y@home.example", f"Sender: {VICTIM}")),
)

# ---- remove ----

changes(
    Change("foreign Sender", "remove", (f"Sender: {VICTIM}", OWN), (OWN,)),
    Change("folded Sender with a tab before the colon", "remove",
           (OWN, f"SENDER\t:\r\n\tVictim\r\n <{VICTIM}>", SUBJECT), (OWN, SUBJECT)),
    Change("own Sender stays", "remove", (OWN, "Sender: team@example.com")),
    Change("second Sender", "remove",
           (OWN, "Sender: team@example.com", SUBJECT, f"sender : {VICTIM}"),
           (OWN, "Sender: team@example.com", SUBJECT)),
    Change("second Sender that is own, behind a foreign one", "remove",
           (f"Sender: {VICTIM}", OWN, "Sender: team@example.com"), (OWN,)),
    Change("third Sender", "remove",
           ("Sender: ", OWN, f"sender : {VICTIM}", SUBJECT, "Sender: team@example.com"),
           ("Sender: ", OWN, SUBJECT)),
    Change("foreign Resent-* of the second block", "remove",
           ("Resent-From: team@example.com", "Resent-Sender: team@example.com",
            "Resent-To: x@far.example", f"Resent-From :\r\n {VICTIM}",
            f"RESENT-SENDER: {VICTIM}", OWN, "Resent-From: alice@example.com"),
           ("Resent-From: team@example.com", "Resent-Sender: team@example.com",
            "Resent-To: x@far.example", OWN, "Resent-From: alice@example.com")),
    Change("first and third Resent-From", "remove",
           (f"Resent-From: {VICTIM}", "Resent-From: team@example.com",
            "Resent-From: bob@example.com", OWN), ("Resent-From: team@example.com", OWN)),
)

# ---- quarantine: the client is told 250, the MTA holds it ----

changes(
    Change("own message is delivered", "quarantine", (OWN,)),
    Change("foreign envelope sender", "quarantine", (OWN,), mail=f"<{VICTIM}>", sender=VICTIM,
           held=True),
    Change("foreign From", "quarantine", (FOREIGN,), held=True),
    Change("several mailboxes in From", "quarantine", (OWN + ", team@example.com",), held=True),
    Change("missing From", "quarantine", (SUBJECT,), held=True),
    Change("malformed From", "quarantine", ("From: <alice@",), held=True),
    Change("two From fields", "quarantine", (OWN, OWN), held=True),
    Change("foreign Sender", "quarantine", (OWN, f"Sender: {VICTIM}"), held=True),
    Change("second Sender", "quarantine", (OWN, "Sender: team@example.com",
                                           "Sender: team@example.com"), held=True),
    Change("foreign Resent-Sender", "quarantine", (f"Resent-Sender: {VICTIM}", OWN), held=True),
    Change("foreign address in the name", "quarantine",
           (f'From: "{VICTIM}" <alice@example.com>',), held=True),
)

# ---- several actions at once ----

changes(
    Change("held, and rewritten, and tagged", "mixed",
           (f"From: Boss <{VICTIM}>", f"Sender: {VICTIM}", "Resent-From: bob@example.com"),
           ("From: Boss <alice@example.com>", f"Sender: {VICTIM}", "Resent-From: bob@example.com",
            *original(f"Boss <{VICTIM}>")),
           above=(tag("resent-not-granted", "bob@example.com", "mixed"),), mail=f"<{VICTIM}>",
           held=True),
    Change("rewritten and tagged", "mixed", (FOREIGN, "Resent-From: bob@example.com"),
           ("From: Victim <alice@example.com>", "Resent-From: bob@example.com",
            *original(f"Victim <{VICTIM}>")),
           above=(tag("resent-not-granted", "bob@example.com", "mixed"),)),
    Change("name of the second Sender goes, not that of the first", "names",
           (OWN, "Sender: Team <team@example.com>", f'sender: "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: Team <team@example.com>", "Sender: alice@example.com"),
           above=(tag("header-sender-not-granted",
                      f'\\"{VICTIM}\\" <alice@example.com>', "names"),)),
    Change("malformed Sender stays where its second one's name goes", "names",
           (OWN, "Sender: <team@example.com> team@example.com", f'sender: "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: <team@example.com> team@example.com", "Sender: alice@example.com"),
           above=(tag("header-sender-not-granted",
                      f'\\"{VICTIM}\\" <alice@example.com>', "names"),
                  tag("header-sender-not-granted", "<team@example.com> team@example.com", "names"))),
    Refusal("refusal beats rewrite and quarantine", "eom header-sender-not-granted",
            message(f'From: "{VICTIM}" <{VICTIM}>', f"Sender: {VICTIM}",
                    f"Resent-From: {VICTIM}"), policy="stern", mail=f"<{VICTIM}>"),
    Refusal("tempfail beats rewrite and quarantine", "eom tempfail resent-not-granted",
            message(f'From: "{VICTIM}" <{VICTIM}>', f"Resent-From: {VICTIM}"), policy="stern",
            mail=f"<{VICTIM}>"),
)

# ---- tempfail and reject: the same claims, and nothing delivered ----

REFUSED = (
    ("foreign envelope sender", "rcpt", "sender-not-granted", f"<{VICTIM}>", message(OWN)),
    ("malformed envelope sender", "rcpt", "sender-malformed", "<(c)alice@example.com>",
     message(OWN)),
    ("foreign From", "eom", "from-not-granted", "<alice@example.com>", message(FOREIGN)),
    ("several mailboxes in From", "eom", "from-multiple", "<alice@example.com>",
     message(OWN + ", team@example.com")),
    ("missing From", "eom", "from-missing", "<alice@example.com>", message(SUBJECT)),
    ("malformed From", "eom", "from-malformed", "<alice@example.com>", message("From: <alice@")),
    ("two From fields", "eom", "from-duplicate", "<alice@example.com>", message(OWN, OWN)),
    ("group in From", "eom", "from-group", "<alice@example.com>", message(f"From: g: {VICTIM};")),
    ("foreign Sender", "eom", "header-sender-not-granted", "<alice@example.com>",
     message(OWN, f"Sender: {VICTIM}")),
    ("second Sender", "eom", "header-sender-not-granted", "<alice@example.com>",
     message(OWN, "Sender: team@example.com", "Sender: team@example.com")),
    ("foreign Resent-From", "eom", "resent-not-granted", "<alice@example.com>",
     message(OWN, f"Resent-From: {VICTIM}")),
    ("foreign address in the name", "eom", "display-name-address", "<alice@example.com>",
     message(f'From: "{VICTIM}" <alice@example.com>')),
)

for action in ("tempfail", "reject"):
    for what, stage, reason, mail, data in REFUSED:
        word = "tempfail " if action == "tempfail" else ""
        changes(Refusal(what, f"{stage} {word}{reason}", data, policy=action, mail=mail))


@case("record of a changed message names what was changed")
def changed_in_the_log(bench):
    daemon = bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    _, reply = bench.send(session, message(FOREIGN, f"Sender: {VICTIM}"), mail=f"<{VICTIM}>")
    bench.expect_accepted(reply)
    line = bench.decision(daemon, qid=reply.queue_id)
    check(line["verdict"] == "accept" and line["effect"] == "rewrite", str(line))
    check(line["changed"] == "From,X-Original-From,Reply-To,Sender,MAIL", str(line))


@case("message of two recipients is changed for both")
def two_recipients(bench):
    bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    _, reply = bench.send(session, message(FOREIGN), mail=f"<{VICTIM}>",
                          rcpts=(TO, "<other@far.example>"))
    delivered = bench.expect_accepted(reply, "alice@example.com",
                                      ["friend@far.example", "other@far.example"])
    check(delivered.fields("From") == [b"Victim <alice@example.com>"], f"{delivered.header!r}")


@case("changes to one message are not made to the next")
def next_message(bench):
    bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    for data in (message(FOREIGN, f"Sender: {VICTIM}"), message(OWN)):
        _, reply = bench.send(session, data)
        delivered = bench.expect_accepted(reply, "alice@example.com")
    check(delivered.data.endswith(octets(message(OWN))), f"{delivered.data!r}")
    check(len(delivered.fields("Sender")) == 0, f"{delivered.data!r}")
