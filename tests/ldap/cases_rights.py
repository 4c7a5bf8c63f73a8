"""Which values grant what: on behalf, patterns, and tenants who keep to their domain."""
import ldapentries as entries
from daemonkit import run_program
from ldapask import MISCONFIGURED, UNKNOWN, Asked, found
from ldapbench import case, rows

ON_BEHALF = {"base": entries.RIGHTS, "on_behalf_attributes": ["mailOnBehalf"]}
AD = {"schema": "ad", "base": entries.RIGHTS}


def person(name):
    return f"uid={name},{entries.RIGHTS}"


rows(
    # ---- on behalf ----
    Asked("on-behalf values, and those that are none", {"login": "otto"},
          found(person("otto"), primary="otto@example.com", grants=[
              "on behalf of @board.example", "on behalf of chief@example.com",
              "otto@example.com"]),
          said=['mailOnBehalf: "no address" counts for nothing: ',
                'mailOnBehalf: "*@bad.example" counts for nothing: @domain is right'],
          **ON_BEHALF),
    Asked("without the option the same values grant nothing", {"login": "otto"},
          found(person("otto"), grants=["otto@example.com"]), unsaid=["counts for nothing"],
          base=entries.RIGHTS),
    Asked("on-behalf values alone", {"login": "only"},
          found(person("only"), primary=None, grants=["on behalf of chief@example.com"]),
          **ON_BEHALF),
    Asked("on-behalf values alone are not no addresses", {"login": "only"},
          found(person("only"), grants=["on behalf of chief@example.com"]),
          no_addresses="tempfail", **ON_BEHALF),
    Asked("no value of any right is no addresses", {"login": "none"}, MISCONFIGURED,
          no_addresses="tempfail", **ON_BEHALF),
    Asked("no value of any right, where that is no trouble", {"login": "none"},
          found(person("none"), grants=[]), **ON_BEHALF),
    Asked("one attribute of both rights", {"login": "both"},
          found(person("both"), grants=["both@example.com", "on behalf of both@example.com"]),
          base=entries.RIGHTS, on_behalf_attributes=["mail"]),
    Asked("on-behalf attribute by another of its names", {"login": "both"},
          found(person("both"), grants=["both@example.com", "on behalf of both@example.com"]),
          base=entries.RIGHTS, on_behalf_attributes=["rfc822Mailbox"]),
    Asked("on-behalf values with a prefix", {"login": "ada"},
          found(f"cn=Ada,{entries.RIGHTS}", grants=[
              "ada@example.com", "on behalf of cfo@example.com", "on behalf of chief@example.com",
              "on behalf of coo@example.com"]),
          on_behalf_attributes=["mailOnBehalf"], **AD),
    Asked("unknown attribute type in on_behalf_attributes", {"login": "otto"},
          {**MISCONFIGURED, "why": "mailOnBehalf2"}, base=entries.RIGHTS,
          on_behalf_attributes=["mailOnBehalf2"]),
    Asked("no preset knows on-behalf attributes", {"login": "ada"},
          found(f"cn=Ada,{entries.RIGHTS}", grants=["ada@example.com"]), **AD),

    # ---- patterns ----
    Asked("patterns, and stars that are none", {"login": "list"},
          found(person("list"), grants=["a*b@example.com", "list+*@example.com",
                                        "list@example.com", "x-*-*@example.com"],
                denies=["bounce-*@example.com"]),
          said=['mailLocalAddress: "*@example.com" counts for nothing: @domain is right'],
          base=entries.RIGHTS, deny_attributes=["mailDenied"]),
)


class WhichArePatterns(Asked):
    """Whether each star is one."""

    def __call__(self, bench):
        answer, _ = self.ask(bench)
        patterns = {grant["value"] for grant in answer["grants"] if grant["pattern"]}
        assert patterns == {"list+*@example.com"}, answer
        assert [deny["pattern"] for deny in answer["denies"]] == [True], answer


rows(WhichArePatterns("only one star behind a separator is a pattern", {"login": "list"}, {},
                      base=entries.RIGHTS, deny_attributes=["mailDenied"]))


@case
def t_twice_tells_the_rights_apart(bench):
    code, said = run_program("-t", "-t", "-c", bench.conf(bench.corp(**ON_BEHALF)), "otto")
    assert code == 0, said
    assert "may use otto@example.com, by mail of" in said, said
    assert "may use chief@example.com on behalf, by mailOnBehalf of" in said, said


# ---- tenants ----

OUTSIDE = "counts for nothing: outside the account's domain (tenant)"
FREE = {
    "base": entries.TENANTS, "account_filter": "(uid=%{login})",
    "on_behalf_attributes": ["mailOnBehalf"], "deny_attributes": ["mailDenied"],
}
BOUND = {**FREE, "tenant": "domain"}
ADMIN = {**BOUND, "admin_attributes": ["mailLocalAddress"]}
ALIASES = ('address { alias_domains = { "alias.example=own.example", '
           '"second.example=own.example" } }')
TINA = f"uid=tina@own.example,{entries.TENANTS}"
OWN = ["@own.example", "on behalf of chief@own.example", "t-*@own.example", "team@own.example",
       "tina@own.example"]
