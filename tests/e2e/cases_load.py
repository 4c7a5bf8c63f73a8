"""Many at once: verdicts stay with their messages."""
import threading

from harness import OWN, TO, case, check, message
import rig
import smtp

SESSIONS = 8
MESSAGES = 25  # each

# (mail, data, what must become of it)
MIX = (
    ("<{login}@example.com>", message("From: {login}@example.com"), "accept"),
    ("<{login}@example.com>", message("From: victim@bank.example"), "eom from-not-granted"),
    ("<victim@bank.example>", message(OWN), "rcpt sender-not-granted"),
    ("<{login}@example.com>", message("From: {login}@example.com", OWN), "eom from-duplicate"),
    ("<{login}@example.com>", message("From: {other}@example.com"), "eom from-not-granted"),
    ("<{login}@example.com>", message("From: team@example.com"), "accept"),
    ("<{other}@example.com>", message(OWN), "rcpt sender-not-granted"),
)


def one_session(bench, number, faults, replies):
    """A session of messages in an order of its own; nothing is shared but the lists."""
    login, other = ("alice", "bob") if number % 2 else ("bob", "alice")
    names = {"login": login, "other": other}
    try:
        session = smtp.Smtp(bench.rig.ports["submission"])
        session.ehlo()
        session.auth_plain(login, rig.PASSWORD)
        for turn in range(MESSAGES):
            mail, data, want = MIX[(number + turn) % len(MIX)]
            outcome = bench.send(session, data.format(**names), mail.format(**names), (TO,))
            if want == "accept":
                replies.append((login, outcome[1]))
            else:
                bench.expect(outcome, want)
            session.rset()
        session.quit()
    except Exception as fault:  # to the main thread, which reports it
        faults.append(f"session {number}: {type(fault).__name__}: {fault}")


@case(f"{SESSIONS * MESSAGES} messages over {SESSIONS} sessions at once, mixed verdicts")
def parallel(bench):
    faults, replies = [], []
    threads = [threading.Thread(target=one_session, args=(bench, number, faults, replies))
               for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not faults, "; ".join(faults))
    for login, reply in replies:
        bench.expect_accepted(reply, f"{login}@example.com")
    check(len({reply.queue_id for _, reply in replies}) == len(replies), "queue ids repeat")
