#!/usr/bin/env python3
"""sendasctl: exit codes, texts, JSON. TAP. SENDASCTL and SENDAS_MILTER name the programs.

The subcommand session is played against a milter in this file that answers as each row says, and
against the daemon.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SENDASCTL = os.environ.get("SENDASCTL", "ctl/sendasctl")
SENDAS_MILTER = os.environ.get("SENDAS_MILTER", "milter/sendas-milter")
TIMEOUT = 60

SENDERS = """\
ann@example.org ann
sales@example.org ann, bob
@ann.example ann
@.deep.example ann
"ann lee"@example.org ann
root root
* boss
chief@example.org on-behalf:ann, net:10.0.0.0/8, "cert:My CA|mx"
@chief.example on-behalf:ann bob
lists+*@example.org on-behalf:ann bob
"""


class Failure(Exception):
    pass


def want(what, expected, got):
    if expected != got:
        raise Failure("%s: wanted %r, got %r" % (what, expected, got))


def want_in(what, piece, text):
    if piece not in text:
        raise Failure("%s: wanted %r in %r" % (what, piece, text))


def run(*arguments, environment=None):
    done = subprocess.run([SENDASCTL, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=TIMEOUT, check=False, env=environment)
    return (done.returncode, done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"))


class Place:
    """A private directory with a configuration, a senders file and room for a socket."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="sendasctl.")
        self.config = self.write("conf", "socket = 'unix:%s/sock'\n"
                                 "login { default_domain = 'example.org'\n"
                                 "rewrite = { '@old.example=' } }\n"
                                 "address { delimiter = '+' }\n"
                                 "directory 'staff' { type = 'file'  file = '%s' }\n"
                                 % (self.path, self.write("senders", SENDERS)))
        self.socket = os.path.join(self.path, "sock")

    def write(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def remove(self):
        shutil.rmtree(self.path)


class Milter:
    """Answers one session: replies maps a command to the packets that it gets."""

    def __init__(self, path, replies=None, steps=0, hang_up_at=None):
        self.replies = replies or {}
        self.steps = steps
        self.hang_up_at = hang_up_at
        self.seen = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.path = path
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer = self.listener.accept()[0]
        with peer, peer.makefile("rb") as packets:
            while self.answer(peer, packets):
                pass

    def answer(self, peer, packets):
        head = packets.read(4)
        if len(head) < 4:
            return False
        data = packets.read(struct.unpack(">I", head)[0])
        command = data[:1]
        self.seen.append(data)
        if command == b"Q" or command.decode("latin-1") == self.hang_up_at:
            return False
        if command == b"O":
            self.put(peer, b"O" + struct.pack(">III", 6, 0, self.steps))
        elif command not in (b"D", b"A"):
            for packet in self.replies.get(command.decode("latin-1"), [b"c"]):
                self.put(peer, packet)
        return True

    @staticmethod
    def put(peer, data):
        peer.sendall(struct.pack(">I", len(data)) + data)

    def end(self):
        self.thread.join(TIMEOUT)
        self.listener.close()
        os.unlink(self.path)

    def sent(self, command):
        return [data[1:] for data in self.seen if data[:1] == command]

    def macros(self, command):
        for data in self.sent(b"D"):
            if data[:1] == command:
                words = data[1:].decode("utf-8").split("\0")[:-1]
                return dict(zip(words[::2], words[1::2]))
        return {}


MESSAGE = ("--mail-from", "ann@example.org", "--rcpt", "x@example.com")


def play(place, *arguments, replies=None, steps=0, hang_up_at=None):
    milter = Milter(place.socket, replies, steps, hang_up_at)
    code, out, err = run("session", "--socket", "unix:" + place.socket, *arguments)
    milter.end()
    return code, out, err, milter


# ---- the command line ----

def test_help(place):
    for arguments in (("--help",), ("check", "--help"), ("session", "--help")):
        code, out, err = run(*arguments)
        want("exit of %s" % (arguments,), 0, code)
        want_in("help", "usage: sendasctl", out)
        want("standard error", "", err)


def test_help_names_the_subcommands(place):
    out = run("--help")[1]
    want_in("help", "check", out)
    want_in("help", "session", out)


def test_version(place):
    code, out, _ = run("--version")
    want("exit", 0, code)
    want("first word", "sendasctl", out.split()[0])


def usage_rows(place):
    missing = os.path.join(place.path, "missing")
    bad = place.write("bad-headers", "From: ann@example.org\nno header field\n")
    fold = place.write("fold-first", " From: ann@example.org\n")
    return [
        ((), "a subcommand is missing"),
        (("frobnicate",), "there is no subcommand \"frobnicate\""),
        (("--frobnicate",), "there is no subcommand"),
        (("check",), "a login and at least one address"),
        (("check", "ann"), "a login and at least one address"),
        (("check", "--frobnicate", "ann", "a@b"), "frobnicate"),
        (("check", "--config"), "config"),
        (("session",), "--mail-from"),
        (("session", "--mail-from", "a@b"), "--rcpt is needed"),
        (("session", "--rcpt", "a@b"), "--mail-from"),
        (("session", *MESSAGE, "--raw-mail-from", "<a@b>"), "one of --mail-from"),
        (("session", *MESSAGE, "--mail-from", "b@b"), "--mail-from is given twice"),
        (("session", *MESSAGE, "--client", "300.0.0.1"), "300.0.0.1: that is no IP address"),
        (("session", *MESSAGE, "--client", "localhost"), "no IP address"),
        (("session", *MESSAGE, "--listener", ":0"), "a port is a number"),
        (("session", *MESSAGE, "--listener", ":65536"), "a port is a number"),
        (("session", *MESSAGE, "--listener", ":smtp"), "a port is a number"),
        (("session", *MESSAGE, "--listener", "non-smtp", "--client", "192.0.2.1"), "no --client"),
        (("session", *MESSAGE, "--mta", "exim"), "postfix and sendmail are known"),
        (("session", *MESSAGE, "--auth-type", "PLAIN"), "--auth-type needs --login"),
        (("session", *MESSAGE, "--socket", "s", "--config", "c"), "exclude each other"),
        (("session", *MESSAGE, "--headers", missing), "No such file"),
        (("session", *MESSAGE, "--headers", place.path), place.path),
        (("session", *MESSAGE, "--headers", bad), "bad-headers:2: no header field"),
        (("session", *MESSAGE, "--headers", fold), "fold-first:1: no header field"),
        (("session", *MESSAGE, "--frobnicate"), "frobnicate"),
        (("session", *MESSAGE, "y@example.com"), "what is \"y@example.com\"?"),
    ]


def test_usage_errors(place):
    for arguments, piece in usage_rows(place):
        code, out, err = run(*arguments)
        want("exit of %s" % (arguments,), 64, code)
        want("standard output of %s" % (arguments,), "", out)
        want_in("complaint about %s" % (arguments,), piece, err)


def test_output_that_cannot_be_written(place):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SENDASCTL, "--help"], stdout=full, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
    want("exit", 75, done.returncode)


