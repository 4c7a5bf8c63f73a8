#!/usr/bin/env python3
"""End to end: a real Postfix asks the real daemon, and a sink keeps what gets through.

Usage: run.py [WORD...]     without words all cases run, else those with a word in their name
Environment:
  SENDAS_MILTER     the daemon, ./milter/sendas-milter unless given
  SENDAS_E2E_KEEP   set: the temporary directory stays (configurations, logs, queue)
  SENDAS_E2E_TIMES  set: seconds under every TAP line
Needs root, postfix, dovecot, slapd and openssl. Prints TAP; exit status 1 where a case failed.
"""
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import rig

# The order is the order of the TAP lines; the last one looks back at all the others.
import cases_claims  # noqa: F401
import cases_envelope  # noqa: F401
import cases_outsiders  # noqa: F401
import cases_sessions  # noqa: F401
import cases_watching  # noqa: F401
import cases_corpus  # noqa: F401
import cases_load  # noqa: F401
import cases_ldap  # noqa: F401
import cases_daemon  # noqa: F401
import cases_actions  # noqa: F401
import cases_random  # noqa: F401
import cases_marks  # noqa: F401
import cases_reports  # noqa: F401
import cases_port25  # noqa: F401
import cases_behalf  # noqa: F401
import cases_owners  # noqa: F401
import cases_networks  # noqa: F401
import cases_at_last  # noqa: F401


def stop_on_signal(number, _frame):
    sys.exit(128 + number)  # runs the finally clauses, which end all processes


def main(words):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_on_signal)
    chosen = [(name, function) for name, function in harness.CASES
              if not words or any(word in name for word in words)]
    try:
        with rig.Rig(os.environ.get("SENDAS_MILTER", "./milter/sendas-milter")) as bench:
            print(f"1..{len(chosen)}", flush=True)
            failed = harness.run_all(bench, chosen)
    except rig.RigError as fault:
        print("Bail out! " + " ".join(str(fault).splitlines()[:1]))
        print("".join(f"# {line}\n" for line in str(fault).splitlines()[1:]), end="")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
