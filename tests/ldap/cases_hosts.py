"""Certificates and machines: who is asked about, what a login's filter may name of them, and that
the rights of one never become another's."""
import ldapentries as entries
from faultproxy import FaultProxy
from ldapask import MISCONFIGURED, UNKNOWN, Asked, ask, check, found
from ldapbench import case, rows

BASE = {"base": entries.HOSTS}
BY_LOGIN, BY_SUBJECT = "(uid=%{login})", "(certSubject=%{cert.subject})"
BY_CLIENT = "(clientAddr=%{client.addr})"
BY_CERT = f"(&{BY_SUBJECT}(certIssuer=%{{cert.issuer}}))"
BY_ALL = f"(|{BY_LOGIN}{BY_CERT}{BY_CLIENT})"
AT_HOME = f"(&{BY_LOGIN}{BY_CLIENT})"
AT_HOME_IF_ANY = f"(&{BY_LOGIN}(|{BY_CLIENT}(!(clientAddr=*))))"
WITH_CERT = f"(&{BY_LOGIN}{BY_SUBJECT})"
WITH_CERT_IF_ANY = f"(&{BY_LOGIN}(|{BY_SUBJECT}(!(certSubject=*))))"
SCANNER = {"cert_subject": "CN=scanner", "cert_issuer": "CN=Our CA"}
NOT_SERVED = {"status": "unknown", "sources": [], "why": "no directory serves"}


def host(name):
    return f"cn={name},{entries.HOSTS}"


def by(account_filter, **options):
    return {**BASE, "account_filter": account_filter, **options}


class AnotherCertificate(Asked):
    """What slapd would match and we must not. That it would is asked first."""

    def __call__(self, bench):
        subject = self.question["cert_subject"]
        hits = bench.slapd.find(entries.HOSTS, f"(certSubject={subject})")
        assert hits == [host("fax")], f"slapd finds {hits}"
        super().__call__(bench)


