"""Who owns an address: recipients that are known, whole domains, patterns, and wrapped senders."""
from changed import on_spare
from harness import Row, case, check, message

SENDERS = """\
alice@example.com          alice
"alice smith"@example.com  alice
alice@shop.example         alice
shop@shop.example          shop, alice
board@example.com          on-behalf:alice
old@example.com            alice
@shop.example              shop, on-behalf:carol
@.sub.example              shop
x@deep.sub.example         bob
bob@example.com            bob
carol@example.com          carol
list+*@example.com         lists
lists@example.com          lists
*                          root
"""
CONFIG = {
    "senders": SENDERS,
    "address": 'delimiter = "+" unwrap = { "batv", "srs" }',
    "extra": """\
local_domains += { "shop.example", ".sub.example" }
policy "known"  { client_networks = { "192.0.2.1" } known_recipient = reject
                  exempt_recipients = { "all@example.com", "@sales.example" } }
policy "later"  { client_networks = { "192.0.2.2" } known_recipient = tempfail }
policy "noted"  { client_networks = { "192.0.2.3" } known_recipient = observe }
policy "owners" { logins = { "shop", "alice", "carol", "root" } domain_grants = unowned
                  known_recipient = reject }
policy "equal"  { logins = { "lists" } from_must_equal_envelope = yes }
"""}
PLAIN = {"senders": SENDERS}
FAR_FROM = "From: someone@outside.example"


def recipient(name, want, rcpt, address="192.0.2.1", parameters=""):
    def run(bench):
        session = bench.connect("spare_mx")
        session.xclient(ADDR=address)
        bench.expect(bench.send(session, message(FAR_FROM), "<x@outside.example>", (rcpt,),
                                parameters), want)
    on_spare(f"recipient: {name}", run, CONFIG)


def sends(name, want, login, mail, from_=None, configuration=CONFIG, **more):
    on_spare(name, Row("", want, message(f"From: {from_ or mail}"), login=login, listener="spare",
                       mail=f"<{mail}>", **more), configuration)


# ---- recipients ----

for name, rcpt in (
        ("one who has the address is known", "<alice@example.com>"),
        ("in capitals", "<ALICE@Example.COM>"),
        ("with a tag", "<alice+lists@example.com>"),
        ("with needless quotes", '<"alice"@example.com>'),
        ("with quotes that are needed", '<"alice smith"@example.com>'),
        ("bare postmaster is always known", "<postmaster>"),
        ("postmaster of a local domain is always known", "<Postmaster@shop.example>"),
        ("postmaster of the host is always known", "<postmaster@[127.0.0.1]>"),
        ("exempt address", "<ALL@example.com>"),
        ("tag of an exempt address", "<all+x@example.com>"),
        ("exempt domain", "<anybody@sales.example>"),
        ("an address that several have", "<shop@shop.example>")):
    recipient(name, "accept", rcpt)
for name, rcpt in (
        ("nobody has it", "<nobody@example.com>"),
        ("nobody has what is in front of the tag", "<nobody+alice@example.com>"),
        ("an address of a granted domain is no account's own", "<anybody@shop.example>"),
        ("an address that fits a pattern is no account's own", "<list+x@example.com>"),
        ("granted on behalf alone it is nobody's", "<board@example.com>"),
        ("in another local domain", "<alice@corp2.example>"),
        ("in a local domain as U-label", "<alice@b\u00fccher.example>")):
    recipient(name + ": refused", "rcpt recipient-unknown", rcpt, parameters="SMTPUTF8")
recipient("that is not local is a matter of relaying", "rcpt relay-denied", "<x@far.example>")
recipient("waits where told", "rcpt tempfail recipient-unknown", "<nobody@example.com>",
          "192.0.2.2")
recipient("is only noted where told", "accept", "<nobody@example.com>", "192.0.2.3")
recipient("is not looked at by default", "accept", "<nobody@example.com>", "192.0.2.4")
on_spare("recipient: of a login is looked at too",
         Row("", "rcpt recipient-unknown", rcpts=("<nobody@example.com>",), listener="spare"),
         CONFIG)
on_spare("recipient: of a login that is not local is not looked at",
         Row("", "accept", listener="spare"), CONFIG)


@case("recipient: of twenty the unknown ones are refused, the others get the message")
def mixed_recipients(bench):
    daemon = bench.keep_spare(**CONFIG)
    session = bench.connect("spare_mx")
    session.xclient(ADDR="192.0.2.1")
    session.mail("<x@outside.example>")
    known = []
    for number in range(10):
        bench.expect_refusal(session.rcpt(f"<nobody{number}@example.com>"), "recipient-unknown",
                             "rcpt")
        known.append(f"alice+{number}@example.com")
        bench.expect_code(session.rcpt(f"<{known[-1]}>"), 250)
    reply = session.data(message(FAR_FROM))
    bench.expect_accepted(reply, "x@outside.example", known)
    line = bench.decision(daemon, qid=reply.queue_id, event="message")
    check(line["rcpts"] == "10" and line["rcpts_refused"] == "10", str(line))


