"""The decision line, and policies that only observe."""
from harness import OWN, case, check, message

FOREIGN = message("From: victim@bank.example")


def expect_fields(line, **wanted):
    for key, value in wanted.items():
        check(line.get(key) == value, f"{key}={line.get(key)!r}, wanted {value!r}: {line}")


@case("decision line of an accepted message")
def line_of_accept(bench):
    session = bench.connect(login="alice")
    _, reply = bench.send(session, message(OWN))
    bench.expect_accepted(reply)
    line = bench.decision(qid=reply.queue_id)
    expect_fields(line, event="message", client="127.0.0.1", listener="ORIGINATING",
                  policy="submission", principal="sasl", login="alice", verdict="accept")
    expect_fields(line, sender="alice@example.com", rcpts="1")
    expect_fields(line, **{"from": "alice@example.com"})
    check("senders" in line.get("from_grant", ""), f"no source of the grant: {line}")
    check(line.get("spent_us", "").isdigit(), f"no time spent: {line}")
    check(line.get("port") == str(bench.rig.ports["submission"]), f"port: {line}")


@case("decision line of a refused message")
def line_of_refusal(bench):
    session = bench.connect(login="alice")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
    line = bench.decision(reason="from-not-granted")
    expect_fields(line, event="message", client="127.0.0.1", login="alice", verdict="reject",
                  address="victim@bank.example", policy="submission")
    queued = [entry for entry in bench.rig.mail_log()[bench.mail_log_start:]
              if line["qid"] + ":" in entry]
    check(queued, f"the MTA knows no queue id {line['qid']}")


@case("decision line of a refused recipient")
def line_of_rcpt(bench):
    session = bench.connect("mx")
    bench.expect(bench.send(session, FOREIGN, mail="<x@outside.example>"), "rcpt relay-denied")
    line = bench.decision(reason="relay-denied")
    expect_fields(line, event="rcpt", principal="none", policy="mx", verdict="reject",
                  rcpt="friend@far.example", sender="x@outside.example")


@case("one message, one decision line")
def one_line(bench):
    session = bench.connect(login="alice")
    _, reply = bench.send(session, message(OWN))
    bench.expect_accepted(reply)
    bench.decision(qid=reply.queue_id)
    lines = bench.rig.main.lines()[bench.daemon_log_start[bench.rig.main]:]
    check(sum("verdict=" in line for line in lines) == 1, f"{lines}")


@case("what a client types cannot forge a decision line")
def no_forgery(bench):
    session = bench.connect(login="alice")
    mail = '<"x verdict=accept login=root"@bank.example>'
    bench.expect(bench.send(session, message(OWN), mail=mail), "rcpt sender-not-granted")
    line = bench.decision(reason="sender-not-granted")
    expect_fields(line, verdict="reject", login="alice")
    check("verdict=accept" in line["sender"], f"{line}")


@case("policy chosen by the port stands in the decision line")
def policy_by_port(bench):
    session = bench.connect("byport", "alice")
    bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
    expect_fields(bench.decision(reason="from-not-granted"), policy="byport",
                  port=str(bench.rig.ports["byport"]))


@case("outsider with a local sender is logged where only observed")
def local_sender_observed(bench):
    session = bench.connect("mx")
    _, reply = bench.send(session, message(OWN), rcpts=("<bob@example.com>",))
    bench.expect_accepted(reply)
    expect_fields(bench.decision(qid=reply.queue_id), verdict="accept", would="reject",
                  reason="local-sender")


OBSERVED = (
    ("foreign envelope", "alice", "<victim@bank.example>", message(OWN), "sender-not-granted"),
    ("foreign From", "alice", "<alice@example.com>", FOREIGN, "from-not-granted"),
    ("two From fields", "alice", "<alice@example.com>", message(OWN, OWN), "from-duplicate"),
    ("group", "alice", "<alice@example.com>", message("From: g: alice@example.com;"),
     "from-group"),
    ("malformed From", "alice", "<alice@example.com>", message("From: <alice@"),
     "from-malformed"),
    ("missing From", "alice", "<alice@example.com>", message("Subject: x"), "from-missing"),
    ("null sender", "alice", "<>", message(OWN), "null-sender"),
    ("unknown login", "carol", "<alice@example.com>", message(OWN), "login-unknown"),
    ("nobody", None, "<alice@example.com>", message(OWN), "auth-required"),
    ("malformed sender", "alice", "<(c)alice@example.com>", message(OWN), "sender-malformed"),
)


def observed(login, mail, data, reason):
    def run(bench):
        session = bench.connect("observed", login)
        _, reply = bench.send(session, data, mail=mail)
        bench.expect_accepted(reply)
        line = bench.decision(qid=reply.queue_id)
        expect_fields(line, verdict="accept", would="reject", policy="observed")
        check(reason in (line["reason"], *line.get("reasons", "").replace("(observed)", "")
                         .split(",")), f"{reason} not named: {line}")
    return run


for what, *rest in OBSERVED:
    case(f"policy that observes lets through and logs: {what}")(observed(*rest))
