"""Who owns an address: one, several, or nobody that is known; and where that cannot be told."""
import faultproxy
import ldapentries as entries
import slapdkit
from daemonkit import wait_for
from faultproxy import FaultProxy
from ldapask import MISCONFIGURED, UNAVAILABLE, UNKNOWN, Asked, ask, check, found
from ldapbench import IMPATIENT, IMPATIENT_LINKS, case, directory, rows
from ldapentries import CLUBS, GROUPS, OWNED, PARTLY, STAFF

BASE = {"base": OWNED}
AD = {"schema": "ad", "base": entries.ACTIVE}
ALL_GROUPS = {"delegation_attributes": ["mail", "mailLocalAddress"]}
INTL = {"send_as_attributes": ["mail", "intlMail"], **BASE}


def owner(name):
    return f"uid={name},{OWNED}"


def in_part(*owners, missing="unavailable"):
    """Found, but there may be others."""
    return {**found(*owners), "missing": missing}


class ThoughFound(Asked):
    """slapd finds an entry for it, which has another address."""

    def __init__(self, name, question, attribute, entry, **options):
        super().__init__(name, question, UNKNOWN, **options)
        self.attribute, self.entry = attribute, entry

    def __call__(self, bench):
        hits = bench.slapd.find(OWNED, f"({self.attribute}={self.question['address']})")
        assert hits == [self.entry], f"slapd finds {hits}"
        super().__call__(bench)


