"""Who claims what: envelope and From of authenticated clients, and the shapes of From."""
from harness import OWN, Row, case, check, message, rows

FOREIGN = "From: Victim <victim@bank.example>"
# In the first line Postfix takes "From " for the mark of a mailbox file, and renames it.
SUBJECT = "Subject: first"
REPORT = ('Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
          "MIME-Version: 1.0")
REPORT_BODY = ("--b\r\nContent-Type: text/plain\r\n\r\nread\r\n"
               "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
               "Disposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n")


def padding(octets):
    """One header field of that size, folded to legal lines."""
    lines = ["X-Pad: " + "p" * 900]
    while sum(len(line) + 2 for line in lines) < octets:
        lines.append(" " + "p" * 900)
    return "\r\n".join(lines)


rows(
    # envelope and From against the grants
    Row("own address is accepted", "accept", delivered_from="alice@example.com"),
    Row("second address is accepted in envelope and From", "accept",
        message("From: Alice <alice.second@example.com>"), mail="<alice.second@example.com>"),
    Row("From need not equal the envelope, each is granted", "accept",
        message("From: team@example.com")),
    Row("foreign envelope sender is refused at RCPT", "rcpt sender-not-granted",
        mail="<victim@bank.example>"),
    Row("address of another user is refused as envelope sender", "rcpt sender-not-granted",
        mail="<bob@example.com>"),
    Row("foreign From is refused at end of data", "eom from-not-granted", message(FOREIGN)),
    Row("From of another user is refused", "eom from-not-granted",
        message("From: bob@example.com")),
    Row("foreign From behind a foreign envelope never gets that far", "rcpt sender-not-granted",
        message(FOREIGN), mail="<victim@bank.example>"),
    Row("domain grant covers any local part", "accept",
        message("From: anything@sales.example"), login="bob", mail="<other@sales.example>"),
    Row("domain grant does not cover a subdomain", "rcpt sender-not-granted",
        login="bob", mail="<x@deep.sales.example>"),
    Row("a domain that ends alike is not covered", "rcpt sender-not-granted",
        login="bob", mail="<x@notsales.example>"),
    # logins
    Row("login with a domain has its own grants", "accept", message("From: bob@corp2.example"),
        login="bob@corp2.example", mail="<bob@corp2.example>"),
    Row("login with a domain has not those of the bare login", "rcpt sender-not-granted",
        login="bob@corp2.example", mail="<bob@example.com>"),
    Row("bare login has not those of the login with a domain", "rcpt sender-not-granted",
        login="bob", mail="<bob@corp2.example>"),
    Row("login in upper case is the same login", "accept", login="ALICE"),
    Row("login unknown to the directory is refused", "rcpt login-unknown", login="carol"),
    Row("login with filter characters is unknown", "rcpt login-unknown", login="alice)(uid=*"),
    Row("login * is unknown", "rcpt login-unknown", login="*"),
    Row("login with a blank at its end is not trimmed", "rcpt login-unknown", login="alice "),
    Row("login with a trailing dot is refused", "rcpt login-unknown", login="alice@example.com."),
    # how many From fields
    Row("two From fields are refused", "eom from-duplicate", message(OWN, FOREIGN)),
    Row("two own From fields are refused", "eom from-duplicate", message(OWN, OWN)),
    Row("a second From in other letters counts", "eom from-duplicate",
        message(OWN, "fROM: victim@bank.example")),
    Row("From with a blank before the colon is accepted", "accept",
        message(SUBJECT, "From : alice@example.com")),
    Row("From with a blank before the colon is judged", "eom from-not-granted",
        message(SUBJECT, "From : victim@bank.example")),
    Row("From with a blank before the colon counts as second", "eom from-duplicate",
        message(OWN, "From : victim@bank.example")),
    Row("From with a tab before the colon counts as second", "eom from-duplicate",
        message(OWN, "From\t: victim@bank.example")),
    Row("missing From is refused", "eom from-missing", message("Subject: nobody")),
    Row("From without a value is refused", "eom from-missing", message("From: ")),
    Row("message without any header is refused", "eom from-missing", "\r\nbody only\r\n"),
    # null sender
    Row("null sender excuses no foreign From", "eom null-sender", message(FOREIGN), mail="<>"),
    Row("null sender with own From is for reports only", "eom null-sender", mail="<>"),
    Row("null sender with a report and own From is accepted", "accept",
        message(OWN, *REPORT, body=REPORT_BODY), mail="<>", delivered_from=""),
    Row("null sender with a delivery report is accepted", "accept",
        message(OWN, "Content-Type: multipart/report;\r\n report-type=delivery-status;"
                "\r\n boundary=b", body=REPORT_BODY), mail="<>"),
    Row("null sender with another kind of report is refused", "eom null-sender",
        message(OWN, "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
                body=REPORT_BODY), mail="<>"),
    Row("null sender with a report and foreign From is refused", "eom from-not-granted",
        message(FOREIGN, *REPORT, body=REPORT_BODY), mail="<>"),
    Row("null sender with an automatic reply is accepted", "accept",
        message(OWN, "Auto-Submitted: auto-replied"), mail="<>"),
    # shapes of From
    Row("several mailboxes in From are refused", "eom from-multiple",
        message("From: alice@example.com, bob@example.com")),
    Row("several own mailboxes in From are refused", "eom from-multiple",
        message("From: Alice <alice@example.com>, Team <team@example.com>")),
    Row("group in From is refused", "eom from-group",
        message("From: undisclosed: alice@example.com;")),
    Row("empty group in From is refused", "eom from-group", message("From: nobody:;")),
    Row("folded From is accepted", "accept",
        message("From: Alice\r\n Example\r\n\t<alice@example.com>")),
    Row("From folded right after the colon is accepted", "accept",
        message("From:\r\n alice@example.com")),
    Row("foreign address on a folded line is judged", "eom from-not-granted",
        message("From: alice\r\n <victim@bank.example>")),
    Row("encoded words in the display name are accepted", "accept",
        message("From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= =?utf-8?b?w7w=?= <alice@example.com>")),
    Row("quoted display name with a comma is accepted", "accept",
        message('From: "Example, Alice" <alice@example.com>')),
    Row("comment after the address is accepted", "accept",
        message("From: alice@example.com (Alice)")),
    Row("comment inside the brackets is refused", "eom from-malformed",
        message("From: <(victim@bank.example)alice@example.com>")),
    Row("another unquoted address before the brackets is refused", "eom from-malformed",
        message("From: victim@bank.example <alice@example.com>")),
    Row("From with two bracketed addresses is refused", "eom from-malformed",
        message("From: <alice@example.com> <victim@bank.example>")),
    Row("source route in From is refused", "eom from-malformed",
        message("From: <@bank.example:alice@example.com>")),
    Row("From without a domain is refused", "eom from-malformed", message("From: alice")),
    Row("line over 998 octets in From is refused", "eom from-malformed",
        message('From: "' + "x" * 1200 + '" <alice@example.com>')),
    Row("From in upper case is the same address", "accept",
        message("From: ALICE@EXAMPLE.COM")),
    Row("needless quotes in From make no difference", "accept",
        message('From: "alice"@example.com')),
    Row("quoted local part that is granted is accepted in From", "accept",
        message('From: "alice smith"@example.com')),
    Row("tag after the delimiter counts as the address in From", "accept",
        message("From: alice+lists@example.com")),
    Row("From with 8-bit octets in the name is accepted", "accept",
        message("From: J\u00fcrgen <alice@example.com>"), parameters="BODY=8BITMIME"),
    # Sender
    Row("own Sender is accepted", "accept", message(OWN, "Sender: Alice <alice@example.com>")),
    Row("foreign Sender is refused", "eom header-sender-not-granted",
        message(OWN, "Sender: victim@bank.example")),
    Row("foreign Sender in front of From is refused", "eom header-sender-not-granted",
        message(SUBJECT, "Sender: bob@example.com", OWN)),
    Row("granted Sender excuses no foreign From", "eom from-not-granted",
        message(FOREIGN, "Sender: alice@example.com")),
    Row("second Sender is refused", "eom header-sender-not-granted",
        message(OWN, "Sender: alice@example.com", "Sender: alice@example.com")),
    Row("second Sender with a blank before the colon is refused", "eom header-sender-not-granted",
        message(OWN, "Sender: alice@example.com", "sender : victim@bank.example")),
    Row("two mailboxes in Sender are refused", "eom header-sender-not-granted",
        message(OWN, "Sender: alice@example.com, alice.second@example.com")),
    Row("group in Sender is refused", "eom header-sender-not-granted",
        message(OWN, "Sender: team: alice@example.com;")),
    Row("empty Sender counts as none", "accept", message(OWN, "Sender: ")),
    Row("line over 998 octets in Sender is refused", "eom header-sender-not-granted",
        message(OWN, 'Sender: "' + "x" * 1200 + '" <alice@example.com>')),
    # Resent-*
    Row("own Resent blocks are accepted", "accept",
        message("Resent-From: alice@example.com, alice.second@example.com",
                "Resent-Sender: alice@example.com", "Resent-From: team@example.com", OWN)),
    Row("foreign Resent-From is refused", "eom resent-not-granted",
        message("Resent-From: victim@bank.example", OWN)),
    Row("foreign Resent-From in the second block is refused", "eom resent-not-granted",
        message("Resent-From: alice@example.com", "Resent-From: bob@example.com", OWN)),
    Row("foreign Resent-Sender is refused", "eom resent-not-granted",
        message("Resent-From: alice@example.com", "Resent-Sender: bob@example.com", OWN)),
    Row("own Resent-From excuses no foreign From", "eom from-not-granted",
        message("Resent-From: alice@example.com", FOREIGN)),
    # names
    Row("own address as the name is accepted", "accept",
        message('From: "alice@example.com" <alice@example.com>')),
    Row("foreign address in the name is by default only noted", "accept",
        message('From: "victim@bank.example" <alice@example.com>')),
    Row("encoded line break in the name of From is refused", "eom from-malformed",
        message("From: =?utf-8?q?Alice=0D=0ABcc=3A?= <alice@example.com>")),
    Row("encoded control character in the name of Sender is refused",
        "eom header-sender-not-granted",
        message(OWN, "Sender: =?utf-8?q?Alice=1B?= <alice@example.com>")),
    # IDN: granted as A-label
    Row("From with a U-label is granted by the A-label", "accept",
        message("From: alice@b\u00fccher.example"), mail="<alice@b\u00fccher.example>",
        parameters="SMTPUTF8"),
    Row("From with the A-label itself is accepted", "accept",
        message("From: alice@xn--bcher-kva.example"), mail="<alice@xn--bcher-kva.example>"),
    Row("UTF-8 local part that is granted is accepted", "accept",
        message("From: j\u00fcrgen@example.com"), mail="<j\u00fcrgen@example.com>",
        parameters="SMTPUTF8"),
    Row("domain with a look-alike letter is refused", "rcpt sender-not-granted",
        mail="<alice@ex\u0430mple.com>", parameters="SMTPUTF8"),
    Row("From with a look-alike letter is refused", "eom from-not-granted",
        message("From: alice@ex\u0430mple.com"), parameters="SMTPUTF8"),
    # big headers: what a filter that loses them would let through
    Row("70 kB of header before an own From is accepted", "accept",
        message(padding(70000), OWN)),
    Row("70 kB of header before a foreign From does not hide it", "eom from-not-granted",
        message(padding(70000), FOREIGN)),
    Row("98 kB of header before an own From is accepted", "accept",
        message(padding(98000), OWN)),
    Row("98 kB of header before a foreign From does not hide it", "eom from-not-granted",
        message(padding(98000), FOREIGN)),
    Row("98 kB of header between two From fields hides neither", "eom from-duplicate",
        message(OWN, padding(98000), FOREIGN)),
    Row("98 kB of header after a foreign From changes nothing", "eom from-not-granted",
        message(FOREIGN, padding(98000))),
    Row("header beyond the MTA's own bound does not hide a foreign From", "eom from-not-granted",
        message(padding(110000), FOREIGN)),
    Row("From that Postfix itself cuts short is judged as it is delivered", "eom from-malformed",
        message(padding(70000).replace("X-Pad: ", "From: ") + "\r\n <alice@example.com>")),
    # what Postfix adds
    Row("missing From that Postfix adds is the envelope sender", "accept",
        message("Subject: local client"), listener="rewriting"),
    Row("bare From that Postfix completes is judged as completed", "accept",
        message("From: alice"), listener="rewriting"),
    Row("bare foreign From that Postfix completes is refused", "eom from-not-granted",
        message("From: bob"), listener="rewriting"),
    # how the message comes
    Row("listener chosen by its port judges as well", "eom from-not-granted",
        message(FOREIGN), listener="byport"),
    Row("listener chosen by its port accepts what is granted", "accept", listener="byport"),
    Row("authenticated client is judged where nothing requires it", "eom from-not-granted",
        message(FOREIGN), listener="open"),
)


