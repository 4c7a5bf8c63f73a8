"""Servers that are slow, silent, cut off, gone, and back again; and a second server that takes
over. Nothing of it may become a yes or a no, and nothing may outlast command_budget."""
import os
import signal
import threading
import time

import faultproxy
import ldapentries as entries
import ldapwire
import milterwire
from daemonkit import PATIENCE, accepted, refused, wait_for
from faultproxy import FaultProxy
from ldapbench import (BACK_SECONDS, IMPATIENT, IMPATIENT_BUDGET, IMPATIENT_LINKS, UNAVAILABLE,
                       case, in_time, named)
from slapdkit import READER_DN, READER_PASSWORD, Slapd, replace_ldif

NO_ANSWER = "unknown directory-unavailable"
ALICE = "alice", "alice@example.com"
DEFAULT_BUDGET = 3
TWO_SERVERS_BUDGET = 5


def impatient(bench, uris, **options):
    return bench.corp(uri=uris, **{**IMPATIENT_LINKS, **options})


# ---- one question to a server with a fault ----

def fault(name, behaviour, tls=None, want=NO_ANSWER, **options):
    """"Cannot tell", within the budget."""
    @named(f"{name}: {'no answer' if want == NO_ANSWER else want}, in time")
    def run(bench):
        port = bench.slapd.port_tls if tls == "ldaps" else bench.slapd.port
        with FaultProxy(port, tls or "ldap") as proxy:
            proxy.behaviour = behaviour()
            outcome = bench.expect(want, *ALICE, IMPATIENT, impatient(
                bench, [proxy.uri], ca_file=bench.certificates.ca, **options))
            assert proxy.connections, "nobody came"
        in_time(outcome.seconds, IMPATIENT_BUDGET)


fault("silent after accept", faultproxy.Silent)
fault("silent in the TLS handshake", faultproxy.Silent, tls="ldaps")
fault("silent to StartTLS", faultproxy.Silent, starttls=True)
fault("silent in the TLS handshake after StartTLS", lambda: faultproxy.SilentAfter(1),
      starttls=True)
fault("silent in the middle of the TLS handshake", lambda: faultproxy.SilentAfter(1), tls="ldaps")
# In the middle of a TLS record, of the handshake or of an answer, a read never comes back by itself.
for octets in (1, 20, 700, 1200, 1400, 2200, 4000):
    fault(f"silent after {octets} octets of TLS",
          lambda octets=octets: faultproxy.SilentAfterOctets(octets), tls="ldaps")
    fault(f"silent after {octets + 20} octets with StartTLS",
          lambda octets=octets: faultproxy.SilentAfterOctets(octets + 20), starttls=True)
fault("one octet of TLS now and then", faultproxy.Trickle, tls="ldaps")
fault("one octet now and then after StartTLS", faultproxy.Trickle, starttls=True)
fault("silent after the bind", lambda: faultproxy.SilentAfter(1))
fault("silent to the search", lambda: faultproxy.Answer(None))
fault("reset in the middle of a result", lambda: faultproxy.CutInResult(reset=True))
fault("closed in the middle of a result", lambda: faultproxy.CutInResult(reset=False))
fault("answers that are no LDAP", faultproxy.Garbage)
for words, number in (("busy", ldapwire.BUSY), ("unavailable", ldapwire.UNAVAILABLE),
                      ("time limit exceeded", ldapwire.TIME_LIMIT_EXCEEDED),
                      ("size limit exceeded", ldapwire.SIZE_LIMIT_EXCEEDED),
                      ("admin limit exceeded", ldapwire.ADMIN_LIMIT_EXCEEDED)):
    fault(f"{words} ({number})", lambda number=number: faultproxy.Answer(number))
# What Active Directory says to a search without a bind; and what somebody must mend.
for words, number in (("operations error", 1), ("protocol error", 2), ("insufficient access", 50)):
    fault(f"{words} ({number})", lambda number=number: faultproxy.Answer(number),
          want="unknown misconfigured")
fault("a reference in an empty result",
      lambda: faultproxy.Answer(0, reference=entries.NOBODY_URI))
fault("a referral", lambda: faultproxy.Answer(10, referrals=[entries.NOBODY_URI]))


@case
def refused_is_no_answer(bench):
    outcome = bench.expect(NO_ANSWER, *ALICE, bench.corp(uri=[entries.NOBODY_URI]))
    in_time(outcome.seconds, DEFAULT_BUDGET)