# ---- check ----

CHECKS = [
    # login, address, exit, text after the address
    ("ann", "ann@example.org", 0, 'yes, by "ann@example.org" in {senders}:1 (directory staff, senders)'),
    ("ann", "<ann@example.org>", 0, 'yes, by "ann@example.org"'),
    ("ann", "ANN@Example.ORG", 0, 'yes, by "ann@example.org"'),
    ("ann", "ann+tag@example.org", 0, 'yes, by "ann@example.org"'),
    ("ann", '"ann lee"@example.org', 0, "yes, by"),
    ("ann", "any@ann.example", 0, 'yes, by "@ann.example" in {senders}:3'),
    ("ann", "any@x.deep.example", 0, 'yes, by "@.deep.example" in {senders}:4'),
    ("boss", "any@example.net", 0, 'yes, by "*" in {senders}:7'),
    ("root", "root", 0, 'yes, by "root"'),
    ("bob", "sales@example.org", 0, "yes"),
    ("ann@old.example", "ann@example.org", 0, "yes"),
    ("ann@example.org", "ann@example.org", 0, "yes"),
    ("ann", "bob@example.org", 1, "no, sender-not-granted"),
    ("ann", "any@sub.ann.example", 1, "no, sender-not-granted"),
    ("boss", "root", 1, "no, sender-not-granted"),
    ("ann", "chief@example.org", 1, 'no, sender-not-granted: on behalf only, by "chief@example.org" '
     'in {senders}:8: may be in From, beside a Sender that is granted'),
    ("ann", "chief+x@example.org", 1, 'no, sender-not-granted: on behalf only, by "chief@example.org"'),
    ("ann", "any@chief.example", 1, 'no, sender-not-granted: on behalf only, by "@chief.example" in'),
    ("ann", "chief@example.com", 1, "no, sender-not-granted\n"),
    ("ann", "lists+x@example.org", 1, "no, sender-not-granted\n"),
    ("bob", "chief@example.org", 1, "no, sender-not-granted\n"),
    ("bob", "any@chief.example", 0, 'yes, by "@chief.example"'),
    ("bob", "lists+*@example.org", 0, 'yes, by "lists+*@example.org"'),
    ("on-behalf:ann", "chief@example.org", 1, "no, login-unknown"),
    ("net:10.0.0.0/8", "chief@example.org", 1, "no, login-unknown"),
    ("cert:my", "chief@example.org", 1, "no, login-unknown"),
    ("eve", "ann@example.org", 1, "no, login-unknown"),
    ("ann ", "ann@example.org", 1, "no, login-unknown: "),
    ("", "ann@example.org", 1, "no, login-unknown"),
    ("ann", "ann@@example.org", 1, "no, sender-malformed: "),
    ("ann", "ann(x)@example.org", 1, "no, sender-malformed: "),
    ("ann", "", 1, "no, sender-malformed"),
    ("ann", "<>", 1, "no, null-sender"),
]


