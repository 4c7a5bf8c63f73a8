"""A private Postfix with a private Dovecot for AUTH, the daemon under test as its milter, and a
sink that keeps what was delivered. Everything is in one temporary directory, on the loopback.

What is set up so that the milter alone decides, and not Postfix before it:
  smtpd_relay_restrictions = check_client_access static:OK, reject
      Postfix refuses no recipient: the first restriction permits every client. The second is never
      reached; smtpd does not serve without a restriction that could stop relaying.
  local_header_rewrite_clients =              A message without From reaches the milter as it was
      sent. The listener "rewriting" has Postfix's default and adds From.
  milter_default_action = tempfail            No daemon, no mail.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ldap"))

import ldapca
import sink

PASSWORD = "secret"
AUTHORITY = "Rig CA"  # the common name of the authority whose client certificates prove something
START_SECONDS = 20
STOP_SECONDS = 20
POSTFIX_LIFE_SECONDS = 900  # the master ends itself after that, whatever becomes of us

# name -> (AUTH offered, {daemon_name} or None for Postfix's default, further smtpd options)
LISTENERS = {
    "submission": (True, "ORIGINATING", ()),
    "rewriting": (True, "ORIGINATING", ("local_header_rewrite_clients=permit_inet_interfaces",)),
    "byport": (True, None, ()),
    "open": (True, "OPEN", ()),
    "observed": (True, "OBSERVED", ()),
    "mx": (False, None, ()),
    "strict": (False, "STRICT", ()),
    "spare": (True, "ORIGINATING", ("smtpd_milters=inet:127.0.0.1:{spare_milter}",)),
    "spare_mx": (False, None, ("smtpd_milters=inet:127.0.0.1:{spare_milter}",)),
    # another filter in front of the daemon, and behind it
    "stamped": (False, None, ("smtpd_milters=inet:127.0.0.1:{stamper},"
                              "inet:127.0.0.1:{spare_milter}",)),
    "watched": (True, "ORIGINATING", ("smtpd_milters=inet:127.0.0.1:{spare_milter},"
                                      "inet:127.0.0.1:{stamper}",)),
    # asks the client for a certificate
    "tls": (True, "ORIGINATING", ("smtpd_milters=inet:127.0.0.1:{spare_milter}",
                                  "smtpd_tls_security_level=may", "smtpd_tls_ask_ccert=yes",
                                  "smtpd_tls_cert_file={server.cert}",
                                  "smtpd_tls_key_file={server.key}",
                                  "smtpd_tls_CAfile={authority}")),
}

SENDERS = """\
# address                        owners
alice@example.com                alice, corpus
alice.second@example.com         alice
"alice smith"@example.com        alice
jürgen@example.com               alice
alice@xn--bcher-kva.example      alice
bob@example.com                  bob
team@example.com                 alice, bob
@sales.example                   bob
bob@corp2.example                bob@corp2.example
"""

LOCAL_DOMAINS = ("example.com", "corp2.example", "sales.example", "xn--bcher-kva.example")

MAIN_CF = """\
compatibility_level = 3.6
config_directory = {dir}/postfix
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
myhostname = mx.example.com
mydomain = example.com
myorigin = example.com
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{sink}
local_transport = smtp:[127.0.0.1]:{sink}
local_recipient_maps =
alias_maps =
alias_database =
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_peername_lookup = no
smtpd_tls_security_level = none
smtpd_relay_restrictions = check_client_access static:OK, reject
smtpd_recipient_restrictions =
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/auth.sock
smtpd_sasl_security_options = noanonymous
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
smtpd_client_connection_count_limit = 0
smtputf8_enable = yes
strict_smtputf8 = no
local_header_rewrite_clients =
milter_default_action = tempfail
milter_protocol = 6
smtpd_milters = unix:{dir}/milter.sock
non_smtpd_milters = unix:{dir}/milter.sock
enable_long_queue_ids = yes
in_flow_delay = 0
message_size_limit = 10485760
"""

MASTER_CF = """\
pickup    unix  n - n 1    1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
verify    unix  - - n -    1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
smtp      unix  - - n -    - smtp
relay     unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# Any login with the password: the directory of the milter, not this one, says who is known.
DOVECOT_CONF = """\
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = {dir}/dovecot.log
protocols =
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %u
auth_username_chars =
auth_failure_delay = 0
default_internal_user = {dovecot_user}
passdb {{
  driver = static
  args = password={password}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth {{
  unix_listener {dir}/auth.sock {{
    mode = 0666
  }}
}}
"""