rows(
    # ---- who it is ----
    Asked("owner by mail", {"address": "ida@example.com"},
          found(owner("ida"), entry=owner("ida"), grants=[], denies=[], primary=None), **BASE),
    Asked("owner, letter case of the address", {"address": "IDA@Example.COM"}, found(owner("ida")),
          **BASE),
    Asked("owner by a further attribute", {"address": '"a(b)"@example.com'}, found(owner("igor")),
          **BASE),
    Asked("owner by an attribute that is not named", {"address": '"a(b)"@example.com'}, UNKNOWN,
          send_as_attributes=["mail"], delegation_filter="", **BASE),
    Asked("nobody's address", {"address": "nobody@example.com"},
          {**UNKNOWN, "why": "no entry has the address"}, **BASE),
    Asked("whole domain is no owner", {"address": "x@ida.example"}, UNKNOWN, **BASE),
    Asked("two owners, by two attributes", {"address": "pair@example.com"},
          found(owner("ivo"), owner("iris")), **BASE),
    Asked("two accounts of one login are two owners", {"address": "twin@example.com"},
          found(f"cn=first,{STAFF}", f"cn=second,{STAFF}")),
    Asked("address with a star", {"address": "a*b@example.com"}, found(owner("igor")), **BASE),
    Asked("star does not find more", {"address": "a*@example.com"}, UNKNOWN, **BASE),
    Asked("pattern is no owner", {"address": "list+x@example.com"}, UNKNOWN, **BASE),
    Asked("pattern's own text is no address of it", {"address": "list+*@example.com"}, UNKNOWN,
          **BASE),
    Asked("quoted local part with all that is special", {"address": '"ines \\\\ (x)"@example.com'},
          found(owner("ines")), **BASE),
    Asked("address that asks for all", {"address": '"*)(uid=*"@example.com'}, UNKNOWN, **BASE),
    Asked("tag is dropped", {"address": "ida+tag@example.com"}, found(owner("ida")),
          top='address { delimiter = "+" }', **BASE),
    Asked("tag without a delimiter", {"address": "ida+tag@example.com"}, UNKNOWN, **BASE),
    Asked("alias of a domain", {"address": "ida@alias.example"}, found(owner("ida")),
          top='address { alias_domains = { "alias.example=example.com" } }', **BASE),
    Asked("address that is not ASCII", {"address": "j\u00fcrgen@example.com"},
          found(owner("ida")), **INTL),
    ThoughFound("full-width letter is another address", {"address": "ina@example.com"}, "intlMail",
                owner("ina"), **INTL),
    Asked("address with a soft hyphen is not searched for", {"key": "ida\u00ad@example.com"},
          {**UNKNOWN, "why": "the address holds the character U+00AD"}, **BASE),
    Asked("address with a blank behind is not searched for", {"key": "ida@example.com "},
          {**UNKNOWN, "why": "the address begins or ends with white space"}, **BASE),

    # ---- groups ----
    Asked("group is an owner", {"address": "team@example.com"}, found(f"cn=team,{GROUPS}")),
    Asked("group by its further attribute", {"address": "team.second@example.com"},
          found(f"cn=team,{GROUPS}"), **ALL_GROUPS),
    Asked("group beside the base", {"address": "chess@example.com"}, UNKNOWN),
    Asked("group in delegation_base", {"address": "chess@example.com"}, found(f"cn=chess,{CLUBS}"),
          delegation_base=CLUBS),
    Asked("account where groups are elsewhere", {"address": "alice@example.com"},
          found(f"uid=alice,{STAFF}"), delegation_base=CLUBS),
    Asked("group's attribute that is none of an account", {"address": "round@example.com"},
          found(f"cn=round,{OWNED}"), send_as_attributes=["mailLocalAddress"],
          delegation_attributes=["mail"], **BASE),
    Asked("group's attribute where there are no groups", {"address": "round@example.com"}, UNKNOWN,
          send_as_attributes=["mailLocalAddress"], delegation_filter="", **BASE),
    Asked("entry that is found twice is one owner", {"address": "team@example.com"},
          found(f"cn=team,{GROUPS}"), delegation_base=GROUPS),

    # ---- prefixes ----
    Asked("ad: owner by mail and proxyAddresses", {"address": "ann@example.com"},
          found(f"cn=Ann Lee,{entries.ACTIVE}"), **AD),
    Asked("ad: owner by proxyAddresses", {"address": "a.lee@example.com"},
          found(f"cn=Ann Lee,{entries.ACTIVE}"), **AD),
    Asked("ad: group by proxyAddresses", {"address": "orders@example.com"},
          found(f"cn=Sales,{entries.ACTIVE}"), **AD),
    Asked("ad: disabled account owns its address", {"address": "gil@example.com"},
          found(f"cn=Gone Gil,{entries.ACTIVE}"), **AD),
    Asked("ad: values of another kind are no addresses", {"address": "ann@sip.example"}, UNKNOWN,
          **AD),

    # ---- in part, or not at all ----
    Asked("more owners than are asked for", {"address": "shared@example.com"},
          {"status": "found", "missing": "found", "fresh": True}, **BASE),
    Asked("one of two owners, and the server's size limit", {"address": "pair@example.com"},
          {"status": "found", "missing": "unavailable"}, bind_dn=slapdkit.LIMITED_DN, **BASE),
    Asked("size limit that is not reached", {"address": "ida@example.com"}, found(owner("ida")),
          bind_dn=slapdkit.LIMITED_DN, **BASE),
    Asked("part of the base is elsewhere: the owner is known, others may be",
          {"address": "pat@example.com"}, in_part(f"uid=pat,{PARTLY}"), base=PARTLY),
    Asked("part of the base is elsewhere: who is not here may be there",
          {"address": "nobody@example.com"}, UNAVAILABLE, base=PARTLY),
    Asked("base that is elsewhere", {"address": "ida@example.com"}, UNAVAILABLE,
          base=entries.AWAY),
    Asked("base that is not there", {"address": "ida@example.com"}, MISCONFIGURED,
          base=entries.MISSING),
    Asked("delegation_base that is not there: the owner is known, others may be",
          {"address": "alice@example.com"},
          in_part(f"uid=alice,{STAFF}", missing="misconfigured"), delegation_base=entries.MISSING),
    Asked("delegation_base that is not there: two owners are two",
          {"address": "twin@example.com"}, found(f"cn=first,{STAFF}", f"cn=second,{STAFF}"),
          delegation_base=entries.MISSING),
    Asked("delegation_base that is not there: nobody in the base",
          {"address": "nobody@example.com"}, MISCONFIGURED, delegation_base=entries.MISSING),
    Asked("base that is not there, groups that are elsewhere", {"address": "nobody@example.com"},
          {**MISCONFIGURED, "why": entries.MISSING}, base=entries.MISSING,
          delegation_base=entries.AWAY),
    Asked("no server", {"address": "ida@example.com"}, UNAVAILABLE, uri=[entries.NOBODY_URI]),
    Asked("addresses hidden from the bind DN own nothing", {"address": "ida@example.com"}, UNKNOWN,
          bind_dn=slapdkit.SHORT_DN, **BASE),
)


