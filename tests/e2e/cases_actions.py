"""What becomes of a message whose claims are tagged, rewritten, removed or held: the sink must get
exactly what the manual says, byte for byte."""
from changed import Change, on_spare
from harness import OWN, TO, Row, case, check, message
from smtp import octets

VICTIM = "victim@bank.example"
FOREIGN = f"From: Victim <{VICTIM}>"
SUBJECT = "Subject: first"
CHECKS = ("envelope", "header_from", "multiple_from", "missing_from", "header_sender", "resent",
          "display_name")
REMOVABLE = ("header_sender", "resent")

# A policy is chosen by the domain of the login; alice has the same addresses under each of them.
POLICIES = {
    "tag": dict.fromkeys(CHECKS, "tag"),
    "rewrite": dict.fromkeys(CHECKS, "rewrite"),
    "remove": dict.fromkeys(REMOVABLE, "remove"),
    "quarantine": dict.fromkeys(CHECKS, "quarantine"),
    "tempfail": dict.fromkeys(CHECKS, "tempfail"),
    "reject": dict.fromkeys(CHECKS, "reject"),
    "mixed": {"envelope": "rewrite", "header_from": "rewrite", "header_sender": "quarantine",
              "resent": "tag", "display_name": "tag"},
    "stern": {"envelope": "rewrite", "header_from": "rewrite", "header_sender": "reject",
               "resent": "tempfail", "display_name": "quarantine"},
    "names": {"display_name": "rewrite", "header_sender": "tag", "resent": "tag"},
    "exempt": {**dict.fromkeys(CHECKS, "rewrite"), "exempt_logins": '{ "@exempt.test" }'},
    "homeless": dict.fromkeys(CHECKS, "rewrite"),
}
ADDRESSES = ("alice@example.com", "alice.second@example.com", '"alice smith"@example.com',
             "j\u00fcrgen@example.com", "team@example.com")


def login_of(policy):
    return f"alice@{policy}.test"


def policy_block(name, options):
    lines = "".join(f"    {option} = {value}\n" for option, value in options.items())
    return f'policy "{name}" {{\n    logins = {{ "@{name}.test" }}\n{lines}}}\n'


def senders():
    """Nobody's primary address is in a domain that is granted as a whole."""
    owners = ", ".join(login_of(name) for name in POLICIES if name != "homeless")
    return ("".join(f"{address} {owners}\n" for address in ADDRESSES)
            + f"@home.example {login_of('homeless')}\n")


SENDERS = senders()
SPARE = {"senders": SENDERS,
         "extra": "".join(policy_block(name, options) for name, options in POLICIES.items())}


def tag(reason, address, policy="tag"):
    return (f'X-Sendas-Tag: {reason};\r\n address="{address}";\r\n'
            f' login="{login_of(policy)}"')


def original(value):
    """What a rewritten From leaves behind."""
    return f"X-Original-From: {value}", f"Reply-To: {value}"


def change(name, policy, sent, below=None, **more):
    """A row under one of the policies."""
    return Change(f"{policy}: {name}", sent, below, login=login_of(policy), spare=SPARE,
                  judged=policy != "exempt", **more)


def refusal(name, want, data=message(OWN), policy="rewrite", **more):
    return Row(f"{policy}: {name}", want, data, login=login_of(policy), listener="spare", **more)


def changes(*table):
    for row in table:
        if isinstance(row, Change):
            case(row.name)(row)
        else:
            on_spare(row.name, row, SPARE)


# ---- tag: all is delivered as it came, and named ----

