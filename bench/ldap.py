#!/usr/bin/env python3
"""Measures first lookups against a private slapd with many users.

usage: bench/ldap.py PROGRAM [USERS]        PROGRAM is bench/bench_dir_ldap of a build directory

Every tenth user is in a group that has an address.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "ldap"))
import slapdkit

GROUP_SIZE = 10


def people(count):
    return [slapdkit.person("uid=user%d,%s" % (i, slapdkit.PUBLIC), uid=["user%d" % i],
                            mail=["user%d@example.net" % i]) for i in range(count)]


def groups(members):
    for i in range(0, len(members), 10 * GROUP_SIZE):
        yield slapdkit.group("cn=group%d,%s" % (i, slapdkit.PUBLIC),
                             [one["dn"] for one in members[i:i + 10 * GROUP_SIZE:10]],
                             mail=["group%d@example.net" % i])


def main():
    program = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    users = people(count)
    entries = [slapdkit.unit(slapdkit.PUBLIC), *users, *groups(users)]
    with slapdkit.Slapd(entries) as slapd:
        for uri in (slapd.uri, slapd.uri_ipc):
            for words in ([], ["groups"]):
                print("%s %s" % (uri.split(":")[0], " ".join(words)), flush=True)
                subprocess.run([program, uri, slapdkit.PUBLIC, str(count), *words], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
