"""Clients that proved nothing: relaying, local delivery, and listeners that require AUTH."""
from harness import OWN, Row, case, check, message, rows

OUTSIDE = "<someone@outside.example>"
LOCAL = ("<alice@example.com>",)

rows(
    Row("unauthenticated relaying is refused", "rcpt relay-denied", login=None, listener="mx",
        mail=OUTSIDE),
    Row("unauthenticated relaying with a null sender is refused", "rcpt relay-denied",
        login=None, listener="mx", mail="<>"),
    Row("unauthenticated relaying with a local sender is refused", "rcpt relay-denied",
        login=None, listener="mx"),
    Row("unauthenticated mail for a local domain is accepted", "accept",
        message("From: someone@outside.example"), login=None, listener="mx", mail=OUTSIDE,
        rcpts=LOCAL),
    Row("claims of an outsider are not judged", "accept",
        message("From: a@one.example, b@two.example", "From: third@bank.example"),
        login=None, listener="mx", mail=OUTSIDE, rcpts=LOCAL),
    Row("missing From of an outsider is not judged", "accept", message("Subject: none"),
        login=None, listener="mx", mail=OUTSIDE, rcpts=LOCAL),
    Row("bounce for a local user is accepted", "accept",
        message("From: MAILER-DAEMON@outside.example"), login=None, listener="mx", mail="<>",
        rcpts=LOCAL),
    Row("local domain in upper case is local", "accept", login=None, listener="mx",
        mail=OUTSIDE, rcpts=("<Alice@EXAMPLE.COM>",)),
    Row("local domain as U-label is local", "accept", login=None, listener="mx", mail=OUTSIDE,
        rcpts=("<alice@b\u00fccher.example>",), parameters="SMTPUTF8"),
    Row("bare postmaster is local", "accept", login=None, listener="mx", mail=OUTSIDE,
        rcpts=("<postmaster>",)),
    Row("postmaster at the host's own address is local", "accept", login=None, listener="mx",
        mail=OUTSIDE, rcpts=("<postmaster@[127.0.0.1]>",)),
    Row("literal of another host is not local", "rcpt relay-denied", login=None, listener="mx",
        mail=OUTSIDE, rcpts=("<postmaster@[192.0.2.1]>",)),
    Row("subdomain of a local domain is not local", "rcpt relay-denied", login=None,
        listener="mx", mail=OUTSIDE, rcpts=("<x@deep.example.com>",)),
    Row("source route through a local domain is not local", "rcpt relay-denied", login=None,
        listener="mx", mail=OUTSIDE, rcpts=("<@example.com:x@far.example>",)),
    Row("quoted @ in a recipient does not choose the domain", "rcpt relay-denied", login=None,
        listener="mx", mail=OUTSIDE, rcpts=('<"alice@example.com"@far.example>',)),
    Row("outsider with a local sender is only observed by default", "accept", login=None,
        listener="mx", rcpts=LOCAL),
    Row("outsider with a local sender is refused where told", "rcpt local-sender", login=None,
        listener="strict", rcpts=LOCAL),
    Row("outsider with a foreign sender passes there", "accept", login=None, listener="strict",
        mail=OUTSIDE, rcpts=LOCAL),
    Row("submission without AUTH is refused", "rcpt auth-required", login=None),
    Row("submission without AUTH is refused for local recipients too", "rcpt auth-required",
        login=None, rcpts=LOCAL),
    Row("submission without AUTH is refused by port too", "rcpt auth-required", login=None,
        listener="byport"),
    Row("outsider on a listener that offers AUTH may not relay", "rcpt relay-denied",
        login=None, listener="open", mail=OUTSIDE),
    Row("outsider on a listener that offers AUTH reaches local users", "accept", login=None,
        listener="open", mail=OUTSIDE, rcpts=LOCAL),
)


@case("of twenty recipients only the one that is not local is refused")
def one_of_twenty(bench):
    session = bench.connect("mx")
    local = [f"user{number}@example.com" for number in range(19)]
    bench.expect_code(session.mail(OUTSIDE), 250)
    for number, rcpt in enumerate(local):
        if number == 9:
            bench.expect_refusal(session.rcpt("<x@far.example>"), "relay-denied", "rcpt")
        bench.expect_code(session.rcpt(f"<{rcpt}>"), 250)
    bench.expect_accepted(session.data(message("From: x@y.example")), "someone@outside.example",
                          local)


@case("failed AUTH leaves an outsider")
def failed_auth(bench):
    session = bench.connect("open")
    bench.expect_code(session.auth_plain("alice", "wrong"), 535)
    bench.expect(bench.send(session, message(OWN)), "rcpt relay-denied")


@case("text for an outsider says nothing about the directory")
def outsider_text(bench):
    session = bench.connect("mx")
    _, reply = bench.send(session, message(OWN), mail=OUTSIDE)
    bench.expect_refusal(reply, "relay-denied", "rcpt")
    check("directory" not in reply.text and "alice" not in reply.text, str(reply))


@case("local submission by sendmail(1) is observed, not bounced")
def local_submission(bench):
    before = len(bench.rig.sink.all())
    done = bench.rig.sendmail("victim@bank.example", "friend@far.example",
                              b"From: victim@bank.example\nSubject: cron\n\nhello\n")
    check(done.returncode == 0, f"sendmail: {done.stderr!r}")
    delivered = bench.rig.sink.wait_for(lambda d: d.local and b"Subject: cron" in d.data)
    check(delivered and delivered.sender == "victim@bank.example", "never delivered")
    line = bench.decision(qid=delivered.queue_id)
    check(line["policy"] == "non-smtp" and line["verdict"] == "accept", str(line))
    check(line["listener"] == "non-smtp", str(line))
    check(len(bench.rig.sink.all()) == before + 1, "something else was delivered, a bounce?")
