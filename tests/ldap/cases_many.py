"""Many at once, and what is remembered: joined lookups, bounded connections, ages of answers."""
import threading
import time

import faultproxy
import ldapentries as entries
import milterwire
from daemonkit import PATIENCE, accepted, refused, wait_for
from faultproxy import FaultProxy
from ldapbench import DISABLED, NOT_GRANTED, UNAVAILABLE, UNKNOWN, case, in_time
from slapdkit import Slapd, person, replace_ldif

EQUAL = 64
DISTINCT = 16
# A long breath: these cases are about counts, and the machine may be busy.
PATIENT = 'command_budget = "20s"\nmax_waiting = 128\n'
PATIENT_LINKS = {"connect_timeout": "15s", "search_timeout": "15s"}
YOUNG = {"cache_ttl": "2s", "negative_ttl": "1s"}
TO_BE_OLD = 1.3      # seconds, more than negative_ttl
CONNECTIONS = 8  # the default max_connections
TO_BE_FORGOTTEN = 3  # more than cache_ttl


def at_once(logins, question):
    """One thread for each login; all the answers, in the order of the logins."""
    answers, barrier = [None] * len(logins), threading.Barrier(len(logins))

    def ask(number, login):
        barrier.wait()
        try:
            answers[number] = question(login)
        except Exception as fault:  # to the main thread, which reports it
            answers[number] = fault

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(logins)]
    for thread in threads:
        thread.start()
    return threads, answers


def one_by_one(logins, question, proxy):
    """Like at_once(), but each starts when the search of the one before has been seen: Debian's
    libmilter hands events that come together to a worker that is about to wait."""
    threads, answers = [], [None] * len(logins)

    def ask(number, login):
        answers[number] = question(login)

    for number, login in enumerate(logins):
        thread = threading.Thread(target=ask, args=(number, login))
        thread.start()
        threads.append(thread)
        wait_for(lambda: len(proxy.searches("uid=u")) > number, "the search for " + login)
    return threads, answers


def all_accepted(threads, answers):
    for thread in threads:
        thread.join(2 * PATIENCE)
    wrong = [answer for answer in answers if getattr(answer, "code", None) != "c"]
    assert not wrong, f"{len(wrong)} of {len(answers)}: {wrong[:3]}"


def ask_daemon(daemon):
    """A question for at_once(): the answer to a message of a session that is ready."""
    def ask(login):
        with milterwire.Milter(daemon.socket, timeout=PATIENCE) as session:
            session.connect()
            session.helo()
            return session.message(login, f"{login}@example.com", f"{login}@example.com")
    return ask


@case
def equal_lookups_cost_one_search(bench):
    """64 equal cold lookups at once cost one search, by the proxy's count and by slapd's"""
    with FaultProxy(bench.slapd.port) as proxy, \
            bench.daemon(PATIENT, bench.corp(uri=[proxy.uri], **PATIENT_LINKS)) as daemon:
        daemon.accepts("alice")
        of_one_lookup = len(proxy.searches())
        proxy.behaviour = hold = faultproxy.Hold()
        log = bench.slapd.mark()
        threads, answers = at_once(["bob"] * EQUAL, ask_daemon(daemon))
        wait_for(lambda: proxy.searches("uid=bob)"), "the search")
        time.sleep(0.5)  # the others come while it is under way
        hold.release()
        all_accepted(threads, answers)
        assert len(proxy.searches("uid=bob)")) == 1, proxy.searches()
        assert len(proxy.searches()) == 2 * of_one_lookup, proxy.searches()
        found = bench.slapd.searches(filter="(uid=bob)", since=log)
        assert len(found) == 1, found


@case
def equal_lookups_are_answered_together_without_a_delay_too(bench):
    """64 equal cold lookups at once at full speed: one search, no error"""
    log = bench.slapd.mark()
    with bench.daemon(PATIENT, bench.corp(**PATIENT_LINKS)) as daemon:
        all_accepted(*at_once(["u05"] * EQUAL, ask_daemon(daemon)))
    assert len(bench.slapd.searches(filter="(uid=u05)", since=log)) == 1


