/* ground: span, arena, strbuf, errtext at their edges. */
#include "rows.h"

#include "arena.h"
#include "clock.h"
#include "errtext.h"
#include "strbuf.h"

#include <string.h>

struct trim_row {
    const char *name, *text, *want;
};

static const struct trim_row trims[] = {
    {"trim nothing", "a b", "a b"},
    {"trim blanks", " \ta\t ", "a"},
    {"trim line ends", "\r\na\n", "a"},
    {"trim all", " \t\n", ""},
    {"trim empty", "", ""},
};

static void trims_to(void **state)
{
    const struct trim_row *row = *state;
    struct span got = span_trim(span_of(row->text));
    assert_true(span_equal(got, span_of(row->want)));
}

struct pair_row {
    const char *name, *a, *b;
    bool equal, equal_nocase, starts, ends;
};

static const struct pair_row pairs[] = {
    {"same", "From", "From", true, true, true, true},
    {"other case", "FROM", "from", false, true, true, true},
    {"prefix", "From ", "from", false, false, true, false},
    {"suffix", "x-from", "from", false, false, false, true},
    {"shorter", "fro", "from", false, false, false, false},
    {"both empty", "", "", true, true, true, true},
    {"no case for 8-bit", "\xc3\x84", "\xc3\xa4", false, false, false, false},
};

static void compares(void **state)
{
    const struct pair_row *row = *state;
    struct span a = span_of(row->a), b = span_of(row->b);
    assert_int_equal(span_equal(a, b), row->equal);
    assert_int_equal(span_equal_nocase(a, b), row->equal_nocase);
    assert_int_equal(span_starts_nocase(a, row->b), row->starts);
    assert_int_equal(span_ends_nocase(a, row->b), row->ends);
}

static void finds_bytes(void **state)
{
    (void)state;
    struct span s = span_make("a@b@\0c", 6);
    assert_int_equal(span_find(s, '@'), 1);
    assert_int_equal(span_find_last(s, '@'), 3);
    assert_int_equal(span_find(s, '\0'), 4);
    assert_int_equal(span_find(s, 'x'), 6);
    assert_int_equal(span_find(span_of(NULL), 'x'), 0);
    assert_int_equal(span_sub(s, 9, 3).len, 0);
    assert_int_equal(span_sub(s, 4, 99).len, 2);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    assert_int_equal(arena_size(a), 0);
    for (size_t size = 1; size < 9000; size += 37) {
        unsigned char *p = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    arena_reset(a);
    assert_int_equal(arena_size(a), 0);
    assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
    assert_string_equal(arena_copy(a, span_make("abc", 2)), "ab");
    arena_destroy(a);
    arena_destroy(NULL);
}

static void strbuf_grows(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    assert_string_equal(b.text, "");
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&b, "%03d,", i);
    assert_int_equal(b.len, 4000);
    assert_int_equal(strlen(b.text), 4000);
    assert_true(span_ends_nocase(strbuf_span(&b), "998,999,"));
    strbuf_add(&b, span_make("", 0));
    strbuf_add_char(&b, '!');
    assert_int_equal(b.text[4000], '!');
    arena_destroy(a);
}

static void errtext_is_one_bounded_line(void **state)
{
    (void)state;
    struct errtext why;
    char longer[ERRTEXT_SIZE + 100];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    errtext_set(&why, "%s", longer);
    assert_int_equal(strlen(why.text), ERRTEXT_SIZE - 1);
    assert_string_equal(why.text + ERRTEXT_SIZE - 4, "...");
    errtext_set(&why, "a\nb\x1b[1mc");
    assert_string_equal(why.text, "a?b?[1mc");
    errtext_set(NULL, "nobody listens");
}

static void clock_goes_forward(void **state)
{
    (void)state;
    uint64_t before = clock_now(&clock_real);
    assert_true(clock_now(&clock_real) >= before);
}

int main(void)
{
    ROWS_ADD(trims, trims_to);
    ROWS_ADD(pairs, compares);
    ROWS_ADD_TEST("finds bytes", finds_bytes);
    ROWS_ADD_TEST("arena gives zeroed, aligned memory", arena_gives_zeroed_aligned_memory);
    ROWS_ADD_TEST("strbuf grows", strbuf_grows);
    ROWS_ADD_TEST("errtext is one bounded line", errtext_is_one_bounded_line);
    ROWS_ADD_TEST("clock goes forward", clock_goes_forward);
    return rows_main();
}
