"""Clients that prove who they are by their network or by a certificate."""
from changed import Change, on_spare
from harness import TO, case, check, message
from rig import AUTHORITY

LOCAL = ("<bob@example.com>",)
SCANNER, PRINTER, FAX = "scanner@example.com", "printer@example.com", "fax@example.com"
RELAY = "news@example.com"
VICTIM = "victim@bank.example"
SENDERS = f"""\
alice@example.com  alice
bob@example.com    bob
{FAX}              net:192.0.2.0/28, net:198.51.100.0/24
deep@example.com   net:198.51.100.128/25
{RELAY}            "cert:{AUTHORITY}|relay one"
@sales.example     "cert:{AUTHORITY}|relay one"
bob@corp2.example  "cert:Second CA|relay one"
boss@example.com   boss, "on-behalf:cert:{AUTHORITY}|relay one", on-behalf:net:198.51.100.0/24
"""
CONFIG = {"senders": SENDERS, "extra": f"""\
cert_issuers = {{ "{AUTHORITY}" }}
trusted_networks = {{ "192.0.2.32/27" }}
network "192.0.2.0/28" {{ send_as = {{ "{SCANNER}", "@scan.example" }} relay = yes }}
network "192.0.2.4"    {{ send_as = {{ "{PRINTER}" }} }}
network "192.0.2.40"   {{ send_as = {{ "{SCANNER}" }} }}
network "203.0.113.0/24" {{ relay = yes }}
network "203.0.113.64/28" {{ send_as = {{ "@scan.example", "{SCANNER}", "{PRINTER}" }}
                             relay = yes }}
policy "rewrite" {{ client_networks = {{ "203.0.113.65" }}
                    header_from = rewrite header_sender = rewrite
                    trace_header = "X-Sent-By" auth_results = yes }}
policy "certs"   {{ principals = {{ "cert" }} header_sender = remove trace_header = "X-Sent-By" }}
"""}


def network(name, want, address, mail, from_=None, rcpts=(TO,), login=None, listener="spare_mx",
            header=()):
    def run(bench):
        session = bench.connect(listener, login)
        session.xclient(ADDR=address, **({"LOGIN": login} if login else {}))
        bench.expect(bench.send(session, message(f"From: {from_ or mail}", *header), f"<{mail}>",
                                rcpts), want)
        session.quit()
    on_spare(f"network: {name}", run, CONFIG)


network("its own sender may relay", "accept", "192.0.2.1", SCANNER)
network("a domain that it has", "accept", "192.0.2.15", "x@scan.example", SCANNER)
network("sender in capitals", "accept", "192.0.2.1", SCANNER.upper())
network("another sender is refused", "rcpt sender-not-granted", "192.0.2.1", "alice@example.com")
network("another sender is refused for local users too", "rcpt sender-not-granted", "192.0.2.1",
        "x@outside.example", rcpts=LOCAL)
network("another From is refused", "eom from-not-granted", "192.0.2.1", SCANNER,
        "alice@example.com")
network("another Sender is refused", "eom header-sender-not-granted", "192.0.2.1", SCANNER,
        header=(f"Sender: {VICTIM}",))
network("two From fields are refused", "eom from-duplicate", "192.0.2.1", SCANNER,
        header=(f"From: {SCANNER}",))
network("null sender of no report is refused", "eom null-sender", "192.0.2.1", "", SCANNER)
network("the address behind it is an outsider", "rcpt relay-denied", "192.0.2.16",
        "x@outside.example")
network("of two blocks the longer one counts", "accept", "192.0.2.4", PRINTER, rcpts=LOCAL)
network("of two blocks the shorter one gives nothing", "rcpt sender-not-granted", "192.0.2.4",
        SCANNER, rcpts=LOCAL)
network("without relay it reaches local users alone", "rcpt relay-denied", "192.0.2.4", PRINTER)
network("what a senders file grants is added", "accept", "192.0.2.1", FAX)
network("what a senders file grants is added to the longer one too", "accept", "192.0.2.4", FAX,
        rcpts=LOCAL)
network("a block in trusted_networks is judged", "rcpt sender-not-granted", "192.0.2.40",
        "alice@example.com", rcpts=LOCAL)
network("beside it in trusted_networks nothing is judged", "accept", "192.0.2.41",
        "alice@example.com", VICTIM)
network("a block in trusted_networks relays only with relay", "rcpt relay-denied", "192.0.2.40",
        SCANNER)
network("a block without addresses has none", "rcpt sender-not-granted", "203.0.113.9", SCANNER)
network("owner in a senders file", "accept", "198.51.100.7", FAX, rcpts=LOCAL)
network("owner in a senders file may not relay", "rcpt relay-denied", "198.51.100.7", FAX)
network("owners of all networks around it add up", "accept", "198.51.100.200", FAX,
        "deep@example.com", rcpts=LOCAL)
network("owner of a network beside it gives nothing", "rcpt sender-not-granted", "198.51.100.7",
        "deep@example.com", rcpts=LOCAL)
network("a login goes before the network", "rcpt sender-not-granted", "192.0.2.1", SCANNER,
        login="alice", listener="spare")
network("a login has what it has, wherever it comes from", "accept", "192.0.2.1",
        "alice@example.com", login="alice", listener="spare")
network("where authentication is required it is one", "accept", "192.0.2.1", SCANNER,
        listener="spare")
network("where authentication is required nobody else's network is one", "rcpt auth-required",
        "192.0.2.16", SCANNER, listener="spare")
network("on behalf of the boss, with a Sender of its own", "accept", "198.51.100.7", FAX,
        "boss@example.com", LOCAL, header=(f"Sender: {FAX}",))
