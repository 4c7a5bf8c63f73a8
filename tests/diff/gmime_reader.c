/*
 * gmime_reader - what GMime sees in a From field
 *
 * Use: one case a line on standard input (hexline.h), the value of a From field. One line out, a
 *   part for each of GMime's two ways to parse, loose and strict, with a tab between; a part is
 *   ADDRESS:NAME for every mailbox that the message is from, members of groups too, with commas
 *   between and texts in hex, the name as GMime decodes it.
 * Knows nothing of the project: only GMime, and hexline.h.
 */
#include "hexline.h"

#ifdef GMIME_MISSING
#error "GMime 3 is missing (libgmime-3.0-dev, gmime30-devel); or: ./bootstrap check"
#endif
#include <gmime/gmime.h>

static GMimeParserOptions *make_options(GMimeRfcComplianceMode mode)
{
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_address_compliance_mode(options, mode);
    g_mime_parser_options_set_rfc2047_compliance_mode(options, mode);
    return options;
}

/* The field as an MTA sends it, behind another one: the first line of a message has a special
 * meaning to some. */
static GMimeStream *make_message(const struct hexline *value)
{
    static const char before[] = "To: x@x.example\nFrom:", behind[] = "\n\nbody\n";
    GMimeStream *stream = g_mime_stream_mem_new();
    bool folded = value->len && value->octets[0] == '\n';
    (void)g_mime_stream_write(stream, before, sizeof before - 1);
    (void)g_mime_stream_write(stream, " ", folded ? 0 : 1);
    (void)g_mime_stream_write(stream, value->octets, value->len);
    (void)g_mime_stream_write(stream, behind, sizeof behind - 1);
    (void)g_mime_stream_reset(stream);
    return stream;
}

static void put(const char *text)
{
    if (text)
        hexline_put(text, strlen(text));
}

static void put_mailboxes(InternetAddressList *list, bool *first)
{
    for (int i = 0; list && i < internet_address_list_length(list); i++) {
        InternetAddress *one = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(one)) {
            put_mailboxes(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)), first);
            continue;
        }
        (void)printf("%s", *first ? "" : ",");
        *first = false;
        put(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)));
        (void)putchar(':');
        put(internet_address_get_name(one));
    }
}

static void answer(GMimeParserOptions *options, const struct hexline *value)
{
    bool first = true;
    GMimeStream *stream = make_message(value);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, options);
    if (message) {
        put_mailboxes(g_mime_message_get_from(message), &first);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

int main(void)
{
    struct hexline line = {NULL, 0, NULL, 0};
    g_mime_init();
    GMimeParserOptions *loose = make_options(GMIME_RFC_COMPLIANCE_LOOSE);
    GMimeParserOptions *strict = make_options(GMIME_RFC_COMPLIANCE_STRICT);
    while (hexline_read(&line)) {
        answer(loose, &line);
        (void)putchar('\t');
        answer(strict, &line);
        (void)putchar('\n');
    }
    g_mime_parser_options_free(loose);
    g_mime_parser_options_free(strict);
    g_mime_shutdown();
    hexline_free(&line);
    return 0;
}
