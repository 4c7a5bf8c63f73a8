"""Mail from outside: local senders, local From fields, who may have them all the same."""
from changed import Change, on_spare
from harness import OWN, Row, case, message
from stamper import Stamper

ALICE = "<alice@example.com>"
OUTSIDE = "<someone@outside.example>"
LOCAL = ("<bob@example.com>",)
FAR_FROM = "From: someone@outside.example"
ID = "mx.example.com"
# The client's address chooses the policy.
REFUSE, TAG, QUARANTINE, TEMPFAIL, FROM = ("192.0.2.1", "198.51.100.1", "198.51.100.17",
                                           "198.51.100.33", "203.0.113.1")


def policies(more=""):
    actions = "".join(
        f'policy "{action}" {{ client_networks = {{ "{address}" }}\n'
        f"    local_sender = {action} local_from = {action} }}\n"
        for action, address in (("tag", TAG), ("quarantine", QUARANTINE), ("tempfail", TEMPFAIL)))
    return actions + f"""\
policy "refuse" {{
    client_networks = {{ "192.0.2.0/24" }}
    local_sender = reject
    local_from = reject
    local_sender_allow = {{ "192.0.2.50", "192.0.2.64/28", "news@example.com", "@sales.example" }}
}}
policy "from" {{ client_networks = {{ "203.0.113.0/24" }}
    local_sender = ignore local_from = reject }}
trusted_networks = {{ "192.0.2.200" }}
{more}"""


STRANGERS = {"extra": policies()}
VOUCHED = {"extra": policies(f'authserv_id = "{ID}"\n')}


class Outside:
    """Rows of one configuration; every row is one client's message for a local user."""

    def __init__(self, title, spare):
        self.title = title
        self.spare = spare

    def row(self, name, want, header=(FAR_FROM,), mail=OUTSIDE, address=REFUSE, rcpts=LOCAL,
            parameters=""):
        def run(bench):
            session = bench.connect("spare_mx")
            session.xclient(ADDR=address)
            bench.expect(bench.send(session, message(*header), mail, rcpts, parameters), want)
            session.quit()
        on_spare(f"{self.title}: {name}", run, self.spare)

    def change(self, name, address, sent, below=None, mail=OUTSIDE, sender=None, **more):
        case(f"{self.title}: {name}")(Change(name, sent, below, client={"ADDR": address},
                                             mail=mail, sender=sender or mail.strip("<>"),
                                             rcpts=LOCAL, listener="spare_mx", spare=self.spare,
                                             **more))


def tag(address):
    return f'X-Sendas-Tag: local-sender;\r\n address="{address}"'


# ---- the envelope sender ----

sender = Outside("local sender", STRANGERS)
sender.row("foreign one passes", "accept")
sender.row("is refused at RCPT", "rcpt local-sender", mail=ALICE)
sender.row("of a local domain in capitals", "rcpt local-sender", mail="<ALICE@Example.COM>")
sender.row("of a local domain as U-label", "rcpt local-sender", mail="<x@b\u00fccher.example>",
           parameters="SMTPUTF8")
sender.row("of a subdomain is none", "accept", mail="<alice@deep.example.com>")
sender.row("null sender is none", "accept", mail="<>")
sender.row("one that cannot be read is refused", "rcpt sender-malformed",
           mail="<(alice@example.com)x@outside.example>")
sender.row("allowed by the client's address", "accept", (OWN,), ALICE, "192.0.2.50")
sender.row("allowed by the client's network", "accept", (OWN,), ALICE, "192.0.2.79")
sender.row("network ends there", "rcpt local-sender", (OWN,), ALICE, "192.0.2.80")
sender.row("allowed by its address", "accept", mail="<news@example.com>")
sender.row("allowed by its address in capitals, with a tag", "accept",
           mail="<NEWS+2026-11@example.com>")
sender.row("another address than the allowed one", "rcpt local-sender",
           mail="<newsletter@example.com>")
sender.row("allowed by its domain", "accept", mail="<anybody@sales.example>")
sender.row("allowed for outsiders is no right to relay", "rcpt relay-denied",
           mail="<news@example.com>", rcpts=("<friend@far.example>",))
sender.row("of a trusted client is not looked at", "accept", (OWN,), ALICE, "192.0.2.200",
           ("<friend@far.example>",))
sender.row("waits where told", "rcpt tempfail local-sender", mail=ALICE, address=TEMPFAIL)
sender.change("is tagged where told", TAG, (FAR_FROM,), mail=ALICE,
              above=(tag("alice@example.com"),))
sender.change("is held where told", QUARANTINE, (FAR_FROM,), mail=ALICE, held=True)
sender.change("one that cannot be read is tagged where told", TAG, (FAR_FROM,),
              mail="<(c)alice@example.com>", sender="alice@example.com",
              above=("X-Sendas-Tag: sender-malformed;\r\n address=\"<(c)alice@example.com>\"",))

# ---- the header From ----

