"""Values of From fields: written by a grammar, or rows of the corpus taken apart and put together
wrongly. The same seed gives the same values.
"""
import base64
import json
import random
import re

# What a field consists of, as a reader or an attacker sees it.
TOKEN = re.compile(
    rb'=\?[^?\s]*\?[^?]*\?[^?]*\?=|"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|\n[ \t]+|[ \t]+'
    rb'|[^\s<>@,;:().\[\]\\"]+|.', re.DOTALL)

OWN = b"alice@example.com"
ADDRESSES = (
    OWN, OWN, OWN, b"victim@bank.example", b"ALICE@Example.COM", b"alice+tag@example.com",
    b'"alice"@example.com', b'"alice smith"@example.com', b'"al\\ice"@example.com',
    b'"a\\"b"@example.com', b'"a@b"@example.com', b'"victim@bank.example"@example.com',
    b'"alice,victim"@example.com', b'"<victim@bank.example>"@example.com', b'"(a)"@example.com',
    b'""@example.com', b"a.b.c@sub.example.com", b"alice@[192.0.2.1]", b"alice@[IPv6:2001:db8::1]",
    "alice@b\u00fccher.example".encode(), b"alice@xn--bcher-kva.example",
    "\u7528\u6237@example.com".encode(), "alice@fa\u00df.example".encode(),
    b"!#$%&'*+-/=?^_`{|}~@example.com", b"=?utf-8?q?alice?=@example.com",
    b"alice@=?utf-8?q?example.com?=", b"alice", b"@example.com", b"alice@", b"alice@localhost",
    b"alice@example.com.", b"alice@exam_ple.com", b"a..b@example.com", b".a@example.com",
    b"alice@bank.example@example.com", b"bank.example!victim@example.com",
    b"victim%bank.example@example.com",
)
WORDS = (b"Alice", b"Smith", b"B.", b"Jr.", b"Sales", b"/", b"&", b"'Al'", b"3", b"via", b"=", b"?",
         "J\u00fcrgen".encode(), "\u7530\u4e2d".encode(), b"J\xfcrgen", b"\x93A\x94", b"at", b"dot",
         b"=?", b"?=", b"=?utf-8?q?", b"\xef\xbc\xa0", b"undisclosed-recipients",
         b"=?utf-8?q?=40?=")
SPECIALS = (b"<", b">", b"@", b",", b";", b":", b"(", b")", b"[", b"]", b"\\", b'"', b".", b"<>",
            b"<@", b'\\"', b"\\(", b"\\)", b'""', b"()", b">,", b",<", b"::", b":;", b"(\\", b'"\\')
BLANKS = (b" ", b" ", b" ", b"\t", b"\n ", b"  ")
EMPTY_LINE = re.compile(rb"(?:\n[ \t]*)+\n[ \t]")
ODD = (b"\n", b"\r", b"\r\n ", b"\n \n ", b"\0", b"\x01", b"\x7f", b"\x1b", b"\x0b", b"\x0c",
       b"\x80", b"\xff", b"\xc0\xbc", b"\xc2\xa0", b"\xe2\x80\xae", b"\xe2\x80\x8b",
       b"\xef\xbb\xbf",
       b"\xe3\x80\x82", b"\xc2\xad", b"\xef\xbc\x9c", b"\xef\xbc\x8c")
ROUTES = (b"@hop.example:", b"@a.example,@b.example:", b"@bank.example,", b"@:")
CHARSETS = (b"utf-8", b"UTF-8", b"iso-8859-1", b"us-ascii", b"windows-1252", b"utf-8*en", b"utf-7",
            b"iso-2022-jp", b"gb2312", b"utf-16", b"x-unknown", b"", b"koi8-r", b"shift_jis")
HIDDEN = ("Alice", "J\u00fcrgen M\u00fcller", "victim@bank.example", "Alice <victim@bank.example>",
          "Smith, Alice", '"', '" <victim@bank.example>', "\u7530\u4e2d \u592a\u90ce",
          "a\r\nFrom: b", "\0", "victim\uff20bank.example", "victim@bank\u3002example",
          "\u202ealice", "(", ")",
          "victim@bank.exam\u200dple", ",", ";", "alice@example.com", "@", "ceo@", "bank.example")