changes(
    change("own message has no tag", "tag", (OWN,)),
    change("foreign envelope sender", "tag", (OWN,), mail=f"<{VICTIM}>", sender=VICTIM,
           above=(tag("sender-not-granted", VICTIM),)),
    change("malformed envelope sender", "tag", (OWN,), mail="<(c)alice@example.com>",
           above=(tag("sender-malformed", "<(c)alice@example.com>"),)),
    change("foreign From", "tag", (FOREIGN,), above=(tag("from-not-granted", VICTIM),)),
    change("several mailboxes in From", "tag", (OWN + ", team@example.com",),
           above=(tag("from-multiple", "team@example.com"),)),
    change("missing From", "tag", (SUBJECT,), above=('X-Sendas-Tag: from-missing;\r\n login='
                                                     '"alice@tag.test"',)),
    change("two From fields", "tag", (OWN, "From: team@example.com"),
           above=('X-Sendas-Tag: from-duplicate;\r\n login="alice@tag.test"',)),
    change("foreign Sender", "tag", (OWN, f"Sender: {VICTIM}"),
           above=(tag("header-sender-not-granted", VICTIM),)),
    change("foreign Resent-From", "tag", (f"Resent-From: {VICTIM}", OWN),
           above=(tag("resent-not-granted", VICTIM),)),
    change("foreign address in the name", "tag", (f'From: "{VICTIM}" <alice@example.com>',),
           above=(tag("display-name-address", VICTIM),)),
    change("each finding has a tag, the first one lowest", "tag",
           (FOREIGN, "Sender: bob@example.com"), mail="<x@far.example>", sender="x@far.example",
           above=(tag("header-sender-not-granted", "bob@example.com"),
                  tag("from-not-granted", VICTIM), tag("sender-not-granted", "x@far.example"))),
    change("tags of the client's own are taken out", "tag",
           ("X-Sendas-Tag: from-not-granted; address=\"bob@example.com\"", OWN,
            "x-sendas-tag : forged\r\n folded", SUBJECT), (OWN, SUBJECT)),
    change("quotes and 8-bit octets of an address stay inside the tag's quotes", "tag",
           ('From: "a\\"b;c"@bank.example',),
           above=(tag("from-not-granted", '\\"a\\\\\\"b;c\\"@bank.example'),)),
)

# ---- rewrite ----

