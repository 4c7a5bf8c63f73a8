"""The null sender: reports and automatic replies as programs write them, with a From of one's own
and with somebody else's."""
from changed import on_spare
from harness import Row, message
from rig import SENDERS

BOSS = "ceo@example.com"
GATEWAY = {"senders": SENDERS + "MAILER-DAEMON@mx.example.com  gateway\n"
                                "postmaster@example.com        gateway\n"}

POSTFIX_DSN = """\
Received: by mx.example.com (Postfix)
\tid 4XyQpR0Wx1z9sZb; Tue, 24 Nov 2026 10:12:13 +0100 (CET)
Date: Tue, 24 Nov 2026 10:12:13 +0100 (CET)
From: Mail Delivery System <{address}>
Subject: Undelivered Mail Returned to Sender
To: friend@far.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyQpQ5Gk2z9sZa.1795513933/mx.example.com"
Content-Transfer-Encoding: 8bit
Message-Id: <4XyQpR0Wx1z9sZb@mx.example.com>

This is a MIME-encapsulated message.

--4XyQpQ5Gk2z9sZa.1795513933/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<nobody@example.com>: unknown user: "nobody"

--4XyQpQ5Gk2z9sZa.1795513933/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4XyQpQ5Gk2z9sZa
X-Postfix-Sender: rfc822; friend@far.example
Arrival-Date: Tue, 24 Nov 2026 10:12:12 +0100 (CET)

Final-Recipient: rfc822; nobody@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: X-Postfix; unknown user: "nobody"

--4XyQpQ5Gk2z9sZa.1795513933/mx.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: friend@far.example
To: nobody@example.com
Subject: hello

hello

--4XyQpQ5Gk2z9sZa.1795513933/mx.example.com--
"""

EXCHANGE_DSN = """\
MIME-Version: 1.0
From: <{address}>
To: <friend@far.example>
Date: Tue, 24 Nov 2026 09:12:13 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="a7a3a8a4-0f0c-4f0b-9d21-1f4f0b8d9c11"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <8f1c8a77-9d0d-4a4b-8f5f-0b2a3f4f5a6b@mx.example.com>
In-Reply-To: <hello@far.example>
References: <hello@far.example>
Subject: Undeliverable: hello
Auto-Submitted: auto-replied

--a7a3a8a4-0f0c-4f0b-9d21-1f4f0b8d9c11
Content-Type: text/plain; charset="us-ascii"

Delivery has failed.

--a7a3a8a4-0f0c-4f0b-9d21-1f4f0b8d9c11
Content-Type: message/delivery-status

Reporting-MTA: dns;mx.example.com

Final-recipient: RFC822;nobody@example.com
Action: failed
Status: 5.1.10

--a7a3a8a4-0f0c-4f0b-9d21-1f4f0b8d9c11--
"""

THUNDERBIRD_MDN = """\
Message-ID: <b1f6a0a4-5d7e-4c3c-9a54-7d9a3c6f8a10@example.com>
Date: Tue, 24 Nov 2026 10:12:13 +0100
MIME-Version: 1.0
From: Alice Example <{address}>
Subject: Return Receipt (displayed) - hello
To: friend@far.example
References: <hello@far.example>
Content-Type: multipart/report; report-type=disposition-notification;boundary="------------mdn030409080708070506"

--------------mdn030409080708070506
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 7bit

This is a Return Receipt for the mail that you sent to alice@example.com.

--------------mdn030409080708070506
Content-Type: message/disposition-notification; name="MDNPart2.txt"
Content-Disposition: inline
Content-Transfer-Encoding: 7bit

Reporting-UA: Mozilla Thunderbird 128.4.3
Final-Recipient: rfc822;alice@example.com
Original-Message-ID: <hello@far.example>
Disposition: manual-action/MDN-sent-manually; displayed

--------------mdn030409080708070506
Content-Type: text/rfc822-headers; name="MDNPart3.txt"
Content-Transfer-Encoding: 7bit
Content-Disposition: inline

From: friend@far.example
Subject: hello

--------------mdn030409080708070506--
"""

