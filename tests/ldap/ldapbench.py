"""What the LDAP cases work with: a slapd with entries for all of them, configurations, one question
to the program under test, and what may be expected of its answer."""
import contextlib
import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time

import daemonkit
import ldapca
import ldapentries as entries
import milterwire
import slapdkit

SENDASCTL = os.path.abspath(os.environ.get("SENDASCTL", "./ctl/sendasctl"))
EXITS = {"yes": 0, "no": 1, "unknown": 75}
GRACE = 2  # seconds that an answer may take longer than command_budget: the machine may be busy
BACK_SECONDS = 10  # until a server that is there again is used again

# Where an answer is expected not to come, nobody wants to wait for it for long.
IMPATIENT = 'command_budget = "1s"\n'
IMPATIENT_BUDGET = 1
IMPATIENT_LINKS = {"connect_timeout": "500ms", "search_timeout": "500ms"}


def conf_value(value):
    """A value as the configuration file spells it. Single quotes: nothing in it is special."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'"
    return "{ " + ", ".join(conf_value(item) for item in value) + " }"


def directory(name="corp", **options):
    """A directory block; options that are None are left out."""
    lines = "".join(f"    {key} = {conf_value(value)}\n" for key, value in options.items()
                    if value is not None)
    return f'directory "{name}" {{\n{lines}}}\n'


@dataclasses.dataclass
class Outcome:
    """What sendasctl check said of one login and one address."""

    code: int
    reason: str
    detail: str
    grant: dict
    said: str
    seconds: float


class Bench:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sendas-ldap-")
        self.stack = contextlib.ExitStack()
        self.numbers = itertools.count(1)

    def __enter__(self):
        try:
            os.chmod(self.dir, 0o755)
            self.certificates = ldapca.Certificates(slapdkit.need("openssl"), self.dir)
            self.secret = self.write("secret", slapdkit.READER_PASSWORD + "\n", 0o600)
            self.slapd = self.stack.enter_context(slapdkit.Slapd(
                entries.everything(), tls=(self.certificates.good, self.certificates.ca)))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stack.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- files ----

    def write(self, name, text, mode=0o644):
        """At once, because a program may be reading it."""
        path = os.path.join(self.dir, name)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.dir, delete=False) as file:
            file.write(text)
        os.chmod(file.name, mode)
        os.replace(file.name, path)
        return path

    def corp(self, name="corp", **options):
        """A directory block for the bench's slapd, changed by options."""
        return directory(name, **{
            "type": "ldap", "uri": [self.slapd.uri], "base": entries.CORP,
            "bind_dn": slapdkit.READER_DN, "bind_password_file": self.secret,
            "schema": "inetorgperson", **options})

    def conf(self, *blocks):
        """The path of a configuration file of its own."""
        return self.write(f"conf-{next(self.numbers)}", "\n".join([
            f'socket = "unix:{self.dir}/nobody-listens.sock"',
            'local_domains = { "example.com", "rows.example" }', *blocks]))

    # ---- questions ----

    def ask(self, conf, login, address, environment=None):
        """An Outcome of sendasctl check --config."""
        started = time.monotonic()
        done = subprocess.run([SENDASCTL, "check", "--json", "--config", conf, login, address],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=daemonkit.PATIENCE, check=False,
                              env={**os.environ, **(environment or {})})
        seconds = time.monotonic() - started
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert "Sanitizer" not in said and "runtime error" not in said, said
        if done.returncode not in EXITS.values():
            return Outcome(done.returncode, None, None, None, said, seconds)
        answer = json.loads(done.stdout)["addresses"][0]
        return Outcome(done.returncode, answer["reason"], answer["detail"], answer["grant"], said,
                       seconds)

    def expect(self, want, login, address, *blocks):
        """want: "yes", "no REASON", "unknown REASON", or "no" and "unknown" for any reason."""
        outcome = self.ask(self.conf(*blocks), login, address)
        expect(outcome, want)
        return outcome

    def checks_configuration(self, *blocks):
        """sendas-milter -t: exit status, what it printed, and the file."""
        conf = self.conf(*blocks)
        return (*daemonkit.run_program("-t", "-c", conf), conf)

    def daemon(self, *blocks):
        return LdapDaemon("\n".join(blocks))


def expect(outcome, want):
    word, _, reason = want.partition(" ")
    assert outcome.code == EXITS[word], f"wanted {want}, got {outcome}"
    assert not reason or outcome.reason == reason, f"wanted {want}, got {outcome}"


def in_time(seconds, budget):
    assert seconds <= budget + GRACE, f"took {seconds:.1f} s of {budget} s"


class LdapDaemon(daemonkit.Daemon):
    """A daemon whose directories are LDAP servers."""

    def __init__(self, *arguments, **options):
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            self.cleanup()
            raise

    def write_conf(self, text, socket=None):
        self.write(self.conf_file, f'socket = "{socket or self.socket}"\n'
                                   f'local_domains = {{ "example.com" }}\n{text}\n')

    def says(self, login, address=None):
        """The answer to one message of a session of its own, and how long it took."""
        address = address or f"{login}@example.com"
        session = milterwire.session(self.socket)
        started = time.monotonic()
        answer = session.message(login, address, address)
        seconds = time.monotonic() - started
        session.quit()
        return answer, seconds

    def accepts(self, login, address=None):
        answer, seconds = self.says(login, address)
        daemonkit.accepted(answer)
        return seconds

    def refuses(self, words, login, address=None):
        answer, seconds = self.says(login, address)
        daemonkit.refused(answer, *words)
        return seconds

    def is_back_for(self, login, address=None):
        """Waits until this login may send; any answer but a 451 on the way there is a fault."""
        end = time.monotonic() + BACK_SECONDS
        while True:
            answer = self.says(login, address)[0]
            if answer.code == "c":
                return
            daemonkit.refused(answer, *UNAVAILABLE)
            assert time.monotonic() < end, f"not right again in time: {answer}"
            time.sleep(0.1)


UNAVAILABLE = ("451 4.4.3 ", "directory-unavailable")
MISCONFIGURED = ("451 4.3.5 ", "misconfigured")
UNKNOWN = ("550 5.7.1 ", "login-unknown")
DISABLED = ("550 5.7.13 ", "login-disabled")
NOT_GRANTED = ("553 5.7.1 ", "sender-not-granted")


# ---- cases in a table ----

class Row:
    """A case that shares nothing with others: one question, one answer, and the options of the
    directory that differ from the usual ones. grant is a part of the entry's name that the grant
    must come from."""

    def __init__(self, name, want, login, address, grant=None, top="", environment=None, **options):
        self.__doc__ = name
        self.want, self.login, self.address, self.grant = want, login, address, grant
        self.top, self.environment, self.options = top, environment, options

    def __call__(self, bench):
        options = {key: value(bench) if callable(value) else value
                   for key, value in self.options.items()}
        outcome = bench.ask(bench.conf(self.top, bench.corp(**options)), self.login, self.address,
                            self.environment)
        expect(outcome, self.want)
        assert not self.grant or self.grant in outcome.grant["entry"], outcome


# ---- the registry ----

CASES = []


def case(function):
    """The test's name is the function's, or the first line of its documentation."""
    CASES.append(function)
    return function


def named(name):
    """case() for a function made in a loop."""
    def register(function):
        function.__doc__ = name
        return case(function)
    return register


def rows(*table):
    CASES.extend(table)