changes(
    change("own message is as it was", "rewrite", (OWN, "Sender: alice.second@example.com")),
    change("foreign envelope sender becomes the primary address", "rewrite", (OWN,),
           mail=f"<{VICTIM}>"),
    change("malformed envelope sender becomes the primary address", "rewrite", (OWN,),
           mail="<(victim@bank.example)alice.second@example.com>"),
    change("foreign envelope sender in UTF-8 becomes the primary address", "rewrite", (OWN,),
           mail="<m\u00fcller@example.com>", parameters="SMTPUTF8"),
    change("second own address stays", "rewrite", ("From: Alice <alice.second@example.com>",),
           mail="<alice.second@example.com>", sender="alice.second@example.com"),
    change("From keeps its plain name, the old value is kept beside it", "rewrite",
           (FOREIGN, SUBJECT),
           ("From: Victim <alice@example.com>", SUBJECT, *original(f"Victim <{VICTIM}>"))),
    change("From without a name", "rewrite", (SUBJECT, f"From: {VICTIM}"),
           (SUBJECT, "From: alice@example.com", *original(VICTIM))),
    change("Reply-To that is there stays", "rewrite",
           ("reply-TO : helpdesk@far.example", f"From: <{VICTIM}>"),
           ("reply-TO: helpdesk@far.example", "From: alice@example.com",
            f"X-Original-From: <{VICTIM}>")),
    change("name with an address in it goes", "rewrite",
           (f'From: "{VICTIM}" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"{VICTIM}" <{VICTIM}>'))),
    change("name with an own address in it goes too where the address does", "rewrite",
           (f'From: "team@example.com" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"team@example.com" <{VICTIM}>'))),
    change("comment behind the address goes", "rewrite",
           (f"From: Alice <{VICTIM}> (boss@bank.example)",),
           ("From: alice@example.com", *original(f"Alice <{VICTIM}> (boss@bank.example)"))),
    change("quoted name", "rewrite", (f'From: "Victim, V. \\"x\\"" <{VICTIM}>',),
           ('From: "Victim, V. \\"x\\"" <alice@example.com>',
            *original(f'"Victim, V. \\"x\\"" <{VICTIM}>'))),
    change("encoded words in the name", "rewrite",
           (f"From: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <{VICTIM}>",),
           ("From: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <alice@example.com>",
            *original(f"=?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?b?w7w=?= <{VICTIM}>"))),
    change("encoded words that hide an address", "rewrite",
           (f"From: =?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <{VICTIM}>",),
           ("From: alice@example.com",
            *original(f"=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?= <{VICTIM}>"))),
    change("8-bit name", "rewrite", (f"From: J\u00fcrgen <{VICTIM}>",),
           ("From: J\u00fcrgen <alice@example.com>", *original(f"J\u00fcrgen <{VICTIM}>")),
           parameters="BODY=8BITMIME"),
    change("8-bit name that is not UTF-8", "rewrite", (b"From: J\xfcrgen <victim@bank.example>",),
           (b"From: J\xfcrgen <alice@example.com>",
            b"X-Original-From: J\xfcrgen <victim@bank.example>",
            b"Reply-To: J\xfcrgen <victim@bank.example>")),
    change("folded From", "rewrite",
           (f"From: Victim\r\n\tof the\r\n Bank\r\n   <{VICTIM}>", SUBJECT),
           ("From: Victim\r\n\tof the\r\n Bank <alice@example.com>", SUBJECT,
            *original(f"Victim\r\n\tof the\r\n Bank\r\n   <{VICTIM}>"))),
    change("From folded right behind the colon", "rewrite", (f"From:\r\n {VICTIM}",),
           ("From: alice@example.com", *original(VICTIM))),
    change("From with a blank before the colon, behind others", "rewrite",
           (SUBJECT, f"From : {VICTIM}", "To: friend@far.example"),
           (SUBJECT, "From: alice@example.com", "To: friend@far.example", *original(VICTIM))),
    change("FROM in capitals", "rewrite", (f"FROM: {VICTIM}",),
           ("From: alice@example.com", *original(VICTIM))),
    change("from in small letters with a tab before the colon", "rewrite",
           (SUBJECT, f"from\t:{VICTIM}"), (SUBJECT, "From: alice@example.com", *original(VICTIM))),
    change("long name goes where the line would be too long", "rewrite",
           (f'From: "{"n" * 900}" <{VICTIM}>',),
           ("From: alice@example.com", *original(f'"{"n" * 900}" <{VICTIM}>'))),
    change("name that just fits is kept, and a line that would be too long is folded", "rewrite",
           (f'From: {"n" * 700} <{VICTIM}> ({"c" * (998 - 700 - 32)})',),
           (f'From: {"n" * 700} <alice@example.com>',
            *(f'{name}:{blank}{"n" * 700} <{VICTIM}> ({"c" * (998 - 700 - 32)})'
              for name, blank in (("X-Original-From", " \r\n "), ("Reply-To", " \r\n "))))),
    change("several mailboxes become one", "rewrite",
           ("From: Alice <alice@example.com>, Team <team@example.com>",),
           ("From: alice@example.com",
            *original("Alice <alice@example.com>, Team <team@example.com>"))),
    change("several mailboxes, one of them foreign", "rewrite",
           (f"From: alice@example.com,\r\n {VICTIM}",),
           ("From: alice@example.com", *original(f"alice@example.com,\r\n {VICTIM}"))),
    change("missing From is added", "rewrite", (SUBJECT,), (SUBJECT, "From: alice@example.com")),
    change("From without a value is filled", "rewrite", ("From:  ", SUBJECT),
           ("From: alice@example.com", SUBJECT)),
    change("foreign Sender", "rewrite", (f"Sender: Victim <{VICTIM}>", OWN),
           ("Sender: alice@example.com", OWN)),
    change("foreign Sender in front of From, in odd letters", "rewrite",
           (SUBJECT, f"SENDER\t: {VICTIM}", OWN), (SUBJECT, "Sender: alice@example.com", OWN)),
    change("folded Sender", "rewrite", (OWN, f"Sender:\r\n Victim\r\n <{VICTIM}>", SUBJECT),
           (OWN, "Sender: alice@example.com", SUBJECT)),
    change("malformed Sender", "rewrite", (OWN, f"Sender: <{VICTIM}> <alice@example.com>"),
           (OWN, "Sender: alice@example.com")),
    change("group in Sender", "rewrite", (OWN, "Sender: team: alice@example.com;"),
           (OWN, "Sender: alice@example.com")),
    change("several mailboxes in Sender", "rewrite",
           (OWN, "Sender: alice@example.com, alice.second@example.com"),
           (OWN, "Sender: alice@example.com")),
    change("second Sender goes, the first one becomes the primary address", "rewrite",
           ("Sender: alice.second@example.com", OWN, f"sender : {VICTIM}", SUBJECT),
           ("Sender: alice@example.com", OWN, SUBJECT)),
    change("three Senders", "rewrite",
           (f"Sender: {VICTIM}", "Sender: ", OWN, "sender: bob@example.com"),
           ("Sender: alice@example.com", OWN)),
    change("foreign Resent-From of the second block", "rewrite",
           ("Resent-From: team@example.com", "Resent-To: x@far.example",
            f"Resent-From: Victim <{VICTIM}>", OWN, "Resent-From: alice.second@example.com"),
           ("Resent-From: team@example.com", "Resent-To: x@far.example",
            "Resent-From: alice@example.com", OWN, "Resent-From: alice.second@example.com")),
    change("foreign Resent-* in odd letters and places", "rewrite",
           ("RESENT-FROM: team@example.com", "Resent-Sender : team@example.com",
            f"resent-from\t: {VICTIM}", f"Resent-Sender:\r\n {VICTIM}", OWN,
            "Resent-From: team@example.com, bob@example.com", "Resent-sender: bob@example.com"),
           ("RESENT-FROM: team@example.com", "Resent-Sender: team@example.com",
            "Resent-From: alice@example.com", "Resent-Sender: alice@example.com", OWN,
            "Resent-From: alice@example.com", "Resent-Sender: alice@example.com")),
    change("name with a foreign address beside an own one goes", "rewrite",
           (f'From: "{VICTIM}" <alice.second@example.com>', "Sender: team@example.com"),
           ("From: alice.second@example.com", "Sender: team@example.com")),
    change("names in Sender and Resent-From go", "rewrite",
           (OWN, f"Sender: {VICTIM} (x) <team@example.com>",
            f'Resent-From: Team <team@example.com>, "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: alice@example.com",
            "Resent-From: team@example.com,\r\n alice@example.com")),
    change("name that turns the direction goes", "rewrite",
           ('From: "\u202emitciV\u202c" <alice@example.com>',), (OWN,), parameters="SMTPUTF8"),
    change("all at once", "rewrite",
           (f"Sender: {VICTIM}", f"From: Boss <{VICTIM}>", f"Resent-From: {VICTIM}"),
           ("Sender: alice@example.com", "From: Boss <alice@example.com>",
            "Resent-From: alice@example.com", *original(f"Boss <{VICTIM}>")),
           mail="<bob@example.com>"),
    change("own report with the null sender keeps it", "rewrite",
           (OWN, "Auto-Submitted: auto-replied"), mail="<>", sender=""),
    change("quoted local part of one's own is written with its quotes", "rewrite",
           (f'From: "{VICTIM}" <"alice smith"@example.com>',),
           ('From: "alice smith"@example.com',)),
    change("exempt login is rewritten nothing", "exempt",
           (f"Sender: {VICTIM}", f"From: Boss <{VICTIM}>", f"Resent-From: {VICTIM}"),
           mail=f"<{VICTIM}>", sender=VICTIM),
)


