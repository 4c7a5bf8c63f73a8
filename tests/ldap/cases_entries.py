"""What entries say: accounts, their addresses, states, groups; presets; more than one directory."""
import ldapentries as entries
import slapdkit
from ldapbench import Row, case, directory, expect, rows

UNKNOWN_LOGIN = "no login-unknown"
NOT_GRANTED = "no sender-not-granted"
BROKEN = "unknown misconfigured"
NO_ANSWER = "unknown directory-unavailable"
DISABLED_IF = {"enabled_filter": "(!(employeeType=disabled))"}
ALL_GROUPS = {"delegation_attributes": ["mail", "mailLocalAddress"]}
AD = {"schema": "ad", "base": entries.ACTIVE}
TWO = "(|(uid=%{login})(uid=bob))"
THREE = "(|(uid=%{login})(uid=bob)(uid=boss))"

rows(
    # ---- the account and its addresses ----
    Row("login by uid, address in mail", "yes", "alice", "alice@example.com", "uid=alice,"),
    Row("login in another case, uid in another case", "yes", "ALICE", "alice@example.com"),
    Row("login by mail", "yes", "alice@example.com", "alice@example.com", "uid=alice,"),
    Row("second attribute", "yes", "alice", "a.lee@example.com"),
    Row("second value, in another case", "yes", "bob", "bob.second@example.com"),
    Row("address of somebody else", NOT_GRANTED, "alice", "bob@example.com"),
    Row("nobody's address", NOT_GRANTED, "alice", "nobody@example.com"),
    Row("login that is not there", UNKNOWN_LOGIN, "nobody", "alice@example.com"),
    Row("attribute that is not named grants nothing", NOT_GRANTED, "alice", "a.lee@example.com",
        send_as_attributes=["mail"]),
    Row("mail of another account is no login of this one", UNKNOWN_LOGIN, "a.lee@example.com",
        "a.lee@example.com"),
    Row("whole login is compared, not its local part", UNKNOWN_LOGIN, "alice@elsewhere.example",
        "alice@example.com"),
    Row("uid with a domain", "yes", "full@example.com", "full.name@example.com"),
    Row("login's local part where the domain is ours", "yes", "alice@example.com",
        "a.lee@example.com", account_filter="(uid=%{login.local})",
        top='login { default_domain = "example.com" }'),
    Row("login's local part where the domain is foreign: nobody", UNKNOWN_LOGIN,
        "alice@elsewhere.example", "a.lee@example.com", account_filter="(uid=%{login.local})",
        top='login { default_domain = "example.com" }'),
    Row("value @domain grants the domain", "yes", "alice", "anybody@sales.example"),
    Row("value @domain does not grant what is below", NOT_GRANTED, "alice",
        "anybody@sub.sales.example"),
    Row("value @.domain grants what is below", "yes", "alice", "anybody@x.y.deep.example"),
    Row("value * grants every address", "yes", "boss", "anybody@far.example"),
    Row("trailing dot in a value is dropped", "yes", "dots", "dots@example.com"),
    Row("trailing dot in a domain value is dropped", "yes", "dots", "anybody@dots.example"),
    Row("values that are no addresses grant nothing", NOT_GRANTED, "odd", "anybody@example.com"),
    Row("values that are no addresses harm no others", "yes", "odd", "odd.second@example.com"),
    Row("delimiter counts for values too", "yes", "alice", "alice+tag@example.com",
        top='address { delimiter = "+" }'),
    Row("login with all that is special in a filter", UNKNOWN_LOGIN, "*)(uid=*))(|(uid=*",
        "alice@example.com"),
    Row("login * is not everybody", UNKNOWN_LOGIN, "*", "alice@example.com"),

    # ---- prefix, denies, state ----
    Row("value_prefix is stripped", "yes", "ann", "a.lee@example.com", "cn=Ann Lee,", **AD),
    Row("value_prefix in upper case is stripped", "yes", "ann", "ann@example.com", **AD),
    Row("values of another kind are no addresses", NOT_GRANTED, "ann", "ann@sip.example", **AD),
    Row("deny beats the account's own address", NOT_GRANTED, "eve", "eve@example.com",
        deny_attributes=["mail"]),
    Row("deny beats a group's address", NOT_GRANTED, "eve", "team@example.com",
        deny_attributes=["mailDenied"]),
    Row("without the deny the group grants", "yes", "eve", "team@example.com"),
    *[Row(f"deny that cannot be read denies who knows what: {value}", BROKEN, f"deny{number}",
          "x@example.com", deny_attributes=["mailDenied"])
      for number, value in enumerate(entries.UNREADABLE_DENIES)],
    Row("login in one of several values with options", "yes", "tongues", "tongues@example.com"),
    Row("deny of one address leaves the others", "yes", "eve", "eve@example.com",
        deny_attributes=["mailDenied"]),
    Row("disabled account", "no login-disabled", "carol", "carol@example.com", **DISABLED_IF),
    Row("enabled account", "yes", "alice", "alice@example.com", **DISABLED_IF),
    Row("unknown login with enabled_filter", UNKNOWN_LOGIN, "nobody", "carol@example.com",
        **DISABLED_IF),
    Row("without enabled_filter nobody is disabled", "yes", "carol", "carol@example.com"),
    Row("no addresses: not granted", NOT_GRANTED, "dan", "dan@example.com"),
    Row("no addresses: cannot tell, where told", "unknown", "dan", "dan@example.com",
        no_addresses="tempfail"),
    Row("addresses hidden from the bind DN: cannot tell, where told", "unknown", "bob",
        "bob@example.com", no_addresses="tempfail", bind_dn=slapdkit.SHORT_DN),

    # ---- groups ----
    Row("group's address", "yes", "alice", "team@example.com", "cn=team,"),
    Row("group's further attribute", "yes", "alice", "team.second@example.com", **ALL_GROUPS),
    Row("group's attribute that is not named", NOT_GRANTED, "alice", "team.second@example.com",
        delegation_attributes=["mail"]),
    Row("group of others", NOT_GRANTED, "bob", "team@example.com"),
    Row("group of a group is not asked by default", NOT_GRANTED, "alice", "outer@example.com"),
    Row("two deep", "yes", "alice", "outer@example.com", "cn=outer,", nested_groups=1),
    Row("three deep is one too many", NOT_GRANTED, "alice", "outermost@example.com",
        nested_groups=1),
    Row("three deep", "yes", "alice", "outermost@example.com", "cn=outermost,", nested_groups=2),
    Row("groups in a loop end", "yes", "bob", "loop2@example.com", nested_groups=10),
    Row("groups in a loop grant nothing else", NOT_GRANTED, "bob", "outer@example.com",
        nested_groups=10),
    Row("group beside the base", NOT_GRANTED, "alice", "chess@example.com"),
    Row("delegation_base is asked", "yes", "alice", "chess@example.com", "cn=chess,",
        delegation_base=entries.CLUBS),
    Row("delegation_base alone is asked", NOT_GRANTED, "alice", "team@example.com",
        delegation_base=entries.CLUBS),
    Row("delegation_filter of one's own", "yes", "alice", "inner@example.com", "cn=inner,",
        delegation_filter="(&(cn=inner)(member=%{account.dn}))"),
    Row("delegation_filter of one's own finds no others", NOT_GRANTED, "alice", "team@example.com",
        delegation_filter="(&(cn=inner)(member=%{account.dn}))"),
    Row("delegation_filter by login", "yes", "bob", "bobs@example.com", "cn=bob,",
        delegation_base=entries.CLUBS,
        delegation_filter="(&(objectClass=groupOfNames)(cn=%{login}))"),
    Row("DN with all that is special in a filter", "yes", "special", "specials@example.com",
        "cn=special,"),
    Row("DN with a star finds no groups of others", NOT_GRANTED, "special", "team@example.com"),
    Row("missing delegation_base: the account's own address counts", "yes", "alice",
        "alice@example.com", delegation_base=entries.MISSING),
    Row("missing delegation_base: what a group might grant cannot be told", BROKEN, "alice",
        "team@example.com", delegation_base=entries.MISSING),
    Row("delegation_base that is elsewhere: cannot be told", NO_ANSWER, "alice",
        "team@example.com", delegation_base=entries.AWAY),

    # ---- presets ----
    Row("ad: sAMAccountName", "yes", "ann", "ann@example.com", **AD),
    Row("ad: userPrincipalName", "yes", "ann@corp.example", "ann@example.com", **AD),
    Row("ad: mail is no login", UNKNOWN_LOGIN, "ann@example.com", "ann@example.com", **AD),
    Row("ad: disabled by userAccountControl", "no login-disabled", "gil", "gil@example.com", **AD),
    Row("ad: group by member, mail", "yes", "ann", "sales@example.com", "cn=Sales,", **AD),
    Row("ad: group by member, proxyAddresses", "yes", "ann", "orders@example.com", **AD),
    Row("ad: a group is no account", UNKNOWN_LOGIN, "sales", "sales@example.com", **AD),
    Row("none: what is named counts", "yes", "alice", "alice@example.com", schema="none",
        account_filter="(uid=%{login})", send_as_attributes=["mail"]),
    Row("none: no groups", NOT_GRANTED, "alice", "team@example.com", schema="none",
        account_filter="(uid=%{login})", send_as_attributes=["mail"]),
    Row("preset and an own account_filter", UNKNOWN_LOGIN, "alice@example.com",
        "alice@example.com", account_filter="(uid=%{login})"),

    # ---- answers that are none ----
    Row("two entries for a login", BROKEN, "twin", "twin@example.com"),
    Row("base that is not there", BROKEN, "alice", "alice@example.com", base=entries.MISSING),
    Row("size limit: half an answer is none", NO_ANSWER, "alice", "alice@example.com",
        account_filter=TWO, bind_dn=slapdkit.LIMITED_DN),
    Row("two entries without the limit", BROKEN, "alice", "alice@example.com", account_filter=TWO),
    Row("more entries than are asked for", BROKEN, "alice", "alice@example.com",
        account_filter=THREE),
    Row("size limit of the groups' search: the account's own address counts", "yes", "alice",
        "alice@example.com", bind_dn=slapdkit.LIMITED_DN),
    Row("size limit of the groups' search: the rest cannot be told", NO_ANSWER, "alice",
        "bob@example.com", bind_dn=slapdkit.LIMITED_DN),
    Row("base that is elsewhere (referral)", NO_ANSWER, "alice", "alice@example.com",
        base=entries.AWAY),
    Row("part of the base is elsewhere (search reference)", NO_ANSWER, "pat", "pat@example.com",
        base=entries.PARTLY),
    Row("unknown login where a part is elsewhere", NO_ANSWER, "nobody", "pat@example.com",
        base=entries.PARTLY),
    Row("unknown attribute type in account_filter", BROKEN, "alice", "alice@example.com",
        account_filter="(|(uid=%{login})(userid2=%{login}))"),
    Row("unknown attribute type in enabled_filter", BROKEN, "alice", "alice@example.com",
        enabled_filter="(!(nsAccountLock=TRUE))"),
    Row("unknown attribute type in send_as_attributes", BROKEN, "alice", "alice@example.com",
        send_as_attributes=["mail", "mailAlias2"]),
    Row("unknown attribute type in deny_attributes", BROKEN, "alice", "alice@example.com",
        deny_attributes=["mailForbidden2"]),
    Row("unknown attribute type in delegation_filter", BROKEN, "alice", "alice@example.com",
        delegation_filter="(membre=%{account.dn})"),
    Row("unknown attribute type in delegation_attributes", BROKEN, "alice", "alice@example.com",
        delegation_attributes=["mailAlias2"]),
    Row("unknown object class in account_filter", BROKEN, "alice", "alice@example.com",
        account_filter="(&(objectClass=inetOrgPersonne)(uid=%{login}))"),
    Row("attribute of a filter by another of its names", "yes", "alice", "alice@example.com",
        account_filter="(userid=%{login})"),
    Row("attribute of addresses by another of its names", "yes", "alice", "alice@example.com",
        send_as_attributes=["rfc822Mailbox"]),
    Row("schema that may not be read is not in the way", "yes", "alice", "alice@example.com",
        bind_dn=slapdkit.BLIND_DN),
)