# ---- whole domains ----

sends("unowned: an address that nobody has", "accept", "shop", "free@shop.example")
sends("unowned: an address below it that nobody has", "accept", "shop", "x@a.sub.example")
sends("unowned: an address that the login itself has too", "accept", "shop", "shop@shop.example")
sends("unowned: one that another account has, in the envelope", "rcpt sender-not-granted",
      "shop", "alice@shop.example")
sends("unowned: one that another account has, with a tag", "rcpt sender-not-granted",
      "shop", "ALICE+x@shop.example")
sends("unowned: one below it that another account has", "rcpt sender-not-granted",
      "shop", "x@deep.sub.example")
sends("unowned: one that another account has, in From", "eom from-not-granted",
      "shop", "free@shop.example", "alice@shop.example")
sends("unowned: one that nobody has, in From", "accept", "shop", "free@shop.example",
      "other@shop.example")
on_spare("unowned: one that another account has, as Sender",
         Row("", "eom header-sender-not-granted", listener="spare", login="shop",
             mail="<free@shop.example>",
             data=message("From: free@shop.example", "Sender: alice@shop.example")), CONFIG)
on_spare("unowned: many addresses that nobody has, and one that somebody has",
         Row("", "eom resent-not-granted", listener="spare", login="shop",
             mail="<free@shop.example>", data=message(
                 "From: free@shop.example",
                 *[f"Resent-From: r{number}@shop.example" for number in range(40)],
                 "Resent-From: alice@shop.example")), CONFIG)
on_spare("unowned: many addresses that nobody has",
         Row("", "accept", listener="spare", login="shop", mail="<free@shop.example>",
             data=message("From: free@shop.example",
                          *[f"Resent-From: r{number}@shop.example" for number in range(40)])),
         CONFIG)
sends("unowned: what is granted on behalf is not concerned", "accept", "carol",
      "carol@example.com", "alice@shop.example")
sends("unowned: * is not concerned", "accept", "root", "alice@shop.example")
sends("unowned: without it the domain gives all", "accept", "shop", "alice@shop.example",
      configuration=PLAIN)

# ---- patterns ----

sends("pattern: VERP in the envelope", "accept", "lists",
      "list+friend=far.example@example.com", "lists@example.com", configuration=PLAIN)
sends("pattern: in capitals", "accept", "lists", "LIST+X@Example.com", "lists@example.com",
      configuration=PLAIN)
sends("pattern: nothing for the star", "rcpt sender-not-granted", "lists", "list+@example.com",
      configuration=PLAIN)
sends("pattern: another front", "rcpt sender-not-granted", "lists", "mylist+x@example.com",
      configuration=PLAIN)
sends("pattern: another domain", "rcpt sender-not-granted", "lists", "list+x@corp2.example",
      configuration=PLAIN)
sends("pattern: gives no From", "eom from-not-granted", "lists", "list+x@example.com",
      configuration=PLAIN)
sends("pattern: its own text is an address like any other", "accept", "lists",
      "list+*@example.com", "list+*@example.com", configuration=PLAIN)
sends("pattern: of another login", "rcpt sender-not-granted", "alice", "list+x@example.com",
      configuration=PLAIN)

# ---- wrapped senders ----

BATV = "prvs=1234abcdef="
SRS = "SRS0=HaSh=TT="
for form in (f"{BATV}alice@example.com", "prvs=alice=1234abcdef@example.com",
             "btv1==12345678abc==alice@example.com", f"{BATV}alice+x@example.com",
             "PRVS=1234ABCDEF=ALICE@example.com", f"{SRS}example.com=alice@example.com",
             "SRS1=HaSh=example.com==HaSh=TT=example.com=alice@corp2.example",
             f"{SRS}example.com=alice@corp2.example"):
    sends(f"unwrap: {form} is alice's", "accept", "alice", form, "alice@example.com")
for form in (f"{BATV}bob@example.com", f"{BATV}alice@corp2.example",
             "prvs=alice@example.com", "prvs=1234abcdeg=alice@example.com",
             "btv1==1234==alice@example.com",
             f"{SRS}example.com=bob@example.com", f"{SRS}example.com=alice@far.example",
             f"{SRS}far.example=alice@example.com",
             f"{BATV}{BATV}{BATV}alice@example.com"):
    sends(f"unwrap: {form} is not alice's", "rcpt sender-not-granted", "alice", form,
          "alice@example.com")
sends("unwrap: gives no From", "eom from-not-granted", "alice", "alice@example.com",
      f"{BATV}alice@example.com")
for form in (f"{BATV}alice@example.com", f"{SRS}example.com=alice@example.com"):
    sends(f"unwrap: without the option {form} is an address like any other",
          "rcpt sender-not-granted", "alice", form, "alice@example.com", configuration=PLAIN)
sends("unwrap: From must equal the address in it", "accept", "lists",
      f"{BATV}lists@example.com", "lists@example.com")
sends("unwrap: From is another one than the address in it", "eom from-not-granted", "lists",
      f"{BATV}lists@example.com", "list+*@example.com")
