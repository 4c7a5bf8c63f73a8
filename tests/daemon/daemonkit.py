"""A daemon of one's own in a private directory, and tests that print TAP."""

import os
import re
import resource
import signal
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import milterwire

PROGRAM = os.path.abspath(os.environ.get("SENDAS_MILTER", "./milter/sendas-milter"))
if not os.access(PROGRAM, os.X_OK):
    print("Bail out! there is no daemon at %s: set SENDAS_MILTER" % PROGRAM)
    sys.exit(1)
PATIENCE = 60  # seconds until a test gives up waiting; nothing is asserted about time

SENDERS = """\
alice@example.net    alice
a.lee@example.net    alice
bob@example.net      bob
"""


class Daemon:
    """Started at once. conf is added to the configuration; socket is libmilter's form of it."""

    def __init__(self, conf="", senders=SENDERS, socket="unix:{dir}/milter.sock", arguments=("-f",),
                 wait=True, environment=None, descriptors=None, groups=None, directory=None):
        self.own_directory = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="sendas-milter-test.")
        os.chmod(self.dir, 0o755)
        self.socket = socket.format(dir=self.dir)
        self.path = self.socket.partition(":")[2]
        self.conf_file = os.path.join(self.dir, "sendas-milter.conf")
        self.senders_file = os.path.join(self.dir, "senders")
        self.log_file = os.path.join(self.dir, "log")
        self.write_senders(senders)
        self.write_conf(conf)
        self.environment = dict(os.environ, **(environment or {}))
        self.environment.pop("NOTIFY_SOCKET", None)
        self.environment.update(environment or {})
        self.start(arguments, descriptors, groups)
        if wait:
            self.wait_until_up()

    def write(self, path, text):
        """At once, because another daemon may be reading it."""
        with tempfile.NamedTemporaryFile("w", dir=self.dir, delete=False) as f:
            f.write(text)
        os.chmod(f.name, 0o644)
        os.replace(f.name, path)

    def write_senders(self, text):
        self.write(self.senders_file, text)

    def write_conf(self, text, socket=None):
        self.write(self.conf_file, 'socket = "%s"\n'
                   'local_domains = { "example.net" }\n'
                   'directory "test" { type = file file = "%s" }\n'
                   '%s\n' % (socket or self.socket, self.senders_file, text))

    def start(self, arguments=("-f",), descriptors=None, groups=None):
        def limit():
            if groups:
                os.setgroups(groups)
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", self.conf_file, *arguments],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment, preexec_fn=limit)

    def wait_until_up(self):
        def up():
            if self.process.poll() is not None:
                raise AssertionError("the daemon ended with %d:\n%s"
                                     % (self.process.returncode, self.log()))
            return "in force" in self.log() and self.answers()
        wait_for(up, "the daemon to come up")

    def answers(self):
        try:
            milterwire.Milter(self.socket).quit()
            return True
        except OSError:
            return False

    def log(self):
        with open(self.log_file, encoding="latin-1") as f:
            return f.read()

    def wait_for_log(self, pattern, count=1):
        wait_for(lambda: len(re.findall(pattern, self.log())) >= count,
                 "%d times %r in the log:\n%s" % (count, pattern, self.log()))

    def send_signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        before = len(re.findall("generation|nothing was changed", self.log()))
        self.send_signal(signal.SIGHUP)
        self.wait_for_log("generation|nothing was changed", before + 1)

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        self.send_signal(number)
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE)
        for trouble in ("Sanitizer", "runtime error", "Assertion"):
            assert trouble not in self.log(), self.log()
        return code

    def status(self, key):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise KeyError(key)

    def cleanup(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.own_directory:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        try:
            if kind is None and self.process.poll() is None:
                code = self.stop()
                assert code == 0, "the daemon ended with %d:\n%s" % (code, self.log())
        finally:
            self.cleanup()


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


def run_program(*arguments):
    """A run that ends by itself: code, standard output and error as one text."""
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, timeout=PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("latin-1")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- TAP ----

_cases = []


def case(function):
    """The test's name is the function's, its first line of documentation where there is one."""
    _cases.append(function)
    return function


def equal(got, want):
    assert got == want, "got %r, want %r" % (got, want)


def refused(answer, *words):
    """An SMTP reply that holds all these words."""
    assert answer.code == "y", answer
    for word in words:
        assert word in answer.text, "%r lacks %r" % (answer.text, word)


def accepted(answer):
    assert answer.code == "c", answer


def main(*arguments):
    """Runs all cases with these arguments and ends the program."""
    print("1..%d" % len(_cases), flush=True)
    failed = 0
    for number, function in enumerate(_cases, 1):
        name = (function.__doc__ or function.__name__.replace("_", " ")).split("\n")[0].strip(". ")
        try:
            note = function(*arguments)
            print("ok %d - %s" % (number, name))
            if note:
                print("# " + note)
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, name))
            print("# " + traceback.format_exc().strip().replace("\n", "\n# "))
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