@case
def two_entries_are_both_named(bench):
    outcome = bench.expect(BROKEN, "twin", "twin@example.com", bench.corp())
    for name in ("cn=first,", "cn=second,"):
        assert name in outcome.detail, outcome


@case
def unknown_attribute_type_is_named(bench):
    outcome = bench.expect(BROKEN, "alice", "alice@example.com",
                           bench.corp(send_as_attributes=["mail", "mailAlias2"]))
    assert "mailAlias2" in outcome.detail, outcome


# ---- more than one directory ----

def clubs(bench, **options):
    """The same people once more, and the groups of another tree."""
    return bench.corp("clubs", delegation_base=entries.CLUBS, **options)


def dead(name="dead", **options):
    return directory(name, type="ldap", uri=[entries.NOBODY_URI], base=entries.CORP,
                     **options)


@case
def login_in_two_directories_is_misconfigured(bench):
    bench.expect(BROKEN, "alice", "alice@example.com", bench.corp(), clubs(bench))


@case
def login_in_two_directories_that_merge_has_the_grants_of_both(bench):
    both = bench.corp(merge=True), clubs(bench, merge=True)
    bench.expect("yes", "alice", "team@example.com", *both)
    bench.expect("yes", "alice", "chess@example.com", *both)
    bench.expect(NOT_GRANTED, "alice", "bob@example.com", *both)