@case
def connect_that_never_ends_is_no_answer(bench):
    """Connect that never ends: no answer, in time; a second server takes over"""
    with faultproxy.Deaf() as deaf:
        outcome = bench.expect(NO_ANSWER, *ALICE, IMPATIENT, impatient(bench, [deaf.uri]))
        in_time(outcome.seconds, IMPATIENT_BUDGET)
        outcome = bench.expect("yes", *ALICE, bench.corp(uri=[deaf.uri, bench.slapd.uri],
                                                         connect_timeout="1s"))
        in_time(outcome.seconds, DEFAULT_BUDGET)


@case
def name_that_does_not_resolve_is_no_answer(bench):
    """Host name that does not resolve: no answer, in time"""
    outcome = bench.expect(NO_ANSWER, *ALICE, IMPATIENT, impatient(bench, ["ldap://ldap.invalid"]))
    in_time(outcome.seconds, IMPATIENT_BUDGET)


def by_the_proxy(bench, proxy, **attributes):
    """A directory block for one search, which the proxy answers with this entry of alice."""
    proxy.behaviour = faultproxy.Answer(0, attributes={"uid": [b"alice"], **attributes})
    return bench.corp(uri=[proxy.uri], schema="none", account_filter="(uid=%{login})",
                      send_as_attributes=["mail"])