def test_check_rows(place):
    senders = os.path.join(place.path, "senders")
    for login, address, code, text in CHECKS:
        got = run("check", "--config", place.config, login, address)
        row = "check %r %r" % (login, address)
        want("exit of " + row, code, got[0])
        want_in(row, "%s: %s" % (address, text.format(senders=senders)), got[1])
        want("lines of " + row, 1, got[1].count("\n"))


def test_check_several(place):
    code, out, _ = run("check", "--config", place.config, "ann", "ann@example.org", "b@example.org")
    want("exit", 1, code)
    want("lines", 2, out.count("\n"))


def test_check_json(place):
    code, out, _ = run("check", "--json", "--config", place.config, "Ann", "ann@example.org",
                       "b@example.org")
    answer = json.loads(out)
    want("exit", 1, code)
    want("login", "Ann", answer["login"])
    want("normalised", "ann@example.org", answer["normalised"])
    yes, no = answer["addresses"]
    want("answer", "yes", yes["answer"])
    want("reason", None, yes["reason"])
    want("grant", {"directory": "staff", "attribute": "senders", "value": "ann@example.org",
                   "entry": os.path.join(place.path, "senders") + ":1"}, yes["grant"])
    want("answer", "no", no["answer"])
    want("reason", "sender-not-granted", no["reason"])
    want("grant", None, no["grant"])


def test_check_json_of_bytes_that_are_not_utf8(place):
    done = subprocess.run([SENDASCTL, "check", "--json", "--config", place.config, b"ann\xe9",
                           "ann@example.org"], capture_output=True, timeout=TIMEOUT, check=False)
    want("exit", 1, done.returncode)
    want("login", "ann\u00e9", json.loads(done.stdout)["login"])


def test_check_config_faults(place):
    bad = place.write("bad", "no_such_option = 1\n")
    code, out, err = run("check", "--config", bad, "ann", "ann@example.org")
    want("exit", 78, code)
    want("standard output", "", out)
    want_in("complaint", bad + ":1: ", err)


def test_check_missing_config(place):
    missing = os.path.join(place.path, "missing")
    code, _, err = run("check", "--config", missing, "ann", "ann@example.org")
    want("exit", 78, code)
    want_in("complaint", missing, err)


# ---- session, against a milter that does as it is told ----

