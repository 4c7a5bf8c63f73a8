#!/usr/bin/env python3
"""Breaks each rule of a strict sender check in turn, and wants a test to notice.

    run.py [--list] [WORD...]

A mutant is one change of one line or two (mutants.py). The sources are copied, the copy is built
without sanitizers, and for every mutant the programs that depend on it are built anew and run until
one of them fails: then it is killed. A mutant that nobody kills is a failure, and so is one whose
text is not in the source exactly once, or that does not compile. Words choose mutants by their name.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from mutants import MUTANTS

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
PATIENCE = 300  # seconds for one program: a mutant may make it run for ever
KEPT_OUT = {".git", "__pycache__", "autom4te.cache"}  # and build directories

# What is asked of every mutant, after the programs that are nearest to it.
UNIT = ["test_mailbox", "test_addr", "test_envelope", "test_shown", "test_login", "test_grant",
        "test_identify", "test_policy", "test_amend", "test_fields", "test_session",
        "test_session_asks", "test_record", "test_dir",
        "test_dir_cache", "test_dir_file", "test_dir_filter", "test_report", "test_utext"]
OTHERS = ["replay", "corpus"]
PROGRAMS = {name: ["tests/unit/" + name] for name in UNIT}
PROGRAMS["replay"] = ["tests/replay/replay_core"]
PROGRAMS["corpus"] = ["tests/corpus", "milter/sendas-milter"]
DAEMON = {"changes", "macros", "messages", "negotiation", "robustness", "replies"}
for script in DAEMON:
    PROGRAMS[script] = ["milter/sendas-milter", "ctl/sendasctl"]


def left_out(folder, names):
    return [name for name in names
            if name in KEPT_OUT or os.path.exists(os.path.join(folder, name, "config.status"))]


def command_of(test):
    if test == "corpus":
        return [sys.executable, "tests/corpus_rows.py"]
    if test in DAEMON:
        return [sys.executable, f"tests/daemon/{test}.py"]
    return ["./" + PROGRAMS[test][0]]


class Copy:
    """The copied tree, built in itself."""

    def __init__(self, root):
        self.root = root
        self.environment = dict(os.environ, srcdir=".", SENDAS_MILTER="./milter/sendas-milter",
                                SENDASCTL="./ctl/sendasctl", PYTHONDONTWRITEBYTECODE="1")

    def run(self, command, patience=None):
        """Exit code and output; None for one that does not end."""
        try:
            done = subprocess.run(command, cwd=self.root, env=self.environment, text=True,
                                  errors="replace", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=patience, check=False)
        except subprocess.TimeoutExpired:
            return None, ""
        return done.returncode, done.stdout

    def must(self, command):
        code, output = self.run(command)
        if code != 0:
            sys.exit(f"Bail out! {' '.join(command)}\n{output[-4000:]}")

    def prepare(self):
        shutil.copytree(SOURCE, self.root, symlinks=True, dirs_exist_ok=True, ignore=left_out)
        if not os.path.exists(os.path.join(self.root, "configure")):
            self.must(["autoreconf", "-i"])
        self.must(["./configure", "-q", "CFLAGS=-O1 -g0 -w"])

    def build(self, tests):
        programs = sorted({program for test in tests for program in PROGRAMS[test]})
        return self.run(["make", "-s", "-j2"] + programs)

    def failure(self, test):
        """The first row that fails, or what else went wrong; None where all is well."""
        code, output = self.run(command_of(test), PATIENCE)
        if code is None:
            return f"{test} does not end"
        for line in output.splitlines():
            if line.startswith("not ok"):
                return f"{test}: {line}"
        return f"{test} ends with {code}" if code != 0 else None


def tests_of(mutant):
    if mutant.tests:
        return mutant.tests
    name = os.path.basename(mutant.file).rsplit(".", 1)[0]
    near = ["test_policy"] if name.startswith("policy") else [t for t in UNIT if t == "test_" + name]
    return near + OTHERS + [test for test in UNIT if test not in near]


def mutated(text, mutant):
    if text.count(mutant.old) != 1:
        return None
    return text.replace(mutant.old, mutant.new)


def fate(copy, mutant):
    """(killed, by whom or what is wrong)."""
    path = os.path.join(copy.root, mutant.file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed = mutated(text, mutant)
    if changed is None or changed == text:
        return False, f"its text is not in {mutant.file} exactly once"
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(changed)
        return judge(copy, mutant)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def judge(copy, mutant):
    for test in tests_of(mutant):
        code, output = copy.build([test])
        if code != 0:
            return False, f"does not compile: {output[-600:]}"
        failure = copy.failure(test)
        if failure:
            return True, failure
    return False, "survives"


def check_unbroken(copy, mutants):
    """A test that fails without any mutant kills nothing."""
    tests = sorted({test for mutant in mutants for test in tests_of(mutant)})
    code, output = copy.build(tests)
    if code != 0:
        sys.exit(f"Bail out! the copy cannot be built\n{output[-4000:]}")
    for test in tests:
        failure = copy.failure(test)
        if failure:
            sys.exit(f"Bail out! unbroken, and yet: {failure}")


def main(words):
    if "--list" in words:
        for mutant in MUTANTS:
            print(f"{mutant.rule:>3}  {mutant.file}: {mutant.name}")
        return 0
    mutants = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    if not mutants:
        sys.exit(f"Bail out! no mutant has {' or '.join(words)} in its name")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=".") as root:
        copy = Copy(os.path.abspath(root))
        copy.prepare()
        check_unbroken(copy, mutants)
        print(f"1..{len(mutants)}", flush=True)
        for number, mutant in enumerate(mutants, 1):
            killed, what = fate(copy, mutant)
            failed += not killed
            print(f"{'ok' if killed else 'not ok'} {number} - rule {mutant.rule}: {mutant.name}\n"
                  f"# {what}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
