"""Questions to the directories themselves, by the program tests/ldap/ask: principals of every kind,
and who owns an address."""
import json
import os
import subprocess

import daemonkit
from ldapbench import Row

PROGRAM = os.path.abspath(os.environ.get("ASK", "./tests/ldap/ask"))


def ask(conf, *questions):
    """The answers to all questions, asked of one program in turn; and what it logged."""
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run([PROGRAM, conf], input=lines.encode("ascii"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=daemonkit.PATIENCE, check=False)
    log = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, f"exit {done.returncode}: {log}"
    answers = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert len(answers) == len(questions), (answers, log)
    return answers, log


def rights(grants):
    """Grants as sorted texts, "on behalf of X" for that right."""
    return sorted(("on behalf of " if grant["on_behalf"] else "") + grant["value"]
                  for grant in grants)


def seen(answer):
    """What rows compare: the answer with short forms of grants and sources."""
    return {**answer, "grants": rights(answer["grants"]), "denies": rights(answer["denies"]),
            "sources": sorted(entry for _, entry in answer["sources"])}


class Asked(Row):
    """One question and what its answer must hold: members of seen(), and "why", a part of the
    text. said and unsaid: parts of the log."""

    def __init__(self, name, question, want, said=(), unsaid=(), top="", **options):
        super().__init__(name, want, None, None, top=top, **options)
        self.question, self.said, self.unsaid = question, said, unsaid

    def ask(self, bench, **changes):
        options = {key: value(bench) if callable(value) else value
                   for key, value in {**self.options, **changes}.items()}
        (answer,), log = ask(bench.conf(self.top, bench.corp(**options)), self.question)
        return answer, log

    def __call__(self, bench):
        answer, log = self.ask(bench)
        check(answer, self.want, log)
        for words in self.said:
            assert words in log, f"{words!r} is not in the log: {log}"
        for words in self.unsaid:
            assert words not in log, f"{words!r} is in the log: {log}"


def check(answer, want, log=""):
    got = seen(answer)
    for key, value in want.items():
        same = value in (got[key] or "") if key == "why" else got[key] == value
        assert same, f"{key}: wanted {value!r}, got {got}; log: {log}"


UNKNOWN = {"status": "unknown", "missing": "found", "sources": [], "fresh": True}
UNAVAILABLE = {"status": "unavailable", "sources": [], "fresh": False}
MISCONFIGURED = {"status": "misconfigured", "sources": [], "fresh": False}


def found(*entries, **more):
    return {"status": "found", "missing": "found", "sources": sorted(entries), "fresh": True,
            **more}