@case
def distinct_logins_at_once_have_no_error(bench):
    """16 connections with distinct logins at once: no error"""
    logins = [entries.crowd(number) for number in range(DISTINCT)]
    with bench.daemon(bench.corp()) as daemon:
        all_accepted(*at_once(logins, ask_daemon(daemon)))
        all_accepted(*at_once(logins, ask_daemon(daemon)))


@case
def connections_are_bounded(bench):
    """No more connections than max_connections, and all are served"""
    logins = [entries.crowd(number) for number in range(DISTINCT)]
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(PATIENT, bench.corp(
            uri=[proxy.uri], max_connections=2, **PATIENT_LINKS)) as daemon:
        all_accepted(*at_once(logins, ask_daemon(daemon)))
        assert 1 <= proxy.connections <= 2, proxy.connections


@case
def remembered_login_costs_no_search(bench):
    log = bench.slapd.mark()
    with bench.daemon(bench.corp()) as daemon:
        for _ in range(5):
            daemon.accepts("u06")
            daemon.refuses(NOT_GRANTED, "u06", "u07@example.com")
            daemon.refuses(UNKNOWN, "nobody")
    assert len(bench.slapd.searches(filter="(uid=u06)", since=log)) == 1
    assert len(bench.slapd.searches(filter="(uid=nobody)", since=log)) == 1


@case
def waiting_is_bounded(bench):
    """Over max_waiting the others get 451 at once, not a place in a queue"""
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(
            'command_budget = "20s"\nmax_waiting = 2\n',
            bench.corp(uri=[proxy.uri], **PATIENT_LINKS)) as daemon:
        daemon.accepts("alice")
        proxy.behaviour = hold = faultproxy.Hold()
        threads, answers = one_by_one([entries.crowd(number) for number in range(2)],
                                      ask_daemon(daemon), proxy)
        time.sleep(0.5)  # from MAIL, which starts the search, to RCPT, which waits for it
        for number in range(2, 6):
            refused(ask_daemon(daemon)(entries.crowd(number)), *UNAVAILABLE)
        assert answers == [None, None], answers
        hold.release()
        all_accepted(threads, answers)


@case
def remembered_login_does_not_wait_behind_others(bench):
    """While others wait for the server, a remembered login is answered at once"""
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(PATIENT, bench.corp(
            uri=[proxy.uri], **PATIENT_LINKS)) as daemon:
        daemon.accepts("alice")
        proxy.behaviour = hold = faultproxy.Hold()
        threads, answers = one_by_one([entries.crowd(number) for number in range(CONNECTIONS)],
                                      ask_daemon(daemon), proxy)
        in_time(daemon.accepts("alice"), 0)
        assert answers == [None] * CONNECTIONS, answers
        hold.release()
        all_accepted(threads, answers)


@case
def members_of_a_group_are_not_fetched(bench):
    """Only the attributes that are needed are asked for: no members, no passwords"""
    with FaultProxy(bench.slapd.port) as proxy:
        bench.expect("yes", "alice", "team@example.com", bench.corp(uri=[proxy.uri]))
        for search in proxy.searches():
            assert search.attributes, f"asks for everything: {search}"
            wanted = {"mail", "maillocaladdress", "uid", "objectclass"}
            assert {name.lower() for name in search.attributes} <= wanted, search


# ---- ages ----

@case
def new_login_is_known_soon(bench):
    """Login that is added is known after negative_ttl"""
    with Slapd(entries.staff_only()) as slapd, \
            bench.daemon(bench.corp(uri=[slapd.uri], **YOUNG)) as daemon:
        daemon.refuses(UNKNOWN, "newcomer")
        slapd.add(person(f"uid=newcomer,{entries.STAFF}", mail="newcomer@example.com"))
        time.sleep(TO_BE_OLD)
        daemon.accepts("newcomer")