rows(
    # ---- who is asked about ----
    Asked("certificate", SCANNER, found(host("scanner"), name="CN=scanner", enabled=True, grants=[
        "machines@example.com", "scanner@example.com"]), **by(BY_CERT)),
    Asked("certificate of another issuer is another account",
          {**SCANNER, "cert_issuer": "CN=Other CA"},
          found(host("rogue"), grants=["rogue@example.com"]), **by(BY_CERT)),
    Asked("certificate of an issuer that is not there", {**SCANNER, "cert_issuer": "CN=No CA"},
          UNKNOWN, **by(BY_CERT)),
    Asked("certificate without its issuer", {"cert_subject": "CN=scanner"},
          {**UNKNOWN, "why": "without %{cert.issuer}"}, **by(BY_CERT)),
    Asked("subject of two issuers, asked for alone", SCANNER,
          {**MISCONFIGURED, "why": "two entries for this certificate"}, **by(BY_SUBJECT)),
    Asked("client", {"client_addr": "192.0.2.10"},
          found(host("scanner"), name="192.0.2.10",
                grants=["machines@example.com", "scanner@example.com"]), **by(BY_CLIENT)),
    Asked("client, IPv6", {"client_addr": "2001:db8::10"}, found(host("printer")),
          **by(BY_CLIENT)),
    Asked("client that is not there", {"client_addr": "192.0.2.99"}, UNKNOWN, **by(BY_CLIENT)),
    Asked("preset asks for no certificate", SCANNER, NOT_SERVED, **BASE),
    Asked("preset asks for no client", {"client_addr": "192.0.2.10"}, NOT_SERVED, **BASE),
    Asked("filter of all: login", {"login": "worker", "client_addr": "192.0.2.99"},
          found(host("worker"), name="worker", grants=["worker@example.com"]),
          **by(BY_ALL, delegation_filter="")),
    Asked("filter of all: login at a machine, with its certificate",
          {"login": "worker", "client_addr": "192.0.2.10", **SCANNER}, found(host("worker")),
          **by(BY_ALL)),
    Asked("filter of all: unknown login at a known machine, with its certificate",
          {"login": "nobody", "client_addr": "192.0.2.10", **SCANNER}, UNKNOWN, **by(BY_ALL)),
    Asked("filter of all: certificate at another machine",
          {**SCANNER, "client_addr": "2001:db8::10"}, found(host("scanner"), name="CN=scanner"),
          **by(BY_ALL)),
    Asked("filter of all: unknown certificate at a known machine",
          {"cert_subject": "CN=no", "cert_issuer": "CN=Our CA", "client_addr": "192.0.2.10"},
          UNKNOWN, **by(BY_ALL)),
    Asked("filter of all: client", {"client_addr": "192.0.2.10"}, found(host("scanner")),
          **by(BY_ALL)),
    Asked("certificate from its machine", {**SCANNER, "client_addr": "192.0.2.10"},
          found(host("scanner")), **by(f"(&{BY_SUBJECT}{BY_CLIENT})")),
    Asked("certificate from another machine", {**SCANNER, "client_addr": "192.0.2.11"}, UNKNOWN,
          **by(f"(&{BY_SUBJECT}{BY_CLIENT})")),

    # ---- a login, and where it comes from ----
    Asked("login from its machine", {"login": "worker", "client_addr": "192.0.2.20"},
          found(host("worker")), **by(AT_HOME)),
    Asked("login from another machine", {"login": "worker", "client_addr": "192.0.2.10"}, UNKNOWN,
          **by(AT_HOME)),
    Asked("login from nowhere", {"login": "worker"},
          {**UNKNOWN, "why": "without %{client.addr}"}, **by(AT_HOME)),
    Asked("machine of a login is nobody without it", {"client_addr": "192.0.2.20"}, NOT_SERVED,
          **by(AT_HOME)),
    Asked("login that has a machine, from another one",
          {"login": "worker", "client_addr": "192.0.2.10"}, UNKNOWN, **by(AT_HOME_IF_ANY)),
    Asked("login that has a machine, from it", {"login": "worker", "client_addr": "192.0.2.20"},
          found(host("worker")), **by(AT_HOME_IF_ANY)),
    Asked("login that has no machine", {"login": "roamer", "client_addr": "192.0.2.10"},
          found(host("roamer")), **by(AT_HOME_IF_ANY)),
    Asked("login with its certificate", {"login": "worker", "cert_subject": "CN=worker"},
          found(host("worker")), **by(WITH_CERT)),
    Asked("login with another certificate", {"login": "worker", "cert_subject": "CN=scanner"},
          UNKNOWN, **by(WITH_CERT)),
    Asked("login with its certificate, folded", {"login": "worker", "cert_subject": "cn=WORKER"},
          {**UNKNOWN, "why": "which has another login"}, **by(WITH_CERT)),
    Asked("login without certificate", {"login": "worker"},
          {**UNKNOWN, "why": "without %{cert.subject}"}, **by(WITH_CERT)),
    Asked("login that has no certificate, with some", {"login": "roamer", **SCANNER},
          found(host("roamer")), **by(WITH_CERT_IF_ANY)),
    Asked("certificate that cannot be searched for is none",
          {"login": "worker", "cert_subject": "CN=wor\u00adker"}, found(host("worker")),
          **by(f"(|{BY_LOGIN}{WITH_CERT})")),
    Asked("certificate that cannot be searched for proves nothing",
          {"login": "worker", "cert_subject": "CN=wor\u00adker"},
          {**UNKNOWN, "why": "without %{cert.subject}"}, **by(WITH_CERT)),

    # ---- the other filters ----
    Asked("enabled by client", {"login": "worker", "client_addr": "192.0.2.20"},
          found(host("worker"), enabled=True), **by(BY_LOGIN, enabled_filter=BY_CLIENT)),
    Asked("not enabled by another client", {"login": "worker", "client_addr": "192.0.2.10"},
          found(host("worker"), enabled=False), **by(BY_LOGIN, enabled_filter=BY_CLIENT)),
    Asked("not enabled where the client is not known", {"login": "worker"},
          found(host("worker"), enabled=False), **by(BY_LOGIN, enabled_filter=BY_CLIENT)),
    Asked("enabled by certificate", {"login": "worker", "cert_subject": "CN=worker"},
          found(host("worker"), enabled=True), **by(BY_LOGIN, enabled_filter=BY_SUBJECT)),
    Asked("not enabled without certificate", {"login": "worker"},
          found(host("worker"), enabled=False), **by(BY_LOGIN, enabled_filter=BY_SUBJECT)),
    Asked("not enabled by a certificate that cannot be searched for",
          {"login": "worker", "cert_subject": "CN=worker "}, found(host("worker"), enabled=False),
          **by(BY_LOGIN, enabled_filter=BY_SUBJECT)),
    Asked("groups by client", {"login": "worker", "client_addr": "192.0.2.20"},
          found(host("worker"), grants=["desk@example.com", "worker@example.com"]),
          **by(BY_LOGIN, delegation_filter=f"(&(member=%{{account.dn}}){BY_CLIENT})")),
    Asked("groups by another client", {"login": "worker", "client_addr": "192.0.2.10"},
          found(host("worker"), grants=["worker@example.com"]),
          **by(BY_LOGIN, delegation_filter=f"(&(member=%{{account.dn}}){BY_CLIENT})")),
    Asked("groups where nothing is left of their filter", {"login": "worker"},
          found(host("worker"), grants=["worker@example.com"]),
          **by(BY_LOGIN, delegation_filter=f"(&(member=%{{account.dn}}){BY_CLIENT})")),
    Asked("groups of a machine are not those of a login there",
          {"login": "roamer", "client_addr": "192.0.2.20"},
          found(host("roamer"), grants=["roamer@example.com"]),
          **by(BY_LOGIN, delegation_filter=f"(|(member=%{{account.dn}}){BY_CLIENT})")),

    # ---- hostile certificates ----
    Asked("certificate with all that is special finds its own entry",
          {"cert_subject": entries.HOSTILE_SUBJECT},
          found(host("hostile"), grants=["hostile@example.com"]), **by(BY_SUBJECT)),
    *[Asked(f"certificate {subject} finds nobody", {"cert_subject": subject}, UNKNOWN,
            **by(BY_SUBJECT))
      for subject in ("*", "CN=*", "CN=fax)(uid=*", "CN=fax\\2a", "CN=fax*", "CN=\\66ax",
                      "*)(uid=*", "CN=fa", "CN=faxx", "fax", "%{login}",
                      "CN=worker)(certSubject=CN=fax")],
    *[Asked(f"certificate with {kind} is unknown, unsearched", {"cert_subject": subject},
            {**UNKNOWN, "why": "%{cert.subject}"}, **by(BY_SUBJECT))
      for kind, subject in (("trailing blank", "CN=fax "), ("leading blank", " CN=fax"),
                            ("soft hyphen", "CN=fa\u00adx"), ("line feed", "CN=fax\n"),
                            ("zero width space", "CN=\u200bfax"),
                            ("right-to-left override", "\u202eCN=fax"))],
    *[AnotherCertificate(f"certificate {kind} is another one", {"cert_subject": subject},
                         {**UNKNOWN, "why": "which has another certificate"}, **by(BY_SUBJECT))
      for kind, subject in entries.FOLDED_SUBJECTS.items()],
    Asked("certificate, octet by octet", {"cert_subject": "CN=fax one"}, found(host("fax")),
          **by(BY_SUBJECT)),
    Asked("login with all that is special, beside a client",
          {"login": "*)(clientAddr=192.0.2.20))(|(uid=*", "client_addr": "192.0.2.20"}, UNKNOWN,
          **by(AT_HOME)),
)


