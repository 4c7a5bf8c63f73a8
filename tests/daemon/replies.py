"""SMTP replies, whatever a client put into the text."""

import re

from daemonkit import Daemon, accepted, case, equal, main, refused
from milterwire import ALL_NR, ALL_STEPS, session

OWN = "alice@example.net"


def lines_of(answer):
    """Lines of printable ASCII with the same code and enhanced code, and every '%' doubled."""
    assert answer.code == "y", answer
    assert answer.data.endswith(b"\0") and answer.data.count(b"\0") == 1, answer
    lines = answer.text.split("\r\n")
    for line in lines:
        separator = " " if line is lines[-1] else "-"
        shape = r"([45])[0-9]{2}%s\1\.[0-9]{1,3}\.[0-9]{1,3} [ -~]+" % separator
        assert re.fullmatch(shape, line), answer
        equal(line[:3] + line[4:].split(" ")[0], lines[0][:3] + lines[0][4:].split(" ")[0])
        assert len(line.replace("%%", "%")) < len("550 5.7.13 ") + 200, line
        equal(line.replace("%%", "").count("%"), 0)
    return lines


def sound(answer):
    """A reply of one line."""
    equal(len(lines_of(answer)), 1)
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
def several_lines(d):
    """A text of one's own of several lines, at RCPT and at the end of the message"""
    conf = ('help_url = "https://mail.example.net/100%25#%{reason}"\n'
            'reply "sender-not-granted" { text = "%{address}: 100% not yours\\nsee %{help_url}" }\n'
            'reply "from-not-granted" { text = "one\ntwo\n3% of it\nfour" }')
    with Daemon(conf) as own:
        with session(own.socket) as m:
            m.mail("<bob@example.net>", "alice")
            equal(lines_of(m.rcpt()),
                  ["553-5.7.1 sender-not-granted: bob@example.net: 100%% not yours",
                   "553 5.7.1 see https://mail.example.net/100%%25#sender-not-granted"])
            m.abort()
            m.mail("<%s>" % OWN, "alice")
            accepted(m.rcpt())
            equal(lines_of(m.eom([("From", "bob@example.net")])),
                  ["550-5.7.1 from-not-granted: one", "550-5.7.1 two", "550-5.7.1 3%% of it",
                   "550 5.7.1 four"])


@case
def several_lines_then_one(d):
    """A reply has nothing of the lines of the one before"""
    conf = ('reply "from-not-granted" { text = "one\ntwo\nthree" }\n'
            'reply "from-missing" { text = "four" }')
    with Daemon(conf) as own:
        with session(own.socket) as m:
            for headers, want in (([("From", "bob@example.net")], 3), ([], 1)):
                m.mail("<%s>" % OWN, "alice")
                accepted(m.rcpt())
                equal(len(lines_of(m.eom(headers))), want)


@case
def several_lines_of_percent(d):
    """Lines that are as long as they may be, and full of percent signs"""
    with Daemon('reply "from-not-granted" { text = "%s" }' % "\n".join(["%" * 199] * 4)) as own:
        with session(own.socket) as m:
            m.mail("<%s>" % OWN, "alice")
            accepted(m.rcpt())
            lines = lines_of(m.eom([("From", "bob@example.net")]))
            equal([line.count("%%") for line in lines], [199 - len("from-not-granted: "), 199, 199, 199])


@case
def page_in_a_second_line(d):
    """A page that the first line has no room for stands in the second one"""
    url = "https://mail.example.net/" + "help/" * 25
    with Daemon('help_url = "%s#%%{reason}"' % url) as own:
        with session(own.socket) as m:
            m.mail("<bob@example.net>", "alice")
            lines = lines_of(m.rcpt())
            assert lines[0].startswith("553-5.7.1 sender-not-granted: sender <bob@"), lines
            equal(lines[1:], ["553 5.7.1 see %s#sender-not-granted" % url])


@case
def to_an_old_mta(d):
    """The same text to an MTA that waits for every reply"""
    with session(d.socket, version=2, actions=0x3F, steps=0x7F & ~ALL_NR) as m:
        refused(sender(m, b"100%@example.net"), "100%%@example.net")
    with session(d.socket, steps=ALL_STEPS & ~ALL_NR) as m:
        refused(from_(m, b"100%@example.net"), "100%%@example.net")
    with Daemon('reply "sender-not-granted" { text = "one\ntwo" }') as own:
        with session(own.socket, version=2, actions=0x3F, steps=0x7F & ~ALL_NR) as m:
            m.mail("<bob@example.net>", "alice")
            equal(lines_of(m.rcpt()), ["553-5.7.1 sender-not-granted: one", "553 5.7.1 two"])


with Daemon() as daemon:
    main(daemon)
