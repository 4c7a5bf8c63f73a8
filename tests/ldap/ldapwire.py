"""As much of the LDAP protocol (RFC 4511) as a proxy needs to look into it: whole messages, the
kind of each, and what a search asks for."""
import dataclasses

BIND, UNBIND, SEARCH, ABANDON, EXTENDED = 0x60, 0x42, 0x63, 0x50, 0x77
ENTRY, DONE, REFERENCE, EXTENDED_ANSWER = 0x64, 0x65, 0x73, 0x78
SEQUENCE = 0x30

SIZE_LIMIT_EXCEEDED, ADMIN_LIMIT_EXCEEDED, BUSY, UNAVAILABLE = 4, 11, 51, 52
TIME_LIMIT_EXCEEDED, UNWILLING, OTHER = 3, 53, 80

FILTER_LISTS = {0xA0: "&", 0xA1: "|", 0xA2: "!"}
FILTER_COMPARISONS = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}


# ---- reading ----

def size_of_head(data):
    """Octets of tag and length, or None where they are not complete."""
    if len(data) < 2:
        return None
    size = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return size if len(data) >= size else None


def size_of_element(data):
    """Octets of the whole element that begins here, or None where its head is not complete."""
    head = size_of_head(data)
    if head is None:
        return None
    return head + (int.from_bytes(data[2:head], "big") if data[1] & 0x80 else data[1])


def elements(data):
    """(tag, content) of each element."""
    while data:
        head, size = size_of_head(data), size_of_element(data)
        if head is None:
            return
        yield data[0], data[head:size]
        data = data[size:]


class Reader:
    """Whole messages from a socket; once something else has come (TLS), whatever comes: raw."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""
        self.raw = False

    def more(self):
        data = self.sock.recv(65536)
        self.rest += data
        return bool(data)

    def message(self):
        """b"" at the end."""
        if self.rest and self.rest[0] != SEQUENCE:
            self.raw = True
        while not self.complete():
            if not self.more():
                return b""
            self.raw = self.raw or self.rest[0] != SEQUENCE
        size = len(self.rest) if self.raw else size_of_element(self.rest)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def complete(self):
        if self.raw:
            return bool(self.rest)
        size = size_of_element(self.rest)
        return size is not None and len(self.rest) >= size


def kind(message):
    """The tag of the operation, or None where there is none."""
    try:
        return list(elements(next(elements(message))[1]))[1][0]
    except (IndexError, StopIteration):
        return None


def message_id(message):
    return int.from_bytes(next(elements(next(elements(message))[1]))[1], "big")


@dataclasses.dataclass
class Search:
    """What a SearchRequest asks for."""

    base: str
    scope: int
    size_limit: int
    filter: str
    attributes: list

    def about_the_server(self):
        """Root DSE or schema, not somebody."""
        return self.scope == 0 and self.base.lower() in ("", "cn=subschema")


def search_of(message):
    operation = list(elements(next(elements(message))[1]))[1][1]
    base, scope, _, size_limit, _, _, condition, attributes = elements(operation)
    return Search(base[1].decode("utf-8", "replace"), scope[1][0],
                  int.from_bytes(size_limit[1], "big"), filter_text(*condition),
                  [value.decode("ascii", "replace") for _, value in elements(attributes[1])])


def escaped(value):
    return "".join(chr(octet) if 0x20 <= octet < 0x7F and octet not in b"*()\\"
                   else f"\\{octet:02x}" for octet in value)


def filter_text(tag, content):
    """A filter as RFC 4515 writes it; hexadecimal digits in lower case."""
    if tag in FILTER_LISTS:
        return f"({FILTER_LISTS[tag]}{''.join(filter_text(*part) for part in elements(content))})"
    if tag in FILTER_COMPARISONS:
        (_, name), (_, value) = elements(content)
        return f"({name.decode()}{FILTER_COMPARISONS[tag]}{escaped(value)})"
    if tag == 0x87:
        return f"({content.decode()}=*)"
    if tag == 0xA4:
        return substring_text(content)
    parts = dict(elements(content))
    return (f"({parts.get(0x82, b'').decode()}{':dn' if 0x84 in parts else ''}"
            f"{':' + parts[0x81].decode() if 0x81 in parts else ''}:={escaped(parts[0x83])})")


def substring_text(content):
    (_, name), (_, parts) = elements(content)
    text = ""
    for tag, value in elements(parts):
        text += escaped(value) if tag == 0x80 else "*" + escaped(value)
        final = tag == 0x82
    return f"({name.decode()}={text}{'' if final else '*'})"


# ---- writing ----

def element(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes(4, "big").lstrip(b"\0")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def message(number, tag, content):
    identifier = number.to_bytes(5, "big").lstrip(b"\0")
    if identifier[0] & 0x80:
        identifier = b"\0" + identifier
    return element(SEQUENCE, element(0x02, identifier) + element(tag, content))


def done(number, code, text="", referrals=()):
    """SearchResultDone."""
    content = element(0x0A, bytes((code,))) + element(0x04, b"") + element(0x04, text.encode())
    if referrals:
        content += element(0xA3, b"".join(element(0x04, uri.encode()) for uri in referrals))
    return message(number, DONE, content)


def entry(number, dn, attributes):
    """SearchResultEntry; attributes maps a name to a list of bytes."""
    listed = b"".join(
        element(SEQUENCE, element(0x04, name.encode())
                + element(0x31, b"".join(element(0x04, value) for value in values)))
        for name, values in attributes.items())
    return message(number, ENTRY, element(0x04, dn.encode()) + element(SEQUENCE, listed))


def reference(number, uri):
    """SearchResultReference."""
    return message(number, REFERENCE, element(0x04, uri.encode()))
