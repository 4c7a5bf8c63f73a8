#!/usr/bin/env python3
"""The project's parser of From against those that it knows nothing of: GMime, and two in Python.

run.py [--cases N] [--seed N] [--jobs N] [--corpus DIR]

Whatever the project accepts, every other reader must find the same author in, and no address in a
name that the project did not find. Where one differs harmlessly, a row of RULES says so. What the
project refuses and all others read alike is only counted. --corpus adds the files of a directory,
each the value of a field.

TAP: a row a claim. Runs in the build directory; $srcdir is the source tree.
"""
import argparse
import collections
import multiprocessing
import os
import re
import sys

DIFF = os.path.join(os.environ.get("srcdir", "."), "tests", "diff")
sys.path.insert(0, DIFF)

import fromgen  # noqa: E402
import readers  # noqa: E402

CHUNK = 2000
SHOW_MAX = 10  # differences that a row prints
VICTIM = ("victim", "bank.example")


# ---- one difference ----

Difference = collections.namedtuple("Difference", "kind reader value ours seen name")
# kind: "author", or "shown" for an address in a name.
# seen: the addresses that the reader found (None where it failed), or the text in the name.


def author_differences(value, ours, reader, reading):
    if reading is None:
        yield Difference("author", reader, value, ours, None, None)
        return
    found = [address for address, _ in reading if address != ("", "")]
    if found != [ours.address]:
        yield Difference("author", reader, value, ours, found, None)


def comparable(address):
    return address[0].lower(), address[1]


def is_nobodys(text):
    """Text that no login can be granted: the project then refuses, whatever else is there."""
    return not text or "\ufffd" in text


def shown_differences(value, ours, reader, reading):
    if any(map(is_nobodys, ours.shown)):
        return
    known = {comparable(readers.make_address(text)) for text in ours.shown}
    known.add(comparable(ours.address))
    for _, name in reading or ():
        for text in readers.shown_in(name):
            if comparable(readers.make_address(text)) not in known:
                yield Difference("shown", reader, value, ours, text, name)


def differences(value, ours, readings):
    for reader, reading in readings.items():
        yield from author_differences(value, ours, reader, reading)
        yield from shown_differences(value, ours, reader, reading)


# ---- differences that do no harm ----

Rule = collections.namedtuple("Rule", "name kind readers example test why")

WORD = re.compile(r"=\?[^?]*\?[bBqQ]\?.*?\?=", re.DOTALL)


def is_nothing(d):
    return d.seen is not None and not any(domain for _, domain in d.seen)


def has_open_group(value):
    """A word in base64 that neither ends with a whole group nor is padded."""
    return any(len(text) % 4 for text in re.findall(rb"\?[bB]\?([A-Za-z0-9+/]*)\?=", value))


def last_ascii(text):
    """What stands behind the last sign that a broken octet may have become."""
    return re.split("[^!->@-~]", text)[-1]


def first_ascii(text):
    return re.split("[^!-~]", text)[0]


def is_utf8(value):
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def charsets_of(value):
    return set(charset.lower() for charset in re.findall(rb"=\?([^?]*)\?[bBqQ]\?", value))


def is_marked(d):
    """Signs of an encoded-word stand in what was seen, or beside it."""
    text = readers.normal(readers.as_utf8(d.name))
    at = text.find(d.seen)
    before, behind = text[:at].rstrip()[-1:], text[at + len(d.seen):].lstrip()[:1]
    marks = "=?" in text or "?=" in text
    return marks and at >= 0 and ("?" in d.seen or before in ("=", "?") or behind in ("=", "?"))


