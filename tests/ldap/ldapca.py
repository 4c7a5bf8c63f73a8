"""A private certificate authority, made with the openssl program: certificates for a server that
are good, expired, for another name, or of another authority, and one for a client."""
import os
import subprocess

NAMES = "IP:127.0.0.1,DNS:localhost"

CONF = """\
[ req ]
distinguished_name = name
prompt = no
[ name ]
[ ca ]
default_ca = own
[ own ]
dir = {dir}
database = {dir}/index
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[ any ]
commonName = supplied
[ authority ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ leaf ]
basicConstraints = critical,CA:FALSE
"""


class Certificate:
    """Paths of a certificate and its key."""

    def __init__(self, cert, key):
        self.cert = cert
        self.key = key


class Authority:
    """One authority in a directory of its own."""

    def __init__(self, openssl, directory, name):
        self.openssl = openssl
        self.dir = directory
        os.mkdir(directory)
        self.write("index", "")
        self.write("serial", "01\n")
        self.conf = self.write("conf", CONF.format(dir=directory))
        self.run("req", "-x509", "-days", "3650", "-subj", f"/CN={name}", "-extensions",
                 "authority", *self.new_key("ca"), "-out", self.path("ca.pem"))
        self.cert = self.path("ca.pem")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def run(self, command, *arguments):
        done = subprocess.run([self.openssl, command, "-config", self.conf, *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise RuntimeError(f"openssl {command}: {done.stdout.decode('utf-8', 'replace')}")

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.path(name + ".key"))

    def issue(self, name, common_name, alternatives=None, start="20200101000000Z",
              end="20490101000000Z"):
        """A Certificate. alternatives: subjectAltName as openssl writes it."""
        extension = ("-addext", f"subjectAltName={alternatives}") if alternatives else ()
        self.run("req", "-new", "-subj", f"/CN={common_name}", *extension, *self.new_key(name),
                 "-out", self.path(name + ".csr"))
        self.run("ca", "-batch", "-notext", "-keyfile", self.path("ca.key"), "-cert", self.cert,
                 "-startdate", start, "-enddate", end, "-extensions", "leaf",
                 "-in", self.path(name + ".csr"), "-out", self.path(name + ".pem"))
        os.chmod(self.path(name + ".key"), 0o600)
        return Certificate(self.path(name + ".pem"), self.path(name + ".key"))


class Certificates:
    """All that the tests need. ca is what the program under test trusts."""

    def __init__(self, openssl, directory):
        ours = Authority(openssl, os.path.join(directory, "ca"), "sendas test CA")
        theirs = Authority(openssl, os.path.join(directory, "other-ca"), "another CA")
        self.ca = ours.cert
        self.good = ours.issue("good", "localhost", NAMES)
        self.expired = ours.issue("expired", "localhost", NAMES, end="20210101000000Z")
        self.wrong_name = ours.issue("wrong-name", "ldap.elsewhere.example",
                                     "DNS:ldap.elsewhere.example")
        self.wrong_ca = theirs.issue("wrong-ca", "localhost", NAMES)
        self.client = ours.issue("client", "sendas-client")
        self.foreign_client = theirs.issue("foreign-client", "sendas-client")
