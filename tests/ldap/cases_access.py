"""How the server is reached: binds, secrets, TLS, and what -t says of all that."""
import os

import daemonkit
import ldapentries as entries
import slapdkit
from faultproxy import FaultProxy
from ldapbench import Row, case, named, rows
from slapdkit import READER_PASSWORD, Slapd

BROKEN = "unknown misconfigured"
NO_ANSWER = "unknown directory-unavailable"
CONFIGURATION = 78
ALICE = "alice", "alice@example.com"
ANONYMOUS = {"bind_dn": None, "bind_password_file": None}
EXTERNAL = {"bind_dn": None, "bind_password_file": None, "sasl_mechanism": "external"}


def written(name, text, mode=0o600):
    """A function that writes a secret and gives its path."""
    return lambda bench: bench.write(name, text, mode)


def uri(attribute):
    return lambda bench: [getattr(bench.slapd, attribute)]


def certificate(name, part):
    return lambda bench: getattr(getattr(bench.certificates, name), part)


def ca(bench):
    return bench.certificates.ca


TLS = {"uri": uri("uri_tls"), "ca_file": ca}
CLIENT = {"cert_file": certificate("client", "cert"), "key_file": certificate("client", "key")}

rows(
    # ---- binds ----
    Row("simple bind", "yes", *ALICE),
    Row("password without a line feed at its end", "yes", *ALICE,
        bind_password_file=written("plain", READER_PASSWORD)),
    Row("password of the wrong user", BROKEN, *ALICE,
        bind_password_file=written("wrong", "not the password\n")),
    Row("bind DN that is not there", BROKEN, *ALICE, bind_dn="cn=nobody,dc=example,dc=com"),
    Row("anonymous where everybody may read", "yes", "alice", "public@example.com",
        base=slapdkit.PUBLIC, **ANONYMOUS),
    Row("anonymous where nobody may read", "unknown", *ALICE, **ANONYMOUS),
    Row("over the unix socket with a password", "yes", *ALICE, uri=uri("uri_ipc")),
    Row("over the unix socket as who we are (SASL EXTERNAL)", "yes", *ALICE, uri=uri("uri_ipc"),
        **EXTERNAL),
    Row("unix socket that is not there", NO_ANSWER, *ALICE,
        uri=["ldapi://%2Fnonexistent%2Fldapi"]),

    # ---- TLS ----
    Row("ldaps, private CA", "yes", *ALICE, **TLS),
    Row("StartTLS, private CA", "yes", *ALICE, starttls=True, ca_file=ca),
    Row("ldaps without our CA", NO_ANSWER, *ALICE, uri=uri("uri_tls")),
    Row("StartTLS without our CA", NO_ANSWER, *ALICE, starttls=True),
    Row("ldaps, certificate not looked at, where told", "yes", *ALICE, uri=uri("uri_tls"),
        tls_verify="never"),
    Row("ldaps by a name that the certificate has not", NO_ANSWER, *ALICE, ca_file=ca,
        uri=lambda bench: [bench.slapd.uri_tls.replace("127.0.0.1", "127.0.0.2")]),
    Row("TLS 1.3 at least, and the server has it", "yes", *ALICE, tls_minimum="1.3", **TLS),
    Row("client certificate as bind (SASL EXTERNAL)", "yes", *ALICE,
        **{**TLS, **CLIENT, **EXTERNAL}),
    Row("client certificate as bind after StartTLS", "yes", *ALICE, starttls=True, ca_file=ca,
        **{**CLIENT, **EXTERNAL}),
)


def bad_certificate(name, attribute):
    @named(f"ldaps and StartTLS with {name} certificate: no answer, and no password in clear")
    def run(bench):
        tls = getattr(bench.certificates, attribute), bench.certificates.ca
        with Slapd(entries.staff_only(), tls=tls) as slapd:
            bench.expect(NO_ANSWER, *ALICE, bench.corp(uri=[slapd.uri_tls],
                                                       ca_file=bench.certificates.ca))
            with FaultProxy(slapd.port) as proxy:
                bench.expect(NO_ANSWER, *ALICE, bench.corp(uri=[proxy.uri], starttls=True,
                                                           ca_file=bench.certificates.ca))
                assert proxy.connections and not proxy.binds, "a bind was sent in clear"
            second = bench.corp(uri=[slapd.uri_tls, bench.slapd.uri_tls],
                                ca_file=bench.certificates.ca)
            bench.expect("yes", *ALICE, second)


