#!/usr/bin/env python3
"""Every fuzz target with its seeds and regressions, without libFuzzer. TAP, a row a target.

Runs in the build directory, where the targets are fuzz/NAME, linked with fuzz/standalone.c.
"""
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 60


def targets():
    """Every file here that defines what libFuzzer calls."""
    found = []
    for path in sorted(glob.glob(os.path.join(HERE, "*.c"))):
        with open(path, encoding="utf-8") as source:
            if "\nint LLVMFuzzerTestOneInput(" in source.read():
                found.append(os.path.splitext(os.path.basename(path))[0])
    return found


def files_below(folder):
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder)
                  for name in names)


def environment(place):
    return dict(os.environ, TMPDIR=place, LSAN_OPTIONS="suppressions=%s:print_suppressions=0"
                % os.path.join(HERE, "lsan.supp"))


def play(target, files, place):
    """None, or lines that say what was wrong."""
    program = os.path.abspath(os.path.join("fuzz", target))
    try:
        done = subprocess.run([program, *files], cwd=place, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              env=environment(place), encoding="utf-8",
                              errors="replace", check=False)
    except (OSError, subprocess.TimeoutExpired) as why:
        return [str(why)]
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines[-1:] == ["played %d" % len(files)]:
        return None
    return ["exit status %d; the last file was %s" % (done.returncode, lines[-1:])] + \
        done.stderr.splitlines()[:40]


def main():
    failed, names = 0, targets()
    with tempfile.TemporaryDirectory() as place:
        seeds = os.path.join(place, "seeds")
        subprocess.run([sys.executable, os.path.join(HERE, "seeds"), seeds, *names], check=True)
        for number, target in enumerate(names, 1):
            made = files_below(os.path.join(seeds, target))
            found = files_below(os.path.join(HERE, "regressions", target))
            wrong = play(target, made + found, place) if made else ["there are no seeds"]
            print("%sok %d - %s: %d seeds, %d regressions"
                  % ("not " if wrong else "", number, target, len(made), len(found)))
            for line in wrong or ():
                print("# " + line)
            sys.stdout.flush()
            failed += bool(wrong)
    print("1..%d" % len(names))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