def asks_nothing(bench, account_filter, question):
    with FaultProxy(bench.slapd.port) as proxy:
        (answer,), _ = ask(bench.conf(bench.corp(uri=[proxy.uri], **by(account_filter))), question)
        return answer, proxy.searches()


@case
def a_filter_of_machines_asks_for_no_login(bench):
    """Filter that names the client alone asks for no login, and the server is not asked"""
    question = {"login": "worker", "client_addr": "192.0.2.10"}
    answer, searches = asks_nothing(bench, BY_CLIENT, question)
    check(answer, NOT_SERVED)
    assert not searches, searches
    dead = bench.corp(uri=[entries.NOBODY_URI], **by(BY_CLIENT))
    (answer,), _ = ask(bench.conf(dead), question)
    check(answer, NOT_SERVED)


@case
def the_client_is_sent_for_no_login_that_does_not_need_it(bench):
    """Alternatives about others are not in a login's search"""
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **by(BY_ALL)))
        (answer,), _ = ask(conf, {"login": "worker", "client_addr": "192.0.2.10", **SCANNER})
        check(answer, found(host("worker")))
        asked = [search.filter.lower() for search in proxy.searches("worker")]
    assert asked[0] == "(|(uid=worker))", asked


@case
def unsearchable_certificate_is_not_sent(bench):
    answer, searches = asks_nothing(bench, BY_SUBJECT, {"cert_subject": "CN=fa\u00adx"})
    check(answer, UNKNOWN)
    assert not searches, searches


