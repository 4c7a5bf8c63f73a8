"""Hostile values against the real server: each finds its own entry and no other."""
import os
import subprocess

import slapdkit
from ldapbench import named
from slapdkit import ROOT_DN, ROOT_PASSWORD, SUFFIX, Slapd

PROGRAM = os.path.abspath(os.environ.get("FUZZ_FILTER", "./tests/ldap/fuzz_filter"))
BASE = "ou=fuzz," + SUFFIX
VALUES, SEED = "3000", "1"


@named("hostile values in filters find their own entry and no other")
def hostile_values(_bench):
    with Slapd([slapdkit.unit(BASE)]) as slapd:
        done = subprocess.run([PROGRAM, VALUES, SEED, slapd.uri_ipc, BASE, ROOT_DN, ROOT_PASSWORD],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0 and "not ok" not in said, said[-2000:]
    assert "1500 entries found" in said, f"the server was not asked: {said[-2000:]}"
