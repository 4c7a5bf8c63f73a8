"""The entries that the LDAP cases are about, each subtree for some of them."""
import os

from slapdkit import PUBLIC, SUFFIX, entry, from_directory, group, person, unit

DIRECTORY_JSON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data",
                              "directory.json")

ROWS = f"ou=p,{SUFFIX}"          # tests/data/directory.json
CORP = f"ou=corp,{SUFFIX}"       # people and groups of inetorgperson
STAFF = f"ou=staff,{CORP}"
GROUPS = f"ou=groups,{CORP}"
CLUBS = f"ou=clubs,{SUFFIX}"     # groups beside the base
ACTIVE = f"ou=ad,{SUFFIX}"       # Active Directory
FOLDED = f"ou=folded,{SUFFIX}"   # logins that slapd finds under more names than we do
AWAY = f"ou=away,{SUFFIX}"       # is somewhere else, says a referral
PARTLY = f"ou=partly,{SUFFIX}"   # a part of it is somewhere else
MISSING = f"ou=missing,{SUFFIX}"
RIGHTS = f"ou=rights,{SUFFIX}"   # rights on behalf, patterns
HOSTS = f"ou=hosts,{SUFFIX}"     # machines and certificates, and logins that are bound to them
TENANTS = f"ou=tenants,{SUFFIX}" # people who write their own entries
OWNED = f"ou=owned,{SUFFIX}"     # addresses, some with several owners

NOBODY_URI = "ldap://127.0.0.1:1"
SPECIAL = f"cn=Smith\\, J. (jr) *\\\\#\\+é,{STAFF}"  # all that is special in a DN or a filter
CROWD = 24  # people called u00, u01 ...


def crowd(number):
    return f"u{number:02}"


UNREADABLE_DENIES = ("boss@example.com ", "Boss <boss@example.com>", "*@example.com",
                     "boss@example.com,ceo@example.com")


def staff():
    yield unit(CORP)
    yield unit(STAFF)
    yield person(f"uid=alice,{STAFF}", uid="Alice", mail="alice@example.com",
                 mailLocalAddress=["a.lee@example.com", "@sales.example", "@.deep.example"])
    yield person(f"uid=bob,{STAFF}", mail=["bob@example.com", "BOB.Second@Example.COM"])
    yield person(f"uid=boss,{STAFF}", mailLocalAddress="*")
    yield person(f"uid=carol,{STAFF}", mail="carol@example.com", employeeType="disabled")
    yield person(f"uid=dan,{STAFF}")
    yield person(f"uid=eve,{STAFF}", mail="eve@example.com", mailDenied="team@example.com")
    for number, value in enumerate(UNREADABLE_DENIES):
        yield person(f"uid=deny{number},{STAFF}", mailLocalAddress="@example.com",
                     mailDenied=["team@example.com", value])
    # slapd hands the values with an option out by themselves, whatever was asked for.
    yield {**person(f"cn=tongues,{STAFF}", mail="tongues@example.com"),
           "uid;lang-de": ["andere"], "uid": ["tongues"], "uid;lang-fr": ["autre"]}
    yield person(f"uid=odd,{STAFF}", mail="odd@example.com",
                 mailLocalAddress=["not an address", "a@b@c", "*@", "@", "odd.second@example.com"])
    yield person(f"uid=dots,{STAFF}", mailLocalAddress=["dots@example.com.", "@dots.example."])
    yield person(f"cn=first,{STAFF}", uid="twin", mail="twin@example.com")
    yield person(f"cn=second,{STAFF}", uid="twin", mail="twin@example.com")
    yield person(f"cn=crossed,{STAFF}", uid="crossed", mail="alice.private@example.com")
    yield person(SPECIAL, cn="Smith, J. (jr) *\\#+é", uid="special", mail="special@example.com")
    yield person(f"uid=full@example.com,{STAFF}", mail="full.name@example.com")
    for number in range(CROWD):
        yield person(f"uid={crowd(number)},{STAFF}", mail=f"{crowd(number)}@example.com")


