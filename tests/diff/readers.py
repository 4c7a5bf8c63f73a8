"""Who reads a From field: the project's parser, GMime, and two that come with Python.

A reading is a list of (address, name); an address is (local part without quotes, domain in lower
case and as A-labels), the domain "" where there is none.
"""
import email
import email.errors
import email.header
import email.policy
import email.utils
import inspect
import ipaddress
import re
import subprocess
import unicodedata

FOUND_ERRORS = (email.errors.MessageError, ArithmeticError, AttributeError, LookupError,
                RecursionError, TypeError, ValueError)


# ---- addresses ----

def a_label(label):
    """As IDNA2008 has it; nothing is mapped but letter case."""
    label = unicodedata.normalize("NFC", label.lower())
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def as_utf8(text):
    """Octets that a reader could not decode are given as they came: UTF-8, where they are that."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def make_domain(text):
    if re.fullmatch(r"\[ipv6:[^]]*\]", text, re.IGNORECASE):
        try:
            return "[ipv6:%s]" % ipaddress.IPv6Address(text[6:-1])
        except ValueError:
            return text.lower()
    try:
        return ".".join(map(a_label, text.split(".")))
    except UnicodeError:
        return text.lower()


def make_local(text):
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def make_address(text):
    local, at, domain = as_utf8(text).rpartition("@")
    return (make_local(local), make_domain(domain)) if at else (make_local(domain), "")


# ---- programs ----

def ask(command, values):
    """The lines that a program answers, one a value."""
    done = subprocess.run(command, input=b"".join(v.hex().encode() + b"\n" for v in values),
                          stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().splitlines()
    if done.returncode != 0 or len(lines) != len(values):
        raise RuntimeError("%s: exit status %d, %d answers to %d cases" % (
            command[-1], done.returncode, len(lines), len(values)))
    return lines


def text_of(digits):
    return bytes.fromhex(digits).decode("utf-8", "surrogateescape")


class Ours:
    """The answer of core_reader."""

    def __init__(self, line):
        kind, *rest = line.split("\t")
        self.accepted = kind == "accepted"
        self.why = None if self.accepted else rest[0]
        if self.accepted:
            self.address = (text_of(rest[0]), rest[1] and text_of(rest[1]))
            self.direction, self.has_name = rest[2] == "1", rest[3] == "1"
            self.shown = [text_of(part) for part in rest[4:]]


def read_core(values):
    return [Ours(line) for line in ask(["tests/diff/core_reader"], values)]


def gmime_reading(part):
    pairs = (one.split(":") for one in part.split(",") if one)
    return [(make_address(text_of(address)), text_of(name)) for address, name in pairs]


def read_gmime(values):
    """Two readings a value, loose and strict."""
    parts = [line.split("\t") for line in ask(["tests/diff/gmime_reader"], values)]
    return [gmime_reading(loose) for loose, _ in parts], [gmime_reading(s) for _, s in parts]


# ---- Python ----

def message(value):
    return b"To: x@x.example\nFrom:" + (b"" if value[:1] == b"\n" else b" ") + value + b"\n\n"


def read_policy(value):
    """As policy.default has it, which reads by a grammar. None where it fails."""
    try:
        found = email.message_from_bytes(message(value), policy=email.policy.default)["From"]
        return [((as_utf8(one.username), make_domain(as_utf8(one.domain))), one.display_name)
                for one in found.addresses] if found else []
    except FOUND_ERRORS:
        return None


def decoded(name):
    """What is not ASCII stands aside meanwhile: Python would give it back as escapes."""
    aside = re.sub("[^\0-\x7f]", lambda match: "\1%x\2" % ord(match.group()), name)
    try:
        text = str(email.header.make_header(email.header.decode_header(aside)))
    except FOUND_ERRORS:
        return name
    return re.sub("\1([0-9a-f]+)\2", lambda match: chr(int(match.group(1), 16)), text)


# Newer versions by default answer "nobody" where the others guess: these are the ones that differ.
GUESS = {"strict": False} if "strict" in inspect.signature(email.utils.getaddresses).parameters \
    else {}


def read_utils(value):
    """As programs did before there were policies. None where it fails."""
    try:
        found = email.message_from_string(message(value).decode("utf-8", "replace"))
        pairs = email.utils.getaddresses(found.get_all("From", []), **GUESS)
        return [(make_address(address), decoded(name)) for name, address in pairs]
    except FOUND_ERRORS:
        return None


READERS = ("gmime, loose", "gmime, strict", "python, policy.default", "python, getaddresses")


def read_all(values):
    """A dictionary a value: the reader's name, and what it read."""
    loose, strict = read_gmime(values)
    columns = loose, strict, map(read_policy, values), map(read_utils, values)
    return [dict(zip(READERS, readings)) for readings in zip(*columns)]


# ---- addresses in names ----

IGNORABLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
                       "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
                       "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
LOCAL_MAX = 130  # a local part of 64, each octet with a backslash, and quotes
QUOTED = re.compile(r'(?<!\\)"(?:[^"\\]|\\.)*"$')
ATOMS = re.compile(r"""[\w.!#$%&'*+/=?^`{|}~-]+["\\]*$""")
DOMAIN = re.compile(r"[\w.-]*")


def normal(text):
    text = IGNORABLE.sub("", text).replace("\u3002", ".")
    return IGNORABLE.sub("", unicodedata.normalize("NFKC", text)).replace("\u3002", ".")


def is_domain(text):
    """A dot, and a top label of two or more characters that begins with a letter."""
    top = text.rpartition(".")[2]
    return "." in text and len(top) > 1 and top[0].isalpha()


def shown_in(name):
    """The addresses that a name shows, by code of its own: lib/shown.h has the words."""
    text = normal(as_utf8(name))
    for at in (i for i, c in enumerate(text) if c == "@"):
        before = text[max(0, at - LOCAL_MAX):at]
        local = QUOTED.search(before) or ATOMS.search(before)
        domain = DOMAIN.match(text, at + 1).group().rstrip("._-")
        local = local.group().lstrip("'`*|/=~.") if local else ""
        if local and is_domain(domain):
            yield "%s@%s" % (local, domain)
