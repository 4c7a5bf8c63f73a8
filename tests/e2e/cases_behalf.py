"""On behalf of somebody else: From may be the boss's where Sender says who sent it."""
from changed import Change, on_spare
from harness import OWN, Row, case, message

BOSS = "From: The Boss <boss@example.com>"
SENDER = "Sender: alice@example.com"
SUBJECT = "Subject: minutes"
VICTIM = "victim@bank.example"
POLICIES = {
    "plain": "",
    "rewrite": "header_sender = rewrite",
    "remove": "header_sender = remove",
    "tag": "header_sender = tag",
    "blind": "header_sender = ignore",
    "from": "header_from = rewrite",
    "allow": "multiple_from = allow",
    "equal": "from_must_equal_envelope = yes",
    "watching": "mode = observe",
    "homeless": "",
}
LOGINS = [f"alice@{name}.test" for name in POLICIES if name != "homeless"]
BEHALF = [f"on-behalf:{login}" for login in (*LOGINS, "alice@homeless.test")]
SPARE = {
    "senders": f"""\
alice@example.com         {", ".join(LOGINS)}
alice.second@example.com  {", ".join(LOGINS)}
boss@example.com          boss, {", ".join(BEHALF)}
@board.example            {", ".join(BEHALF)}
@home.example             alice@homeless.test
""",
    "extra": "local_domains += { \"board.example\" }\n" + "".join(
        f'policy "{name}" {{ logins = {{ "@{name}.test" }} {options} }}\n'
        for name, options in POLICIES.items())}


def taken(name, sent, below=None, policy="plain", **more):
    login = f"alice@{policy}.test"
    case(f"on behalf: {name}")(Change(name, sent, below, login=login, spare=SPARE,
                                      judged=policy != "watching", **more))


def refused(name, want, *header, policy="plain", **more):
    on_spare(f"on behalf: {name}", Row("", want, message(*header), login=f"alice@{policy}.test",
                                       listener="spare", **more), SPARE)


# ---- Sender is added, once ----

taken("Sender is added", (BOSS, SUBJECT), (BOSS, SUBJECT, SENDER))
taken("Sender is added for an address of a domain", ("From: chair@board.example",),
      ("From: chair@board.example", SENDER))
taken("Sender is added for a tag of the address", ("From: boss+x@example.com",),
      ("From: boss+x@example.com", SENDER))
taken("Sender without a value is filled", ("Sender: ", BOSS, SUBJECT), (SENDER, BOSS, SUBJECT))
taken("two Senders without a value become one", ("Sender: ", BOSS, "sender :", SUBJECT),
      (SENDER, BOSS, SUBJECT), policy="tag", above=(
          'X-Sendas-Tag: header-sender-not-granted;\r\n address="";\r\n login="alice@tag.test"',))
taken("own Sender is kept", (BOSS, "Sender: Alice <alice.second@example.com>"))
taken("own Sender in odd letters is kept", ("SENDER\t:\r\n alice@example.com", BOSS),
      ("SENDER:\r\n alice@example.com", BOSS))
taken("From of one's own gets no Sender", (OWN,))
taken("report with the null sender", (BOSS, "Auto-Submitted: auto-replied"),
      (BOSS, "Auto-Submitted: auto-replied", SENDER), mail="<>", sender="")
taken("foreign Sender is rewritten where told", (f"Sender: {VICTIM}", BOSS), (SENDER, BOSS),
      policy="rewrite")
taken("second Sender goes where told", ("Sender: alice.second@example.com", BOSS,
                                        "Sender: alice@example.com"), (SENDER, BOSS),
      policy="rewrite")
taken("foreign Sender is replaced where it is removed", (f"Sender: {VICTIM}", BOSS),
      (SENDER, BOSS), policy="remove")
taken("three Senders are replaced where they are removed",
      (f"Sender: {VICTIM}", BOSS, "Sender: alice@example.com", "sender: bob@example.com"),
      (SENDER, BOSS), policy="remove")
taken("From on behalf is none to be rewritten", (BOSS, "Sender: "), (BOSS, SENDER), policy="from")
taken("several authors, one of them oneself",
      ("From: boss@example.com, alice@example.com", SENDER), policy="allow")
taken("policy that observes adds nothing", (BOSS, SUBJECT), policy="watching")

# ---- what it is no right to ----

refused("foreign Sender is refused", "eom from-not-granted", BOSS, f"Sender: {VICTIM}")
refused("the boss as Sender is refused", "eom from-not-granted", BOSS,
        "Sender: boss@example.com")
refused("malformed Sender is refused", "eom from-not-granted", BOSS,
        "Sender: <alice@example.com> <alice@example.com>")
refused("two own Senders are refused", "eom from-not-granted", BOSS, SENDER, SENDER)
refused("foreign Sender is refused where it is only tagged", "eom from-not-granted", BOSS,
        f"Sender: {VICTIM}", policy="tag")
refused("foreign Sender is refused where it is not looked at", "eom from-not-granted", BOSS,
        f"Sender: {VICTIM}", policy="blind")
taken("Sender is added where it is not looked at", (BOSS,), (BOSS, SENDER), policy="blind")
refused("foreign Sender is refused where From alone is rewritten",
        "eom header-sender-not-granted", BOSS, f"Sender: {VICTIM}", policy="from")
refused("From of somebody else again is refused", "eom from-not-granted",
        "From: bob@example.com", SENDER)
refused("From beside somebody else's is refused", "eom from-not-granted",
        f"From: boss@example.com, {VICTIM}", SENDER, policy="allow")
refused("several authors without Sender are refused", "eom from-multiple",
        "From: boss@example.com, alice@example.com", policy="allow")
refused("the boss as Sender of one's own mail is refused", "eom header-sender-not-granted", OWN,
        "Sender: boss@example.com")
refused("the boss in Resent-From is refused", "eom resent-not-granted", OWN,
        "Resent-From: boss@example.com")
refused("the boss as envelope sender is refused", "rcpt sender-not-granted", BOSS, SENDER,
        mail="<boss@example.com>")
refused("without a primary address it is refused", "eom from-not-granted", BOSS,
        policy="homeless", mail="<x@home.example>")
refused("where From must equal the envelope it is refused", "eom from-not-granted", BOSS, SENDER,
        policy="equal")
taken("without a primary address, with an own Sender", (BOSS, "Sender: x@home.example"),
      policy="homeless", mail="<x@home.example>", sender="x@home.example")