RULES = (
    Rule("the same twice", "author", ("python, getaddresses",),
         b"alice@example.com <alice@example.com>",
         lambda d: d.seen and set(d.seen) == {d.ours.address},
         "an unquoted own address as the name is an author of its own, the same one"),
    Rule("no name without quotes", "author", ("gmime, strict",),
         b"alice@example.com <alice@example.com>",
         lambda d: d.seen == [] and not d.ours.has_name,
         "an unquoted own address as the name is an error, and then nobody is shown"),
    Rule("a dot before the bracket", "author", ("python, policy.default",),
         b"Alice B.<alice@example.com>",
         lambda d: d.seen is None and re.search(rb"\.\s*<", d.value),
         "Python fails at a name that ends with a dot, and shows nobody"),
    Rule("words not decoded", "shown", readers.READERS,
         b'"=?utf-8?q?=22?=bob@x.example" <a@b.example>', is_marked,
         "an encoded-word is shown as it stands: it is part of what looks like an address"),
    Rule("a blank between words", "shown", ("python, policy.default", "python, getaddresses"),
         b"=?utf-8?q?x?= =?utf-8?q?bob=40x.example?= <alice@example.com>",
         lambda d: WORD.search(d.value.decode("latin-1")) and
         any(d.seen.lower() in text.lower() for text in d.ours.shown),
         "Python has blanks where RFC 2047 has none, and so shows less than was found"),
    Rule("base64 run together", "shown", ("gmime, loose", "gmime, strict"),
         b"=?utf-8?b?Ym9iQHguZXhhbXBsZQ?= =?utf-8?b?Liw=?= <alice@example.com>",
         lambda d: has_open_group(d.value) and
         any(text.lower().startswith(d.seen.lower()[:-2]) for text in d.ours.shown),
         "GMime decodes words together, a group of base64 that is not whole with the next word"),
    Rule("broken octets before", "shown", readers.READERS,
         b"=?us-ascii?b?55Sw?==?utf-7?q?bob=40x+MAI-example?= <alice@example.com>",
         lambda d: last_ascii(d.seen) not in ("", d.seen) and
         any(text.lower().endswith(last_ascii(d.seen).lower()) for text in d.ours.shown),
         "what is broken in its charset is shown by other signs than those that were found"),
    Rule("broken octets behind", "shown", ("gmime, loose", "gmime, strict"),
         b"=?us-ascii?q?bob=40x.exam=E2=80=8Dple?= <alice@example.com>",
         lambda d: d.seen + "?" in d.name and any(t.startswith(d.seen) for t in d.ours.shown),
         "what is broken in its charset is a question mark, and ends what was found whole"),
    Rule("another charset behind", "shown", ("gmime, loose", "gmime, strict"),
         b"J\xfcrgen (bob@x.example\xc3\xbc) <alice@example.com>",
         lambda d: not is_utf8(d.value) and "@" in first_ascii(d.seen) != d.seen and
         any(t.startswith(first_ascii(d.seen)) for t in d.ours.shown),
         "an octet that is no UTF-8 makes it Latin-1 throughout, which ends otherwise"),
    Rule("charsets one by one", "shown", readers.READERS,
         b'"=?us-ascii?q?bob=40x=E3=80=82example?="=?utf-7?q?+IC4-x?= <alice@example.com>',
         lambda d: len(charsets_of(d.value)) > 1 and any(t in d.seen for t in d.ours.shown),
         "of several doubtful charsets some are read as they say: what was found is part of it"),
    Rule("own quotes taken off", "shown", ("gmime, loose",),
         b'"a bob"@x.example <"a bob"@x.example>',
         lambda d: not d.ours.has_name and readers.make_address(d.name.strip()) == d.ours.address,
         "the name is the own address, shown without its quotes"),
    Rule("two words for one", "shown", ("gmime, strict",),
         b'" =?utf-8?B?Ym9iQHguZXhhbXBsZQ==?==?utf-8?q?alice?=@example.com" <alice@example.com>',
         lambda d: re.search(rb'\?="?=\?', d.value),
         "words without a blank between are one, which loses all or some of the second"),
    Rule("some words joined, some apart", "shown", readers.READERS,
         b"(=?utf-8?q?a?==?utf-8?q?bob=40x.example?=.x@example.com) alice@example.com",
         lambda d: len(set(map(str.lower, d.ours.shown))) > 1 and any(
             text.lower() in d.seen.lower() or d.seen.lower() in text.lower()
             for text in d.ours.shown),
         "it is part of what was found, or has that in it, and another was found beside it"),
)


def rule_of(d):
    for rule in RULES:
        if rule.kind == d.kind and d.reader in rule.readers and rule.test(d):
            return rule
    return None


def is_forged(d):
    """Another author instead of ours: no rule excuses that."""
    return d.kind == "author" and d.seen is not None and d.ours.address not in d.seen and \
        not is_nothing(d)


# ---- many values ----

class Tally:
    """What came of some values; tallies of parts add up."""

    def __init__(self):
        self.fields = self.accepted = 0
        self.refused = collections.Counter()
        self.strict = collections.Counter()  # refused, and all others read one author alike
        self.excused = collections.Counter()
        self.faults = collections.Counter()
        self.shown = collections.defaultdict(list)

    def add(self, other):
        self.fields += other.fields
        self.accepted += other.accepted
        for name in ("refused", "strict", "excused", "faults"):
            getattr(self, name).update(getattr(other, name))
        for key, lines in other.shown.items():
            self.shown[key] += lines

    def fault(self, d):
        key = (d.kind, d.reader)
        self.faults[key] += 1
        if len(self.shown[key]) < SHOW_MAX:
            self.shown[key].append(describe(d))

    def judge(self, value, ours, readings):
        self.fields += 1
        if not ours.accepted:
            self.refused[ours.why] += 1
            self.strict[ours.why] += is_agreed(readings)
            return
        self.accepted += 1
        for d in differences(value, ours, readings):
            rule = None if is_forged(d) else rule_of(d)
            if rule:
                self.excused[rule.name] += 1
            else:
                self.fault(d)