def test_session_accepted(place):
    code, out, err, milter = play(place, *MESSAGE, "--from", "Ann <ann@example.org>")
    want("exit", 0, code)
    want("standard error", "", err)
    want("last line", "accepted", out.splitlines()[-1])
    want("steps", ["connect", "helo", "mail", "rcpt", "header", "eom", "accepted"],
         [line.split()[0] for line in out.splitlines()])
    want("argument of MAIL", [b"<ann@example.org>\0"], milter.sent(b"M"))
    want("argument of RCPT", [b"<x@example.com>\0"], milter.sent(b"R"))
    want("From", b"From\0Ann <ann@example.org>\0", milter.sent(b"L")[0])
    want("other fields", [b"To", b"Subject", b"Date", b"Message-ID"],
         [data.split(b"\0")[0] for data in milter.sent(b"L")[1:]])


def test_session_refused_at_the_end(place):
    code, out, _, _ = play(place, *MESSAGE, replies={"E": [b"y550 5.7.1 from-not-granted: no\0"]})
    want("exit", 1, code)
    want("last line", "refused at eom: 550 5.7.1 from-not-granted: no", out.splitlines()[-1])


def test_session_refused_for_now(place):
    code, out, _, _ = play(place, *MESSAGE, replies={"E": [b"t"]})
    want("exit", 1, code)
    want_in("text", "451 4.7.1 Service unavailable - try again later", out)


def test_session_ends_where_all_recipients_are_refused(place):
    code, out, _, milter = play(place, *MESSAGE, "--rcpt", "y@example.com",
                                replies={"R": [b"r"]})
    want("exit", 1, code)
    want("recipients", 2, len(milter.sent(b"R")))
    want("headers", [], milter.sent(b"L"))
    want("last line", "refused at rcpt: 550 5.7.1 Command rejected", out.splitlines()[-1])


def test_session_goes_on_with_one_recipient(place):
    class Once(dict):
        def get(self, key, default=None):
            return self.pop(key, default)
    code, out, _, milter = play(place, *MESSAGE, "--rcpt", "y@example.com",
                                replies=Once(R=[b"r"]))
    want("exit", 0, code)
    want("last line", "accepted for 1 of 2 recipients", out.splitlines()[-1])
    want("queue id from the second accepted recipient on", "SENDASCTL",
         milter.macros(b"E").get("i"))


def test_session_refused_at_mail(place):
    code, _, _, milter = play(place, *MESSAGE, replies={"M": [b"r"]})
    want("exit", 1, code)
    want("recipients", [], milter.sent(b"R"))


def test_session_reply_of_two_lines(place):
    code, out, _, _ = play(place, *MESSAGE, replies={"R": [b"y550-5.7.1 50%% no\r\n550 5.7.1 \x1b!\0"]})
    want("exit", 1, code)
    want_in("step", "550-5.7.1 50% no\n           550 5.7.1 ?!\n", out)
    want("last line", "refused at rcpt: 550-5.7.1 50% no 550 5.7.1 ?!", out.splitlines()[-1])


def test_session_json_reply_of_two_lines(place):
    _, out, _, _ = play(place, *MESSAGE, "--json", replies={"R": [b"y550-5.7.1 no\r\n550 5.7.1 see\0"]})
    answer = json.loads(out)
    want("text", "550-5.7.1 no\r\n550 5.7.1 see", answer["text"])
    want("step", "550-5.7.1 no\r\n550 5.7.1 see", answer["steps"][-1]["text"])


def test_session_changes_are_shown(place):
    code, out, _, _ = play(place, *MESSAGE, replies={"E": [
        b"hX-A\0b;\n c\x1b\0", b"m\0\0\0\2Sender\0\0", b"qheld\0", b"e<a@b>\0", b"c"]})
    want("exit", 0, code)
    want_in("text", "\nchange: add X-A b;\n            c?\nchange: remove Sender 2\n"
                    "change: hold held\nchange: mail <a@b>\neom        continue\naccepted\n", out)


def test_session_changes_of_a_refused_message(place):
    code, out, _, _ = play(place, *MESSAGE, replies={"E": [b"hX-A\0b\0", b"r"]})
    want("exit", 1, code)
    want_in("text", "\nchange: add X-A b\neom        550 5.7.1 Command rejected\n", out)