@case("text of a refusal names address and login")
def refusal_names_both(bench):
    session = bench.connect(login="alice")
    _, reply = bench.send(session, message(), mail="<victim@bank.example>")
    bench.expect_refusal(reply, "sender-not-granted", "rcpt")
    check("victim@bank.example" in reply.text and "alice" in reply.text, str(reply))
    session.rset()
    _, reply = bench.send(session, message(FOREIGN))
    bench.expect_refusal(reply, "from-not-granted", "eom")
    check("victim@bank.example" in reply.text and "alice" in reply.text, str(reply))


@case("options that change what headers may claim")
def header_options(bench):
    policy = 'policy "options" {{ logins = {{ "alice" }} {} }}\n'
    resent = message("Resent-From: alice@example.com", FOREIGN)
    two = "From: alice@example.com, alice.second@example.com"
    plays = (
        ("display_name = reject", "eom display-name-address",
         message('From: "victim@bank.example" <alice@example.com>')),
        ("display_name = reject", "eom display-name-address",
         message("From: =?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <alice@example.com>")),
        ("resent_covers_from = yes", "accept", resent),
        ("multiple_from = allow", "accept", message(two, "Sender: alice@example.com")),
        ("multiple_from = allow", "eom from-multiple", message(two)),
        ("from_must_equal_envelope = yes", "eom from-not-granted",
         message("From: alice.second@example.com")),
        ("from_must_equal_envelope = yes", "accept", message("From: alice+x@example.com")),
    )
    for option, outcome, text in plays:
        with bench.spare(extra=policy.format(option)):
            session = bench.connect("spare", "alice")
            bench.expect(bench.send(session, text), outcome)
            session.quit()


