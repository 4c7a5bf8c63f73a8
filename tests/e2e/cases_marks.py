"""Fields that say who sent a message, and those that only pretend to."""
from changed import Change, on_spare, without_received
from harness import OWN, Row, case, check, message
from smtp import octets
from stamper import Stamper

SUBJECT = "Subject: first"
VICTIM = "victim@bank.example"
OUTSIDE = "<someone@outside.example>"
LOCAL = ("<bob@example.com>",)
ID = "mx.example.com"
SENDERS = """\
alice@example.com  alice@traced.test, alice=x@traced.test, alice@watching.test, alice@named.test
alice@example.com  alice
bob@example.com    bob
"""
ALL = """\
    trace_header = "X-Sent-By" auth_results = yes envelope = rewrite header_from = rewrite
    multiple_from = rewrite missing_from = rewrite header_sender = remove resent = remove
    display_name = rewrite local_sender = quarantine local_from = tag null_sender = allow
    unknown_login = allow"""
MARKED = {"senders": SENDERS, "extra": f"""\
authserv_id = "{ID}"
trusted_networks = {{ "192.0.2.77" }}
login {{ master_separator = "*" }}
policy "traced"   {{ logins = {{ "@traced.test" }} trace_header = "X-Sent-By" auth_results = yes }}
policy "watching" {{ logins = {{ "@watching.test" }} mode = observe
{ALL}
}}
policy "outside"  {{ client_networks = {{ "192.0.2.0/25" }} trace_header = "X-Sent-By" }}
policy "results"  {{ client_networks = {{ "192.0.2.128/25" }} auth_results = yes }}
policy "plain"    {{ client_networks = {{ "198.51.100.0/24" }} }}
policy "watched"  {{ client_networks = {{ "203.0.113.0/24" }} mode = observe
{ALL}
}}
"""}
# Another form of the name, and no authserv_id: the MTA's own name is the id.
UNNAMED = {"senders": SENDERS, "extra": """\
policy "named" { logins = { "@named.test" } auth_results = yes }
"""}


def marks(login="alice@traced.test", smtp_auth=None, more=""):
    return (f"Authentication-Results: {ID}; auth=pass (plain) smtp.auth={smtp_auth or login}",
            f'X-Sent-By: sasl="{login}";\r\n{more} policy="traced"')


def traced(name, sent, below=None, login="alice@traced.test", above=None, **more):
    case(f"marks: {name}")(Change(name, sent, below, above=above or marks(), login=login,
                                  spare=MARKED, **more))


def outside(name, sent, below=None, address="192.0.2.1", **more):
    case(f"marks: {name}")(Change(name, sent, below, client={"ADDR": address}, mail=OUTSIDE,
                                  sender=OUTSIDE.strip("<>"), rcpts=LOCAL, listener="spare_mx",
                                  spare=MARKED, **more))


traced("both stand once, above all", (OWN, SUBJECT))
traced("login that needs quotes", (OWN,), login="alice=x@traced.test",
       above=marks("alice=x@traced.test", '"alice=x@traced.test"'))
traced("master login is named", (OWN,), login="alice@traced.test*admin", judged=False,
       above=marks(more=' master="admin";\r\n'))
traced("login in capitals is shown in its normal form", (OWN,), login="ALICE@Traced.test",
       judged=False)
traced("forged trace fields go, in whatever letters and places",
       ('X-Sent-By: sasl="boss"', "x-sent-by : folded\r\n value", OWN, "X-SENT-BY\t:", SUBJECT,
        "X-Sent-By:last"), (OWN, SUBJECT))
traced("fields with a similar name stay",
       ("X-Sent-By-Whom: boss", "X-Sent: x", "XX-Sent-By: x", OWN,
        "X-Authentication-Results: " + ID))
traced("text in the body that looks like a field stays", (OWN,))

FORGED = (
    f"{ID}; auth=pass smtp.auth=boss@example.com",
    f"{ID.upper()}; auth=pass smtp.auth=boss",
    "Mx.Example.Com.; none",
    f"{ID} 1; auth=pass",
    f"{ID}\t1 ; auth=pass",
    f"(comment) {ID} (another); auth=pass",
    f"(one (two) \\) three){ID}; auth=pass",
    f"\r\n {ID};\r\n auth=pass",
    f"\r\n\t(c)\r\n\t{ID}\r\n\t;auth=pass",
    f'"{ID}"; auth=pass',
    '"m\\x.example.com"; auth=pass',
    f"{ID}",
    f"{ID};",
    f"{ID}; auth=pass; ; ((",
    f"{ID} (no end; auth=pass",
    f'{ID}; auth="no end',
    f"{ID}; auth=pass smtp.auth=boss\x01",
    # as readers see it to whom comments do not nest, a backslash is a backslash, or a comment in a
    # word is nothing
    f"(one (two) {ID}; auth=pass",
    f"(one \\) {ID}; auth=pass",
    "mx.ex(x)ample.com; auth=pass",
)
STAYING = (
    "other.example; auth=pass smtp.auth=boss",
    f"other.example; auth=pass ({ID})",
    f"({ID}) other.example; none",
    f"{ID}.evil.example; auth=pass",
    f"not{ID}; auth=pass",
    "example.com; auth=pass",
    "; auth=pass",
)
for number, value in enumerate(FORGED):
    for name in ("Authentication-Results", "AUTHENTICATION-results "):
        traced(f"forged result {number} goes from {name!r}",
               ("Authentication-Results: other.example; none", SUBJECT, f"{name}: {value}", OWN),
               ("Authentication-Results: other.example; none", SUBJECT, OWN))