def test_session_no_answer_expected(place):
    _, out, _, _ = play(place, *MESSAGE, steps=0x1000 | 0x2)
    want_in("text", "connect    192.0.2.1: not asked\n", out)
    want_in("text", "helo", out)


def test_session_nobody_listens(place):
    code, out, _ = run("session", "--socket", "unix:" + place.socket, *MESSAGE)
    want("exit", 75, code)
    want_in("text", "no-answer", out)
    want_in("text", "No such file or directory", out)


def test_session_hangs_up(place):
    code, out, _, _ = play(place, *MESSAGE, hang_up_at="R")
    want("exit", 75, code)
    want_in("text", "no-answer at rcpt: ", out)


def test_session_json(place):
    code, out, _, _ = play(place, *MESSAGE, "--json",
                           replies={"E": [b"hX-A\0b\0", b"y553 5.7.1 no\0"]})
    answer = json.loads(out)
    want("exit", 1, code)
    want("verdict", "refused", answer["verdict"])
    want("step", "eom", answer["step"])
    want("text", "553 5.7.1 no", answer["text"])
    want("steps", ["connect", "helo", "mail", "rcpt", "header", "eom"],
         [step["step"] for step in answer["steps"]])
    want("changes", ["add X-A b"], answer["steps"][-1]["changes"])


def test_session_json_without_answer(place):
    code, out, _ = run("session", "--json", "--socket", "unix:" + place.socket, *MESSAGE)
    want("exit", 75, code)
    want("verdict", "no-answer", json.loads(out)["verdict"])


def test_session_login(place):
    macros = play(place, *MESSAGE, "--login", "ann=(x)")[3].macros(b"M")
    want("login", "ann=(x)", macros.get("{auth_authen}"))
    want("type", "PLAIN", macros.get("{auth_type}"))
    want("queue id at MAIL", None, macros.get("i"))


def test_session_without_login(place):
    macros = play(place, *MESSAGE)[3].macros(b"M")
    want("login", None, macros.get("{auth_authen}"))
    want("type", None, macros.get("{auth_type}"))


def test_session_auth_type(place):
    macros = play(place, *MESSAGE, "--login", "ann", "--auth-type", "CRAM-MD5")[3].macros(b"M")
    want("type", "CRAM-MD5", macros.get("{auth_type}"))


def test_session_sendmail(place):
    milter = play(place, *MESSAGE, "--login", "ann (x)=\u00fc", "--mta", "sendmail")[3]
    want("version", None, milter.macros(b"C").get("v"))
    want("login", "ann+20+28x+29+3D+C3+BC", milter.macros(b"M").get("{auth_authen}"))
    want("queue id at MAIL", "SENDASCTL", milter.macros(b"M").get("i"))


def test_session_postfix(place):
    want("version", "Postfix 3.7.11", play(place, *MESSAGE)[3].macros(b"C").get("v"))


SENDERS_TYPED = [
    # argument, sent, {mail_addr} of Postfix, of Sendmail
    ("ann@example.org", "<ann@example.org>", "ann@example.org", "ann@example.org"),
    ("", "<>", "", ""),
    ("<>", "<>", "", ""),
    ("<Ann@Example.org>", "<Ann@Example.org>", "ann@example.org", "Ann@Example.org"),
    ('"ann"@example.org', '<"ann"@example.org>', "ann@example.org", '"ann"@example.org'),
    ('"a b"@example.org', '<"a b"@example.org>', '"a b"@example.org', '"a b"@example.org'),
    ("<@a,@b:ann@example.org>", "<@a,@b:ann@example.org>", "ann@example.org", "ann@example.org"),
    ("ann@b\u00fccher.example", "<ann@b\u00fccher.example>", "ann@b\u00fccher.example",
     "ann@b\u00fccher.example"),
]


def test_session_senders(place):
    for argument, sent, postfix, sendmail in SENDERS_TYPED:
        for mta, address in (("postfix", postfix), ("sendmail", sendmail)):
            milter = play(place, "--mail-from", argument, "--rcpt", "x@example.com",
                          "--mta", mta)[3]
            want("argument of %r" % argument, [sent.encode() + b"\0"], milter.sent(b"M"))
            want("{mail_addr} of %r, %s" % (argument, mta), address,
                 milter.macros(b"M").get("{mail_addr}"))


