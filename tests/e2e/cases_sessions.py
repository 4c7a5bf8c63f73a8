"""Several messages in a session, and every way to hand one over."""
from harness import OWN, TO, case, check, message
from smtp import dot_stuffed, octets

FOREIGN = message("From: victim@bank.example")
GOOD = message(OWN)


@case("two messages in a session: accepted, then refused")
def good_then_bad(bench):
    session = bench.connect(login="alice")
    bench.expect(bench.send(session, GOOD), "accept")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")


@case("two messages in a session: refused, then accepted")
def bad_then_good(bench):
    session = bench.connect(login="alice")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
    bench.expect(bench.send(session, GOOD), "accept")


@case("From of one message is not counted in the next")
def from_does_not_leak(bench):
    session = bench.connect(login="alice")
    for _ in range(3):
        bench.expect(bench.send(session, GOOD), "accept")
    bench.expect(bench.send(session, message("Subject: no From")), "eom from-missing")
    bench.expect(bench.send(session, GOOD), "accept")


@case("envelope of one message does not serve the next")
def envelope_does_not_leak(bench):
    session = bench.connect(login="alice")
    bench.expect(bench.send(session, GOOD), "accept")
    bench.expect(bench.send(session, GOOD, mail="<bob@example.com>"), "rcpt sender-not-granted")
    session.rset()
    bench.expect(bench.send(session, GOOD), "accept")


@case("shape of a report does not serve the next message")
def report_does_not_leak(bench):
    session = bench.connect(login="alice")
    reply = message(OWN, "Auto-Submitted: auto-replied")
    bench.expect(bench.send(session, reply, mail="<>"), "accept")
    bench.expect(bench.send(session, GOOD, mail="<>"), "eom null-sender")


@case("RSET forgets a granted envelope")
def rset_after_good(bench):
    session = bench.connect(login="alice")
    session.mail("<alice@example.com>")
    bench.expect_code(session.rcpt(TO), 250)
    session.rset()
    bench.expect(bench.send(session, GOOD, mail="<victim@bank.example>"),
                 "rcpt sender-not-granted")


@case("RSET forgets a refused envelope")
def rset_after_bad(bench):
    session = bench.connect(login="alice")
    session.mail("<victim@bank.example>")
    bench.expect_refusal(session.rcpt(TO), "sender-not-granted", "rcpt")
    session.rset()
    bench.expect(bench.send(session, GOOD), "accept")


@case("EHLO inside a transaction forgets it")
def ehlo_inside(bench):
    session = bench.connect(login="alice")
    session.mail("<alice@example.com>")
    bench.expect_code(session.rcpt(TO), 250)
    session.ehlo()
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
    bench.expect(bench.send(session, GOOD), "accept")


@case("AUTH after an unauthenticated MAIL counts for the next MAIL")
def auth_after_mail(bench):
    session = bench.connect("submission")
    session.mail("<alice@example.com>")
    bench.expect_refusal(session.rcpt(TO), "auth-required", "rcpt")
    session.rset()
    bench.expect_code(session.auth_plain("alice", "secret"), 235)
    bench.expect(bench.send(session, GOOD), "accept")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")


@case("AUTH after an unauthenticated message is judged from then on")
def auth_after_message(bench):
    session = bench.connect("open")
    bench.expect(bench.send(session, FOREIGN, mail="<x@outside.example>",
                            rcpts=("<alice@example.com>",)), "accept")
    session.mail("<x@outside.example>")
    session.rset()
    bench.expect_code(session.auth_plain("alice", "secret"), 235)
    bench.expect(bench.send(session, FOREIGN, mail="<x@outside.example>"),
                 "rcpt sender-not-granted")
    session.rset()
    bench.expect(bench.send(session, GOOD), "accept")


@case("AUTH LOGIN proves the same login")
def auth_login(bench):
    session = bench.connect("submission")
    bench.expect_code(session.auth_login("alice", "secret"), 235)
    bench.expect(bench.send(session, GOOD), "accept")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")


@case("second AUTH in a session changes nobody")
def auth_twice(bench):
    session = bench.connect(login="alice")
    bench.expect_code(session.auth_plain("bob", "secret"), 503)
    bench.expect(bench.send(session, GOOD, mail="<bob@example.com>"), "rcpt sender-not-granted")


@case("pipelined envelope")
def pipelined_envelope(bench):
    session = bench.connect(login="alice")
    session.send(f"MAIL FROM:<alice@example.com>\r\nRCPT TO:{TO}\r\nDATA\r\n")
    replies = [session.reply().code for _ in range(3)]
    check(replies == [250, 250, 354], f"{replies}")
    bench.expect_refusal(session.raw_data(dot_stuffed(FOREIGN)), "from-not-granted", "eom")


@case("two pipelined messages keep apart")
def pipelined_messages(bench):
    session = bench.connect(login="alice")
    envelope = f"MAIL FROM:<alice@example.com>\r\nRCPT TO:{TO}\r\nDATA\r\n".encode()
    session.send(envelope)
    bench.expect_code([session.reply() for _ in range(3)][-1], 354)
    session.send(dot_stuffed(GOOD) + envelope)
    bench.expect_accepted(session.reply())
    bench.expect_code([session.reply() for _ in range(3)][-1], 354)
    session.send(dot_stuffed(FOREIGN) + b"RSET\r\n" + envelope)
    bench.expect_refusal(session.reply(), "from-not-granted", "eom")
    bench.expect_code([session.reply() for _ in range(4)][-1], 354)
    bench.expect_accepted(session.raw_data(dot_stuffed(GOOD)))