@case
def ten_of_more_owners_are_told(bench):
    (answer,), _ = ask(bench.conf(bench.corp(**BASE)), {"address": "shared@example.com"})
    owners = {entry for _, entry in answer["sources"]}
    assert len(owners) == len(answer["sources"]) == 10, answer
    assert owners <= {owner(f"s{number:02}") for number in range(entries.SHARED)}, answer


@case
def unsearchable_address_is_not_sent(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **BASE))
        (answer,), _ = ask(conf, {"key": "ida\u00ad@example.com"})
        check(answer, UNKNOWN)
        assert not proxy.searches("example.com"), proxy.searches()


@case
def silent_server_tells_no_owner(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        proxy.behaviour = faultproxy.Silent()
        conf = bench.conf(IMPATIENT, bench.corp(uri=[proxy.uri], **BASE, **IMPATIENT_LINKS))
        (answer,), _ = ask(conf, {"address": "ida@example.com"})
        check(answer, UNAVAILABLE)
        wait_for(lambda: proxy.connections, "the question")


def by_the_proxy(bench, proxy, **attributes):
    proxy.behaviour = faultproxy.Answer(0, attributes=attributes)
    return bench.conf(bench.corp(uri=[proxy.uri], schema="none", account_filter="(uid=%{login})",
                                 send_as_attributes=["mail"]))


@case
def range_of_values_may_hide_the_address(bench):
    """Only a range of the values (Active Directory): the address may be among the others"""
    with FaultProxy(bench.slapd.port) as proxy:
        conf = by_the_proxy(bench, proxy, **{"mail": [], "mail;range=0-0": [b"a@example.com"]})
        hidden, shown = ask(conf, {"address": "b@example.com"}, {"address": "a@example.com"})[0]
    check(hidden, UNAVAILABLE)
    check(shown, {"status": "found", "missing": "found"})


@case
def values_that_are_no_text_own_nothing(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        conf = by_the_proxy(bench, proxy, mail=[b"\xff@example.com", b"", b"a\0@example.com",
                                                b"a@example.com\0x", b"x" * 70000])
        (answer,), _ = ask(conf, {"address": "a@example.com"})
    check(answer, UNKNOWN)


@case
def owners_of_all_directories_add_up(bench):
    """Owners of two directories add up, with and without merge"""
    twice = bench.corp(**BASE), bench.corp("again", **BASE)
    (answer,), _ = ask(bench.conf(*twice), {"address": "ida@example.com"})
    assert answer["status"] == "found", answer
    assert sorted(answer["sources"]) == [["again", owner("ida")], ["corp", owner("ida")]], answer


@case
def owner_is_known_though_another_directory_is_down(bench):
    down = directory("down", type="ldap", uri=[entries.NOBODY_URI], base=OWNED)
    known, unknown = ask(bench.conf(bench.corp(**BASE), down), {"address": "ida@example.com"},
                         {"address": "nobody@example.com"})[0]
    check(known, {"status": "found", "missing": "unavailable"})
    check(unknown, {"status": "unavailable"})


@case
def owners_are_remembered(bench):
    """Owners, and that there are none, are remembered; apart from accounts"""
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **BASE))
        answers, _ = ask(conf, *[{"address": "ida@example.com"}, {"address": "no@example.com"},
                                 {"login": "ida@example.com"}] * 2)
        searches = [search.filter for search in proxy.searches("example.com")]
    for answer, want in zip(answers, [found(owner("ida")), UNKNOWN, found(owner("ida"))] * 2):
        check(answer, want)
    assert len(searches) == 3, searches


@case
def only_addresses_are_fetched_of_owners(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        conf = bench.conf(bench.corp(uri=[proxy.uri], **BASE))
        ask(conf, {"address": "ida@example.com"})
        asked = proxy.searches("ida@")
    assert [{name.lower() for name in search.attributes} for search in asked] == [
        {"mail", "maillocaladdress"}], asked
