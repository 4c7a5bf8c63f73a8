"""Macros that libmilter keeps too long: no identity is used twice."""

from daemonkit import Daemon, accepted, case, main, refused
from milterwire import Milter, session

OWN = "alice@example.net"


def own_message(m):
    accepted(m.message("alice", OWN, OWN))


@case
def next_set_without_login(d):
    """An authenticated MAIL, then one whose macros name no login"""
    with session(d.socket) as m:
        own_message(m)
        refused(m.message(None, OWN, OWN), "530 5.7.0", "auth-required")


@case
def rset_then_set_without_login(d):
    """RSET, then a MAIL whose macros name no login"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.abort()
        refused(m.message(None, OWN, OWN), "auth-required")


@case
def no_next_set(d):
    """A second MAIL without any macros does not inherit the login"""
    with session(d.socket) as m:
        own_message(m)
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")


@case
def rset_then_no_set(d):
    """RSET, then a MAIL without any macros"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.abort()
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")


@case
def no_next_set_other_sender(d):
    """A MAIL without macros is judged by its own argument"""
    with session(d.socket) as m:
        own_message(m)
        m.mail("<someone@elsewhere.test>", macros=False)
        refused(m.rcpt(), "auth-required")


@case
def helo_forgets(d):
    """HELO after MAIL, as after STARTTLS: the login is gone"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, "alice")
        m.helo()
        m.mail("<%s>" % OWN, macros=False)
        refused(m.rcpt(), "auth-required")
        m.abort()
        own_message(m)


@case
def other_login(d):
    """One login after the other in a connection"""
    with session(d.socket) as m:
        own_message(m)
        refused(m.message("bob", OWN, "bob@example.net"), "sender-not-granted", "bob")
        accepted(m.message("bob", "bob@example.net", "bob@example.net"))
        refused(m.message("alice", "bob@example.net", OWN), "sender-not-granted", "alice")


@case
def half_a_login(d):
    """{auth_authen} without {auth_type}, and the reverse, is nobody's proof"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_authen}": "alice"})
        refused(m.rcpt(), "451 4.3.5", "misconfigured")
        m.abort()
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_type}": "PLAIN"})
        refused(m.rcpt(), "451 4.3.5", "misconfigured")
        m.abort()
        own_message(m)


@case
def empty_macros(d):
    """Empty macros are absent"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_authen}": "", "{auth_type}": ""})
        refused(m.rcpt(), "auth-required")


@case
def author_is_nobody(d):
    """{auth_author}, which the client chooses, is no identity"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_type}": "PLAIN",
                                     "{auth_author}": "alice"})
        refused(m.rcpt(), "misconfigured")


@case
def mail_addr_is_judged(d):
    """{mail_addr} is what the MTA will use: another mailbox in the argument is refused"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": "bob@example.net", "{auth_type}": "PLAIN",
                                     "{auth_authen}": "alice"})
        refused(m.rcpt(), "sender-malformed")


@case
def stale_recipient(d):
    """A second RCPT without macros is not the first one's recipient"""
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "MTA", "{daemon_port}": "25"})
        m.helo()
        m.mail("<stranger@elsewhere.test>")
        accepted(m.rcpt("<alice@example.net>"))
        refused(m.rcpt("<friend@elsewhere.test>", macros=False), "relay-denied")
        accepted(m.rcpt("<bob@example.net>", macros=False))


@case
def listener_by_port(d):
    """The listener's port selects the policy where its name says nothing"""
    with Milter(d.socket) as m:
        m.connect(macros={"{daemon_name}": "mx.example.net", "{daemon_port}": "587"})
        m.helo()
        refused(m.message(None, "a@elsewhere.test", "a@elsewhere.test", "<alice@example.net>"),
                "auth-required")


@case
def ipv6_client(d):
    """A client's IPv6 address, tagged or not, is the same one"""
    conf = 'trusted_networks = { "2001:db8::/32" }'
    with Daemon(conf) as own:
        for macros in ({}, {"{client_addr}": "IPv6:2001:db8::1"}):
            with Milter(own.socket) as m:
                m.connect(address="2001:db8::1", macros=dict(macros, **{"{daemon_name}": "MTA"}))
                m.helo()
                accepted(m.message(None, "a@elsewhere.test", "a@elsewhere.test"))
        with Milter(own.socket) as m:
            m.connect(address="2001:db9::1", macros={"{daemon_name}": "MTA"})
            m.helo()
            refused(m.message(None, "a@elsewhere.test", "a@elsewhere.test"), "relay-denied")


# ---- certificates and networks ----

CA, NAME, RELAY = "Rig CA", "relay one", "news@example.net"
CERT = {"{cert_subject}": NAME, "{cert_issuer}": CA}
DN = {"{cert_subject}": "/O=Rig/CN=relay+20one", "{cert_issuer}": "/O=Rig/CN=Rig+20CA"}
PROVING = """
cert_issuers = { "Rig CA", "/O=Rig/CN=Rig CA" }
network "2001:db8::/32" { send_as = { "scanner@example.net" } relay = yes }
network "2001:db8::4" { send_as = { "printer@example.net" } }
"""
PROVED = """
alice@example.net  alice
news@example.net   "cert:Rig CA|relay one", "cert:/O=Rig/CN=Rig CA|/O=Rig/CN=relay one"
"""
POSTFIX, SENDMAIL, UNSAID = {"v": "Postfix 3.7.11"}, {"v": "8.17.1.9"}, {}
PORT = {"{daemon_name}": "ORIGINATING", "{daemon_port}": "587"}


