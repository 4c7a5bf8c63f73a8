/* reason: every identifier once, codes of the right shape, found again by its name. */
#include "rows.h"

#include "reason.h"

#include <string.h>

static void codes_are_smtp(void **state)
{
    (void)state;
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_info *info = reason_info((enum reason)r);
        assert_non_null(info->id);
        assert_int_equal(strlen(info->code), 3);
        assert_true(info->code[0] == '4' || info->code[0] == '5');
        assert_int_equal(info->code[0], info->enhanced[0]);
        assert_non_null(info->text);
    }
}

static void found_by_name(void **state)
{
    (void)state;
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        enum reason found = REASON_NONE;
        assert_true(reason_by_id(reason_info((enum reason)r)->id, &found));
        assert_int_equal(found, r);
    }
    enum reason untouched = REASON_COUNT;
    assert_false(reason_by_id("none", &untouched));
    assert_false(reason_by_id("from-not-grante", &untouched));
    assert_int_equal(untouched, REASON_COUNT);
}

struct row {
    const char *name, *code, *enhanced;
};

/* The codes that users' mail programs and admins' scripts rely on. */
static const struct row rows[] = {
    {"auth-required", "530", "5.7.0"},
    {"login-unknown", "550", "5.7.1"},
    {"login-disabled", "550", "5.7.13"},
    {"sender-not-granted", "553", "5.7.1"},
    {"sender-malformed", "553", "5.1.7"},
    {"null-sender", "550", "5.7.1"},
    {"from-not-granted", "550", "5.7.1"},
    {"from-missing", "550", "5.6.0"},
    {"from-duplicate", "550", "5.6.0"},
    {"from-multiple", "550", "5.6.0"},
    {"from-malformed", "550", "5.6.0"},
    {"from-group", "550", "5.6.0"},
    {"header-sender-not-granted", "550", "5.7.1"},
    {"resent-not-granted", "550", "5.7.1"},
    {"display-name-address", "550", "5.7.1"},
    {"headers-too-large", "552", "5.3.4"},
    {"local-sender", "550", "5.7.1"},
    {"relay-denied", "550", "5.7.1"},
    {"recipient-unknown", "550", "5.1.1"},
    {"limit-recipients", "452", "4.5.3"},
    {"directory-unavailable", "451", "4.4.3"},
    {"misconfigured", "451", "4.3.5"},
};

static void code_of(void **state)
{
    const struct row *row = *state;
    enum reason reason;
    assert_true(reason_by_id(row->name, &reason));
    assert_string_equal(reason_info(reason)->code, row->code);
    assert_string_equal(reason_info(reason)->enhanced, row->enhanced);
}

int main(void)
{
    assert_int_equal(sizeof rows / sizeof rows[0], REASON_COUNT - 1);
    ROWS_ADD_TEST("codes are SMTP", codes_are_smtp);
    ROWS_ADD_TEST("found by name", found_by_name);
    ROWS_ADD(rows, code_of);
    return rows_main();
}