@case("pipelined foreign envelope is refused and DATA with it")
def pipelined_refusal(bench):
    session = bench.connect(login="alice")
    session.send(f"MAIL FROM:<victim@bank.example>\r\nRCPT TO:{TO}\r\nDATA\r\n")
    bench.expect_code(session.reply(), 250)
    bench.expect_refusal(session.reply(), "sender-not-granted", "rcpt")
    check(session.reply().code in (503, 554), "DATA was taken")


def envelope_for_bdat(bench, session):
    bench.expect_code(session.mail("<alice@example.com>"), 250)
    bench.expect_code(session.rcpt(TO), 250)


@case("BDAT in one chunk")
def bdat_one(bench):
    session = bench.connect(login="alice")
    envelope_for_bdat(bench, session)
    bench.expect_accepted(session.bdat([octets(GOOD)]))
    envelope_for_bdat(bench, session)
    bench.expect_refusal(session.bdat([octets(FOREIGN)]), "from-not-granted", "eom")


@case("BDAT in several chunks, cut inside From")
def bdat_several(bench):
    session = bench.connect(login="alice")
    for data, reason in ((FOREIGN, "from-not-granted"), (GOOD, None)):
        envelope_for_bdat(bench, session)
        data = octets(data)
        reply = session.bdat([data[:3], data[3:10], data[10:15], data[15:]])
        if reason:
            bench.expect_refusal(reply, reason, "eom")
        else:
            bench.expect_accepted(reply)


@case("BDAT with an empty last chunk")
def bdat_empty_last(bench):
    session = bench.connect(login="alice")
    envelope_for_bdat(bench, session)
    bench.expect_refusal(session.bdat([octets(FOREIGN), b""]), "from-not-granted", "eom")
    envelope_for_bdat(bench, session)
    bench.expect_accepted(session.bdat([octets(GOOD), b""]))


@case("BDAT given up by RSET leaves nothing behind")
def bdat_rset(bench):
    session = bench.connect(login="alice")
    envelope_for_bdat(bench, session)
    session.send(b"BDAT %d\r\n" % len(FOREIGN) + octets(FOREIGN))
    bench.expect_code(session.reply(), 250)
    session.rset()
    bench.expect(bench.send(session, GOOD), "accept")


@case("XCLIENT LOGIN is a login")
def xclient_login(bench):
    session = bench.connect("mx")
    bench.expect_code(session.xclient(LOGIN="bob"), 220)
    bench.expect(bench.send(session, message("From: bob@example.com"), mail="<bob@example.com>"),
                 "accept")
    bench.expect(bench.send(session, GOOD), "rcpt sender-not-granted")


@case("XCLIENT starts anew: the login of before is gone")
def xclient_forgets(bench):
    session = bench.connect("open", "alice")
    bench.expect(bench.send(session, GOOD), "accept")
    bench.expect_code(session.xclient(ADDR="203.0.113.9", NAME="mail.outside.example"), 220)
    bench.expect(bench.send(session, GOOD), "rcpt relay-denied")
    check(bench.decision(reason="relay-denied")["client"] == "203.0.113.9", "client address")


@case("XCLIENT with another login in the same connection")
def xclient_changes_login(bench):
    session = bench.connect("mx")
    session.xclient(LOGIN="alice")
    bench.expect(bench.send(session, GOOD), "accept")
    session.xclient(LOGIN="bob")
    bench.expect(bench.send(session, GOOD), "rcpt sender-not-granted")
    session.rset()
    session.xclient(LOGIN="[UNAVAILABLE]")
    bench.expect(bench.send(session, GOOD), "rcpt relay-denied")


@case("client that drops in the middle of DATA harms nobody")
def drop_in_data(bench):
    for _ in range(3):
        session = bench.connect(login="alice")
        session.mail("<alice@example.com>")
        session.rcpt(TO)
        bench.expect_code(session.command("DATA"), 354)
        session.send("From: victim@bank.example\r\nSubject: half\r\n")
        session.drop()
    session = bench.connect(login="alice")
    bench.expect(bench.send(session, GOOD), "accept")


@case("client that drops after RCPT harms nobody")
def drop_after_rcpt(bench):
    for mail in ("<alice@example.com>", "<victim@bank.example>", "<>"):
        session = bench.connect(login="alice")
        session.mail(mail)
        session.rcpt(TO)
        session.drop()
    bench.expect(bench.send(bench.connect(login="alice"), GOOD), "accept")


@case("many messages in a session, mixed")
def many_mixed(bench):
    session = bench.connect(login="alice")
    for number in range(12):
        data, want = ((GOOD, "accept"), (FOREIGN, "eom from-not-granted"),
                      (message(OWN, OWN), "eom from-duplicate"))[number % 3]
        bench.expect(bench.send(session, data), want)