def describe(d):
    found = "%s@%s" % d.ours.address
    return "%s: we found %s, names show %s; it found %s%s" % (
        ascii(d.value), ascii(found), ascii(d.ours.shown), ascii(d.seen),
        " in " + ascii(d.name) if d.name else "")


def is_agreed(readings):
    found = [[address for address, _ in reading or ()] for reading in readings.values()]
    return len(found[0]) == 1 and found[0][0][1] != "" and all(one == found[0] for one in found)


def judge_all(values):
    tally = Tally()
    for value, ours, readings in zip(values, readers.read_core(values), readers.read_all(values)):
        tally.judge(value, ours, readings)
    return tally


def seeds():
    return fromgen.load_values(os.path.join(DIFF, os.pardir, "data", "from_cases.jsonl"))


def judge_chunk(job):
    seed, count = job
    return judge_all(list(fromgen.values(seed, count, seeds())))


def corpus_values(directory):
    """Of a fuzzer, say; what is not a field of reasonable size is none of ours."""
    for where, _, names in sorted(os.walk(directory)):
        for name in sorted(names):
            with open(os.path.join(where, name), "rb") as one:
                value = one.read()
            if len(value) <= 10 * fromgen.SEED_MAX:
                yield value


def judge_everything(options, rows):
    tally = judge_all(seeds())
    given = list(corpus_values(options.corpus)) if options.corpus else []
    if options.corpus:
        rows.row(bool(given), "%d values of a corpus" % len(given))
    for start in range(0, len(given), CHUNK):
        tally.add(judge_all(given[start:start + CHUNK]))
    jobs = [("%d/%d" % (options.seed, start), min(CHUNK, options.cases - start))
            for start in range(0, options.cases, CHUNK)]
    with multiprocessing.Pool(options.jobs) as pool:
        for part in pool.imap_unordered(judge_chunk, jobs):
            tally.add(part)
    return tally


# ---- rows ----

class Rows:
    def __init__(self):
        self.count = self.failed = 0

    def row(self, ok, name, notes=()):
        self.count += 1
        self.failed += not ok
        print("%sok %d - %s" % ("" if ok else "not ", self.count, name))
        for note in notes:
            print("# %s" % note)


def claim_rows(rows, tally):
    claims = (("author", "finds the author that we found"),
              ("shown", "shows no address in a name that we did not find"))
    for kind, claim in claims:
        for reader in readers.READERS:
            faults = tally.faults[kind, reader]
            rows.row(not faults, "%s: %s" % (reader, claim),
                     ["%d differ" % faults] * bool(faults) + tally.shown[kind, reader][:SHOW_MAX])


def rule_rows(rows, tally):
    """A rule must excuse its example, as far as a reader still differs there, and nothing else may
    be wrong with that."""
    for rule in RULES:
        part = judge_all([rule.example])
        faults = [line for lines in part.shown.values() for line in lines]
        used = rule.name in part.excused or not part.excused
        ok = part.accepted == 1 and not faults and used
        rows.row(ok, "rule '%s', %d times: %s" % (rule.name, tally.excused[rule.name], rule.why),
                 faults)


def forged_rows(rows):
    """Each reader in turn says something else than it read; that must be a fault."""
    values = seeds()
    together = list(zip(values, readers.read_core(values), readers.read_all(values)))
    together = [one for one in together if one[1].accepted and one[1].address != VICTIM]
    for reader in readers.READERS:
        missed = []
        for value, ours, readings in together:
            tally = Tally()
            tally.judge(value, ours, dict(readings, **{reader: [(VICTIM, "")]}))
            if not tally.faults["author", reader]:
                missed.append(ascii(value))
        rows.row(bool(together) and not missed, "%s: another author would be noticed" % reader,
                 missed[:SHOW_MAX])
    tally = Tally()
    ours = readers.read_core([b"Alice <alice@example.com>"])[0]
    tally.judge(b"", ours, {name: [(ours.address, "%s@%s" % VICTIM)] for name in readers.READERS})
    rows.row(len(tally.faults) == len(readers.READERS), "an address in a name would be noticed")


def print_counts(tally):
    for why, count in tally.refused.most_common():
        print("# strictness: %d refused, %d of them all others read alike: %s" % (
            count, tally.strict[why], why))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--corpus")
    return parser.parse_args()


def main():
    options = parse_arguments()
    rows = Rows()
    forged_rows(rows)
    tally = judge_everything(options, rows)
    rows.row(tally.accepted * 8 > options.cases, "%d fields of %d are accepted, enough to compare"
             % (tally.accepted, tally.fields))
    claim_rows(rows, tally)
    rule_rows(rows, tally)
    print_counts(tally)
    print("1..%d" % rows.count)
    return 1 if rows.failed else 0


if __name__ == "__main__":
    sys.exit(main())
