"""Spellings of the envelope sender: two readings that must agree."""
from harness import OWN, Row, case, check, message, rows

rows(
    Row("MAIL FROM without brackets is accepted", "accept", mail="alice@example.com"),
    Row("blank before the brackets is accepted", "accept", mail=" <alice@example.com>"),
    Row("bare name that Postfix completes is accepted", "accept", mail="<alice>",
        delivered_from="alice@example.com"),
    Row("bare foreign name that Postfix completes is refused", "rcpt sender-not-granted",
        mail="<bob>"),
    Row("envelope sender in upper case is the same address", "accept",
        mail="<ALICE@EXAMPLE.COM>"),
    Row("needless quotes in the envelope make no difference", "accept",
        mail='<"alice"@example.com>'),
    Row("quoted local part that is granted is accepted", "accept",
        mail='<"alice smith"@example.com>'),
    Row("quoted local part that is not granted is refused", "rcpt sender-not-granted",
        mail='<"bob smith"@example.com>'),
    Row("quoted @ in the local part does not choose the domain", "rcpt sender-not-granted",
        mail='<"alice@example.com"@bank.example>'),
    Row("tag after the delimiter counts as the address", "accept",
        mail="<alice+lists@example.com>", delivered_from="alice+lists@example.com"),
    Row("tag does not lend a foreign address", "rcpt sender-not-granted",
        mail="<bob+alice@example.com>"),
    Row("delimiter in front is no tag", "rcpt sender-not-granted", mail="<+alice@example.com>"),
    Row("AUTH= parameter is no identity", "accept",
        parameters="AUTH=bob@example.com"),
    Row("AUTH= parameter gives no right to From", "eom from-not-granted",
        message("From: bob@example.com"), parameters="AUTH=bob@example.com"),
    Row("AUTH= parameter gives no right to the envelope", "rcpt sender-not-granted",
        mail="<bob@example.com>", parameters="AUTH=bob@example.com"),
    Row("SIZE and BODY parameters change nothing", "accept",
        parameters="SIZE=300 BODY=8BITMIME RET=HDRS ENVID=Z1"),
    Row("source route in the envelope is refused", "rcpt sender-malformed",
        mail="<@bank.example:alice@example.com>"),
    Row("source route without brackets is refused", "rcpt sender-malformed",
        mail="@bank.example:alice@example.com"),
    Row("comment in the envelope is refused", "rcpt sender-malformed",
        mail="<(victim@bank.example)alice@example.com>"),
    Row("comment behind the local part is refused", "rcpt sender-malformed",
        mail="<alice(comment)@example.com>"),
    Row("phrase in the envelope is refused", "rcpt sender-malformed",
        mail="<Alice Smith <alice@example.com>>"),
    Row("blanks inside the brackets are refused", "rcpt sender-malformed",
        mail="<  alice@example.com  >"),
    Row("trailing dot in the envelope is refused", "rcpt sender-malformed",
        mail="<alice@example.com.>"),
    Row("own address with a second @ behind it is refused", "rcpt sender-malformed",
        mail="<alice@example.com@bank.example>"),
    Row("percent hack is an address like any other", "rcpt sender-not-granted",
        mail="<alice%example.com@bank.example>"),
    Row("bang path is an address like any other", "rcpt sender-not-granted",
        mail="<example.com!alice@bank.example>"),
    Row("subdomain of an own domain is another domain", "rcpt sender-not-granted",
        mail="<alice@mail.example.com>"),
)


@case("all recipients of a refused sender are refused")
def every_recipient(bench):
    session = bench.connect(login="alice")
    session.mail("<victim@bank.example>")
    for number in range(3):
        bench.expect_refusal(session.rcpt(f"<r{number}@far.example>"), "sender-not-granted",
                             "rcpt")
    check(session.command("DATA").code in (503, 554), "DATA without a recipient was taken")


@case("own sender may write to twenty recipients")
def many_recipients(bench):
    session = bench.connect(login="alice")
    rcpts = [f"r{number}@far.example" for number in range(20)]
    _, reply = bench.send(session, message(OWN), rcpts=[f"<{rcpt}>" for rcpt in rcpts])
    bench.expect_accepted(reply, "alice@example.com", rcpts)