from_ = Outside("local From", STRANGERS)
for name, header in (
        ("is refused", (OWN,)),
        ("in odd letters", ("Subject: x", "FROM : Alice <ALICE@example.com>")),
        ("of a local domain as U-label", ("From: alice@b\u00fccher.example",)),
        ("in the last of several mailboxes",
         ("From: x@outside.example, y@outside.example,\r\n Alice <alice@example.com>",)),
        ("in a second field", (FAR_FROM, "Subject: x", "from\t: alice@example.com")),
        ("in a first field of two", (OWN, FAR_FROM)),
        ("in a group", ("From: friends: x@outside.example, alice@example.com;",)),
        ("in one without an end", ("From: <alice@example.com",)),
        ("in front of the brackets", ("From: alice@example.com <x@outside.example>",)),
        ("behind the brackets", ("From: <x@outside.example> alice@example.com",)),
        ("in a comment inside the brackets", ("From: <(alice@example.com)x@outside.example>",)),
        ("as a source route", ("From: <@example.com:x@outside.example>",)),
        ("with quotes", ('From: "alice"@example.com',)),
        ("in a name with a line break in it",
         ('From: "a\r\n\r alice@example.com" <x@outside.example> <y@z.example>',))):
    from_.row(name, "eom local-sender", header, address=FROM, parameters="SMTPUTF8")
for name, header in (
        ("foreign one passes", (FAR_FROM,)),
        ("missing one passes", ("Subject: x",)),
        ("several foreign ones pass", ("From: x@outside.example, y@outside.example",)),
        ("foreign malformed one passes", ("From: <x@outside.example",)),
        ("subdomain is none", ("From: alice@deep.example.com",)),
        ("domain that ends alike is none", ("From: alice@notexample.com",)),
        ("in the name alone is none", ('From: "alice@example.com" <x@outside.example>',)),
        ("in Sender or Reply-To alone is none",
         (FAR_FROM, "Sender: alice@example.com", "Reply-To: alice@example.com")),
        ("of a list passes", (OWN, "List-Id: Friends <friends.outside.example>")),
        ("of a list passes, its field in odd letters and folded",
         ("LIST-ID :\r\n <friends.outside.example>", OWN)),
        ("allowed by its address", ("From: News <news+x@example.com>",)),
        ("allowed by its domain", ("From: anybody@sales.example",))):
    allowed = "allowed" in name
    from_.row(name, "accept", header, address=REFUSE if allowed else FROM)
from_.row("field List-Id without a value is no list", "eom local-sender", (OWN, "List-Id:  "),
          address=FROM)
from_.row("List-Id does not excuse the envelope", "rcpt local-sender",
          (OWN, "List-Id: <x.example>"), ALICE)
from_.row("one allowed, another not", "eom local-sender",
          ("From: news@example.com, alice@example.com",))
from_.row("allowed by the client's network", "accept", (OWN,), address="192.0.2.64")
from_.row("behind more fields than are looked at", "eom headers-too-large",
          (FAR_FROM, *["X: y"] * 1000, OWN), address=FROM)
from_.row("waits where told", "eom tempfail local-sender", (OWN,), address=TEMPFAIL)
from_.change("is tagged where told", TAG, (FAR_FROM, OWN), above=(tag("@example.com"),))
from_.change("is held where told", QUARANTINE, (OWN,), held=True)

# ---- results of another filter ----

vouched = Outside("vouched sender", VOUCHED)
RECEIVED = "Received: from a.example by b.example; Tue, 24 Nov 2026 10:12:13 +0100"


def results(value, name="Authentication-Results"):
    return f"{name}: {value}"


for name, header in (
        ("SPF of its domain", (results(f"{ID}; spf=pass smtp.mailfrom=example.com"),)),
        ("SPF of its address", (results(f"{ID}; spf=pass smtp.mailfrom=alice@EXAMPLE.com"),)),
        ("DKIM of its domain", (results(f"{ID}; dkim=pass header.d=example.com"),)),
        ("DKIM by header.i", (results(f"{ID};\r\n dkim=pass header.i=@example.com"),)),
        ("DMARC of its domain", (results(f"{ID}; dmarc=pass header.from=example.com"),)),
        ("one pass of many", (results(f"{ID} 1; spf=fail smtp.mailfrom=example.com;\r\n"
                                      " dkim=fail header.d=example.com; dkim=pass (2048 bit)\r\n"
                                      " header.d=example.com header.s=k header.b=\"a/b+c=\""),)),
        ("the second field of two", (results("other.example; spf=fail smtp.mailfrom=example.com"),
                                     results(f"{ID}; spf=pass smtp.mailfrom=example.com"))),
        ("a field in odd letters", ("Subject: x", results(
            f"(c) {ID.upper()} ;spf=pass smtp.mailfrom=example.com", "AUTHENTICATION-results "))),
        ("results in front of the first Received",
         (results(f"{ID}; spf=pass smtp.mailfrom=example.com"), RECEIVED))):
    vouched.row(f"passes by {name}", "accept", (*header, FAR_FROM), ALICE)