@case
def values_that_are_no_text_grant_nothing_and_harm_no_others(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        block = by_the_proxy(bench, proxy, mail=[
            b"\xff\xfe@example.com", b"", b"@", b"a\0b@example.com", b"x" * 70000 + b"@example.com",
            b"alice\r\nbob@example.com", b"alice@example.com"])
        bench.expect("yes", *ALICE, block)
        bench.expect("no sender-not-granted", "alice", "bob@example.com", block)


@case
def many_values_all_count(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        block = by_the_proxy(bench, proxy, mail=[b"a%d@example.com" % n for n in range(20000)])
        bench.expect("yes", "alice", "a19999@example.com", block)


@case
def range_of_values_grants_and_refuses_nothing(bench):
    """Only a range of the values (Active Directory): these count, the rest cannot be told"""
    with FaultProxy(bench.slapd.port) as proxy:
        block = by_the_proxy(bench, proxy, **{"mail": [], "mail;range=0-0": [b"alice@example.com"]})
        bench.expect("yes", *ALICE, block)
        bench.expect(NO_ANSWER, "alice", "bob@example.com", block)


@case
def slow_drip_is_an_answer(bench):
    with FaultProxy(bench.slapd.port) as proxy:
        proxy.behaviour = faultproxy.Drip()
        bench.expect("yes", *ALICE, 'command_budget = "20s"\n', bench.corp(
            uri=[proxy.uri], connect_timeout="10s", search_timeout="10s"))


@case
def silence_keeps_to_the_default_times(bench):
    """Silent server, default times: no answer within the default budget"""
    with FaultProxy(bench.slapd.port) as proxy:
        proxy.behaviour = faultproxy.Silent()
        in_time(bench.expect(NO_ANSWER, *ALICE, bench.corp(uri=[proxy.uri])).seconds,
                DEFAULT_BUDGET)


# ---- a second server ----

def takes_over(name, behaviour, tls=None):
    @named(f"second server takes over from one that is {name}")
    def run(bench):
        port = bench.slapd.port_tls if tls else bench.slapd.port
        with FaultProxy(port, tls or "ldap") as first:
            first.behaviour = behaviour()
            second = bench.slapd.uri_tls if tls else bench.slapd.uri
            outcome = bench.expect("yes", *ALICE, f'command_budget = "{TWO_SERVERS_BUDGET}s"\n',
                                   bench.corp(uri=[first.uri, second], connect_timeout="1s",
                                              search_timeout="1s", ca_file=bench.certificates.ca))
            assert first.connections, "the first one was not asked"
        in_time(outcome.seconds, TWO_SERVERS_BUDGET)


takes_over("silent after accept", faultproxy.Silent)
takes_over("silent in the TLS handshake", faultproxy.Silent, tls="ldaps")
takes_over("silent after the bind", lambda: faultproxy.SilentAfter(1))
takes_over("silent in the middle of a TLS record", lambda: faultproxy.SilentAfterOctets(2200),
           tls="ldaps")
takes_over("silent to the search", lambda: faultproxy.Answer(None))
takes_over("cut in the middle of a result", lambda: faultproxy.CutInResult(reset=True))
takes_over("busy", lambda: faultproxy.Answer(ldapwire.BUSY))
takes_over("talking nonsense", faultproxy.Garbage)


@case
def second_server_takes_over_from_one_that_refuses(bench):
    outcome = bench.expect("yes", *ALICE, bench.corp(uri=[entries.NOBODY_URI, bench.slapd.uri]))
    in_time(outcome.seconds, DEFAULT_BUDGET)


@case
def second_server_takes_over_with_default_times(bench):
    """Silent first server, default times: the second one answers within the default budget"""
    with FaultProxy(bench.slapd.port) as first:
        first.behaviour = faultproxy.Silent()
        outcome = bench.expect("yes", *ALICE, bench.corp(uri=[first.uri, bench.slapd.uri]))
    in_time(outcome.seconds, DEFAULT_BUDGET)


@case
def first_server_is_used_again_when_it_is_back(bench):
    with FaultProxy(bench.slapd.port) as first, FaultProxy(bench.slapd.port) as second, \
            bench.daemon(bench.corp(uri=[first.uri, second.uri])) as daemon:
        daemon.accepts("u00")
        assert not second.searches(), "the second one was asked while the first one was well"
        first.refuse()
        daemon.accepts("u01")
        assert second.searches("u01"), "the second one was not asked"
        first.listen()
        logins = iter(entries.crowd(number) for number in range(2, entries.CROWD))
        end = time.monotonic() + BACK_SECONDS
        while not first.searches("u0") or not asked_last(daemon, next(logins), first):
            assert time.monotonic() < end, "the first one is not used again"
            time.sleep(0.5)


def asked_last(daemon, login, proxy):
    daemon.accepts(login)
    return bool(proxy.searches(login))


# ---- a daemon whose server fails, and is back ----

def fails_and_is_back(name, fail, mend):
    """Known logins go on, others get 451 in time, and soon after the end of it all is well."""
    @named(f"server {name}, and back")
    def run(bench):
        with Slapd(entries.staff_only()) as slapd, \
                bench.daemon(IMPATIENT, impatient(bench, [slapd.uri])) as daemon:
            daemon.is_back_for("alice")
            fail(slapd)
            in_time(daemon.refuses(UNAVAILABLE, "u01"), IMPATIENT_BUDGET)
            in_time(daemon.accepts("alice"), IMPATIENT_BUDGET)
            started = time.monotonic()
            for number in range(2, 7):
                daemon.refuses(UNAVAILABLE, entries.crowd(number))
            in_time(time.monotonic() - started, IMPATIENT_BUDGET)  # all of them: nobody waits
            mend(slapd)
            daemon.is_back_for("u01")
            daemon.is_back_for("u02")


fails_and_is_back("stopped (SIGSTOP)", Slapd.freeze, Slapd.thaw)
fails_and_is_back("killed", Slapd.kill, Slapd.start)
fails_and_is_back("ended in good order", Slapd.stop, Slapd.start)


@case
def killed_in_the_middle_of_a_search(bench):
    """Server killed in the middle of a search: 451 in time, nobody is refused for good"""
    with Slapd(entries.staff_only()) as slapd, \
            bench.daemon(impatient(bench, [slapd.uri], search_timeout="3s")) as daemon:
        daemon.accepts("alice")
        slapd.freeze()
        killer = threading.Timer(0.5, slapd.kill)
        killer.start()
        in_time(daemon.refuses(UNAVAILABLE, "bob"), DEFAULT_BUDGET)
        killer.join()
        slapd.start()
        daemon.is_back_for("bob")


def closes(name, searches):
    """A lookup with the preset takes two searches: the account's, and its groups'."""
    @named(f"server that closes {name} is not noticed, and no descriptor is lost")
    def run(bench):
        with FaultProxy(bench.slapd.port) as proxy, \
                bench.daemon(bench.corp(uri=[proxy.uri])) as daemon:
            daemon.accepts("u00")
            proxy.behaviour = faultproxy.CloseAfterAnswer(searches)
            before = descriptors(daemon)
            for number in range(1, entries.CROWD):
                daemon.accepts(entries.crowd(number))
            assert proxy.connections > entries.CROWD / 4, "no connection was closed"
            wait_for(lambda: descriptors(daemon) <= before + 2,
                     f"descriptors to be {before} again, not {descriptors(daemon)}")


closes("after each lookup", 2)
closes("in the middle of every second lookup", 3)


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


@case
def idle_connection_that_was_closed_is_not_seen(bench):
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(bench.corp(uri=[proxy.uri])) as daemon:
        for number in range(4):
            daemon.accepts(entries.crowd(number))
            proxy.reset_links()


@case
def restarted_server_is_not_seen(bench):
    with Slapd(entries.staff_only()) as slapd, \
            bench.daemon(bench.corp(uri=[slapd.uri])) as daemon:
        daemon.accepts("u00")
        slapd.restart()
        daemon.is_back_for("u01")
        daemon.accepts("u02")


@case
def server_down_at_start(bench):
    """Server down when the daemon starts: 451, and right when it comes up"""
    with Slapd(entries.staff_only()) as slapd:
        slapd.stop()
        with bench.daemon(IMPATIENT, impatient(bench, [slapd.uri])) as daemon:
            in_time(daemon.refuses(UNAVAILABLE, "alice"), IMPATIENT_BUDGET)
            slapd.start()
            daemon.is_back_for("alice")


@case
def misconfigured_server_is_451_and_right_when_mended(bench):
    """Wrong password at first, then the right one: 451 misconfigured, then well"""
    secret = bench.write("late-secret", "wrong\n", 0o600)
    with bench.daemon(bench.corp(bind_password_file=secret)) as daemon:
        daemon.refuses(("451 4.3.5 ", "misconfigured"), "alice")
        with open(bench.secret, encoding="utf-8") as right:
            bench.write("late-secret", right.read(), 0o600)
        wait_for(lambda: daemon.says("alice")[0].code == "c", "the right password to be read")


@case
def password_that_was_changed_is_read_again(bench):
    secret = bench.write("changing", READER_PASSWORD, 0o600)
    with Slapd(entries.staff_only()) as slapd, \
            bench.daemon(bench.corp(uri=[slapd.uri], bind_password_file=secret)) as daemon:
        daemon.accepts("u00")
        slapd.modify(replace_ldif(READER_DN, "userPassword", "another one"))
        bench.write("changing", "another one", 0o600)
        slapd.restart()
        daemon.is_back_for("u01")


@case
def no_warning_more_than_once_while_it_is_down(bench):
    """Server that is down is named in the log once, and once when it is back"""
    with FaultProxy(bench.slapd.port) as proxy, \
            bench.daemon(bench.corp(uri=[proxy.uri])) as daemon:
        daemon.accepts("u00")
        proxy.refuse()
        for number in range(1, 9):
            daemon.refuses(UNAVAILABLE, entries.crowd(number))
        proxy.listen()
        daemon.is_back_for("u01")
        lines = [line for line in daemon.log().splitlines()
                 if proxy.uri in line and "reason=" not in line]
        assert 2 <= len(lines) <= 3, lines


# ---- the daemon's own life with a silent server ----

@case
def daemon_ends_while_a_search_is_under_way(bench):
    """SIGTERM while a server is silent ends the daemon in good order and soon"""
    with FaultProxy(bench.slapd.port) as proxy, \
            bench.daemon('command_budget = "20s"\n', bench.corp(
                uri=[proxy.uri], connect_timeout="20s", search_timeout="20s")) as daemon:
        proxy.behaviour = faultproxy.Silent()
        waiting = threading.Thread(target=ask_and_forget, args=(daemon,))
        waiting.start()
        wait_for(lambda: proxy.connections, "the daemon to connect")
        started = time.monotonic()
        assert daemon.stop(signal.SIGTERM) == 0, daemon.log()
        in_time(time.monotonic() - started, 8)
        waiting.join(PATIENCE)


def ask_and_forget(daemon):
    try:
        daemon.says("alice")
    except (OSError, AssertionError):
        pass  # the daemon is ending


@case
def reload_while_a_server_is_silent(bench):
    """Reload while a server is silent: the new directory answers"""
    with FaultProxy(bench.slapd.port) as proxy, \
            bench.daemon(IMPATIENT, impatient(bench, [proxy.uri])) as daemon:
        proxy.behaviour = faultproxy.Silent()
        daemon.refuses(UNAVAILABLE, "alice")
        daemon.write_conf(bench.corp())
        daemon.reload()
        daemon.accepts("alice")


@case
def many_reloads_leave_nothing_behind(bench):
    with bench.daemon(bench.corp()) as daemon:
        daemon.accepts("u00")
        before = descriptors(daemon), daemon.status("Threads")
        for number in range(1, 12):
            daemon.reload()
            daemon.accepts(entries.crowd(number))
        wait_for(lambda: descriptors(daemon) <= before[0] + 2
                 and daemon.status("Threads") <= before[1] + 2,
                 f"descriptors and threads to be {before} again")


@case
def message_under_way_has_its_answer_after_a_reload(bench):
    """Lookup that is under way when the configuration is reloaded ends well"""
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(
            'command_budget = "20s"\n', bench.corp(
                uri=[proxy.uri], connect_timeout="10s", search_timeout="20s")) as daemon:
        proxy.behaviour = hold = faultproxy.Hold()
        session = milterwire.session(daemon.socket)
        accepted_or_silent(session.mail("<alice@example.com>", "alice"))
        wait_for(lambda: proxy.searches("alice"), "the search")
        daemon.reload()
        hold.release()
        accepted_or_silent(session.rcpt())
        accepted(session.eom([("From", "alice@example.com")]))
        refused(session.message("alice", "bob@example.com", "bob@example.com"), "553 5.7.1 ")
        session.quit()


def accepted_or_silent(answer):
    assert answer.ok, answer
