"""Looking back: runs after all other cases."""
import re

from harness import case, check
from rig import wait_until

SANITIZER = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|"
                       r"MemorySanitizer|Assertion .* failed")


def active_mail(rig):
    """What the queue manager has not finished yet, by the log."""
    log = "".join(rig.mail_log())
    taken = set(re.findall(r"qmgr\[\d+\]: (\w+): from=", log))
    return taken - set(re.findall(r"qmgr\[\d+\]: (\w+): removed", log))


@case("nothing was delivered that no client was told of")
def nothing_else(bench):
    check(wait_until(lambda: not active_mail(bench.rig), 30), "the queue does not empty")
    strangers = [(delivered.queue_id, delivered.sender, delivered.data[:300])
                 for delivered in bench.rig.sink.all()
                 if not delivered.local and delivered.queue_id not in bench.accepted]
    check(not strangers, f"{strangers}")


@case("the MTA had no trouble with the milter but where it was killed")
def no_milter_trouble(bench):
    words = re.compile(r"milter.*(?:unexpected|malformed|protocol|invalid|too large)", re.I)
    trouble = [line.strip() for line in bench.rig.mail_log()
               if words.search(line) and "warning" in line]
    check(not trouble, "; ".join(trouble[:5]))


@case("the daemon ends in good order and no sanitizer spoke")
def daemon_ends(bench):
    bench.drop_spare()
    daemon = bench.rig.main
    check(daemon.alive(), "the daemon is gone")
    check(daemon.stop() == 0, f"exit status {daemon.process.child.returncode}")
    found = [line.strip() for each in (daemon, bench.rig.spare) for line in each.lines()
             if SANITIZER.search(line)]
    check(not found, "; ".join(found[:5]))