# ---- what is remembered ----

@case
def answers_for_other_clients_are_kept_apart(bench):
    """Remembered answers: one login from two machines, and again"""
    here = {"login": "worker", "client_addr": "192.0.2.20"}
    there = {"login": "worker", "client_addr": "192.0.2.10"}
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **by(AT_HOME)))
        answers, _ = ask(conf, here, there, here, there)
        searches = proxy.searches("uid=worker")
    for answer, want in zip(answers, [found(host("worker")), UNKNOWN] * 2):
        check(answer, want)
    assert len(searches) == 2, searches


@case
def answers_for_other_certificates_are_kept_apart(bench):
    """Remembered answers: one login with two certificates, and without"""
    with_own = {"login": "worker", "cert_subject": "CN=worker"}
    with_other = {"login": "worker", "cert_subject": "CN=fax"}
    conf = bench.conf(bench.corp(**by(WITH_CERT)))
    answers, _ = ask(conf, with_own, with_other, {"login": "worker"}, with_own)
    for answer, want in zip(answers, [found(host("worker")), UNKNOWN, UNKNOWN,
                                      found(host("worker"))]):
        check(answer, want)


@case
def a_login_is_remembered_wherever_it_comes_from(bench):
    """Remembered answers: a login's own is one, where its search does not name the client"""
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **by(BY_ALL)))
        answers, _ = ask(conf, {"login": "worker", "client_addr": "192.0.2.20"},
                         {"login": "worker", "client_addr": "192.0.2.10"})
        searches = proxy.searches("uid=worker")
    for answer in answers:
        check(answer, found(host("worker")))
    assert len(searches) == 1, searches


@case
def a_login_a_certificate_and_a_client_of_one_name_are_three(bench):
    conf = bench.conf(bench.corp(**by(f"(|{BY_LOGIN}{BY_SUBJECT}{BY_CLIENT})")))
    answers, _ = ask(conf, {"cert_subject": "CN=worker"}, {"login": "cn=worker"},
                     {"client_addr": "cn=worker"}, {"client_addr": "192.0.2.11"},
                     {"login": "192.0.2.11"}, {"cert_subject": "192.0.2.11"})
    wanted = [found(host("worker")), UNKNOWN, UNKNOWN, found(host("printer")), UNKNOWN, UNKNOWN]
    for answer, want in zip(answers, wanted):
        check(answer, want)
