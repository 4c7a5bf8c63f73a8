"""The rows of tests/data/ldap_cases.jsonl: what goes over the wire, and what slapd finds for it."""
import json
import os
import re

import ldapentries as entries
from faultproxy import FaultProxy
from ldapbench import Row, expect, rows

CASES_FILE = os.path.join(os.path.dirname(entries.DIRECTORY_JSON), "ldap_cases.jsonl")
WANTED = {"match": "yes", "no_match": "no login-unknown", "refuse": "no login-unknown"}


def playable():
    """Not the rows about DN templates, which are not offered, nor those with NUL, which no program
    can be given; tests/corpus has them."""
    with open(CASES_FILE, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["kind"] == "filter" and "\0" not in row["value"]:
                yield row


def value_octets(filter):
    """The attribute and the value of "(attribute=value)", without escapes, in ASCII lower case."""
    attribute, _, value = filter[1:-1].partition("=")
    octets = re.sub(rb"\\([0-9a-fA-F]{2})", lambda m: bytes.fromhex(m.group(1).decode()),
                    value.encode("utf-8"))
    return attribute, octets.lower()


def number_of(dn):
    with open(entries.DIRECTORY_JSON, encoding="utf-8") as file:
        return [item["dn"] for item in json.load(file)].index(dn)


class CorpusRow(Row):
    """One line of the file."""

    def __init__(self, row):
        login = row["value"].encode("latin-1" if row.get("enc") == "latin1" else "utf-8")
        number = number_of(row["dn"]) if row["dn"] else 0
        super().__init__(f"{row['id']}: {row['why']}", WANTED[row["outcome"]], login,
                         f"entry-{number}@rows.example")
        self.row = row

    def __call__(self, bench):
        row = self.row
        with FaultProxy(bench.slapd.port) as proxy:
            outcome = bench.ask(bench.conf(bench.corp(
                uri=[proxy.uri], base=entries.ROWS, schema="none",
                account_filter=f"({row['attr']}=%{{login}})",
                send_as_attributes=["mail", "intlMail", "mailLocalAddress"])),
                self.login, self.address)
            asked = [search.filter for search in proxy.searches()]
        expect(outcome, self.want)
        assert asked or row["outcome"] != "match", "nothing was asked"
        for filter in asked:
            assert row["filter"] and value_octets(filter) == value_octets(row["filter"]), asked


rows(*map(CorpusRow, playable()))


class AnotherLogin(Row):
    """What slapd would match and we must not. That it would is asked first: else the row proves
    nothing."""

    def __call__(self, bench):
        asked = self.login.replace("*", "\\2a")
        assert bench.slapd.find(entries.FOLDED, f"(uid={asked})"), "slapd does not find it either"
        super().__call__(bench)


for position, (known, other) in enumerate(entries.FOLDS.items()):
    rows(Row(f"{ascii(known)} is a login", "yes", known, f"f{position}@example.com",
             base=entries.FOLDED),
         AnotherLogin(f"{ascii(other)} is not that login, though slapd finds it",
                      "no login-unknown", other, f"f{position}@example.com", base=entries.FOLDED))

rows(*(Row(f"login with {kind} is unknown", "no login-unknown", login, "f0@example.com",
           base=entries.FOLDED) for kind, login in entries.INVISIBLE.items()))