GIVEN = ["*", "@shop.example", "crew@other.example", "sales@other.example"]
TAKEN = ["boss@other.example", "tina@sub.own.example", "@.own.example", "@other.example", "*",
         "t-*@other.example", "chief@other.example", "team@other.example", "tina@alias.example"]


def tenant(name):
    return f"uid={name},{entries.TENANTS}"


rows(
    Asked("tenant off: every value counts", {"login": "tina@own.example"},
          found(TINA, primary="boss@other.example", denies=["no@other.example"], grants=sorted(
              OWN + GIVEN + [("on behalf of " if value.startswith("chief") else "") + value
                             for value in TAKEN])),
          unsaid=["(tenant)"], **FREE),
    Asked("tenant: own values, and none beyond the domain", {"login": "tina@own.example"},
          found(TINA, primary="tina@own.example", denies=["no@other.example"], grants=OWN),
          said=[f'"{value}" {OUTSIDE}' for value in TAKEN + GIVEN] +
          [f"{TINA}: mail: ", f"{TINA}: mailLocalAddress: ", f"{TINA}: mailOnBehalf: ",
           f"cn=team,{entries.TENANTS}: mail: "],
          **BOUND),
    Asked("tenant: beyond the domain what administrators write", {"login": "tina@own.example"},
          found(TINA, grants=sorted(OWN + GIVEN), denies=["no@other.example"]),
          said=[f'"{value}" {OUTSIDE}' for value in TAKEN],
          unsaid=[f"mailLocalAddress: \"{value}" for value in GIVEN], **ADMIN),
    Asked("tenant: alias of the own domain", {"login": "tina@own.example"},
          found(TINA, grants=sorted(OWN + ["tina@alias.example"])), top=ALIASES, **BOUND),
    Asked("tenant: own domain is the alias", {"login": "tim@alias.example"},
          found(tenant("tim@alias.example"), grants=["tim@own.example", "tim@second.example"]),
          top=ALIASES, **BOUND),
    Asked("tenant: own domain that is no alias", {"login": "tim@alias.example"},
          found(tenant("tim@alias.example"), grants=[]), **BOUND),
    Asked("tenant: administrators' attribute by another of its names",
          {"login": "toni@own.example"},
          found(tenant("toni@own.example"), grants=["toni@other.example"]),
          send_as_attributes=["rfc822Mailbox"], admin_attributes=["rfc822Mailbox"], **BOUND),
    Asked("tenant: administrators' on-behalf attribute", {"login": "theo@own.example"},
          found(tenant("theo@own.example"), grants=["on behalf of theo@other.example"]),
          admin_attributes=["mailOnBehalf"], **BOUND),
    Asked("tenant: administrators' attribute of groups", {"login": "tina@own.example"},
          found(TINA, grants=sorted(["crew@other.example", *OWN])), send_as_attributes=["mail"],
          delegation_attributes=["mail", "mailLocalAddress"],
          admin_attributes=["mailLocalAddress"], **BOUND),

    Asked("tenant: primary address beyond the domain that is granted",
          {"login": "toni@own.example"},
          found(tenant("toni@own.example"), primary="toni@other.example",
                grants=["toni@other.example"]), **ADMIN),
    Asked("tenant: primary address beyond the domain that is not granted",
          {"login": "theo@own.example"},
          found(tenant("theo@own.example"), primary=None, grants=[]), **BOUND),
    Asked("tenant: on behalf of it makes no primary address", {"login": "theo@own.example"},
          found(tenant("theo@own.example"), primary=None,
                grants=["on behalf of theo@other.example"]),
          admin_attributes=["mailOnBehalf"], **BOUND),
    Asked("tenant: nothing left is no addresses", {"login": "theo@own.example"}, MISCONFIGURED,
          no_addresses="tempfail", **BOUND),

    Asked("tenant: login without domain has what administrators write", {"login": "tess"},
          found(tenant("tess"), grants=["tess2@own.example"]),
          said=["tess has no domain, so that admin_attributes alone count (tenant)",
                f'"tess@own.example" {OUTSIDE}'], **ADMIN),
    Asked("tenant: default_domain is the own domain", {"login": "tess"},
          found(tenant("tess"), primary="tess@own.example",
                grants=["tess2@own.example", "tess@own.example"]),
          unsaid=["has no domain"], top='login { default_domain = "own.example" }',
          **{**BOUND, "account_filter": "(uid=%{login.local})"}),
    Asked("tenant: the domain that a rewrite gives is the own domain",
          {"login": "tina@elsewhere.example"}, found(TINA, grants=OWN),
          top='login { rewrite = { "@elsewhere.example=@own.example" } }', **BOUND),
    Asked("tenant: a certificate has no domain", {"cert_subject": "CN=tina"},
          found(TINA, grants=GIVEN, denies=["no@other.example"]),
          said=["CN=tina has no domain"], **{**ADMIN,
                                             "account_filter": "(certSubject=%{cert.subject})"}),
    Asked("tenant: unknown login", {"login": "nobody@own.example"}, UNKNOWN,
          unsaid=["(tenant)"], **BOUND),
)
