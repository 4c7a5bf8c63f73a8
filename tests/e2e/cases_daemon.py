"""Death, restart and reload of the daemon, seen through the MTA."""
from harness import OWN, TO, case, check, message
from rig import SENDERS, Process, wait_until

GOOD = message(OWN)
FOREIGN = message("From: victim@bank.example")


def sender_passes(session, path):
    """Would this sender be accepted now? Leaves no transaction behind."""
    session.mail(path)
    passes = session.rcpt(TO).code == 250
    session.rset()
    return passes


def killed_and_back(bench, daemon, listener):
    session = bench.connect(listener, "alice")
    bench.expect(bench.send(session, GOOD), "accept")
    daemon.kill()
    _, reply = bench.send(session, GOOD)
    bench.expect_tempfail_of_mta(reply)
    fresh = bench.connect(listener)
    bench.expect_tempfail_of_mta(fresh.auth_plain("alice", "secret"))
    bench.expect_tempfail_of_mta(fresh.mail("<alice@example.com>"))
    daemon.start()
    after = bench.connect(listener, "alice")
    bench.expect(bench.send(after, GOOD), "accept")
    bench.expect(bench.send(after, FOREIGN), "eom from-not-granted")


@case("daemon killed: the MTA defers; started again: mail flows (inet socket)")
def killed_inet(bench):
    with bench.spare() as daemon:
        killed_and_back(bench, daemon, "spare")


@case("daemon killed: the MTA defers; started again over its stale socket (unix)")
def killed_unix(bench):
    killed_and_back(bench, bench.rig.main, "submission")


@case("daemon killed between RCPT and the final dot: not accepted")
def killed_in_message(bench):
    with bench.spare() as daemon:
        session = bench.connect("spare", "alice")
        session.mail("<alice@example.com>")
        bench.expect_code(session.rcpt(TO), 250)
        daemon.kill()
        bench.expect_tempfail_of_mta(session.data(FOREIGN))


@case("SIGTERM ends the daemon in good order")
def terminated(bench):
    with bench.spare() as daemon:
        bench.expect(bench.send(bench.connect("spare", "alice"), GOOD), "accept")
        check(daemon.stop() == 0, f"exit status {daemon.process.child.returncode}")


@case("SIGHUP: new grants count from the next message of a session")
def reload_adds(bench):
    with bench.spare() as daemon:
        session = bench.connect("spare", "alice")
        bench.expect(bench.send(session, GOOD, mail="<new@example.com>"),
                     "rcpt sender-not-granted")
        session.rset()
        daemon.configure(senders=SENDERS + "new@example.com alice\n")
        daemon.hup()
        check(wait_until(lambda: sender_passes(session, "<new@example.com>"), 10),
              "the new grant never came into force")
        check(daemon.alive(), "SIGHUP ended the daemon")
        bench.expect(bench.send(session, message("From: new@example.com"),
                                mail="<new@example.com>"), "accept")


@case("SIGHUP: a message that has begun keeps its configuration, the next has the new one")
def reload_removes(bench):
    with bench.spare() as daemon:
        begun = bench.connect("spare", "bob")
        begun.mail("<bob@example.com>")
        bench.expect_code(begun.rcpt(TO), 250)
        daemon.configure(senders="alice@example.com alice\nbob@corp2.example bob\n")
        daemon.hup()
        other = bench.connect("spare", "bob")
        check(wait_until(lambda: not sender_passes(other, "<bob@example.com>"), 10),
              "the old grant never went out of force")
        bench.expect_accepted(begun.data(message("From: bob@example.com")))
        bench.expect(bench.send(begun, message("From: bob@example.com"),
                                mail="<bob@example.com>"), "rcpt sender-not-granted")


def breaks(name, **configuration):
    """A reload with this configuration must change nothing, and say where the fault is."""
    @case(f"reload with {name} keeps what was in force")
    def run(bench):
        with bench.spare() as daemon:
            session = bench.connect("spare", "alice")
            bench.expect(bench.send(session, GOOD), "accept")
            start = len(daemon.lines())
            daemon.configure(**configuration)
            daemon.hup()
            fault = daemon.wait_line(lambda line: f"{daemon.conf}:" in line
                                     or f"{daemon.senders}:" in line, start)
            check(fault, "no line names FILE:LINE of the fault")
            bench.expect(bench.send(session, GOOD), "accept")
            bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
            daemon.configure(senders=SENDERS + "new@example.com alice\n")
            daemon.hup()
            check(wait_until(lambda: sender_passes(session, "<new@example.com>"), 10),
                  "no reload works after a bad one")


breaks("a syntax error", extra="policy {{{\n")
breaks("an unknown option", extra="no_such_option = yes\n", senders="new@example.com alice\n")
breaks("a broken senders file", senders="alice@example.com alice\n<> alice\n")


@case("many SIGHUPs under way harm no message")
def reload_often(bench):
    with bench.spare() as daemon:
        session = bench.connect("spare", "alice")
        for _ in range(20):
            daemon.hup()
            bench.expect(bench.send(session, GOOD), "accept")
            daemon.hup()
            bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")
        check(daemon.alive(), "SIGHUP ended the daemon")


