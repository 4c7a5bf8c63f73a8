"""A private slapd: own directory, sockets and entries on the loopback, gone when the test ends.

    with Slapd(entries) as slapd:
        slapd.uri, slapd.uri_tls, slapd.uri_ipc     where it listens
        slapd.searches(base=..., filter="uid=bob")  what it was asked, from its own log
        slapd.freeze(), .thaw(), .kill(), .stop(), .start()

Entries are dicts as in tests/data/directory.json: "dn", and attributes with lists of values.
"""
import base64
import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS = 30
STOP_SECONDS = 10
SUFFIX = "dc=example,dc=com"
ROOT_DN, ROOT_PASSWORD = f"cn=root,{SUFFIX}", "root's secret"
READER_DN, READER_PASSWORD = f"cn=milter,{SUFFIX}", "s3cret of the milter"
LIMITED_DN = f"cn=limited,{SUFFIX}"  # gets one entry of a search, then "size limit exceeded"
BLIND_DN = f"cn=blind,{SUFFIX}"      # may not read the schema
SHORT_DN = f"cn=short,{SUFFIX}"      # may not read mail
READERS = (READER_DN, LIMITED_DN, BLIND_DN, SHORT_DN)
# What everybody may read without a bind.
PUBLIC = f"ou=public,{SUFFIX}"

SCHEMA_PLACES = ("/etc/ldap/schema", "/etc/openldap/schema", "/usr/share/openldap/schema",
                 "/usr/share/slapd/schema")
MODULE_PLACES = ("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap",
                 "/usr/libexec/openldap")
SCHEMAS = ("core", "cosine", "inetorgperson", "nis", "misc")

# Addresses that are not ASCII (mail is IA5String), denies, mail of groups, certificates and hosts;
# and Active Directory's names, with the matching rules that slapd's own msuser.schema leaves out.
TEST_SCHEMA = """\
attributetype ( 1.1.2.1.1 NAME 'intlMail' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.2.1.2 NAME 'mailDenied' EQUALITY caseIgnoreIA5Match
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.1.2.1.3 NAME 'mailOnBehalf' EQUALITY caseIgnoreIA5Match
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.1.2.1.4 NAME 'certSubject' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.2.1.5 NAME 'certIssuer' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.2.1.6 NAME 'clientAddr' EQUALITY caseIgnoreIA5Match
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.1.2.2.1 NAME 'mailThing' SUP top AUXILIARY
  MAY ( mail $ intlMail $ mailDenied $ mailOnBehalf $ certSubject $ certIssuer $ clientAddr ) )
attributetype ( 1.1.2.1.10 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.2.1.11 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.2.1.12 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.2.1.13 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.1.2.1.14 NAME 'objectCategory' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.1.2.2.10 NAME 'user' SUP organizationalPerson STRUCTURAL
  MAY ( sAMAccountName $ userPrincipalName $ proxyAddresses $ userAccountControl $
        objectCategory $ mail $ displayName ) )
objectclass ( 1.1.2.2.11 NAME 'group' SUP top STRUCTURAL MUST cn
  MAY ( sAMAccountName $ proxyAddresses $ objectCategory $ mail $ member ) )
"""

CONF = """\
{includes}
include {dir}/test.schema
pidfile {dir}/slapd.pid
modulepath {modules}
moduleload back_mdb
threads 8
idletimeout 0
localSSF 128
authz-regexp "gidNumber={gid}.uidNumber={uid},cn=peercred,cn=external,cn=auth" "{reader}"
authz-regexp "cn=sendas-client" "{reader}"
{tls}
{top}
access to dn.base="" by * read
access to dn.base="cn=Subschema" by dn.base="{blind}" none by * read
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="{public}" by * read
access to attrs=mail by dn.base="{short}" none by * break
access to * {readers} by anonymous auth by * none

database mdb
maxsize 1073741824
dbnosync
suffix "{suffix}"
rootdn "{root_dn}"
rootpw "{root_password}"
directory {dir}/db
index objectClass,uid,mail,member eq
sizelimit {size_limit}
limits dn.exact="{limited}" size=1
"""

TLS_CONF = """\
TLSCACertificateFile {ca}
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
TLSVerifyClient try
"""


class SlapdError(Exception):
    """slapd is missing, or does not run."""


