"""Signals, reload, and the end."""

import os
import re
import signal
import socket
import struct
import subprocess
import time

from daemonkit import (PATIENCE, SENDERS, Daemon, accepted, case, equal, main, refused,
                       run_program, wait_for)
from milterwire import session

OWN = "alice@example.net"


def works(d):
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))
        refused(m.message("alice", OWN, "bob@example.net"), "from-not-granted")


@case
def burst_of_hup():
    """300 HUPs do not end it, and it reloads"""
    with Daemon() as d:
        for _ in range(300):
            d.send_signal(signal.SIGHUP)
            time.sleep(0.002)
        d.wait_for_log("generation [2-9]")
        works(d)


@case
def tight_burst():
    """2000 HUP and USR1 without a pause, under load"""
    with Daemon() as d:
        for i in range(2000):
            d.send_signal((signal.SIGHUP, signal.SIGUSR1)[i % 2])
            if i % 100 == 0:
                works(d)
        works(d)
        equal(d.process.poll(), None)
        assert "ended by itself" not in d.log()


@case
def usr1_reloads():
    """USR1 reloads as HUP does"""
    with Daemon() as d:
        d.send_signal(signal.SIGUSR1)
        d.wait_for_log("generation 2")
        works(d)


@case
def changed_senders():
    """A changed senders file counts from the reload on, for open connections too"""
    with Daemon() as d, session(d.socket) as m:
        refused(m.message("alice", "new@example.net", OWN), "sender-not-granted")
        d.write_senders(SENDERS + "new@example.net alice\n")
        refused(m.message("alice", "new@example.net", OWN), "sender-not-granted")
        d.reload()
        accepted(m.message("alice", "new@example.net", OWN))
        d.write_senders(SENDERS)
        d.reload()
        refused(m.message("alice", "new@example.net", OWN), "sender-not-granted")


@case
def reload_in_a_message():
    """A message is judged by the configuration that it began with"""
    with Daemon() as d, session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        accepted(m.rcpt())
        d.write_senders("bob@example.net bob\n")
        d.reload()
        accepted(m.eom([("From", OWN)]))
        refused(m.message("alice", OWN, OWN), "login-unknown")


@case
def faults_change_nothing():
    """A configuration with faults changes nothing, and the log names file and line"""
    with Daemon() as d:
        for conf in ("no_such_option = 1", "mode = sometimes", 'policy "x" {'):
            d.write_conf(conf)
            d.reload()
            works(d)
        d.wait_for_log("nothing was changed", 3)
        assert re.search(re.escape(d.conf_file) + ":4: ", d.log()), d.log()
        d.write_conf("")
        d.write_senders(SENDERS + "user@ alice\n")
        d.reload()
        works(d)
        assert re.search(re.escape(d.senders_file) + ":4: ", d.log()), d.log()
        os.unlink(d.conf_file)
        d.reload()
        works(d)
        assert "generation 2" not in d.log(), d.log()
        d.write_senders(SENDERS)
        d.write_conf("mode = observe")
        d.reload()
        d.wait_for_log("generation 2")
        with session(d.socket) as m:
            accepted(m.message("alice", OWN, "bob@example.net"))


@case
def what_needs_a_restart():
    """socket, socket_mode, socket_group, user, refuse_at, log: changed at a reload, nothing is"""
    rows = [('socket_mode = "0600"', "socket_mode"), ('socket_group = "daemon"', "socket_group"),
            ('user = "nobody"', "user"), ("refuse_at = mail", "refuse_at"),
            ('log = "/dev/null"', "log")]
    with Daemon() as d:
        for conf, option in rows:
            d.write_conf(conf + "\nmode = observe")
            d.reload()
            d.wait_for_log("reload: %s differs" % option)
            works(d)
        d.write_conf("mode = observe", socket="unix:%s/other.sock" % d.dir)
        d.reload()
        d.wait_for_log("reload: socket differs")
        works(d)
        assert not os.path.exists(d.dir + "/other.sock")
        assert "generation 2" not in d.log(), d.log()


@case
def term_ends():
    """TERM ends it with 0, without the five seconds of libmilter's listener"""
    with Daemon() as d:
        works(d)
        began = time.monotonic()
        equal(d.stop(), 0)
        return "took %.0f ms" % ((time.monotonic() - began) * 1000)


@case
def int_ends():
    """INT ends it with 0"""
    with Daemon() as d:
        equal(d.stop(signal.SIGINT), 0)
        assert not os.path.exists(d.path)


@case
def term_with_open_connections():
    """TERM with connections and messages under way"""
    with Daemon() as d:
        open_ = [session(d.socket) for _ in range(50)]
        for m in open_[:20]:
            m.mail("<%s>" % OWN, "alice")
            accepted(m.rcpt())
        for m in open_[:10]:
            m.header("From", OWN)
        equal(d.stop(), 0)
        for m in open_:
            assert m.closed()
            m.vanish()


@case
def term_under_load():
    """TERM while messages come in: no connection gets a wrong answer"""
    for _ in range(5):
        with Daemon() as d:
            helpers = [subprocess.Popen(["python3", "-c", HAMMER, d.socket],
                                        cwd=os.path.dirname(os.path.abspath(__file__)),
                                        stdout=subprocess.PIPE) for _ in range(4)]
            for h in helpers:
                h.stdout.readline()
            equal(d.stop(), 0)
            for h in helpers:
                equal(h.wait(PATIENCE), 0)
                h.stdout.close()