DAEMON_CONF = """\
socket        = "{socket}"
socket_mode   = "0660"
socket_group  = "postfix"
user          = "nobody"
log           = "stderr"
mode          = {mode}
local_domains = {{ {domains} }}

{address}
{directories}

policy "byport"   {{ listeners = {{ ":{byport}" }}  require_authentication = yes }}
policy "observed" {{ listeners = {{ "OBSERVED" }} require_authentication = yes mode = observe }}
policy "strict"   {{ listeners = {{ "STRICT" }}   local_sender = reject }}
"""


FILE_DIRECTORY = """\
directory "senders" {{
    type = file
    file = "{senders}"
}}
"""


class RigError(Exception):
    """The test bench itself does not stand."""


def need(program, *places):
    """The path of a program, or a clear text about its absence."""
    found = shutil.which(program)
    for place in places:
        if not found and os.access(os.path.join(place, program), os.X_OK):
            found = os.path.join(place, program)
    if not found:
        raise RigError(f"{program} is missing: install it (see ./bootstrap deps)")
    return found


def free_ports(names):
    """A free loopback port for each name; all different."""
    socks = {name: socket.socket() for name in names}
    for sock in socks.values():
        sock.bind(("127.0.0.1", 0))
    ports = {name: sock.getsockname()[1] for name, sock in socks.items()}
    for sock in socks.values():
        sock.close()
    return ports