# What readers were seen to take apart differently.
HARD = (
    b"=?utf-8?q?Victim <alice?=@example.com>", b"Victim =?utf-8?q?<?=alice@example.com>",
    b'=?utf-8?q?CEO"?= <ceo@bank.example> "<alice@example.com>',
    b"=?utf-8?q? =?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <alice@example.com>",
    b"=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= =?utf-8?b?LmV4YW1wbGUuY29t?= <alice@example.com>",
    b"=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ?= <alice@example.com>",
    b'alice"victim@bank.example" <alice@example.com>',
    b"alice=?utf-8?q?victim=40bank.example?= <alice@example.com>",
    b"alice@example.com (=?utf-8?q?victim?=) (=?utf-8?q?=40bank.example?=)",
    b"alice@example.com (=?utf-8?q?victim?=(=?utf-8?q?=40bank.example?=))",
    b'"victim@b\xc3\xbccher.example" \xfc <alice@example.com>',
    b"=?us-ascii?q?victim=40bank=E3=80=82example?= <alice@example.com>",
)
SEED_MAX = 500  # octets: the few longer ones would take all the time


def load_values(path):
    """The From fields of the corpus, and those like them, as octets; and the hard ones."""
    values = list(HARD)
    with open(path, encoding="utf-8") as rows:
        for row in map(json.loads, filter(str.strip, rows)):
            encoding = "latin-1" if row.get("enc") == "latin1" else "utf-8"
            for name, value in row["headers"]:
                if name.strip().lower() in ("from", "sender", "resent-from"):
                    values.append(value.encode(encoding, "surrogatepass"))
    return [value for value in values if len(value) <= SEED_MAX]


def encoded_word(rng, text):
    """text is str, or octets that are taken as they are."""
    charset = rng.choice(CHARSETS) if rng.random() < 0.5 else b"utf-8"
    if isinstance(text, str):
        try:
            text = text.encode(charset.split(b"*")[0].decode() or "utf-8")
        except (LookupError, UnicodeEncodeError):
            text = text.encode()
    if rng.random() < 0.5:
        body, kind = base64.b64encode(text), rng.choice((b"B", b"b"))
        if rng.random() < 0.1:
            body = body.rstrip(b"=")
    else:
        body, kind = b"".join(q_octet(rng, octet) for octet in text), rng.choice((b"Q", b"q"))
    return b"=?" + charset + b"?" + kind + b"?" + body + b"?="


def q_octet(rng, octet):
    if octet == 0x20:
        return b"_"
    plain = 0x21 <= octet < 0x7f and octet not in b"=?_"
    safe = chr(octet).isalnum() and octet < 0x7f
    if safe or (plain and rng.random() < 0.2):
        return bytes([octet])
    return b"=%02X" % octet


class Grammar:
    """RFC 5322 and what people write, most of it well formed."""

    def __init__(self, rng):
        self.rng = rng

    def some(self, likely, *rules):
        return self.rng.choice(rules)() if self.rng.random() < likely else b""

    def blank(self):
        return self.rng.choice(BLANKS)

    def cfws(self):
        return self.rng.choice((lambda: b"", self.blank, self.blank, lambda:
                                self.blank() + self.comment() + self.some(0.5, self.blank)))()

    def text(self):
        rng = self.rng
        return rng.choice((lambda: rng.choice(WORDS), lambda: rng.choice(WORDS),
                           lambda: rng.choice(SPECIALS), lambda: rng.choice(ADDRESSES),
                           lambda: encoded_word(rng, rng.choice(HIDDEN)), self.blank))()

    def comment(self, depth=0):
        inner = b"".join(self.text() for _ in range(self.rng.randint(0, 3)))
        inner = re.sub(rb"[()\\]", rb"\\\g<0>", inner)
        if depth < 2 and self.rng.random() < 0.15:
            inner += self.comment(depth + 1)
        return b"(" + inner + b")"

    def quoted(self):
        inner = b"".join(self.text() for _ in range(self.rng.randint(0, 3)))
        return b'"' + re.sub(rb'["\\]', rb"\\\g<0>", inner) + b'"'

    def word(self):
        rng = self.rng
        return rng.choice((lambda: rng.choice(WORDS), lambda: rng.choice(WORDS), self.quoted,
                           lambda: encoded_word(rng, rng.choice(HIDDEN))))()

    def phrase(self):
        words = [self.word() for _ in range(self.rng.choice((1, 1, 2, 2, 3)))]
        return b"".join(w + self.rng.choice((b" ", b" ", self.cfws())) for w in words)

    def address(self):
        return self.rng.choice(ADDRESSES) if self.rng.random() < 0.4 else OWN

    def angle(self):
        route = self.rng.choice(ROUTES) if self.rng.random() < 0.04 else b""
        inner = self.some(0.08, self.blank) + route + self.address() + self.some(0.08, self.blank)
        return b"<" + inner + b">"

    def mailbox(self):
        return self.rng.choice((
            lambda: self.phrase() + self.angle(), lambda: self.phrase() + self.angle(),
            lambda: self.cfws() + self.angle() + self.cfws(),
            lambda: self.phrase() + self.cfws() + self.angle() + self.cfws(),
            lambda: self.cfws() + self.address() + self.cfws(),
            lambda: self.address() + b" " + self.angle()))()

    def group(self):
        members = b",".join(self.mailbox() for _ in range(self.rng.randint(0, 2)))
        return self.phrase() + b":" + members + b";"

    def field(self):
        roll = self.rng.random()
        if roll < 0.88:
            return self.mailbox()
        if roll < 0.93:
            return self.group()
        return b",".join(self.some(0.8, self.mailbox) for _ in range(self.rng.randint(2, 3)))


