"""SMTP replies, whatever a client put into the text."""

import re

from daemonkit import Daemon, accepted, case, equal, main, refused
from milterwire import ALL_NR, ALL_STEPS, session

OWN = "alice@example.net"


def sound(answer):
    """One line of printable ASCII with code, enhanced code, and every '%' doubled."""
    assert answer.code == "y", answer
    assert answer.data.endswith(b"\0") and answer.data.count(b"\0") == 1, answer
    assert re.fullmatch(r"([45])[0-9]{2} \1\.[0-9]{1,3}\.[0-9]{1,3} [ -~]+", answer.text), answer
    assert len(answer.data) < 980, len(answer.data)
    equal(answer.text.replace("%%", "").count("%"), 0)
    return answer


def sender(m, address, login="alice"):
    m.mail(b"<" + address + b">", login)
    answer = sound(m.rcpt())
    m.abort()
    return answer


def from_(m, value):
    m.mail("<%s>" % OWN, "alice")
    accepted(m.rcpt())
    return sound(m.eom([("From", value)]))


@case
def codes(d):
    """553 at RCPT, 550 at the end of the message"""
    with session(d.socket) as m:
        assert sender(m, b"bob@example.net").text.startswith("553 5.7.1 sender-not-granted")
        assert from_(m, b"bob@example.net").text.startswith("550 5.7.1 from-not-granted")


@case
def names_what_was_refused(d):
    """The text names the address and the login"""
    with session(d.socket) as m:
        refused(sender(m, b"bob@example.net"), "bob@example.net", "alice")
        refused(from_(m, b"bob@example.net"), "bob@example.net", "alice")


@case
def percent(d):
    """A percent sign is doubled for the MTA"""
    with session(d.socket) as m:
        refused(sender(m, b"100%s%n@example.net"), "100%%s%%n@example.net")
        refused(from_(m, b"100%@example.net"), "100%%@example.net")
        refused(sender(m, b"%%@example.net"), "%%%%@example.net")


@case
def line_ends(d):
    """CR and LF in an address or a login never end the line"""
    with session(d.socket) as m:
        sender(m, b"a\r\n250 ok@example.net")
        sender(m, b'"a\nb"@example.net')
        sender(m, b"alice@example.net", login=b"alice\r\n250 2.0.0 fine")
        from_(m, b'"a\r\n 250"@example.net')
        from_(m, b"bob@example.net\n 250 ok")


@case
def eight_bit(d):
    """Bytes beyond ASCII do not get into the text"""
    with session(d.socket) as m:
        sender(m, b"m\xc3\xbcller@example.net")
        sender(m, b"m\xfcller@example.net")
        sender(m, b"alice@m\xc3\xbcller.example")
        sender(m, b"alice@example.net", login=b"\xff\xfe")
        from_(m, b"m\xc3\xbcller@example.net")
        from_(m, bytes(range(1, 256)) + b" <bob@example.net>")


@case
def long_addresses(d):
    """Long addresses do not make long lines"""
    with session(d.socket) as m:
        sender(m, b"x" * 64 + b"@" + b".".join([b"y" * 60] * 3) + b".example")
        sender(m, b"%" * 64 + b"@example.net")
        sender(m, b"x" * 5000 + b"@example.net")
        sender(m, OWN.encode(), login="x" * 5000)
        from_(m, b"%" * 64 + b"@" + b".".join([b"y" * 60] * 3) + b".example")


@case
def temporary(d):
    """A temporary refusal is a 4yz reply with its text"""
    with session(d.socket) as m:
        m.mail("<%s>" % OWN, macros={"{mail_addr}": OWN, "{auth_authen}": "alice"})
        assert sound(m.rcpt()).text.startswith("451 4.3.5 misconfigured")


@case
def configured_text(d):
    """A text of one's own, with a percent sign and a page to look at"""
    conf = ('help_url = "https://mail.example.net/help?a=100%25#%{reason}"\n'
            'reply "from-not-granted" { text = "50% of %{login}: see %{help_url}" }')
    with Daemon(conf) as own:
        with session(own.socket) as m:
            refused(from_(m, b"bob@example.net"), "from-not-granted", "50%% of alice",
                    "a=100%%25#from-not-granted")


@case
def to_an_old_mta(d):
    """The same text to an MTA that waits for every reply"""
    with session(d.socket, version=2, actions=0x3F, steps=0x7F & ~ALL_NR) as m:
        refused(sender(m, b"100%@example.net"), "100%%@example.net")
    with session(d.socket, steps=ALL_STEPS & ~ALL_NR) as m:
        refused(from_(m, b"100%@example.net"), "100%%@example.net")


with Daemon() as daemon:
    main(daemon)