@case("daemon that observes refuses nothing and logs what it would have done")
def daemon_observes(bench):
    with bench.spare(mode="observe") as daemon:
        for login, mail, data, reason in (
                ("alice", "<victim@bank.example>", GOOD, "sender-not-granted"),
                ("alice", "<alice@example.com>", FOREIGN, "from-not-granted"),
                (None, "<alice@example.com>", GOOD, "auth-required")):
            session = bench.connect("spare", login)
            _, reply = bench.send(session, data, mail=mail)
            bench.expect_accepted(reply)
            line = bench.decision(daemon, qid=reply.queue_id)
            check((line["verdict"], line.get("would"), line["reason"])
                  == ("accept", "reject", reason), f"{line}")


@case("max_recipients defers the recipients over it")
def max_recipients(bench):
    extra = 'policy "few" { listeners = { "ORIGINATING" } max_recipients = 2 }\n'
    with bench.spare(extra=extra):
        session = bench.connect("spare", "alice")
        session.mail("<alice@example.com>")
        for number in range(2):
            bench.expect_code(session.rcpt(f"<r{number}@far.example>"), 250)
        bench.expect_refusal(session.rcpt("<r2@far.example>"), "limit-recipients", "rcpt")
        bench.expect_accepted(session.data(GOOD), rcpts=["r0@far.example", "r1@far.example"])


@case("exempt login is observed, but not in malformed From")
def exempt_login(bench):
    extra = 'policy "exempt" { listeners = { "ORIGINATING" } exempt_logins = { "alice" } }\n'
    with bench.spare(extra=extra):
        session = bench.connect("spare", "alice")
        bench.expect(bench.send(session, FOREIGN, mail="<victim@bank.example>"), "accept")
        bench.expect(bench.send(session, message("From: <alice@")), "eom from-malformed")
        other = bench.connect("spare", "bob")
        bench.expect(bench.send(other, FOREIGN, mail="<bob@example.com>"), "eom from-not-granted")


@case("reply template of the site is used")
def reply_template(bench):
    extra = ('reply "from-not-granted" { text = "%{address} is not for %{login}, see %{help_url}" }'
             '\nhelp_url = "https://mail.example.com/help#%{reason}"\n')
    with bench.spare(extra=extra):
        session = bench.connect("spare", "alice")
        _, reply = bench.send(session, FOREIGN)
        bench.expect_refusal(reply, "from-not-granted", "eom")
        check("victim@bank.example is not for alice, see "
              "https://mail.example.com/help#from-not-granted" in reply.text, str(reply))


@case("reply of several lines reaches the client as that, and the session goes on")
def reply_of_several_lines(bench):
    extra = ('reply "sender-not-granted" { text = "100% no\\nask the boss" }\n'
             'reply "from-not-granted" { text = "one\\ntwo\\nthree\\nfour" }\n')
    with bench.spare(extra=extra):
        session = bench.connect("spare", "alice")
        _, reply = bench.send(session, GOOD, mail="<victim@bank.example>")
        check(reply.code == 553 and len(reply.lines) == 2, str(reply))
        check(reply.lines[0].endswith("5.7.1 sender-not-granted: 100% no"), str(reply))
        check(reply.lines[1].endswith("ask the boss"), str(reply))
        session.rset()
        _, reply = bench.send(session, FOREIGN)
        check(reply.code == 550 and len(reply.lines) == 4, str(reply))
        check([line.split()[-1] for line in reply.lines] == ["one", "two", "three", "four"],
              str(reply))
        bench.expect(bench.send(session, GOOD), "accept")


@case("From larger than max_header_size is refused")
def from_too_large(bench):
    comment = " (" + "x" * 900 + ")\r\n"
    with bench.spare(extra='max_header_size = "2k"\n'):
        session = bench.connect("spare", "alice")
        bench.expect(bench.send(session, "From: alice@example.com\r\n" + 3 * comment + "\r\n"),
                     "eom headers-too-large")
        bench.expect(bench.send(session, "From: alice@example.com\r\n" + 2 * comment + "\r\n"),
                     "accept")


@case("answer already at MAIL where told (refuse_at = mail)")
def refuse_at_mail(bench):
    with bench.spare(extra='refuse_at = "mail"\n'):
        session = bench.connect("spare", "alice")
        bench.expect(bench.send(session, GOOD, mail="<victim@bank.example>"),
                     "mail sender-not-granted")
        bench.expect(bench.send(session, GOOD), "accept")
        bench.expect(bench.send(session, FOREIGN), "eom from-not-granted")


def second_daemon_fails(bench, daemon, listener):
    second = type(daemon)(bench.rig, "second", daemon.socket)
    # The start must fail, so no Daemon.start().
    second.process = Process([bench.rig.milter, "-f", "-c", second.conf], second.log)
    gave_up = wait_until(lambda: not second.alive(), 20)
    status = second.stop()
    check(gave_up, "two daemons on one socket")
    check(status != 0, "the second one says that it went well")
    check(any("another" in line or "in use" in line for line in second.lines()),
          f"no clear text: {second.lines()}")
    bench.expect(bench.send(bench.connect(listener, "alice"), GOOD), "accept")


@case("live peer's socket is not taken over (inet)")
def live_inet_socket(bench):
    with bench.spare() as daemon:
        second_daemon_fails(bench, daemon, "spare")


@case("live peer's socket is not taken over (unix)")
def live_unix_socket(bench):
    second_daemon_fails(bench, bench.rig.main, "submission")