def wait_until(question, seconds, step=0.02):
    """The first true answer, or the last false one after that many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(step)


class Process:
    """A child that writes to a log file."""

    def __init__(self, arguments, log):
        self.log = log
        with open(log, "ab") as output:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output,
                                          stderr=output, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def stop(self, how=signal.SIGTERM, seconds=STOP_SECONDS):
        """Its exit status; killed if it does not listen."""
        if self.alive():
            self.child.send_signal(how)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return "did not stop"


def can_connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        try:
            sock.connect(address)
            return True
        except OSError:
            return False


class Daemon:
    """The program under test with a configuration of its own."""

    def __init__(self, rig, name, sock):
        self.rig = rig
        self.socket = sock
        self.conf = rig.path(name + ".conf")
        self.senders = rig.path(name + ".senders")
        self.log = rig.path(name + ".log")
        self.process = None
        self.configure()

    def configure(self, mode="enforce", senders=SENDERS, address='delimiter = "+"', extra="",
                  directories=None):
        """Write the files; a running daemon takes them by hup(). directories: blocks that stand
        in place of the senders file."""
        self.write(self.senders, senders)
        self.write(self.conf, DAEMON_CONF.format(
            socket=self.socket, mode=mode,
            directories=directories or FILE_DIRECTORY.format(senders=self.senders),
            address=f"address {{ {address} }}", byport=self.rig.ports["byport"],
            domains=", ".join(f'"{domain}"' for domain in LOCAL_DOMAINS)) + extra)

    @staticmethod
    def write(path, text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new", 0o644)
        os.replace(path + ".new", path)

    def listens(self):
        if self.socket.startswith("unix:"):
            return can_connect(socket.AF_UNIX, self.socket[len("unix:"):])
        port, host = self.socket[len("inet:"):].split("@")
        return can_connect(socket.AF_INET, (host, int(port)))

    def start(self):
        self.process = Process([self.rig.milter, "-f", "-c", self.conf], self.log)
        wait_until(lambda: self.listens() or not self.alive(), START_SECONDS)
        if not self.alive() or not self.listens():
            raise RigError(f"{self.rig.milter} does not serve {self.socket}:\n"
                           + "".join(self.lines()[-20:]))

    def alive(self):
        return self.process is not None and self.process.alive()

    def kill(self):
        """kill -9: no farewell."""
        return self.process.stop(signal.SIGKILL)

    def stop(self):
        return self.process.stop()

    def hup(self):
        self.process.child.send_signal(signal.SIGHUP)

    def lines(self):
        try:
            with open(self.log, encoding="utf-8", errors="backslashreplace") as file:
                return file.readlines()
        except FileNotFoundError:
            return []

    def wait_line(self, wanted, start=0, seconds=10):
        """The first log line from number start on for which wanted() is true, or None."""
        return wait_until(lambda: next((line for line in self.lines()[start:] if wanted(line)),
                                       None), seconds)


class Certificates:
    """Of the MTA, of two clients, and two that the MTA does not trust: from another authority that
    calls itself by the same name, and signed by themselves alone."""

    def __init__(self, rig):
        openssl = need("openssl")
        ours = ldapca.Authority(openssl, rig.path("ca"), AUTHORITY)
        theirs = ldapca.Authority(openssl, rig.path("other-ca"), AUTHORITY)
        second = ldapca.Authority(openssl, rig.path("second-ca"), "Second CA")
        self.server = ours.issue("server", "mx.example.com")
        self.relay = ours.issue("relay", "relay one")
        self.nobody = ours.issue("nobody", "nobody")
        self.expired = ours.issue("expired", "relay one", end="20210101000000Z")
        self.of_second = second.issue("relay", "relay one")
        self.of_theirs = theirs.issue("relay", "relay one")
        self.trusted = rig.path("authorities.pem")
        Daemon.write(self.trusted, "".join(self.text(each.cert) for each in (ours, second)))

    @staticmethod
    def text(path):
        with open(path, encoding="ascii") as file:
            return file.read()


class Rig:
    def __init__(self, milter):
        if os.geteuid() != 0:
            raise RigError("needs root: Postfix starts as root, even a private one")
        if not os.access(milter, os.X_OK):
            raise RigError(f"{milter} is missing: build it, or name it in SENDAS_MILTER")
        self.milter = os.path.abspath(milter)
        self.postfix = need("postfix", "/usr/sbin")
        self.dovecot = need("dovecot", "/usr/sbin")
        self.dir = tempfile.mkdtemp(prefix="sendas-e2e-")
        self.processes = []
        self.sink = None

    def path(self, name):
        return os.path.join(self.dir, name)

    # ---- up ----

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def start(self):
        os.chmod(self.dir, 0o755)
        self.ports = free_ports([*LISTENERS, "spare_milter", "stamper"])
        self.sink = sink.Sink()
        self.certificates = Certificates(self)
        self.start_dovecot()
        self.main = Daemon(self, "main", "unix:" + self.path("milter.sock"))
        self.spare = Daemon(self, "spare", f"inet:{self.ports['spare_milter']}@127.0.0.1")
        self.main.start()
        self.start_postfix()

    def start_dovecot(self):
        os.mkdir(self.path("dovecot"))
        user = next((name for name in ("dovecot", "_dovecot") if self.has_user(name)), "dovecot")
        Daemon.write(self.path("dovecot.conf"), DOVECOT_CONF.format(
            dir=self.dir, dovecot_user=user, password=PASSWORD))
        self.run(self.dovecot, "-F", "-c", self.path("dovecot.conf"), log="dovecot.log")
        self.wait_for_file("auth.sock", "dovecot.log")

    @staticmethod
    def has_user(name):
        try:
            return bool(pwd.getpwnam(name))
        except KeyError:
            return False

    def start_postfix(self):
        for name in ("postfix", "queue", "data"):
            os.mkdir(self.path(name))
        shutil.chown(self.path("data"), "postfix")
        Daemon.write(self.path("postfix/main.cf"),
                     MAIN_CF.format(dir=self.dir, sink=self.sink.port))
        Daemon.write(self.path("postfix/master.cf"), MASTER_CF + self.listener_services())
        with open(self.path("mail.log"), "ab"):
            pass
        # Makes the queue's directories, with Postfix's own idea of owners and modes.
        check = subprocess.run([self.postfix, "-c", self.path("postfix"), "check"],
                               stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if check.returncode != 0:
            raise RigError("postfix check: " + check.stderr.decode() + self.tail("mail.log"))
        master = self.run(os.path.join(self.postconf("daemon_directory"), "master"), "-d",
                          "-c", self.path("postfix"), "-e", str(POSTFIX_LIFE_SECONDS),
                          log="master.log")
        for name in LISTENERS:
            address = ("127.0.0.1", self.ports[name])
            wait_until(lambda at=address: can_connect(socket.AF_INET, at) or not master.alive(),
                       START_SECONDS)
        if not master.alive():
            raise RigError("the Postfix master ended: " + self.tail("master.log")
                           + self.tail("mail.log"))

    def listener_services(self):
        text = ""
        for name, (auth, daemon_name, options) in LISTENERS.items():
            text += f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n"
            text += f"  -o smtpd_sasl_auth_enable={'yes' if auth else 'no'}\n"
            if daemon_name:
                text += f"  -o milter_macro_daemon_name={daemon_name}\n"
            for option in options:
                text += "  -o " + option.format(**self.ports, server=self.certificates.server,
                                                authority=self.certificates.trusted) + "\n"
        return text

    def postconf(self, name):
        done = subprocess.run([need("postconf", "/usr/sbin"), "-c", self.path("postfix"), "-xh",
                               name], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def run(self, *arguments, log):
        process = Process(arguments, self.path(log))
        self.processes.append(process)
        return process

    def wait_for_file(self, name, log):
        if not wait_until(lambda: os.path.exists(self.path(name)), START_SECONDS):
            raise RigError(f"{name} does not appear: " + self.tail(log))

    # ---- while it runs ----

    def mail_log(self):
        with open(self.path("mail.log"), encoding="utf-8", errors="backslashreplace") as file:
            return file.readlines()

    def tail(self, name, count=30):
        try:
            with open(self.path(name), encoding="utf-8", errors="backslashreplace") as file:
                return "".join(file.readlines()[-count:])
        except FileNotFoundError:
            return ""

    def postfix_tool(self, name, *arguments):
        """What one of Postfix's programs says about this instance."""
        done = subprocess.run([need(name, "/usr/sbin"), "-c", self.path("postfix"), *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise RigError(f"{name}: {done.stderr.decode('utf-8', 'backslashreplace')}")
        return done.stdout

    def held(self, queue_id):
        """A message of the hold queue as it would be delivered, or None."""
        if not os.path.exists(self.path(os.path.join("queue", "hold", queue_id))):
            return None
        envelope = self.postfix_tool("postcat", "-e", "-q", queue_id)
        sender = re.search(rb"(?m)^sender: (.*)$", envelope)
        return sink.Delivered(sender.group(1).decode("utf-8", "backslashreplace"), [],
                              self.postfix_tool("postcat", "-bh", "-q", queue_id)
                              .replace(b"\n", b"\r\n"))

    def discard_held(self, queue_id):
        self.postfix_tool("postsuper", "-d", queue_id, "hold")

    def sendmail(self, sender, recipient, message):
        """Local submission, as a cron job does it."""
        return subprocess.run([need("sendmail", "/usr/sbin"), "-C", self.path("postfix"), "-i",
                               "-f", sender, recipient], input=message, capture_output=True,
                              check=False, timeout=60)

    # ---- down ----

    def stop(self):
        for daemon in (getattr(self, "main", None), getattr(self, "spare", None)):
            if daemon and daemon.alive():
                daemon.kill()
        for process in reversed(self.processes):
            process.stop()
        if self.sink:
            self.sink.stop()
        if os.environ.get("SENDAS_E2E_KEEP"):
            print(f"# kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __exit__(self, *_):
        self.stop()