def many(count):
    return ",\r\n ".join(f"Victim {number} <v{number}@bank.example>" for number in range(count))


changes(
    change("From with two hundred mailboxes", "rewrite", (f"From: {many(200)}", SUBJECT),
           ("From: alice@example.com", SUBJECT, *original(many(200)))),
    change("foreign Sender behind a From with twenty mailboxes", "rewrite",
           (f"From: {many(20)}", f"Sender: {VICTIM}", f"Resent-From: {VICTIM}"),
           ("From: alice@example.com", "Sender: alice@example.com",
            "Resent-From: alice@example.com", *original(many(20)))),
    refusal("more changed fields than a decision has findings are refused",
            "eom resent-not-granted", message(OWN, *[f"Resent-From: {VICTIM}"] * 40)),
    refusal("malformed From is refused", "eom from-malformed",
            message(f"From: <{VICTIM}> <alice@example.com>")),
    refusal("two From fields are refused", "eom from-duplicate",
            message(OWN, f"From : {VICTIM}")),
    refusal("group in From is refused", "eom from-group", message(f"From: g: {VICTIM};")),
    refusal("control character in the name of From is refused", "eom from-malformed",
            message(f"From: =?utf-8?q?A=0D=0AB?= <{VICTIM}>")),
    refusal("null sender of no report is refused", "eom null-sender", mail="<>"),
    refusal("account without a primary address is refused as sender", "rcpt sender-not-granted",
            policy="homeless", mail=f"<{VICTIM}>"),
    refusal("account without a primary address is refused in From", "eom from-not-granted",
            message(FOREIGN), policy="homeless", mail="<x@home.example>"),
    refusal("account without a primary address is refused as Sender",
            "eom header-sender-not-granted", policy="homeless", mail="<x@home.example>",
            data=message("From: y@home.example", f"Sender: {VICTIM}")),
)