bad_certificate("an expired", "expired")
bad_certificate("another name's", "wrong_name")
bad_certificate("another CA's", "wrong_ca")


@case
def starttls_that_is_refused_is_no_answer_and_nothing_is_sent_in_clear(bench):
    with Slapd(entries.staff_only()) as slapd, FaultProxy(slapd.port) as proxy:
        bench.expect("unknown", *ALICE,
                     bench.corp(uri=[proxy.uri], starttls=True, ca_file=bench.certificates.ca))
        assert proxy.connections, "nobody came"
        assert not proxy.binds and not proxy.searches(), "went on in clear"


@case
def server_without_tls_13_is_not_used_where_that_is_the_least(bench):
    old = "TLSCipherSuite NORMAL:-VERS-TLS1.3"
    with Slapd(entries.staff_only(), tls=(bench.certificates.good, bench.certificates.ca),
               top=old) as slapd:
        options = {"uri": [slapd.uri_tls], "ca_file": bench.certificates.ca}
        bench.expect("yes", *ALICE, bench.corp(**options))
        bench.expect("unknown", *ALICE, bench.corp(tls_minimum="1.3", **options))


@case
def certificate_of_a_client_of_another_ca_is_no_bind(bench):
    options = {**EXTERNAL, "uri": [bench.slapd.uri_tls], "ca_file": bench.certificates.ca,
               "cert_file": bench.certificates.foreign_client.cert,
               "key_file": bench.certificates.foreign_client.key}
    bench.expect("unknown", *ALICE, bench.corp(**options))


# The environment of LDAP clients would take TLS away, or the server.
OTHERS = {"LDAPTLS_REQCERT": "never", "LDAPURI": entries.NOBODY_URI, "LDAPBASE": "dc=wrong"}
rows(
    Row("environment of LDAP clients changes nothing", "yes", *ALICE, environment=OTHERS),
    Row("environment of LDAP clients takes no certificate's check away", NO_ANSWER, *ALICE,
        environment=OTHERS, uri=uri("uri_tls")),
)


# ---- the secret's file ----

def secret(name, accepted, text=READER_PASSWORD, mode=0o600, owner=None, path=None):
    @named(f"secret file: {name}")
    def run(bench):
        file = path or bench.write("a-secret", text, mode)
        if owner is not None:
            os.chown(file, owner, -1)
        code, said, _ = bench.checks_configuration(bench.corp(bind_password_file=file))
        if accepted:
            assert code == 0, said
            return
        assert code == CONFIGURATION, f"exit {code}: {said}"
        assert file in said, f"does not say which file: {said}"
        assert not text.strip() or text not in said, "says the secret"


secret("mode 0600", True)
secret("mode 0400", True, mode=0o400)
secret("mode 0640, for a group", True, mode=0o640)
secret("mode 0644 is refused", False, mode=0o644)
secret("mode 0604 is refused", False, mode=0o604)
secret("mode 0602 is refused", False, mode=0o602)
secret("that is not there", False, path="/nonexistent/secret")
secret("that is a directory", False, path="/tmp")
secret("that is empty: a bind without password proves nothing", False, text="")
secret("with nothing but a line feed", False, text="\n")
if os.geteuid() == 0:  # who is not root cannot give a file away, nor become somebody else
    secret("of another user is refused", False, owner=65534)

    @named("-t as root: a ca_file that the daemon's user could not read")
    def unreadable_for_the_daemon(bench):
        own = bench.write("root-only.pem", "x")
        blocks = bench.corp(ca_file=own, uri=[bench.slapd.uri_tls], bind_dn=None,
                            bind_password_file=None)
        for mode, wanted in ((0o600, CONFIGURATION), (0o644, 0)):
            os.chmod(own, mode)
            code, said, _ = bench.checks_configuration('user = "nobody"', blocks)
            assert code == wanted, f"mode {mode:o}: exit {code}: {said}"
            assert ("nobody" in said) == (wanted == CONFIGURATION), said


# ---- sendas-milter -t ----

