"""16 connections with 1,000 messages each, then 5,000 idle ones: no error, and little memory."""

import resource
import sys
import threading
import time

from daemonkit import Daemon, accepted, case, equal, main, refused
from milterwire import Milter, session

CONNECTIONS, MESSAGES, IDLE = 16, 1000, 5000
RSS_MAX = 40000  # kB, of a build without sanitizers


def own(i):
    return "user%d@example.net" % i


def is_plain_build(d):
    with open("/proc/%d/maps" % d.process.pid) as f:
        maps = f.read()
    return not any(word in maps for word in ("libasan", "libtsan", "libubsan", "clang_rt", "vgpreload"))


def check_memory(d):
    rss, threads = d.status("VmRSS"), d.status("Threads")
    if is_plain_build(d):
        assert rss < RSS_MAX, "%d kB" % rss
    return "RSS %d kB (at most %d kB), %d threads" % (rss, d.status("VmHWM"), threads)


def work(d, i, errors):
    try:
        with session(d.socket) as m:
            for n in range(MESSAGES):
                if n % 10 == 9:
                    refused(m.message("user%d" % i, own(i), own(i + 1)), "from-not-granted",
                            "login user%d;" % i)
                else:
                    accepted(m.message("user%d" % i, own(i), own(i)))
    except Exception as e:
        errors.append(repr(e))


@case
def busy(d):
    """16 connections with 1,000 messages each"""
    errors = []
    threads = [threading.Thread(target=work, args=(d, i, errors)) for i in range(CONNECTIONS)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - began
    equal(errors, [])
    return "%.0f messages a second; %s" % (CONNECTIONS * MESSAGES / took, check_memory(d))


@case
def idle(d):
    """5,000 idle connections, then a message on every hundredth"""
    open_ = []
    try:
        for _ in range(IDLE):
            m = Milter(d.socket)
            m.connect()
            m.helo()
            open_.append(m)
        for m in open_[::100]:
            accepted(m.message("user1", own(1), own(1)))
        return check_memory(d)
    finally:
        for m in open_:
            m.quit()


@case
def afterwards(d):
    """What was taken is given back"""
    accepted_before = d.answers()
    assert accepted_before
    return check_memory(d)


SENDERS = "".join("user%d@example.net user%d\n" % (i, i) for i in range(CONNECTIONS + 1))

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard != resource.RLIM_INFINITY and hard < IDLE + 100:
    print("Bail out! %d descriptors are allowed, %d are needed" % (hard, IDLE + 100))
    sys.exit(1)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
with Daemon(senders=SENDERS) as daemon:
    main(daemon)