def client(own, version, helo=None, address="192.0.2.10"):
    """A session whose macros of HELO are these."""
    m = Milter(own.socket)
    m.connect(address=address, macros={**PORT, **version})
    if helo is not None:
        m.macros("H", helo)
    m.helo()
    return m


def mail(m, macros, sender=RELAY, from_=None):
    """The answer to RCPT, or to the end where it got that far."""
    m.mail("<%s>" % sender, macros={"{mail_addr}": sender, **macros})
    answer = m.rcpt()
    if answer.ok:
        return m.eom([("From", from_ or sender)])
    m.abort()
    return answer


CERTIFICATES = (
    ("at HELO, of Postfix", POSTFIX, CERT, {}, None),
    ("at MAIL, of Postfix", POSTFIX, {}, CERT, None),
    ("at both", POSTFIX, CERT, CERT, None),
    ("verified, at HELO, of Sendmail", SENDMAIL, {**DN, "{verify}": "OK"}, {}, None),
    ("verified, at MAIL, of Sendmail", SENDMAIL, {}, {**DN, "{verify}": "OK"}, None),
    ("that could be xtext, of an MTA that is not known", UNSAID, {**DN, "{verify}": "OK"}, {},
     "misconfigured"),
    ("not verified, of Sendmail", SENDMAIL, {**DN, "{verify}": "FAIL"}, {}, "auth-required"),
    ("not verified, said at MAIL", SENDMAIL, {**DN, "{verify}": "OK"}, {"{verify}": "NO"},
     "auth-required"),
    ("without {verify}, of Sendmail", SENDMAIL, DN, {}, "auth-required"),
    ("empty, of Sendmail", SENDMAIL,
     {"{cert_subject}": "", "{cert_issuer}": "", "{verify}": "NO"}, {}, "auth-required"),
    ("subject alone", POSTFIX, {"{cert_subject}": NAME}, {}, "auth-required"),
    ("issuer alone", POSTFIX, {"{cert_issuer}": CA}, {}, "auth-required"),
    ("another issuer", POSTFIX, {**CERT, "{cert_issuer}": "Other CA"}, {}, "auth-required"),
    ("an issuer in other letters", POSTFIX, {**CERT, "{cert_issuer}": "rig ca"}, {},
     "auth-required"),
    ("another subject", POSTFIX, {**CERT, "{cert_subject}": "relay two"}, {}, "login-unknown"),
    ("a subject with a blank at its end", POSTFIX, {**CERT, "{cert_subject}": "relay one "}, {},
     "login-unknown"),
    ("a bar moved from one to the other", POSTFIX,
     {"{cert_issuer}": "Rig", "{cert_subject}": "CA|relay one"}, {}, "auth-required"),
)


def certificate(what, version, helo, at_mail, reason):
    def run(d):
        conf = PROVING + ("mta = sendmail\n" if version is SENDMAIL else "")
        with Daemon(conf, PROVED) as own, client(own, version, helo) as m:
            for _ in range(2):
                answer = mail(m, at_mail)
                if reason:
                    refused(answer, reason)
                else:
                    accepted(answer)
                    refused(mail(m, at_mail, "alice@example.net"), "sender-not-granted", NAME)
                    refused(mail(m, at_mail, from_="alice@example.net"), "from-not-granted")
    run.__doc__ = "A certificate: %s" % what
    case(run)


for row in CERTIFICATES:
    certificate(*row)


@case
def certificate_goes_with_helo(d):
    """A HELO without a certificate ends that of the one before"""
    with Daemon(PROVING, PROVED) as own, client(own, POSTFIX, CERT) as m:
        accepted(mail(m, {}))
        m.macros("H", {"{tls_version}": "TLSv1.3"})
        m.helo()
        refused(mail(m, {}), "auth-required")


@case
def certificate_goes_with_connection(d):
    """A connection that is used again for another client has none of the certificate before"""
    for helo, at_mail in ((CERT, {}), ({}, CERT)):
        with Daemon(PROVING, PROVED) as own, client(own, POSTFIX, helo) as m:
            accepted(mail(m, at_mail))
            m.send("K")
            m.connect(macros={**PORT, **POSTFIX})
            m.helo()
            refused(mail(m, {}), "auth-required")
            m.mail("<%s>" % RELAY, macros=False)
            refused(m.rcpt(), "auth-required")


@case
def login_before_certificate(d):
    """A login goes before a certificate, and half a login spoils it"""
    login = {"{auth_type}": "PLAIN", "{auth_authen}": "alice"}
    with Daemon(PROVING, PROVED) as own, client(own, POSTFIX, CERT) as m:
        refused(mail(m, login), "sender-not-granted", "alice")
        accepted(mail(m, login, "alice@example.net"))
        refused(mail(m, {"{auth_authen}": "alice"}), "misconfigured")
        accepted(mail(m, {}))


@case
def networks_of_ipv6(d):
    """A network block of IPv6 addresses, and a single one in it"""
    with Daemon(PROVING, PROVED) as own:
        for address, sender, want in (("2001:db8::1", "scanner", None),
                                      ("2001:db8::1", "printer", "sender-not-granted"),
                                      ("2001:db8::4", "printer", "relay-denied"),
                                      ("2001:db9::1", "scanner", "auth-required")):
            with client(own, POSTFIX, address=address) as m:
                answer = mail(m, {}, sender + "@example.net")
                if want:
                    refused(answer, want)
                else:
                    accepted(answer)


with Daemon() as daemon:
    main(daemon)