traced("results with other ids stay, and those among them go",
       (OWN, *(f"Authentication-Results: {value}" for pair in
               zip(STAYING, FORGED) for value in pair)),
       (OWN, *(f"Authentication-Results: {value}" for value in STAYING)))

# Outsiders, and clients that are trusted
outside("trace field of an outsider goes, and none comes",
        ("X-Sent-By: sasl=\"alice\"", SUBJECT, "x-sent-by\t: x"), (SUBJECT,))
outside("tag of an outsider goes", ("X-Sendas-Tag: x", SUBJECT, "x-sendas-TAG : y"), (SUBJECT,))
outside("tag of a trusted client stays, its trace field goes",
        ("X-Sendas-Tag: x", SUBJECT, "X-Sent-By: x"), ("X-Sendas-Tag: x", SUBJECT),
        address="192.0.2.77")
outside("result of an outsider with our id goes where we write results",
        (f"Authentication-Results: {ID}; dkim=pass", SUBJECT,
         "Authentication-Results: other.example; none"),
        (SUBJECT, "Authentication-Results: other.example; none"), address="192.0.2.200")
outside("result of an outsider with our id stays where we write none",
        (f"Authentication-Results: {ID}; dkim=pass", SUBJECT))
outside("policy without such options takes out nothing but tags",
        ("X-Sent-By: x", f"Authentication-Results: {ID}; dkim=pass", "X-Sendas-Tag: x", SUBJECT),
        ("X-Sent-By: x", f"Authentication-Results: {ID}; dkim=pass", SUBJECT),
        address="198.51.100.1")
outside("more fields than are looked at pass, of an outsider", ("X: y",) * 1001)
FROM_HERE = {**MARKED, "extra": MARKED["extra"].replace("192.0.2.0/25", "127.0.0.1")}
on_spare("marks: trace field behind more fields than are looked at is refused",
         Row("", "eom headers-too-large", message(*["X: y"] * 1000, "X-Sent-By: x"), mail=OUTSIDE,
             listener="spare_mx", rcpts=LOCAL, login=None), FROM_HERE)


# Observing: with all these options at once, nothing is added, changed or taken out
EVERYTHING = (
    "X-Sent-By: forged", f"Authentication-Results: {ID}; auth=pass smtp.auth=boss",
    "X-Sendas-Tag: forged", f"Sender: {VICTIM}", "sender: bob@example.com",
    f'From: "bob@example.com" <{VICTIM}>, x@y.example', f"Resent-From: {VICTIM}",
    f"Resent-Sender: {VICTIM}", SUBJECT)
OBSERVED = (
    ("all at once", EVERYTHING, f"<{VICTIM}>"),
    ("missing From", (SUBJECT, "X-Sent-By: x"), "<alice@example.com>"),
    ("two From fields", (OWN, SUBJECT, f"From: {VICTIM}"), "<alice@example.com>"),
    ("malformed From", ("From: <alice@", f"Sender: {VICTIM}"), "<alice@example.com>"),
    ("null sender", (OWN, "X-Sendas-Tag: x"), "<>"),
)
for what, header, path in OBSERVED:
    case(f"marks: policy that observes leaves as it is: {what}")(
        Change(what, header, login="alice@watching.test", mail=path, sender=path.strip("<>"),
               spare=MARKED, judged=False))
    case(f"marks: policy that observes leaves an outsider's as it is: {what}")(
        Change(what, header, client={"ADDR": "203.0.113.9"}, mail=path, sender=path.strip("<>"),
               spare=MARKED, rcpts=LOCAL, listener="spare_mx"))


@case("marks: the other filter sees the marks, and results of its own stay")
def beside_another_filter(bench):
    bench.keep_spare(**MARKED)
    with Stamper(bench.rig.ports["stamper"]) as stamper:
        stamper.fields = [(0, "Authentication-Results", "other.example; spf=pass"),
                          (1, "Authentication-Results", f"{ID}; dkim=pass")]
        session = bench.connect("stamped")
        session.xclient(LOGIN="alice@traced.test")
        data = message(f"Authentication-Results: {ID}; auth=pass", OWN)
        _, reply = bench.send(session, data)
        above, below = without_received(bench.expect_accepted(reply).header)
        results, trace = (octets(field) + b"\r\n" for field in marks())
        check(above == results.replace(b"plain", b"xclient") + trace
              + b"Authentication-Results: other.example; spf=pass\r\n", f"{above!r}")
        check(below == octets(OWN) + b"\r\n", f"{below!r}")
        watched = bench.connect("watched", "alice@traced.test")
        stamper.fields = []
        _, reply = bench.send(watched, message("X-Sent-By: x", OWN))
        bench.expect_accepted(reply)
        names = [name for name, _ in stamper.shown[-1]]
        check(names == [b"Authentication-Results", b"X-Sent-By", b"From"], f"{names}")


case("marks: id is the MTA's own name where there is none")(
    Change("", (f"Authentication-Results: {ID}; auth=pass", OWN,
                "Authentication-Results: other.example; none"),
           (OWN, "Authentication-Results: other.example; none"), login="alice@named.test",
           above=(f"Authentication-Results: {ID}; auth=pass (plain) smtp.auth=alice@named.test",),
           spare=UNNAMED))