HAMMER = """
import sys
from milterwire import session
m = session(sys.argv[1])
print("up", flush=True)
try:
    while True:
        answer = m.message("alice", "alice@example.net", "bob@example.net")
        if answer.code == "t":
            break  # a command that came at the end
        assert answer.code == "y" and "from-not-granted" in answer.text, answer
except ConnectionError:
    pass
"""


@case
def twice():
    """TERM twice, and HUP while it ends"""
    with Daemon() as d:
        d.send_signal(signal.SIGTERM)
        d.send_signal(signal.SIGHUP)
        d.send_signal(signal.SIGTERM)
        equal(d.wait(), 0)


@case
def signals_at_the_start():
    """HUP at any time of the start does not end it; TERM ends it with 0"""
    for delay in range(0, 20):
        d = Daemon(wait=False)
        try:
            wait_for(lambda: is_caught(d.process.pid, signal.SIGHUP), "the handlers")
            time.sleep(delay / 1000)
            d.send_signal(signal.SIGHUP)
            d.send_signal(signal.SIGTERM)
            equal(d.wait(), 0)
            assert not os.path.exists(d.path)
        finally:
            d.cleanup()


def is_caught(pid, number):
    try:
        with open("/proc/%d/status" % pid) as f:
            caught = [int(line.split()[1], 16) for line in f if line.startswith("SigCgt")]
        return bool(caught and caught[0] >> (number - 1) & 1)
    except (OSError, IndexError):
        return False


@case
def service_manager():
    """The service manager hears READY, RELOADING with the time, READY, STOPPING"""
    d = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = "/tmp/sendas-milter-notify.%d" % os.getpid()
        manager.bind(path)
        manager.settimeout(PATIENCE)
        try:
            d = Daemon(environment={"NOTIFY_SOCKET": path})
            equal(manager.recv(999), b"READY=1")
            d.reload()
            words = manager.recv(999).decode().split("\n")
            equal(words[0], "RELOADING=1")
            said = int(words[1].partition("MONOTONIC_USEC=")[2])
            assert 0 < said <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, words
            equal(manager.recv(999), b"READY=1")
            d.write_conf("mode = sometimes")
            d.reload()
            assert manager.recv(999).startswith(b"RELOADING=1")
            equal(manager.recv(999), b"READY=1")
            equal(d.stop(), 0)
            equal(manager.recv(999), b"STOPPING=1")
        finally:
            os.unlink(path)
            if d:
                d.cleanup()


@case
def start_says_what_is_in_force():
    """The start logs version, socket and the table of the policies"""
    with Daemon('policy "special" { listeners = { ":2525" } header_from = tempfail }') as d:
        log = d.log()
        for word in ("sendas-milter ", d.socket, "generation 1", "special", "submission", "mx",
                     "header_from"):
            assert word in log, (word, log)


@case
def command_line():
    """Version 0, usage 64, check 0 or 78 with FILE:LINE"""
    code, text = run_program("-V")
    assert code == 0 and re.fullmatch(r"sendas-milter \S+\n", text), (code, text)
    for arguments in (["-x"], ["extra"], ["-c"]):
        code, text = run_program(*arguments)
        assert code == 64 and "usage:" in text, (code, text)
    with Daemon() as d:
        code, text = run_program("-t", "-c", d.conf_file)
        equal((code, "error" in text), (0, False))
        d.write_conf("mode = sometimes\nsocket_mode = 9")
        code, text = run_program("-t", "-c", d.conf_file)
        equal(code, 78)
        for line in ("4", "5"):
            assert "%s:%s: " % (d.conf_file, line) in text, text
        assert "warning" not in text.split("\n")[0], text
        code, text = run_program("-t", "-c", d.dir + "/missing.conf")
        assert code == 78 and "missing.conf" in text, (code, text)
        d.write_conf("")
        with open(d.conf_file) as f:
            conf = f.read()
        with open(d.conf_file, "w") as f:
            f.write(conf.replace("local_domains", "# local_domains"))
        code, text = run_program("-t", "-c", d.conf_file)
        assert code == 0 and "warning: " in text, (code, text)


@case
def directories_asked():
    """-t -t LOGIN tells the grants, and which of them are on behalf only"""
    senders = "ann@example.net ann\nboss@example.net on-behalf:ann, net:10.0.0.0/8\n"
    with Daemon(senders=senders) as d:
        code, text = run_program("-t", "-t", "-c", d.conf_file, "ann", "net:10.0.0.0/8")
        equal(code, 0)
        by = "by senders of %s" % d.senders_file
        equal(text, "login ann: %s, enabled, primary address ann@example.net\n"
              "  may use ann@example.net, %s:1 (directory test)\n"
              "  may use boss@example.net on behalf, %s:2 (directory test)\n"
              "login net:10.0.0.0/8: not known: test: no entry in %s has this owner\n"
              % (d.senders_file, by, by, d.senders_file))


@case
def packet_in_pieces():
    """A packet that comes byte by byte, with a reload in between"""
    with Daemon() as d, session(d.socket) as m:
        data = b"M<alice@example.net>\0"
        m.macros("M", {"{mail_addr}": OWN, "{auth_type}": "PLAIN", "{auth_authen}": "alice"})
        packet = struct.pack("!I", len(data)) + data
        for i, byte in enumerate(packet):
            m.send_raw(bytes([byte]))
            if i == 8:
                d.reload()
        accepted(m.rcpt())
        accepted(m.eom([("From", OWN)]))


main()
