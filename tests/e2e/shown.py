"""Whom a delivered message shows, as a mail program reads it: with Python's email package, which
knows nothing of how the daemon reads."""
import email.headerregistry
import email.utils
import re

from harness import check

CLAIMING = ("From", "Sender", "Resent-From", "Resent-Sender")
TAG = "X-Sendas-Tag"
DELIMITER = "+"
ADDRESS_IN_NAME = re.compile(r"[^\s<>()\"',;:@]+@[^\s<>()\"',;:@]+\.[a-z][a-z0-9-]+", re.I)
REGISTRY = email.headerregistry.HeaderRegistry()


def unfolded(value):
    return re.sub(r"\r\n(?=[ \t])", "", value.decode("utf-8", "surrogateescape"))


def mailboxes(name, value):
    """(shown name, address) pairs of one field, by the package's two parsers, groups included."""
    text = unfolded(value)
    parsed = REGISTRY(name, text)
    found = {(box.display_name, box.addr_spec) for box in parsed.addresses}
    found |= {(str(parsed_name), address)
              for parsed_name, address in email.utils.getaddresses([text]) if address}
    return found


def shown_identities(delivered, names=False):
    """(field, address) pairs of what From, Sender and Resent-* show; with names, of what is in the
    names too."""
    shown = set()
    for field in CLAIMING:
        for value in delivered.fields(field):
            for name, address in mailboxes(field, value):
                shown.add((field, address))
                if names:
                    shown.update((field, found) for found in ADDRESS_IN_NAME.findall(name))
    return {(field, address) for field, address in shown if address not in ("", "<>")}


def a_label(domain):
    """IDNA2008: no character is mapped to others, so Python's own codec will not do."""
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
                    for label in domain.lower().split("."))


def forms(address):
    """What an address may be granted as: itself, without its tag, with its whole domain."""
    local, _, domain = address.lower().rpartition("@")
    local = re.sub(r'^"([\w.+-]+)"$', r"\1", local)
    domain = a_label(domain)
    stripped = local.split(DELIMITER)[0] or local
    return {f"{local}@{domain}", f"{stripped}@{domain}", f"@{domain}"}


def granted(senders, owner):
    """The keys of a senders file that this owner has, a login or "on-behalf:LOGIN"."""
    keys = set()
    for line in senders.splitlines():
        if line.strip() and not line.startswith("#"):
            key, owners = re.fullmatch(r'((?:"[^"]*"|\S)+)\s+(.*)', line).groups()
            if owner.lower() in re.split(r"[,\s]+", owners.lower()):
                keys.add(key.lower())
    return keys


def tagged(delivered):
    """The addresses that tags name: the contents of a quoted-string."""
    return {re.sub(r"\\(.)", r"\1", match.decode()) for value in delivered.fields(TAG)
            for match in re.findall(rb'address="((?:[^"\\]|\\.)*)"', value)}


def check_shown(delivered, senders, login, names=False):
    """Nobody is shown whom the login may not send as, but for who is named in a tag, and in From on
    whose behalf it may send where Sender is its own. What is shown."""
    own, behalf = granted(senders, login), granted(senders, "on-behalf:" + login)
    shown = shown_identities(delivered, names)
    senders_shown = [address for field, address in shown if field == "Sender"]
    sent_by_own = senders_shown and all(forms(address) & own for address in senders_shown)
    foreign = {address for field, address in shown
               if not forms(address) & own
               and not (field == "From" and sent_by_own and forms(address) & behalf)}
    foreign -= tagged(delivered)
    check(not foreign, f"{login} is shown as {foreign}: {delivered.header!r}")
    return shown