def need(program):
    """The path of a program, or a clear text about its absence."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise SlapdError(f"{program} is missing: install slapd, ldap-utils and openssl"
                         " (see ./bootstrap deps)")
    return found


def first_directory(places, what):
    found = next((place for place in places if os.path.isdir(place)), None)
    if not found:
        raise SlapdError(f"there are no {what} of slapd in any of {', '.join(places)}")
    return found


def free_ports(count):
    """That many free loopback ports, all different."""
    socks = [socket.socket() for _ in range(count)]
    for sock in socks:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


# ---- entries ----

def entry(dn, *classes, **attributes):
    """An entry as a dict; an attribute's value may be a text or a list of texts."""
    values = {name: [value] if isinstance(value, str) else list(value)
              for name, value in attributes.items()}
    return {"dn": dn, "objectClass": list(classes), **values}


def unit(dn):
    return entry(dn, "organizationalUnit", ou=dn.partition(",")[0].partition("=")[2])


def person(dn, *classes, **attributes):
    """An inetOrgPerson with what its classes demand filled in."""
    name, _, value = dn.partition(",")[0].partition("=")
    filled = {"cn": "somebody", "sn": "somebody", **attributes}
    if name not in attributes and "\\" not in value:
        filled[name] = value
    return entry(dn, "inetOrgPerson", "inetLocalMailRecipient", "mailThing", *classes, **filled)


def group(dn, members, *classes, **attributes):
    filled = {"cn": dn.partition(",")[0].partition("=")[2], "member": members, **attributes}
    return entry(dn, "groupOfNames", "inetLocalMailRecipient", "mailThing", *classes, **filled)


def from_directory(path):
    """The entries of tests/data/directory.json as slapd takes them: addresses that are not ASCII
    in intlMail, and in mailLocalAddress "entry-N@rows.example", N counted from 0, which makes every
    entry recognisable by an address."""
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)
    for number, item in enumerate(entries):
        name, _, value = item["dn"].partition(",")[0].partition("=")
        values = item.setdefault(name, [])
        if value not in values:
            values.append(value)
        mail = item.pop("mail")
        item["mail"] = [address for address in mail if address.isascii()]
        item["intlMail"] = [address for address in mail if not address.isascii()]
        item["mailLocalAddress"] = [f"entry-{number}@rows.example"]
        item["objectClass"] = ["inetOrgPerson", "inetLocalMailRecipient", "mailThing"]
        item.setdefault("cn", ["somebody"])
        item.setdefault("sn", ["somebody"])
    return entries


def service_entries():
    """The suffix, and who may read below it."""
    yield entry(SUFFIX, "domain", dc="example")
    for dn in READERS:
        yield entry(dn, "person", "simpleSecurityObject",
                    cn=dn.partition(",")[0].partition("=")[2], sn="reader",
                    userPassword=READER_PASSWORD)


def ldif_line(name, value):
    if re.fullmatch(r"[!-9;=-~]([!-~ ]*[!-~])?", value):
        return f"{name}: {value}\n"
    return f"{name}:: {base64.b64encode(value.encode('utf-8')).decode('ascii')}\n"


def ldif(entries):
    text = ""
    for item in entries:
        text += ldif_line("dn", item["dn"])
        for name, values in item.items():
            if name != "dn":
                text += "".join(ldif_line(name, value) for value in values)
        text += "\n"
    return text


def replace_ldif(dn, attribute, *values):
    """The change that gives an attribute these values; none deletes it."""
    return (ldif_line("dn", dn) + f"changetype: modify\nreplace: {attribute}\n"
            + "".join(ldif_line(attribute, value) for value in values) + "-\n\n")


# ---- the server ----

@dataclasses.dataclass
class Search:
    """One line of the log: SRCH base="..." scope=2 deref=0 filter="..."."""

    base: str
    scope: int
    filter: str


SEARCH_LINE = re.compile(r'conn=\d+ op=\d+ SRCH base="(.*)" scope=(\d) deref=\d filter="(.*)"$')