def groups():
    alice, bob, eve = (f"uid={name},{STAFF}" for name in ("alice", "bob", "eve"))
    yield unit(GROUPS)
    yield group(f"cn=team,{GROUPS}", [alice, eve], mail="team@example.com",
                mailLocalAddress="team.second@example.com")
    yield group(f"cn=inner,{GROUPS}", [alice], mail="inner@example.com")
    yield group(f"cn=outer,{GROUPS}", [f"cn=inner,{GROUPS}"], mail="outer@example.com")
    yield group(f"cn=outermost,{GROUPS}", [f"cn=outer,{GROUPS}"], mail="outermost@example.com")
    yield group(f"cn=loop one,{GROUPS}", [bob, f"cn=loop two,{GROUPS}"], mail="loop1@example.com")
    yield group(f"cn=loop two,{GROUPS}", [f"cn=loop one,{GROUPS}"], mail="loop2@example.com")
    yield group(f"cn=special,{GROUPS}", [SPECIAL], mail="specials@example.com")
    yield group(f"cn=silent,{GROUPS}", [bob])
    yield unit(CLUBS)
    yield group(f"cn=chess,{CLUBS}", [alice], mail="chess@example.com")
    yield group(f"cn=bob,{CLUBS}", [eve], mail="bobs@example.com")


def active_directory():
    def user(name, **attributes):
        return entry(f"cn={name},{ACTIVE}", "user", cn=name, sn=name, objectCategory="person",
                     **attributes)
    yield unit(ACTIVE)
    yield user("Ann Lee", sAMAccountName="ann", userPrincipalName="ann@corp.example",
               mail="ann@example.com", userAccountControl="512",
               proxyAddresses=["SMTP:ann@example.com", "smtp:a.lee@example.com",
                               "x500:/o=Example/cn=ann@example.net", "sip:ann@sip.example"])
    yield user("Gone Gil", sAMAccountName="gil", mail="gil@example.com", userAccountControl="514")
    yield entry(f"cn=Sales,{ACTIVE}", "group", sAMAccountName="sales", objectCategory="group",
                member=[f"cn=Ann Lee,{ACTIVE}"], mail="sales@example.com",
                proxyAddresses=["SMTP:sales@example.com", "smtp:orders@example.com"])


# Login in the directory, and one that slapd finds it by, which is another login all the same.
FOLDS = {
    "mike": "\uff4d\uff49\uff4b\uff45",    # full-width
    "strasse": "\u017ftrasse",            # long s
    "fiona": "\ufb01ona",                 # ligature
    "j\u00fcrgen": "J\u00dcRGEN",         # upper case that is not ASCII
    "x2y": "x\u00b2y",                    # superscript
    "star*": "star\uff0a",                # becomes what is special in a filter
}
# These cannot be a login at all, whatever slapd would find.
INVISIBLE = {
    "soft hyphen": "mi\u00adke",
    "zero width space": "mi\u200bke",
    "right-to-left override": "\u202emike",
    "byte order mark": "\ufeffmike",
    "variation selector": "mike\ufe0f",
    "Kelvin sign": "mi\u212ae",
    "no-break space": "mike\u00a0",
    "trailing blank": "mike ",
    "leading blank": " mike",
}


def folded():
    yield unit(FOLDED)
    for number, login in enumerate(FOLDS):
        yield person(f"cn=folded {number},{FOLDED}", uid=login, mail=f"f{number}@example.com")


def elsewhere():
    yield entry(AWAY, "referral", "extensibleObject", ou="away", ref=f"{NOBODY_URI}/{AWAY}")
    yield unit(PARTLY)
    yield person(f"uid=pat,{PARTLY}", mail="pat@example.com")
    yield entry(f"ou=rest,{PARTLY}", "referral", "extensibleObject", ou="rest",
                ref=f"{NOBODY_URI}/ou=rest,{PARTLY}")


def rights():
    yield unit(RIGHTS)
    yield person(f"uid=otto,{RIGHTS}", mail="otto@example.com",
                 mailOnBehalf=["Chief@Example.com", "@board.example", "no address",
                               "*@bad.example"])
    yield person(f"uid=only,{RIGHTS}", mailOnBehalf="chief@example.com")
    yield person(f"uid=none,{RIGHTS}")
    yield person(f"uid=both,{RIGHTS}", mail="both@example.com")
    yield entry(f"cn=Ada,{RIGHTS}", "user", "mailThing", cn="Ada", sn="Ada",
                objectCategory="person", sAMAccountName="ada", mail="ada@example.com",
                mailOnBehalf=["SMTP:chief@example.com", "smtp:cfo@example.com",
                              "x500:/o=Example/cn=ceo@example.com", "coo@example.com"])
    yield person(f"uid=list,{RIGHTS}", mail="list@example.com",
                 mailLocalAddress=["list+*@example.com", "a*b@example.com", "*@example.com",
                                   "x-*-*@example.com"],
                 mailDenied="bounce-*@example.com")


