#!/usr/bin/env python3
"""LDAP directories: a real slapd, a proxy that misbehaves, and the real programs.

Usage: run.py [WORD...]     without words all cases run, else those with a word in their name
Environment:
  SENDAS_MILTER      the daemon, ./milter/sendas-milter unless given
  SENDASCTL          the tool, ./ctl/sendasctl unless given
  ASK, FUZZ_FILTER   tests/ldap/ask and tests/ldap/fuzz_filter of the build directory
  SENDAS_LDAP_TIMES  set: seconds under every TAP line
Needs slapd, ldap-utils and openssl; not root. Prints TAP; exit status 1 where a case failed.
"""
import concurrent.futures
import os
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "daemon")]

os.environ.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions="
                      + os.path.join(os.path.dirname(HERE), "lsan.supp"))

import ldapbench
import slapdkit

# The order is the order of the TAP lines.
import cases_rows  # noqa: F401
import cases_entries  # noqa: F401
import cases_rights  # noqa: F401
import cases_hosts  # noqa: F401
import cases_owners  # noqa: F401
import cases_access  # noqa: F401
import cases_fuzz  # noqa: F401
import cases_faults  # noqa: F401
import cases_many  # noqa: F401


def stop_on_signal(number, _frame):
    sys.exit(128 + number)  # runs the finally clauses, which end all processes


def name_of(function):
    return (function.__doc__ or function.__name__.replace("_", " ")).split("\n")[0].strip()


def attempt(function, bench):
    """None, or the story of the failure; and how long it took."""
    started = time.monotonic()
    try:
        function(bench)
        story = None
    except Exception:
        story = traceback.format_exc().strip()
    return story, time.monotonic() - started


def run_all(bench, chosen):
    """The number of failed cases. Rows (one question each, nothing shared) are played two at a
    time ahead of the others, which want the machine to themselves; the order stays."""
    pool = concurrent.futures.ThreadPoolExecutor(2)
    try:
        ahead = {number: pool.submit(attempt, function, bench)
                 for number, function in enumerate(chosen, 1)
                 if isinstance(function, ldapbench.Row)}
        return report_all(bench, chosen, ahead)
    finally:
        pool.shutdown(cancel_futures=True)


def report_all(bench, chosen, ahead):
    failed = 0
    print(f"1..{len(chosen)}", flush=True)
    for number, function in enumerate(chosen, 1):
        if number not in ahead:
            concurrent.futures.wait(ahead.values())
        story, seconds = ahead[number].result() if number in ahead else attempt(function, bench)
        print(f"{'not ok' if story else 'ok'} {number} - {name_of(function)}")
        if story:
            failed += 1
            print("# " + story.replace("\n", "\n# "))
        if os.environ.get("SENDAS_LDAP_TIMES"):
            print(f"#   {seconds:.2f} s")
        sys.stdout.flush()
    return failed


def main(words):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_on_signal)
    chosen = [function for function in ldapbench.CASES
              if not words or any(word in name_of(function) for word in words)]
    if not os.access(ldapbench.SENDASCTL, os.X_OK):
        print(f"Bail out! there is no tool at {ldapbench.SENDASCTL}: set SENDASCTL")
        return 1
    try:
        with ldapbench.Bench() as bench:
            return 1 if run_all(bench, chosen) else 0
    except slapdkit.SlapdError as fault:
        print("Bail out! " + " ".join(str(fault).splitlines()[:1]))
        print("".join(f"# {line}\n" for line in str(fault).splitlines()[1:]), end="")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
