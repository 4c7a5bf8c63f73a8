#include "conf_scan.h"
#include "span.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum place { PLACE_CODE, PLACE_COMMENT_LINE, PLACE_COMMENT_BLOCK, PLACE_SINGLE, PLACE_DOUBLE };

struct scan {
    FILE *stream;
    const char *file;
    unsigned line;
    unsigned opened; /* where the quotes, comment or block that is open began */
    unsigned depth;  /* of blocks */
    enum place place;
    char word[8]; /* the last one outside quotes, its beginning: the option, where a value begins */
    size_t word_len;
    bool in_word, sound;
    struct strbuf *text; /* all but the comments */
    conf_scan_report *report;
    void *context;
};

static void fault(struct scan *s, const char *what)
{
    s->sound = false;
    s->report(s->context, s->file, s->line, what);
}

static bool in_comment(const struct scan *s)
{
    return s->place == PLACE_COMMENT_LINE || s->place == PLACE_COMMENT_BLOCK;
}

static int next(struct scan *s)
{
    int c = getc(s->stream);
    if (c == '\n')
        s->line++;
    if (c == '\n' || (c != EOF && !in_comment(s)))
        strbuf_add_char(s->text, (char)c);
    return c;
}

static bool follows(struct scan *s, int wanted)
{
    int c = next(s);
    if (c == wanted)
        return true;
    if (c == '\n')
        s->line--;
    if (c == '\n' || (c != EOF && !in_comment(s)))
        s->text->len--;
    (void)ungetc(c, s->stream);
    return false;
}

static void enter(struct scan *s, enum place place)
{
    s->place = place;
    s->opened = s->line;
}

static void keep_word(struct scan *s, int c)
{
    bool part = c != EOF && (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '_');
    if (part && !s->in_word)
        s->word_len = 0;
    s->in_word = part;
    if (part && s->word_len < sizeof s->word)
        s->word[s->word_len++] = (char)c;
}

/* A comment counts as a blank. */
static void enter_comment(struct scan *s, enum place place, size_t signs)
{
    enter(s, place);
    s->text->len -= signs;
    strbuf_add_char(s->text, ' ');
}

/* Within a word "//" is part of it: ldap://ldap.example.net */
static bool begins_word(const struct scan *s)
{
    size_t len = s->text->len;
    return len < 2 || strchr(" \t\r\n\"'={}()+,*", s->text->text[len - 2]) != NULL;
}

static void in_code(struct scan *s, int c)
{
    keep_word(s, c);
    bool slash = c == '/' && begins_word(s);
    if (c == '#')
        enter_comment(s, PLACE_COMMENT_LINE, 1);
    else if (slash && follows(s, '/'))
        enter_comment(s, PLACE_COMMENT_LINE, 2);
    else if (slash && follows(s, '*'))
        enter_comment(s, PLACE_COMMENT_BLOCK, 2);
    else if (c == '\'')
        enter(s, PLACE_SINGLE);
    else if (c == '"')
        enter(s, PLACE_DOUBLE);
    else if (c == '$' && follows(s, '{'))
        fault(s, "${...} is replaced from the environment; write the value in single quotes");
    else if (c == '{')
        s->depth++;
    else if (c == '}' && s->depth)
        s->depth--;
}

/* The one value in which a line end makes sense is the text of a reply. */
static bool line_end_follows(struct scan *s)
{
    return span_equal(span_make(s->word, s->word_len), span_of("text")) && follows(s, 'n');
}

static void in_double(struct scan *s, int c)
{
    if (c == '"')
        s->place = PLACE_CODE;
    else if (c == '\\' && !follows(s, '"') && !follows(s, '\\') && !line_end_follows(s))
        fault(s, "a backslash in double quotes is an escape and would be lost; write the value in "
                 "single quotes");
    else if (c == '$' && follows(s, '{'))
        fault(s, "${...} in double quotes is replaced from the environment; write the value in "
                 "single quotes");
}

/* In single quotes only \' and \\ mean anything to libConfuse. */
static void in_single(struct scan *s, int c)
{
    if (c == '\'')
        s->place = PLACE_CODE;
    else if (c == '\\' && !follows(s, '\''))
        (void)follows(s, '\\');
}

static void step(struct scan *s, int c)
{
    if (c == '\0')
        fault(s, "a NUL byte: this is no text");
    switch (s->place) {
    case PLACE_CODE:
        in_code(s, c);
        return;
    case PLACE_COMMENT_LINE:
        if (c == '\n')
            s->place = PLACE_CODE;
        return;
    case PLACE_COMMENT_BLOCK:
        if (c == '*' && follows(s, '/'))
            s->place = PLACE_CODE;
        return;
    case PLACE_SINGLE:
        in_single(s, c);
        return;
    case PLACE_DOUBLE:
        in_double(s, c);
        return;
    }
}

/* libConfuse takes a block without its end for a whole one. */
static void at_end(struct scan *s)
{
    unsigned last = s->line;
    s->line = s->opened;
    if (s->place == PLACE_SINGLE || s->place == PLACE_DOUBLE)
        fault(s, "these quotes have no end");
    else if (s->place == PLACE_COMMENT_BLOCK)
        fault(s, "this comment has no end");
    s->line = last;
    if (s->sound && s->depth > 0)
        fault(s, "the file ends within a block: a '}' is missing");
}

FILE *conf_scan_open(const char *file)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    FILE *stream = NULL;
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
    else
        stream = fdopen(fd, "r");
    if (!stream) {
        int why = errno;
        (void)close(fd);
        errno = why;
    }
    return stream;
}

static void cannot_be_read(struct scan *s)
{
    s->line = 0;
    fault(s, errno == ENODEV ? "no regular file" : strerror(errno));
}

bool conf_scan(const char *file, struct strbuf *text, conf_scan_report *report, void *context)
{
    struct scan s = {
        .file = file, .line = 1, .text = text, .sound = true, .report = report, .context = context};
    s.stream = conf_scan_open(file);
    if (!s.stream) {
        cannot_be_read(&s);
        return false;
    }
    for (int c = next(&s); c != EOF; c = next(&s))
        step(&s, c);
    if (ferror(s.stream))
        cannot_be_read(&s);
    else
        at_end(&s);
    (void)fclose(s.stream);
    return s.sound;
}