def test_session_raw_sender(place):
    milter = play(place, "--raw-mail-from", "ann@example.org (x)", "--rcpt", "x@example.com")[3]
    want("argument", [b"ann@example.org (x)\0"], milter.sent(b"M"))


LISTENERS = [
    # arguments, {daemon_name}, address and port of the client as sent
    (("--listener", "ORIGINATING"), "ORIGINATING", b"4\x9c\x40192.0.2.1\0"),
    (("--listener", "non-smtp"), None, b"4\x00\x00127.0.0.1\0"),
    (("--client", "2001:db8::1"), "", b"6\x9c\x402001:db8::1\0"),
]


def test_session_listeners(place):
    for arguments, name, address in LISTENERS:
        milter = play(place, *MESSAGE, *arguments)[3]
        got = milter.macros(b"C").get("{daemon_name}")
        if name != "":
            want("{daemon_name} of %s" % (arguments,), name, got)
        want_in("connect of %s" % (arguments,), address, milter.sent(b"C")[0])


def test_session_headers_file(place):
    path = place.write("headers", "From: Ann\n <ann@example.org>\r\nX-Odd : 1\n\nFrom: body\n")
    milter = play(place, *MESSAGE, "--headers", path)[3]
    want("fields", [b"From\0Ann\n <ann@example.org>\0", b"X-Odd\x001\0"], milter.sent(b"L"))


def test_session_headers_file_after_from(place):
    path = place.write("headers", "Subject: x\n")
    milter = play(place, *MESSAGE, "--from", "a@b", "--from", "c@d", "--headers", path)[3]
    want("fields", [b"From\0a@b\0", b"From\0c@d\0", b"Subject\0x\0"], milter.sent(b"L"))


def test_session_socket_of_the_configuration(place):
    milter = Milter(place.socket)
    code, out, _ = run("session", "--config", place.config, *MESSAGE)
    milter.end()
    want("exit", 0, code)
    want("last line", "accepted", out.splitlines()[-1])


def test_session_config_faults(place):
    bad = place.write("bad", "no_such_option = 1\n")
    code, _, err = run("session", "--config", bad, *MESSAGE)
    want("exit", 78, code)
    want_in("complaint", bad + ":1: ", err)


# ---- session, against the daemon ----

DAEMON_ROWS = [
    # arguments, exit, piece of the last line
    (("--login", "ann", "--mail-from", "ann@example.org", "--from", "ann@example.org"), 0,
     "accepted"),
    (("--login", "ann", "--mail-from", "bob@example.org", "--from", "ann@example.org"), 1,
     "refused at rcpt: 553 5.7.1 sender-not-granted"),
    (("--login", "ann", "--mail-from", "ann@example.org", "--from", "bob@example.org"), 1,
     "refused at eom: 550 5.7.1 from-not-granted"),
    (("--login", "ann", "--mail-from", "ann@example.org"), 1,
     "refused at eom: 550 5.6.0 from-missing"),
    (("--login", "ann", "--mail-from", "ann@example.org", "--from", "ann@example.org", "--from",
      "ann@example.org"), 1, "refused at eom: 550 5.6.0 from-duplicate"),
    (("--login", "ann", "--mail-from", "", "--from", "ann@example.org"), 1,
     "refused at eom: 550 5.7.1 null-sender"),
    (("--login", "eve", "--mail-from", "ann@example.org", "--from", "ann@example.org"), 1,
     "refused at rcpt: 550 5.7.1 login-unknown"),
    (("--login", "ann", "--mta", "sendmail", "--mail-from", "ann@example.org", "--from",
      "ann@example.org"), 0, "accepted"),
    (("--listener", ":587", "--mail-from", "ann@example.org"), 1,
     "refused at rcpt: 530 5.7.0 auth-required"),
    (("--listener", "non-smtp", "--mail-from", "ann@example.org"), 0, "accepted"),
]