class Slapd:
    """tls: (Certificate, path of the CA) or None; top: more lines for slapd.conf."""

    def __init__(self, entries=(), tls=None, size_limit="unlimited", top=""):
        self.entries = [*service_entries(), *entries]
        self.tls = tls
        self.size_limit = size_limit
        self.top = top
        self.process = None
        self.dir = None

    # ---- files ----

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def configure(self):
        schemas = first_directory(SCHEMA_PLACES, "schemas")
        self.write("test.schema", TEST_SCHEMA)
        self.write("slapd.conf", CONF.format(
            includes="\n".join(f"include {schemas}/{name}.schema" for name in SCHEMAS),
            modules=first_directory(MODULE_PLACES, "modules"), dir=self.dir, uid=os.geteuid(),
            gid=os.getegid(), top=self.top, reader=READER_DN, blind=BLIND_DN, short=SHORT_DN,
            limited=LIMITED_DN, public=PUBLIC, suffix=SUFFIX, root_dn=ROOT_DN,
            root_password=ROOT_PASSWORD, size_limit=self.size_limit, tls=self.tls_conf(),
            readers=" ".join(f'by dn.base="{dn}" read' for dn in READERS)), 0o600)

    def tls_conf(self):
        if not self.tls:
            return ""
        certificate, ca = self.tls
        return TLS_CONF.format(ca=ca, cert=certificate.cert, key=certificate.key)

    def load(self):
        """The entries, by slapadd. -q: what slapd checks again when it reads is not our matter."""
        os.mkdir(self.path("db"))
        self.write("entries.ldif", ldif(self.entries))
        done = subprocess.run(["slapadd", "-q", "-f", self.path("slapd.conf"), "-b", SUFFIX,
                               "-l", self.path("entries.ldif")], executable=self.path("slapd"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise SlapdError(f"slapadd: {done.stdout.decode('utf-8', 'replace')}")

    # ---- life ----

    def __enter__(self):
        program = need("slapd")
        self.dir = tempfile.mkdtemp(prefix="sendas-slapd-")
        os.chmod(self.dir, 0o755)
        try:
            # A copy, because an AppArmor profile belongs to the path of the packaged one and
            # keeps it out of private directories.
            shutil.copy(program, self.path("slapd"))
            self.port, self.port_tls = free_ports(2)
            self.uri = f"ldap://127.0.0.1:{self.port}"
            self.uri_tls = f"ldaps://127.0.0.1:{self.port_tls}"
            self.uri_ipc = "ldapi://" + self.path("ldapi").replace("/", "%2F")
            self.configure()
            self.load()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def listeners(self):
        return [self.uri_ipc, self.uri] + ([self.uri_tls] if self.tls else [])

    def start(self):
        """In the foreground, so that it ends with us; -d stats: the log is its standard error."""
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                ["slapd", "-d", "stats", "-f", self.path("slapd.conf"), "-h",
                 " ".join(uri + "/" for uri in self.listeners())],
                executable=self.path("slapd"), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SlapdError("slapd does not come up:\n" + "".join(self.log_lines()[-20:]))
            time.sleep(0.01)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number):
        if not self.alive():
            return
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        """kill -9, also of a frozen one: its connections are reset."""
        self.end(signal.SIGKILL)

    def freeze(self):
        """Connections are still accepted, by the kernel; nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self, **changes):
        """Once more, with other values of the constructor's arguments."""
        self.stop()
        for name, value in changes.items():
            setattr(self, name, value)
        self.configure()
        self.start()

    def close(self):
        self.kill()
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- what it was asked, and changes ----

    def log_lines(self):
        with open(self.path("log"), encoding="utf-8", errors="backslashreplace") as file:
            return file.readlines()

    def searches(self, base=None, filter=None, since=0):
        """The searches whose base is that, and whose filter holds that text; from line number
        since of the log on. slapd prints values in its own normal form, in lower case."""
        found = (SEARCH_LINE.search(line.rstrip("\n")) for line in self.log_lines()[since:])
        all_of_them = [Search(m.group(1), int(m.group(2)), m.group(3)) for m in found if m]
        return [search for search in all_of_them
                if (base is None or search.base.lower() == base.lower())
                and (filter is None or filter.lower() in search.filter.lower())]

    def count(self, pattern, since=0):
        """Log lines that match a regular expression."""
        return sum(bool(re.search(pattern, line)) for line in self.log_lines()[since:])

    def mark(self):
        """Where the log ends now, for since."""
        return len(self.log_lines())

    def tool(self, program, *arguments, input=""):
        """An LDAP client as root DN: its standard output."""
        done = subprocess.run(
            [need(program), "-x", "-H", self.uri, "-D", ROOT_DN, "-w", ROOT_PASSWORD, *arguments],
            input=input.encode("utf-8"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "LDAPNOINIT": "1"}, timeout=START_SECONDS, check=False)
        if done.returncode:
            raise SlapdError(f"{program}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8", "replace")

    def modify(self, text):
        self.tool("ldapmodify", input=text)

    def add(self, *entries):
        self.tool("ldapadd", input=ldif(entries))

    def delete(self, dn):
        self.tool("ldapdelete", dn)

    def find(self, base, filter, *attributes):
        """The distinguished names that slapd itself finds."""
        out = self.tool("ldapsearch", "-LLL", "-o", "ldif_wrap=no", "-b", base, filter,
                        *(attributes or ("1.1",)))
        return [decode_line(line) for line in out.splitlines() if line.startswith("dn:")]


def decode_line(line):
    _, _, value = line.partition(":")
    if value.startswith(":"):
        return base64.b64decode(value[1:].strip()).decode("utf-8", "replace")
    return value.strip()