# ---- remove ----

changes(
    change("foreign Sender", "remove", (f"Sender: {VICTIM}", OWN), (OWN,)),
    change("folded Sender with a tab before the colon", "remove",
           (OWN, f"SENDER\t:\r\n\tVictim\r\n <{VICTIM}>", SUBJECT), (OWN, SUBJECT)),
    change("own Sender stays", "remove", (OWN, "Sender: team@example.com")),
    change("second Sender", "remove",
           (OWN, "Sender: team@example.com", SUBJECT, f"sender : {VICTIM}"),
           (OWN, "Sender: team@example.com", SUBJECT)),
    change("second Sender that is own, behind a foreign one", "remove",
           (f"Sender: {VICTIM}", OWN, "Sender: team@example.com"), (OWN,)),
    change("third Sender", "remove",
           ("Sender: ", OWN, f"sender : {VICTIM}", SUBJECT, "Sender: team@example.com"),
           ("Sender: ", OWN, SUBJECT)),
    change("foreign Resent-* of the second block", "remove",
           ("Resent-From: team@example.com", "Resent-Sender: team@example.com",
            "Resent-To: x@far.example", f"Resent-From :\r\n {VICTIM}",
            f"RESENT-SENDER: {VICTIM}", OWN, "Resent-From: alice@example.com"),
           ("Resent-From: team@example.com", "Resent-Sender: team@example.com",
            "Resent-To: x@far.example", OWN, "Resent-From: alice@example.com")),
    change("first and third Resent-From", "remove",
           (f"Resent-From: {VICTIM}", "Resent-From: team@example.com",
            "Resent-From: bob@example.com", OWN), ("Resent-From: team@example.com", OWN)),
)

# ---- quarantine: the client is told 250, the MTA holds it ----

changes(
    change("own message is delivered", "quarantine", (OWN,)),
    change("foreign envelope sender", "quarantine", (OWN,), mail=f"<{VICTIM}>", sender=VICTIM,
           held=True),
    change("foreign From", "quarantine", (FOREIGN,), held=True),
    change("several mailboxes in From", "quarantine", (OWN + ", team@example.com",), held=True),
    change("missing From", "quarantine", (SUBJECT,), held=True),
    change("malformed From", "quarantine", ("From: <alice@",), held=True),
    change("two From fields", "quarantine", (OWN, OWN), held=True),
    change("foreign Sender", "quarantine", (OWN, f"Sender: {VICTIM}"), held=True),
    change("second Sender", "quarantine", (OWN, "Sender: team@example.com",
                                           "Sender: team@example.com"), held=True),
    change("foreign Resent-Sender", "quarantine", (f"Resent-Sender: {VICTIM}", OWN), held=True),
    change("foreign address in the name", "quarantine",
           (f'From: "{VICTIM}" <alice@example.com>',), held=True),
)

# ---- several actions at once ----

