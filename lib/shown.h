/*
 * shown - what a mail client shows besides the address: display names and comments
 *
 * A name is free, an address in it is not: many clients show the name alone. So the name is read as
 * a client may show it: quotes and backslashes taken off, encoded-words (RFC 2047) decoded wherever
 * they stand, in quotes too, adjacent ones joined, legacy charsets converted, NFKC, default-
 * ignorable characters dropped, U+3002 and its like taken for a dot.
 *
 * Use: shown_read() for every mailbox of From, Sender and Resent-*, while the text that was parsed
 *   is still there.
 * Found: text of the form local@domain where the domain has a dot and a top label of two or more
 *   characters that begins with a letter. What looks like one and cannot be read as an address is
 *   found too, under the text that was seen.
 * Memory: everything lives in the arena given.
 * Failure: none. Where clients are known to differ, text is read in each of these ways, and
 *   what any of them shows is found:
 *   - octets that are not valid in their charset, or doubtful (a charset that shifts, UTF-7, UTF-8
 *     under another label), once as well as it goes, and once every word by itself as UTF-8 or
 *     Latin-1;
 *   - encoded-words that RFC 2047 does not allow as words, and as what they hold;
 *   - base64 with and without what stands behind padding, or in a last group that has none;
 *   - words that stand together without a blank joined and apart; comments joined and apart, with
 *     and without the quotes or the parentheses in them.
 * Threads: no shared state.
 * Depends on: mailbox, libunistring (unicase, uniconv, unictype, uninorm).
 */
#ifndef SENDAS_SHOWN_H
#define SENDAS_SHOWN_H

#include "mailbox.h"

struct shown_address {
    struct addr addr; /* key "" where it cannot be read as an address */
    const char *text; /* what was seen, for the log */
};

struct shown {
    bool control;   /* a decoded control character: NUL, CR, LF, ESC, U+0085 and so on */
    bool direction; /* U+202D or U+202E: letters may be shown in another order */
    const struct shown_address *addresses; /* each text once */
    size_t count;
};

/* The last one of so many has no key, whatever it is: it stands for all that may follow. */
enum { SHOWN_ADDRESSES_MAX = 100 };

void shown_read(struct arena *a, const struct addr_rules *rules, const struct mailbox *mailbox,
                struct shown *out);

#endif
