#!/usr/bin/env python3
"""The corpus rows as one TAP stream: by the library (./tests/corpus), which answers the From rows
as the strictest settings do, and once more by the daemon over its socket. Other rows that a
configuration decides are left out.

Runs in the build directory; $srcdir is the source tree.
"""
import json
import os
import re
import subprocess
import sys

TESTS = os.path.join(os.environ.get("srcdir", "."), "tests")
sys.path.insert(0, os.path.join(TESTS, "daemon"))

import daemonkit  # noqa: E402

KINDS = ("from", "envelope", "ldap", "login")


class Stream:
    """Rows of several programs, numbered through."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def row(self, ok, name):
        self.count += 1
        self.failed += not ok
        print("%sok %d - %s" % ("" if ok else "not ", self.count, name))

    def copy(self, title, rows, *target):
        """What check_corpus.py says of these rows; a plan that it does not keep is a failure."""
        done = subprocess.run(
            [sys.executable, os.path.join(TESTS, "check_corpus.py"), rows, *target, "--tap"],
            stdout=subprocess.PIPE, encoding="utf-8", check=False)
        planned, seen = None, 0
        for line in done.stdout.splitlines():
            match = re.match(r"(not )?ok \d+ - (.*)", line)
            if match:
                seen += 1
                self.row(not match.group(1), "%s: %s" % (title, match.group(2)))
            elif line.startswith("1.."):
                planned = int(line[3:])
            else:
                print(line)
        self.row(bool(planned) and planned == seen, "%s: all %s rows were played"
                 % (title, planned))


def data(name):
    return os.path.join(TESTS, "data", name)


def senders():
    with open(data("owners.json"), encoding="utf-8") as owners:
        return "".join("%s %s\n" % (address, login) for login, addresses in
                       json.load(owners).items() for address in addresses)


def main():
    stream = Stream()
    for kind in KINDS:
        some = [] if kind == "from" else ["--no-policy"]
        stream.copy(kind, data(kind + "_cases.jsonl"), "--cmd", "./tests/corpus " + kind, *some)
    with daemonkit.Daemon(senders=senders()) as daemon:
        stream.copy("from, by the daemon", data("from_cases.jsonl"), "--milter", daemon.socket,
                    "--no-policy")
    print("1..%d" % stream.count)
    return 1 if stream.failed else 0


if __name__ == "__main__":
    sys.exit(main())