changes(
    change("held, and rewritten, and tagged", "mixed",
           (f"From: Boss <{VICTIM}>", f"Sender: {VICTIM}", "Resent-From: bob@example.com"),
           ("From: Boss <alice@example.com>", f"Sender: {VICTIM}", "Resent-From: bob@example.com",
            *original(f"Boss <{VICTIM}>")),
           above=(tag("resent-not-granted", "bob@example.com", "mixed"),), mail=f"<{VICTIM}>",
           held=True),
    change("rewritten and tagged", "mixed", (FOREIGN, "Resent-From: bob@example.com"),
           ("From: Victim <alice@example.com>", "Resent-From: bob@example.com",
            *original(f"Victim <{VICTIM}>")),
           above=(tag("resent-not-granted", "bob@example.com", "mixed"),)),
    change("name of the second Sender goes, not that of the first", "names",
           (OWN, "Sender: Team <team@example.com>", f'sender: "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: Team <team@example.com>", "Sender: alice@example.com"),
           above=(tag("header-sender-not-granted",
                      f'\\"{VICTIM}\\" <alice@example.com>', "names"),)),
    change("malformed Sender stays where its second one's name goes", "names",
           (OWN, "Sender: <team@example.com> team@example.com",
            f'sender: "{VICTIM}" <alice@example.com>'),
           (OWN, "Sender: <team@example.com> team@example.com", "Sender: alice@example.com"),
           above=(tag("header-sender-not-granted",
                      f'\\"{VICTIM}\\" <alice@example.com>', "names"),
                  tag("header-sender-not-granted", "<team@example.com> team@example.com",
                      "names"))),
    refusal("refusal beats rewrite and quarantine", "eom header-sender-not-granted",
            message(f'From: "{VICTIM}" <{VICTIM}>', f"Sender: {VICTIM}",
                    f"Resent-From: {VICTIM}"), policy="stern", mail=f"<{VICTIM}>"),
    refusal("tempfail beats rewrite and quarantine", "eom tempfail resent-not-granted",
            message(f'From: "{VICTIM}" <{VICTIM}>', f"Resent-From: {VICTIM}"), policy="stern",
            mail=f"<{VICTIM}>"),
)

# ---- tempfail and reject: the same claims, and nothing delivered ----

REFUSED = (
    ("foreign envelope sender", "rcpt", "sender-not-granted", f"<{VICTIM}>", message(OWN)),
    ("malformed envelope sender", "rcpt", "sender-malformed", "<(c)alice@example.com>",
     message(OWN)),
    ("foreign From", "eom", "from-not-granted", "<alice@example.com>", message(FOREIGN)),
    ("several mailboxes in From", "eom", "from-multiple", "<alice@example.com>",
     message(OWN + ", team@example.com")),
    ("missing From", "eom", "from-missing", "<alice@example.com>", message(SUBJECT)),
    ("malformed From", "eom", "from-malformed", "<alice@example.com>", message("From: <alice@")),
    ("two From fields", "eom", "from-duplicate", "<alice@example.com>", message(OWN, OWN)),
    ("group in From", "eom", "from-group", "<alice@example.com>", message(f"From: g: {VICTIM};")),
    ("foreign Sender", "eom", "header-sender-not-granted", "<alice@example.com>",
     message(OWN, f"Sender: {VICTIM}")),
    ("second Sender", "eom", "header-sender-not-granted", "<alice@example.com>",
     message(OWN, "Sender: team@example.com", "Sender: team@example.com")),
    ("foreign Resent-From", "eom", "resent-not-granted", "<alice@example.com>",
     message(OWN, f"Resent-From: {VICTIM}")),
    ("foreign address in the name", "eom", "display-name-address", "<alice@example.com>",
     message(f'From: "{VICTIM}" <alice@example.com>')),
)

for action in ("tempfail", "reject"):
    for what, stage, reason, mail, data in REFUSED:
        word = "tempfail " if action == "tempfail" else ""
        changes(refusal(what, f"{stage} {word}{reason}", data, policy=action, mail=mail))


@case("record of a changed message names what was changed")
def changed_in_the_log(bench):
    daemon = bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    _, reply = bench.send(session, message(FOREIGN, f"Sender: {VICTIM}"), mail=f"<{VICTIM}>")
    bench.expect_accepted(reply)
    line = bench.decision(daemon, qid=reply.queue_id)
    check(line["verdict"] == "accept" and line["effect"] == "rewrite", str(line))
    check(line["changed"] == "From,X-Original-From,Reply-To,Sender,MAIL", str(line))


@case("message of two recipients is changed for both")
def two_recipients(bench):
    bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    _, reply = bench.send(session, message(FOREIGN), mail=f"<{VICTIM}>",
                          rcpts=(TO, "<other@far.example>"))
    delivered = bench.expect_accepted(reply, "alice@example.com",
                                      ["friend@far.example", "other@far.example"])
    check(delivered.fields("From") == [b"Victim <alice@example.com>"], f"{delivered.header!r}")


@case("changes to one message are not made to the next")
def next_message(bench):
    bench.keep_spare(**SPARE)
    session = bench.connect("spare", login_of("rewrite"))
    for data in (message(FOREIGN, f"Sender: {VICTIM}"), message(OWN)):
        _, reply = bench.send(session, data)
        delivered = bench.expect_accepted(reply, "alice@example.com")
    check(delivered.data.endswith(octets(message(OWN))), f"{delivered.data!r}")
    check(len(delivered.fields("Sender")) == 0, f"{delivered.data!r}")