network("on behalf of the boss, with another Sender", "eom from-not-granted", "198.51.100.7", FAX,
        "boss@example.com", LOCAL, header=("Sender: boss@example.com",))

MARK = 'X-Sent-By: network="203.0.113.64/28";\r\n policy="rewrite"'
case("network: claims are rewritten to its first address, and it is marked")(Change(
    "", (f"From: Boss <{VICTIM}>", f"Sender: {VICTIM}", "X-Sent-By: x"),
    (f"From: Boss <{SCANNER}>", f"Sender: {SCANNER}", f"X-Original-From: Boss <{VICTIM}>",
     f"Reply-To: Boss <{VICTIM}>"), above=(MARK,), mail=f"<{SCANNER}>", sender=SCANNER,
    listener="spare_mx", client={"ADDR": "203.0.113.65"}, spare=CONFIG))
case("network: Sender is added on behalf of the boss")(Change(
    "", ("From: boss@example.com",), ("From: boss@example.com", f"Sender: {FAX}"),
    mail=f"<{FAX}>", sender=FAX, rcpts=LOCAL, listener="spare_mx", client={"ADDR": "198.51.100.7"},
    spare=CONFIG))


@case("network: the decision line names it")
def network_in_the_log(bench):
    daemon = bench.keep_spare(**CONFIG)
    session = bench.connect("spare_mx")
    session.xclient(ADDR="192.0.2.1")
    _, reply = bench.send(session, message(f"From: {SCANNER}"), f"<{SCANNER}>")
    bench.expect_accepted(reply)
    line = bench.decision(daemon, qid=reply.queue_id)
    check(line["principal"] == "network" and line["network"] == "192.0.2.0/28", str(line))


# ---- certificates ----

def certificate(name, want, which, mail, from_=None, login=None, header=(), rcpts=(TO,),
                configuration=CONFIG):
    """which: of rig.Certificates; None for TLS without one, "" for no TLS."""
    def run(bench):
        session = bench.connect("tls")
        if which != "":
            own = getattr(bench.rig.certificates, which) if which else None
            bench.expect_code(session.starttls(own), 250)
        if login:
            bench.expect_code(session.auth_plain(login, "secret"), 235)
        bench.expect(bench.send(session, message(f"From: {from_ or mail}", *header), f"<{mail}>",
                                rcpts), want)
        session.quit()
    on_spare(f"certificate: {name}", run, configuration)


certificate("its own address may relay", "accept", "relay", RELAY)
certificate("a domain that it has", "accept", "relay", "x@sales.example", "y@sales.example")
certificate("another sender is refused", "rcpt sender-not-granted", "relay", "alice@example.com")
certificate("another From is refused", "eom from-not-granted", "relay", RELAY,
            "alice@example.com")
certificate("an address of another issuer's is refused", "rcpt sender-not-granted", "relay",
            "bob@corp2.example")
certificate("a subject that the file does not name has nothing", "rcpt login-unknown", "nobody",
            RELAY)
certificate("of an issuer that is not listed proves nothing", "rcpt auth-required", "of_second",
            "bob@corp2.example")
certificate("of an authority with the same name that the MTA does not trust proves nothing",
            "rcpt auth-required", "of_theirs", RELAY)
certificate("that has expired proves nothing", "rcpt auth-required", "expired", RELAY)
certificate("TLS without one proves nothing", "rcpt auth-required", None, RELAY)
certificate("no TLS proves nothing", "rcpt auth-required", "", RELAY)
certificate("a login goes before it", "rcpt sender-not-granted", "relay", RELAY, login="alice")
certificate("a login has what it has", "accept", "relay", "alice@example.com", login="alice")
certificate("a login that is unknown is not helped by it", "rcpt login-unknown", "relay", RELAY,
            login="carol")
certificate("a login cannot be named like one", "rcpt login-unknown", "", RELAY,
            login=f"cert:{AUTHORITY}|relay one")
certificate("a login that looks like one with no issuer", "rcpt login-unknown", "", RELAY,
            login="cert:relay")
certificate("on behalf of the boss", "accept", "relay", RELAY, "boss@example.com",
            header=(f"Sender: {RELAY}",))
certificate("null sender of no report is refused", "eom null-sender", "relay", "", RELAY)


@case("certificate: it is marked, and changes are made, for each message of the session")
def certificate_is_marked(bench):
    daemon = bench.keep_spare(**CONFIG)
    session = bench.connect("tls")
    session.starttls(bench.rig.certificates.relay)
    for _ in range(2):
        data = message(f"Sender: {VICTIM}", "From: boss@example.com", "X-Sent-By: x")
        _, reply = bench.send(session, data, f"<{RELAY}>")
        got = bench.expect_accepted(reply)
        check(got.fields("X-Sent-By") == [b'cert="relay one";\r\n policy="certs"'],
              f"{got.header!r}")
        check(got.fields("Sender") == [RELAY.encode()], f"{got.header!r}")
        check(got.fields("From") == [b"boss@example.com"], f"{got.header!r}")
        line = bench.decision(daemon, qid=reply.queue_id)
        check((line["principal"], line["cert_subject"], line["cert_issuer"])
              == ("cert", "relay one", AUTHORITY), str(line))


@case("certificate: a session without it does not inherit the one before")
def certificate_is_not_inherited(bench):
    bench.keep_spare(**CONFIG)
    for which, want in (("relay", "accept"), (None, "rcpt auth-required"), ("relay", "accept")):
        session = bench.connect("tls")
        session.starttls(which and bench.rig.certificates.relay)
        bench.expect(bench.send(session, message(f"From: {RELAY}"), f"<{RELAY}>"), want)
        session.quit()


certificate("without cert_issuers it proves nothing", "rcpt auth-required", "relay", RELAY,
            configuration={"senders": SENDERS})