for name, header in (
        ("nothing", ()),
        ("results behind the first Received",
         (RECEIVED, results(f"{ID}; spf=pass smtp.mailfrom=example.com"))),
        ("results behind a Received in odd letters",
         ("RECEIVED\t: x", results(f"{ID}; spf=pass smtp.mailfrom=example.com"))),
        ("another id", (results("other.example; spf=pass smtp.mailfrom=example.com"),)),
        ("an id below ours", (results(f"a.{ID}; spf=pass smtp.mailfrom=example.com"),)),
        ("our id in a comment", (results(f"x ({ID}); spf=pass smtp.mailfrom=example.com"),)),
        ("another field", (results(f"{ID}; spf=pass smtp.mailfrom=example.com",
                                   "X-Authentication-Results"),)),
        ("SPF of another domain", (results(f"{ID}; spf=pass smtp.mailfrom=bank.example"),)),
        ("SPF of a domain below", (results(f"{ID}; spf=pass smtp.mailfrom=x.example.com"),)),
        ("SPF of the HELO name", (results(f"{ID}; spf=pass smtp.helo=example.com"),)),
        ("SPF that fails", (results(f"{ID}; spf=fail smtp.mailfrom=example.com"),)),
        ("SPF that is neutral", (results(f"{ID}; spf=neutral smtp.mailfrom=example.com"),)),
        ("SPF of two domains", (results(f"{ID}; spf=pass smtp.mailfrom=bank.example"
                                        " smtp.mailfrom=example.com"),)),
        ("SPF with its domain in a comment",
         (results(f"{ID}; spf=pass (smtp.mailfrom=example.com) smtp.mailfrom=x.example"),)),
        ("SPF with its domain in the reason",
         (results(f"{ID}; spf=pass reason=\"smtp.mailfrom=example.com\""),)),
        ("DKIM of another domain", (results(f"{ID}; dkim=pass header.d=bank.example"
                                            " header.i=@example.com"),)),
        ("DKIM of a top level", (results(f"{ID}; dkim=pass header.d=com"),)),
        ("DMARC of another domain", (results(f"{ID}; dmarc=pass header.from=bank.example"),)),
        ("a field that is malformed", (results(f"{ID}; spf=pass smtp.mailfrom=example.com;; ("),)),
        ("another version", (results(f"{ID} 2; spf=pass smtp.mailfrom=example.com"),)),
        ("no result", (results(f"{ID}; none"),))):
    vouched.row(f"is refused at the end of data with {name}", "eom local-sender",
                (*header, FAR_FROM), ALICE)
vouched.row("is not asked of one that is allowed", "accept", mail="<news@example.com>")
vouched.row("one that cannot be read is refused at once", "rcpt sender-malformed",
            mail="<(c)alice@example.com>")
vouched.row("waits where told", "eom tempfail local-sender", mail=ALICE, address=TEMPFAIL)
vouched.row("From passes by DMARC", "accept",
            (results(f"{ID}; dmarc=pass header.from=example.com"), OWN), address=FROM)
vouched.row("From is not vouched for by the envelope's domain", "eom local-sender",
            (results(f"{ID}; spf=pass smtp.mailfrom=corp2.example"), OWN), "<x@corp2.example>")
vouched.row("each mailbox of From needs it", "eom local-sender",
            (results(f"{ID}; dkim=pass header.d=example.com"),
             "From: alice@example.com, bob@corp2.example"), address=FROM)
vouched.row("second From is never vouched for", "eom local-sender",
            (results(f"{ID}; dkim=pass header.d=example.com"), OWN, OWN), address=FROM)
vouched.change("is tagged where told", TAG, (FAR_FROM,), mail=ALICE,
               above=(tag("alice@example.com"),))
vouched.change("is held where told", QUARANTINE, (FAR_FROM,), mail=ALICE, held=True)


on_spare("vouched sender: results excuse no claim of a login",
         Row("", "eom from-not-granted", message(
             results(f"{ID}; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example"),
             "From: victim@bank.example"), listener="spare"), VOUCHED)


def stamped(bench, index, value):
    """The outcome of alice's message where the filter in front of the daemon writes this."""
    bench.keep_spare(**VOUCHED)
    with Stamper(bench.rig.ports["stamper"]) as stamper:
        stamper.fields = [(index, "Authentication-Results", value)]
        session = bench.connect("stamped")
        session.xclient(ADDR=REFUSE)
        return bench.send(session, message(RECEIVED, OWN), ALICE, LOCAL)


@case("vouched sender: a filter in front of the daemon is believed, above this hop's Received")
def filter_above(bench):
    bench.expect(stamped(bench, 0, f"{ID}; spf=pass smtp.mailfrom=example.com"), "accept")


@case("vouched sender: a filter in front of the daemon is believed, right below it")
def filter_below(bench):
    bench.expect(stamped(bench, 1, f"{ID}; dkim=pass header.d=example.com"), "accept")


@case("vouched sender: a filter that writes below the client's Received is not believed")
def filter_too_low(bench):
    bench.expect(stamped(bench, 2, f"{ID}; dkim=pass header.d=example.com"), "eom local-sender")


@case("vouched sender: a filter that found nothing good vouches for nobody")
def filter_fails(bench):
    bench.expect(stamped(bench, 0, f"{ID}; spf=softfail smtp.mailfrom=example.com; dkim=none"),
                 "eom local-sender")
