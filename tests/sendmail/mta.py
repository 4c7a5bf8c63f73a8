"""A real Sendmail in namespaces of its own: nothing of the system is changed, no package installed."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

HOST = "mx.example.org"
DOMAIN = "example.net"  # of class w: its mailboxes are the host's own
PASSWORD = "secret"
PATIENCE = 90

MC = """\
OSTYPE(`linux')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink}')dnl
define(`confDELIVERY_MODE', `i')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`confTO_IDENT', `0')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`promiscuous_relay')dnl
DAEMON_OPTIONS(`Name=MTA, Port={port}, Addr=127.0.0.1, Family=inet')dnl
DAEMON_OPTIONS(`Name=MSA, Port={msa}, Addr=127.0.0.1, Family=inet')dnl
INPUT_MAIL_FILTER(`sendas', `S={milter}, F=T')dnl
MAILER(local)dnl
MAILER(smtp)dnl
LOCAL_CONFIG
Cw{domain}
Dj{host}
"""
# Lines about files of an installed Sendmail.
LEFT_OUT = ("AliasFile", "Fw", "DontBlameSendmail", "StatusFile", "HostStatusDirectory",
            "HelpFile", "PidFile", "QueueDirectory")
SASL = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n"
# SASL looks below fixed folders of /etc only: there this Sendmail has a copy of its own.
START = """\
set -e
mount --make-rprivate /
mount --bind "$1" /etc
hostname {host}
shift
exec "$@"
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sendmail:
    """Started at once. logins are names; all have the same password. Needs root."""

    def __init__(self, root, milter, sink, logins):
        self.root = root
        self.dir = tempfile.mkdtemp(prefix="sendas-sendmail.", dir="/var/tmp")
        self.port, self.msa = free_port(), free_port()
        self.queue = os.path.join(self.dir, "queue")
        self.output = os.path.join(self.dir, "output")
        os.mkdir(self.queue, 0o700)
        self.cf = self.configure(milter, sink)
        self.etc = self.make_etc(logins)
        self.process = self.start()
        self.wait_until_up()

    def configure(self, milter, sink):
        macros = os.path.join(self.root, "usr/share/sendmail/cf")
        mc, cf = os.path.join(self.dir, "sendmail.mc"), os.path.join(self.dir, "sendmail.cf")
        with open(mc, "w") as f:
            f.write(MC.format(sink=sink, port=self.port, msa=self.msa, milter=milter,
                              domain=DOMAIN, host=HOST))
        made = subprocess.run(["m4", f"-D_CF_DIR_={macros}/", "m4/cf.m4", mc], cwd=macros,
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with open(cf, "w") as f:
            for line in made.stdout.decode("latin-1").splitlines():
                if not line.startswith("Fw") and not any(f"O {name}" in line for name in LEFT_OUT):
                    f.write(line + "\n")
        return cf

    def make_etc(self, logins):
        etc = os.path.join(self.dir, "etc")
        subprocess.run(["cp", "-a", "/etc", etc], check=True)
        for folder in ("sasl2", "sasl", "mail"):
            os.makedirs(os.path.join(etc, folder), exist_ok=True)
        for folder in ("sasl2", "sasl"):
            with open(os.path.join(etc, folder, "Sendmail.conf"), "w") as f:
                f.write(SASL)
        database = os.path.join(etc, "sasldb2")
        for login in logins:
            user, _, realm = login.partition("@")
            subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", realm or HOST, user],
                           input=PASSWORD.encode(), check=True)
        os.chmod(database, 0o600)
        os.chown(database, 0, 0)
        return etc

    def start(self):
        program = os.path.join(self.root, "usr/libexec/sendmail/sendmail")
        words = [program, "-C" + self.cf, "-OQueueDirectory=" + self.queue,
                 "-OPidFile=" + os.path.join(self.dir, "pid"),
                 "-ODontBlameSendmail=GroupWritableDirPathSafe", "-bD"]
        with open(self.output, "wb") as output:
            return subprocess.Popen(["unshare", "--uts", "--mount", "sh", "-c",
                                     START.format(host=HOST), "sh", self.etc, *words],
                                    stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT)

    def wait_until_up(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.msa), 5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(self.output, encoding="latin-1") as f:
                        said = f.read()
                    self.stop()
                    raise RuntimeError("Sendmail does not come up:\n" + said) from None
            time.sleep(0.05)

    def held(self):
        """Queue files of messages that are quarantined."""
        return [name for name in os.listdir(self.queue) if name.startswith("hf")]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        shutil.rmtree(self.dir, ignore_errors=True)
