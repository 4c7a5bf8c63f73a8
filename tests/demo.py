#!/usr/bin/env python3
"""Starts the daemon with a sample configuration, plays example submissions, prints the verdicts.

usage: demo.py [--once] [--port N] [--ldap]

With --ldap the same addresses come from a slapd of its own, made for the occasion.
Programs: $SENDAS_MILTER and $SENDASCTL, or milter/sendas-milter and ctl/sendasctl in the present
directory. Serves until interrupted; with --once ends after the table. Exit status 0 only if every
verdict is the one that belongs to the example.
"""
import argparse
import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DAEMON = os.path.abspath(os.environ.get("SENDAS_MILTER", "milter/sendas-milter"))
TOOL = os.path.abspath(os.environ.get("SENDASCTL", "ctl/sendasctl"))
START_SECONDS = 20

SENDERS = """\
# address                who may send as it
ann@example.net          ann
a.lee@example.net        ann
bob@example.net          bob
info@example.net         ann, bob
"""

CONFIGURATION = """\
socket        = "inet:{port}@127.0.0.1"
user          = "{user}"
log           = "stderr"
local_domains = {{ "example.net" }}

"""

FILE_DIRECTORY = """\
directory "sample" {
    type = file
    file = "@DIRECTORY@/senders"
}
"""

LDAP_DIRECTORY = """\
directory "sample" {{
    type   = ldap
    uri    = {{ "{uri}" }}
    base   = '{base}'
    schema = inetorgperson
}}
"""

# what it shows, login or None, envelope sender, From fields, and others with their name, recipient,
# verdict, reason or None
EXAMPLES = (
    ("own address", "ann", "ann@example.net", ["ann@example.net"], "x@example.org",
     "accepted", None),
    ("second address", "ann", "a.lee@example.net", ["a.lee@example.net"], "x@example.org",
     "accepted", None),
    ("foreign envelope", "ann", "ceo@example.com", ["ann@example.net"], "x@example.org",
     "refused", "sender-not-granted"),
    ("foreign From", "ann", "ann@example.net", ["ceo@example.com"], "x@example.org",
     "refused", "from-not-granted"),
    ("a colleague's From", "ann", "ann@example.net", ["bob@example.net"], "x@example.org",
     "refused", "from-not-granted"),
    ("two From fields", "ann", "ann@example.net", ["ann@example.net", "bob@example.net"],
     "x@example.org", "refused", "from-duplicate"),
    ("no From", "ann", "ann@example.net", [], "x@example.org", "refused", "from-missing"),
    ("own Sender", "ann", "ann@example.net", ["info@example.net", "Sender: ann@example.net"],
     "x@example.org", "accepted", None),
    ("foreign Sender", "ann", "ann@example.net", ["ann@example.net", "Sender: ceo@example.com"],
     "x@example.org", "refused", "header-sender-not-granted"),
    ("null sender", "ann", "<>", ["ceo@example.com"], "x@example.org", "refused", "null-sender"),
    ("relaying", None, "eve@example.com", ["eve@example.com"], "x@example.org",
     "refused", "relay-denied"),
    ("mail from outside", None, "eve@example.com", ["eve@example.com"], "ann@example.net",
     "accepted", None),
)


class Fault(Exception):
    """The demonstration cannot go on."""


class Daemon:
    """The daemon in the foreground; its log is held back until show_log()."""

    def __init__(self, configuration):
        self.held, self.shown, self.lock = [], False, threading.Lock()
        self.process = subprocess.Popen([DAEMON, "-f", "-c", configuration],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        encoding="utf-8", errors="replace", start_new_session=True)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self):
        for line in self.process.stderr:
            with self.lock:
                if self.shown:
                    sys.stdout.write(line)
                    sys.stdout.flush()
                else:
                    self.held.append(line)

    def show_log(self, what_was_held):
        with self.lock:
            self.shown = True
            if what_was_held:
                sys.stdout.writelines(self.held)
            sys.stdout.flush()

    def wait_for_port(self, port):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.reader.join(5)
                raise Fault("the daemon ended with status %d:\n%s"
                            % (self.process.returncode, "".join(self.held)))
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Fault("the daemon does not answer:\n%s" % "".join(self.held))

    def stop(self):
        """By request; libmilter takes up to five seconds to notice."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Fault("the daemon did not stop when asked")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def ldap_directory():
    """A slapd that holds what SENDERS says: two people, and what they share as a group."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "ldap"))
    import slapdkit
    people = [slapdkit.person("uid=%s,%s" % (login, slapdkit.PUBLIC), uid=[login], mail=mail)
              for login, mail in (("ann", ["ann@example.net", "a.lee@example.net"]),
                                  ("bob", ["bob@example.net"]))]
    shared = slapdkit.group("cn=info,%s" % slapdkit.PUBLIC, [one["dn"] for one in people],
                            "mailThing", mail=["info@example.net"])
    with slapdkit.Slapd([slapdkit.unit(slapdkit.PUBLIC), *people, shared]) as slapd:
        yield LDAP_DIRECTORY.format(uri=slapd.uri, base=slapdkit.PUBLIC)