def wrong(name, words, **options):
    """A configuration that cannot be right, found without a server."""
    @named(f"-t: {name}")
    def run(bench):
        code, said, conf = bench.checks_configuration(bench.corp(**options))
        assert code == CONFIGURATION, f"exit {code}: {said}"
        assert f"{conf}:" in said, f"no FILE:LINE: {said}"
        assert words in said, f"{words!r} is not in: {said}"


wrong("bind_dn that is no DN", "bind_dn", bind_dn="milter")
wrong("base that is no DN", "base", base="example.com")
wrong("no uri", "uri", uri=None)
wrong("URI that is none", "uri", uri=["ldap1.example.com"])
wrong("URI of another kind", "uri", uri=["http://127.0.0.1"])
wrong("no base", "base", base=None)
wrong("unknown preset", "schema", schema="exchange")
wrong("preset none and no account_filter", "account_filter", schema="none")
wrong("filter without its end", "account_filter", account_filter="(uid=%{login}")
wrong("filter with an unknown name", "account_filter", account_filter="(uid=%{user})")
wrong("account_filter with a name that it cannot have", "account_filter",
      account_filter="(member=%{account.dn})")
wrong("filter with a value that is no filter value", "account_filter",
      account_filter="(uid=%{login)")
wrong("StartTLS over ldaps", "starttls", uri=["ldaps://127.0.0.1"], starttls=True)
wrong("bind_dn without a password", "bind_password_file", bind_password_file=None)
wrong("SASL EXTERNAL where nothing says who we are", "sasl_mechanism", **EXTERNAL)
wrong("SASL EXTERNAL without a client certificate", "cert_file",
      **{**EXTERNAL, "uri": ["ldaps://127.0.0.1"]})
wrong("SASL EXTERNAL and a password", "sasl_mechanism", sasl_mechanism="external")
wrong("certificate without its key", "key_file", cert_file="/etc/hostname")
wrong("ca_file that is not there", "ca_file", ca_file="/nonexistent/ca.pem")
wrong("unknown mechanism", "sasl_mechanism", sasl_mechanism="gssapi2")
wrong("tls_minimum that is none", "tls_minimum", tls_minimum="1.1")
wrong("tls_verify that is none", "tls_verify", tls_verify="perhaps")
wrong("connect_timeout that is none", "connect_timeout", connect_timeout="soon")
wrong("no connections at all", "max_connections", max_connections=0)


@case
def t_asks_no_server(bench):
    code, said, _ = bench.checks_configuration(bench.corp(uri=[entries.NOBODY_URI]))
    assert code == 0, said


def probe(bench, *arguments, **options):
    """sendas-milter -t -t: exit status and text."""
    return daemonkit.run_program("-t", "-t", "-c", bench.conf(bench.corp(**options)), *arguments)


@case
def t_twice_says_that_the_server_answers(bench):
    code, said = probe(bench)
    assert code == 0, said
    assert bench.slapd.uri in said, said


@case
def t_twice_with_a_login_says_what_was_found(bench):
    code, said = probe(bench, "alice")
    assert code == 0, said
    for words in (f"uid=alice,{entries.STAFF}", "alice@example.com", "team@example.com"):
        assert words in said, f"{words!r} is not in: {said}"


@case
def t_twice_asks_every_server(bench):
    code, said = probe(bench, uri=[bench.slapd.uri, entries.NOBODY_URI])
    assert code > 0, f"exit {code}: {said}"
    assert bench.slapd.uri in said and entries.NOBODY_URI in said, said


def fails_probe(name, words, login=(), **options):
    @named(f"-t -t: {name}")
    def run(bench):
        changed = {key: value(bench) if callable(value) else value
                   for key, value in options.items()}
        code, said = probe(bench, *login, **changed)
        assert code > 0, f"exit {code}: {said}"
        assert words.lower() in said.lower(), f"{words!r} is not in: {said}"


fails_probe("wrong password", "credentials", bind_password_file=written("wrong", "wrong\n"))
fails_probe("missing base", entries.MISSING, base=entries.MISSING)
fails_probe("missing delegation_base", entries.MISSING, delegation_base=entries.MISSING)
fails_probe("unknown attribute type", "mailAlias2", send_as_attributes=["mailAlias2"])
fails_probe("no server", entries.NOBODY_URI, uri=[entries.NOBODY_URI])
fails_probe("two entries for the login", "cn=second", login=("twin",))
