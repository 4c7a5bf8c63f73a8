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
    for part in (staff, groups, active_directory, folded, elsewhere, public):
        yield from part()