def start_daemon(place):
    log = open(os.path.join(place.path, "log"), "wb")
    with log:
        daemon = subprocess.Popen([SENDAS_MILTER, "-f", "-c", place.config], stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL)
    end = time.monotonic() + TIMEOUT
    while not os.path.exists(place.socket):
        if daemon.poll() is not None or time.monotonic() > end:
            with open(log.name, encoding="utf-8", errors="replace") as text:
                raise Failure("the daemon did not start: " + text.read())
        time.sleep(0.01)
    return daemon


def test_session_with_the_daemon(place):
    daemon = start_daemon(place)
    try:
        for arguments, code, piece in DAEMON_ROWS:
            got = run("session", "--config", place.config, "--rcpt", "x@example.com", *arguments)
            want("exit of %s" % (arguments,), code, got[0])
            want_in("last line of %s" % (arguments,), piece, got[1].splitlines()[-1])
    finally:
        daemon.send_signal(signal.SIGTERM)
        want("end of the daemon", 0, daemon.wait(TIMEOUT))


def test_session_long_reply_of_the_daemon(place):
    with open(place.config, "a", encoding="utf-8") as file:
        file.write('reply "sender-not-granted" { text = "no, %{login}\\nask\\nthe boss" }\n')
    daemon = start_daemon(place)
    try:
        out = run("session", "--config", place.config, "--login", "ann", "--mail-from",
                  "bob@example.org", "--rcpt", "x@example.com")[1]
        want_in("step", ": 553-5.7.1 sender-not-granted: no, ann@example.org\n"
                        "           553-5.7.1 ask\n           553 5.7.1 the boss\n", out)
        want("last line", "refused at rcpt: 553-5.7.1 sender-not-granted: no, ann@example.org "
                          "553-5.7.1 ask 553 5.7.1 the boss", out.splitlines()[-1])
    finally:
        daemon.send_signal(signal.SIGTERM)
        want("end of the daemon", 0, daemon.wait(TIMEOUT))


CHANGING = """policy "changing" {
  header_from = "rewrite"
  header_sender = "remove"
  display_name = "quarantine"
  trace_header = "X-Sent-By"
}
"""
CHANGED = [
    "remove X-Sent-By 1",
    "set From 1 Bob <ann@example.org>",
    "add X-Original-From Bob <bob@example.org>",
    "add Reply-To Bob <bob@example.org>",
    "remove Sender 1",
    "hold sendas-milter: display-name-address",
    "insert X-Sent-By 0 sasl=\"ann@example.org\";\n policy=\"changing\"",
]


def test_session_changes_of_the_daemon(place):
    with open(place.config, "a", encoding="utf-8") as file:
        file.write(CHANGING)
    headers = place.write("headers", "X-Sent-By: me\nSender: \"x@y.example\" <bob@example.org>\n")
    arguments = ("session", "--config", place.config, "--login", "ann", "--headers", headers, *MESSAGE,
                 "--from", "Bob <bob@example.org>")
    daemon = start_daemon(place)
    try:
        code, out, _ = run(*arguments)
        want("exit", 0, code)
        want("lines", ["change: " + text.split("\n")[0] for text in CHANGED],
             [line for line in out.splitlines() if line.startswith("change: ")])
        want_in("fold", "policy=\"changing\"\neom        continue\naccepted\n", out)
        step = json.loads(run(*arguments, "--json")[1])["steps"][-1]
        want("step", "eom", step["step"])
        want("changes", CHANGED, step["changes"])
    finally:
        daemon.send_signal(signal.SIGTERM)
        want("end of the daemon", 0, daemon.wait(TIMEOUT))


def main():
    tests = [(name[len("test_"):].replace("_", " "), function)
             for name, function in globals().items() if name.startswith("test_")]
    failed = 0
    print("1..%d" % len(tests))
    for number, (name, function) in enumerate(tests, 1):
        place = Place()
        try:
            function(place)
            print("ok %d - %s" % (number, name))
        except (Failure, OSError, ValueError, KeyError, IndexError,
                subprocess.TimeoutExpired) as error:
            failed += 1
            print("not ok %d - %s\n# %s" % (number, name, str(error).replace("\n", "\n# ")))
        finally:
            place.remove()
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