@contextlib.contextmanager
def file_directory():
    yield FILE_DIRECTORY


def write_sample(directory, port, block):
    """The daemon gives root away, so that user must be able to read what is here."""
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    os.chmod(directory, 0o755)
    configuration = os.path.join(directory, "sendas-milter.conf")
    for path, text in ((os.path.join(directory, "senders"), SENDERS),
                       (configuration, CONFIGURATION.format(port=port, user=user)
                        + block.replace("@DIRECTORY@", directory))):
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, 0o644)
    return configuration


def play(address, login, sender, fields, recipient):
    words = [TOOL, "session", "--json", "--socket", address, "--client", "192.0.2.10",
             "--mail-from", sender, "--rcpt", recipient]
    words += ["--login", login] if login else []
    others = [field for field in fields if ": " in field]
    for value in fields:
        words += ["--from", value] if value not in others else []
    words += ["--headers", "/dev/stdin"] if others else []
    done = subprocess.run(words, input="".join(line + "\n" for line in others),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          check=False)
    if done.returncode not in (0, 1):
        raise Fault("%s: status %d: %s" % (" ".join(words), done.returncode,
                                           done.stderr or done.stdout))
    return json.loads(done.stdout)


def play_all(address):
    """The rows of the table, and how many verdicts are not as they should be."""
    rows, wrong = [], 0
    for what, login, sender, fields, recipient, verdict, reason in EXAMPLES:
        answer = play(address, login, sender, fields, recipient)
        text = answer["text"] or ""
        right = answer["verdict"] == verdict and (reason is None or reason in text)
        wrong += not right
        rows.append((what, login or "-", sender, " + ".join(fields) or "-", recipient,
                     answer["verdict"] + ("" if right else " (WRONG: %s)" % (reason or verdict)),
                     text))
    return rows, wrong


def print_table(rows):
    """The SMTP text stands below its row: it is as long as all the rest."""
    head = ("example", "login", "envelope sender", "From", "recipient", "verdict")
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for *cells, text in ((*head, ""), *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
        if text:
            print("    %s" % text)
    sys.stdout.flush()


def wait_for_interrupt(daemon):
    try:
        daemon.process.wait()
    except KeyboardInterrupt:
        return
    raise Fault("the daemon ended by itself, status %d" % daemon.process.returncode)


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def demonstrate(options, directory, block):
    port = options.port or free_port()
    configuration = write_sample(directory, port, block)
    daemon = Daemon(configuration)
    try:
        daemon.wait_for_port(port)
        rows, wrong = play_all("inet:%d@127.0.0.1" % port)
        print_table(rows)
        if wrong:
            daemon.show_log(True)
            raise Fault("%d of %d verdicts are wrong" % (wrong, len(rows)))
        if not options.once:
            print("\nServing on inet:%d@127.0.0.1 with %s; Ctrl-C ends it. Ask it:\n"
                  "  %s session --socket inet:%d@127.0.0.1 --login ann "
                  "--mail-from ann@example.net \\\n      --from bob@example.net "
                  "--rcpt x@example.org" % (port, configuration, os.path.relpath(TOOL), port))
            daemon.show_log(False)
            wait_for_interrupt(daemon)
            print("\nstopping")
    finally:
        status = daemon.stop()
    if status != 0:
        raise Fault("the daemon ended with status %d" % status)


def main():
    parser = argparse.ArgumentParser(prog="bootstrap run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="end after the table")
    parser.add_argument("--ldap", action="store_true", help="ask a slapd instead of a file")
    parser.add_argument("--port", type=int, help="on the loopback; a free one unless given")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    directory = tempfile.mkdtemp(prefix="sendas-milter.")
    try:
        with ldap_directory() if options.ldap else file_directory() as block:
            demonstrate(options, directory, block)
        return 0
    except Fault as why:
        print("bootstrap run: %s" % why, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