FOLDED_SUBJECTS = {"in another case": "cn=FAX", "full-width": "\uff23\uff2e=fax",
                   "with two blanks for one": "CN=fax  one"}
HOSTILE_SUBJECT = "CN=*)(uid=*"


def hosts():
    def host(name, **attributes):
        return person(f"cn={name},{HOSTS}", mail=f"{name}@example.com", **attributes)
    yield unit(HOSTS)
    yield host("scanner", certSubject="CN=scanner", certIssuer="CN=Our CA",
               clientAddr="192.0.2.10")
    yield host("rogue", certSubject="CN=scanner", certIssuer="CN=Other CA")
    yield host("printer", clientAddr=["2001:db8::10", "192.0.2.11"])
    yield host("fax", certSubject=["CN=fax", "CN=fax one"])
    yield host("hostile", certSubject=HOSTILE_SUBJECT)
    yield host("worker", uid="worker", clientAddr="192.0.2.20", certSubject="CN=worker")
    yield host("roamer", uid="roamer")
    yield group(f"cn=desk,{HOSTS}", [f"cn=worker,{HOSTS}"], mail="desk@example.com",
                clientAddr="192.0.2.20")
    yield group(f"cn=machines,{HOSTS}", [f"cn=scanner,{HOSTS}"], mail="machines@example.com")


def tenants():
    yield unit(TENANTS)
    yield person(f"uid=tina@own.example,{TENANTS}",
                 mail=["boss@other.example", "tina@own.example", "tina@alias.example",
                       "tina@sub.own.example", "@own.example", "@.own.example", "@other.example",
                       "*", "t-*@own.example", "t-*@other.example"],
                 mailLocalAddress=["sales@other.example", "@shop.example", "*"],
                 mailOnBehalf=["chief@own.example", "chief@other.example"],
                 mailDenied="no@other.example", certSubject="CN=tina")
    yield group(f"cn=team,{TENANTS}", [f"uid=tina@own.example,{TENANTS}"],
                mail=["team@own.example", "team@other.example"],
                mailLocalAddress="crew@other.example")
    yield person(f"uid=toni@own.example,{TENANTS}", mail="toni@other.example",
                 mailLocalAddress="toni@other.example")
    yield person(f"uid=theo@own.example,{TENANTS}", mail="theo@other.example",
                 mailOnBehalf="theo@other.example")
    yield person(f"uid=tess,{TENANTS}", mail="tess@own.example",
                 mailLocalAddress="tess2@own.example")
    yield person(f"uid=tim@alias.example,{TENANTS}", mail=["tim@own.example", "tim@second.example"])


SHARED = 12  # owners of one address, more than are asked for


def owned():
    yield unit(OWNED)
    yield person(f"uid=ida,{OWNED}", mail="Ida@Example.com", mailLocalAddress="@ida.example",
                 intlMail="j\u00fcrgen@example.com")
    yield person(f"uid=ivo,{OWNED}", mail="pair@example.com")
    yield person(f"uid=iris,{OWNED}", mailLocalAddress=["PAIR@example.com", "*"])
    yield person(f"uid=igor,{OWNED}",
                 mailLocalAddress=["a*b@example.com", '"a(b)"@example.com', "list+*@example.com"])
    yield person(f"uid=ines,{OWNED}", mailLocalAddress='"ines \\\\ (x)"@example.com')
    # slapd finds this one for ina@example.com
    yield person(f"uid=ina,{OWNED}", intlMail="\uff49na@example.com")
    yield group(f"cn=round,{OWNED}", [f"uid=ida,{OWNED}"], mail="round@example.com")
    for number in range(SHARED):
        yield person(f"uid=s{number:02},{OWNED}", mail="shared@example.com")


def public():
    yield unit(PUBLIC)
    yield person(f"uid=alice,{PUBLIC}", mail="public@example.com")


def staff_only():
    """What a server of a case's own holds."""
    yield from staff()
    yield from groups()


def everything():
    yield unit(ROWS)
    yield from from_directory(DIRECTORY_JSON)
    for part in (staff, groups, active_directory, folded, elsewhere, rights, hosts, tenants, owned,
                 public):
        yield from part()