OUTLOOK_MDN = """\
From: "Alice Example" <{address}>
To: <friend@far.example>
References: <hello@far.example>
In-Reply-To: <hello@far.example>
Subject: Read: hello
Date: Tue, 24 Nov 2026 10:12:13 +0100
Message-ID: <000401dc5d3f$5e2b8a40$1a829ec0$@example.com>
MIME-Version: 1.0
Content-Type: multipart/report;
\tboundary="----=_NextPart_000_0005_01DC5D47.BFF05A40";
\treport-type=disposition-notification
X-Mailer: Microsoft Outlook 16.0
Content-Language: de
Thread-Index: AQHm2uYJ7pXq8S0fX3gVqgk0Yl1uEw==

This is a multipart message in MIME format.

------=_NextPart_000_0005_01DC5D47.BFF05A40
Content-Type: text/plain;
\tcharset="utf-8"
Content-Transfer-Encoding: 7bit

Your message was read on Tuesday.

------=_NextPart_000_0005_01DC5D47.BFF05A40
Content-Type: message/disposition-notification
Content-Transfer-Encoding: 7bit
Content-Disposition: inline

Final-recipient: RFC822;alice@example.com
Disposition: automatic-action/MDN-sent-automatically; displayed
X-MSExch-Correlation-Key: 7pXq8S0fX3gVqgk0Yl1uEw==
Original-Message-ID: <hello@far.example>

------=_NextPart_000_0005_01DC5D47.BFF05A40--
"""

SIEVE_VACATION = """\
X-Sieve: Pigeonhole Sieve 0.5.19 (4eae2f79)
Message-ID: <dovecot-sieve-1795513933-123456-0@imap.example.com>
Date: Tue, 24 Nov 2026 10:12:13 +0100
From: Alice Example <{address}>
To: friend@far.example
Subject: Auto: hello
In-Reply-To: <hello@far.example>
References: <hello@far.example>
Auto-Submitted: auto-replied (vacation)
Precedence: bulk
X-Auto-Response-Suppress: All
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

I am away until Monday.
"""

OUT_OF_OFFICE = """\
From: {address}
To: friend@far.example
Subject: Automatic reply: hello
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
MIME-Version: 1.0
Content-Type: text/plain; charset="us-ascii"

I am out of office.
"""

UNMARKED = """\
From: {address}
To: friend@far.example
Subject: Out of office: hello
Auto-Submitted: no
Content-Type: multipart/alternative; boundary="report-type=delivery-status"
MIME-Version: 1.0

--report-type=delivery-status
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--report-type=delivery-status--
"""


def wire(text):
    return text.replace("\n", "\r\n")


def row(name, want, data, login="alice", **more):
    name = f"null sender, {name}"
    on_spare(name, Row(name, want, data, login=login, listener="spare", mail="<>", **more), GATEWAY)


def report(what, text, own, login="alice"):
    """It passes with a From of the login's own, and is refused with another one."""
    row(f"{what}: own From", "accept", wire(text.format(address=own)), login, delivered_from="")
    for address in (BOSS, "victim@bank.example"):
        row(f"{what}: From {address}", "eom from-not-granted", wire(text.format(address=address)),
            login)


def plain(what, want, text, own="alice@example.com"):
    row(what, want, wire(text.format(address=own)))


report("delivery report of Postfix", POSTFIX_DSN, "MAILER-DAEMON@mx.example.com", "gateway")
report("delivery report of Exchange", EXCHANGE_DSN, "postmaster@example.com", "gateway")
report("receipt of Thunderbird", THUNDERBIRD_MDN, "alice@example.com")
report("receipt of Outlook", OUTLOOK_MDN, "alice.second@example.com")
report("vacation of Pigeonhole", SIEVE_VACATION, "alice@example.com")
report("out of office", OUT_OF_OFFICE, "alice@example.com")

for shape in (", alice@example.com", "alice@example.com,", "Alice <alice@example.com>, ,",
              ",,alice@example.com", ",\n alice@example.com"):
    plain(f"out of office with From: {shape!r}", "accept", OUT_OF_OFFICE, shape)
for shape in (f", {BOSS}", f"{BOSS},"):
    plain(f"out of office with From: {shape!r}", "eom from-not-granted", OUT_OF_OFFICE, shape)
plain("out of office with two in From", "eom from-multiple", OUT_OF_OFFICE,
      f"alice@example.com, {BOSS}")
plain("out of office with an empty From", "eom from-missing", OUT_OF_OFFICE, "")
plain("out of office with commas for From", "eom from-malformed", OUT_OF_OFFICE, ",,")
plain("no report, whatever its body and its boundary say", "eom null-sender", UNMARKED)
plain("no report, foreign From", "eom null-sender", UNMARKED, BOSS)
row("report type in the body alone", "eom null-sender",
    message("From: alice@example.com", body=wire(THUNDERBIRD_MDN)))
row("report with a foreign Sender", "eom header-sender-not-granted",
    wire(f"Sender: {BOSS}\n" + SIEVE_VACATION.format(address="alice@example.com")))
row("report that another login sent", "eom from-not-granted",
    wire(POSTFIX_DSN.format(address="MAILER-DAEMON@mx.example.com")))