@case
def login_domains_choose_the_directory(bench):
    blocks = (bench.corp(login_domains=["example.com"]),
              bench.corp("ad", login_domains=["corp.example"], **AD))
    bench.expect("yes", "alice@example.com", "alice@example.com", *blocks)
    bench.expect("yes", "ann@corp.example", "ann@example.com", *blocks)
    bench.expect(UNKNOWN_LOGIN, "alice@corp.example", "alice@example.com", *blocks)


@case
def grant_counts_though_another_directory_is_down(bench):
    bench.expect("yes", "alice", "alice@example.com", bench.corp(merge=True), dead(merge=True))


@case
def refusal_needs_all_directories(bench):
    blocks = bench.corp(merge=True), dead(merge=True)
    bench.expect(NO_ANSWER, "alice", "bob@example.com", *blocks)
    bench.expect(NO_ANSWER, "nobody", "bob@example.com", *blocks)


@case
def grant_does_not_count_while_a_directory_with_denies_is_down(bench):
    bench.expect(NO_ANSWER, "alice", "alice@example.com", bench.corp(merge=True),
                 dead(merge=True, deny_attributes=["mailDenied"]))


@case
def directory_for_other_login_domains_is_not_missed(bench):
    bench.expect(NOT_GRANTED, "alice@example.com", "bob@example.com", bench.corp(),
                 dead(login_domains=["other.example"]))


@case
def file_and_ldap_add_up(bench):
    senders = bench.write("senders", "newsletter@example.com alice\n")
    both = bench.corp(merge=True), directory("file", type="file", file=senders, merge=True)
    bench.expect("yes", "alice", "newsletter@example.com", *both)
    bench.expect("yes", "alice", "alice@example.com", *both)
    expect(bench.ask(bench.conf(*both), "bob", "newsletter@example.com"), NOT_GRANTED)