class Mutator:
    """One step away from what somebody wrote."""

    def __init__(self, rng):
        self.rng = rng
        self.steps = (self.swap, self.drop, self.double, self.replace, self.insert, self.insert,
                      self.wrap, self.encode, self.escape, self.glue, self.move, self.spoil)

    def piece(self):
        rng = self.rng
        return rng.choice((
            lambda: rng.choice(SPECIALS), lambda: rng.choice(SPECIALS), lambda: rng.choice(BLANKS),
            lambda: rng.choice(ODD), lambda: rng.choice(WORDS), lambda: rng.choice(ADDRESSES),
            lambda: rng.choice(ROUTES), lambda: Grammar(rng).comment(),
            lambda: Grammar(rng).quoted(), lambda: encoded_word(rng, rng.choice(HIDDEN))))()

    def at(self, tokens):
        return self.rng.randrange(len(tokens))

    def swap(self, tokens):
        i, k = self.at(tokens), self.at(tokens)
        tokens[i], tokens[k] = tokens[k], tokens[i]

    def drop(self, tokens):
        del tokens[self.at(tokens)]

    def double(self, tokens):
        i = self.at(tokens)
        tokens.insert(i, tokens[i])

    def replace(self, tokens):
        tokens[self.at(tokens)] = self.piece()

    def insert(self, tokens):
        tokens.insert(self.rng.randint(0, len(tokens)), self.piece())

    def wrap(self, tokens):
        first, last = self.rng.choice(((b'"', b'"'), (b"(", b")"), (b"<", b">"), (b"[", b"]"),
                                       (b"=?utf-8?q?", b"?="), (b":", b";"), (b"'", b"'")))
        i, k = sorted((self.at(tokens), self.at(tokens)))
        tokens.insert(k + 1, last)
        tokens.insert(i, first)

    def encode(self, tokens):
        i = self.at(tokens)
        tokens[i] = encoded_word(self.rng, tokens[i])

    def escape(self, tokens):
        i = self.at(tokens)
        tokens[i] = b"\\" + tokens[i]

    def glue(self, tokens):
        blanks = [i for i, token in enumerate(tokens) if not token.strip()]
        if blanks:
            del tokens[self.rng.choice(blanks)]

    def move(self, tokens):
        token = tokens.pop(self.at(tokens))
        tokens.insert(self.rng.randint(0, len(tokens)), token)

    def spoil(self, tokens):
        i = self.at(tokens)
        at = self.rng.randint(0, len(tokens[i]))
        tokens[i] = tokens[i][:at] + self.rng.choice(ODD + SPECIALS) + tokens[i][at:]

    def mutate(self, value, steps):
        tokens = TOKEN.findall(value)
        for _ in range(steps):
            if tokens:
                self.rng.choice(self.steps)(tokens)
        return b"".join(tokens)


def values(seed, count, seeds):
    """count values; seeds are what was written by hand."""
    rng = random.Random(seed)
    grammar, mutator = Grammar(rng), Mutator(rng)
    for _ in range(count):
        if rng.random() < 0.4:
            value = mutator.mutate(rng.choice(seeds), rng.choice((1, 1, 1, 2, 2, 3)))
        else:
            value = mutator.mutate(grammar.field(), rng.choice((0, 0, 0, 0, 1, 1, 2)))
        # Nobody differs over a folded line that is empty: it is refused.
        yield EMPTY_LINE.sub(b"\n ", value) if rng.random() < 0.95 else value