@case("percent signs of an address arrive whole in the reply")
def percent_in_reply(bench):
    session = bench.connect(login="alice")
    _, reply = bench.send(session, message(), mail="<100%s%d%n%%@example.com>")
    bench.expect_refusal(reply, "sender-not-granted", "rcpt")
    check("100%s%d%n%%@example.com" in reply.text, str(reply))
    session.rset()
    _, reply = bench.send(session, message("From: 50%off@example.com"))
    bench.expect_refusal(reply, "from-not-granted", "eom")
    check("50%off@example.com" in reply.text, str(reply))


@case("8-bit address gives a reply in ASCII")
def utf8_in_reply(bench):
    session = bench.connect(login="alice")
    outcome = bench.send(session, message(), mail="<m\u00fcller@example.com>",
                         parameters="SMTPUTF8")
    bench.expect(outcome, "rcpt sender-not-granted")  # expect_refusal() looks at every octet


@case("long address gives a reply of one short line")
def long_address_in_reply(bench):
    session = bench.connect(login="alice")
    path = "<" + "l" * 64 + "@" + ".".join(["d" * 59] * 3) + ".example>"
    bench.expect(bench.send(session, message(), mail=path), "rcpt sender-not-granted")


@case("what was delivered is what was sent")
def delivered_unchanged(bench):
    session = bench.connect(login="alice")
    _, reply = bench.send(session, message(OWN, "Subject: as it is", body="line\r\n..dots\r\n"))
    delivered = bench.expect_accepted(reply, "alice@example.com", ["friend@far.example"])
    sent = message(OWN, "Subject: as it is", body="line\r\n..dots\r\n").encode()
    check(delivered.data.endswith(sent), f"delivered: {delivered.data!r}")
    check(delivered.data[:-len(sent)].startswith(b"Received:"), f"{delivered.data!r}")
    check(len(delivered.fields("Received")) == 1 and b"\r\nSender:" not in delivered.data,
          f"something was added: {delivered.data!r}")


@case("From that Postfix added is delivered as the envelope sender")
def added_from(bench):
    session = bench.connect("rewriting", "alice")
    _, reply = bench.send(session, message("Subject: none"), mail="<team@example.com>")
    delivered = bench.expect_accepted(reply)
    check(delivered.fields("From") == [b"team@example.com"], f"{delivered.header!r}")