@case
def new_address_is_granted_soon(bench):
    """Address that is added counts after negative_ttl: a refusal asks again"""
    with Slapd(entries.staff_only()) as slapd, bench.daemon(
            bench.corp(uri=[slapd.uri], cache_ttl="1h", negative_ttl="1s")) as daemon:
        daemon.accepts("bob")
        slapd.modify(replace_ldif(f"uid=bob,{entries.STAFF}", "mail", "bob@example.com",
                                  "robert@example.com"))
        time.sleep(TO_BE_OLD)
        daemon.accepts("bob", "robert@example.com")


@case
def removed_address_is_refused_after_its_time(bench):
    """Address that is removed is refused after cache_ttl"""
    with Slapd(entries.staff_only()) as slapd, \
            bench.daemon(bench.corp(uri=[slapd.uri], **YOUNG)) as daemon:
        daemon.accepts("bob")
        slapd.modify(replace_ldif(f"uid=bob,{entries.STAFF}", "mail", "robert@example.com"))
        time.sleep(TO_BE_FORGOTTEN)
        daemon.refuses(NOT_GRANTED, "bob")
        daemon.accepts("bob", "robert@example.com")


@case
def disabled_account_is_refused_after_its_time(bench):
    """Account that is disabled in a live session is refused after cache_ttl"""
    with Slapd(entries.staff_only()) as slapd, bench.daemon(bench.corp(
            uri=[slapd.uri], enabled_filter="(!(employeeType=disabled))", **YOUNG)) as daemon:
        with milterwire.session(daemon.socket) as session:
            accepted(session.message("bob", "bob@example.com", "bob@example.com"))
            slapd.modify(replace_ldif(f"uid=bob,{entries.STAFF}", "employeeType", "disabled"))
            time.sleep(TO_BE_FORGOTTEN)
            refused(session.message("bob", "bob@example.com", "bob@example.com"), *DISABLED)


@case
def old_answer_accepts_but_does_not_refuse(bench):
    """Server down: a remembered grant accepts, a remembered lack of one is 451, not 553"""
    with FaultProxy(bench.slapd.port) as proxy, bench.daemon(bench.corp(
            uri=[proxy.uri], cache_ttl="1h", negative_ttl="1s")) as daemon:
        daemon.accepts("bob")
        daemon.refuses(NOT_GRANTED, "bob", "alice@example.com")
        daemon.refuses(UNKNOWN, "nobody")
        proxy.refuse()
        time.sleep(TO_BE_OLD)
        daemon.accepts("bob")
        daemon.refuses(UNAVAILABLE, "bob", "alice@example.com")
        daemon.refuses(UNAVAILABLE, "nobody")


@case
def denies_count_in_the_daemon(bench):
    """Deny beats a group's address; a grant waits for a directory that has denies"""
    with bench.daemon(bench.corp(deny_attributes=["mailDenied"])) as daemon:
        daemon.accepts("eve")
        daemon.refuses(NOT_GRANTED, "eve", "team@example.com")
        daemon.accepts("alice", "team@example.com")
        with milterwire.session(daemon.socket) as session:
            refused(session.message("eve", "eve@example.com", "team@example.com"),
                    "550 5.7.1 ", "from-not-granted")
    down = bench.corp("down", uri=[entries.NOBODY_URI], merge=True, deny_attributes=["mailDenied"])
    with bench.daemon(bench.corp(merge=True), down) as daemon:
        daemon.refuses(UNAVAILABLE, "alice")


@case
def refusals_in_smtp(bench):
    """Each outcome has its SMTP code"""
    with bench.daemon(bench.corp(enabled_filter="(!(employeeType=disabled))")) as daemon:
        daemon.accepts("alice", "team@example.com")
        daemon.refuses(NOT_GRANTED, "alice", "bob@example.com")
        daemon.refuses(UNKNOWN, "nobody", "alice@example.com")
        daemon.refuses(DISABLED, "carol")
        daemon.refuses(("451 4.3.5 ", "misconfigured"), "twin")
        with milterwire.session(daemon.socket) as session:
            refused(session.message("alice", "alice@example.com", "bob@example.com"),
                    "550 5.7.1 ", "from-not-granted")
