/* report: which headers make a message a report or an automatic answer. */
#include "rows.h"

#include "report.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    bool (*question)(struct span value);
    const char *value;
    bool want;
};

static const struct row rows[] = {
    {"delivery status", report_content_type, "multipart/report; report-type=delivery-status; b=x",
     true},
    {"disposition notification, folded and quoted", report_content_type,
     " Multipart/Report;\n\tboundary=\"a;b\";\n report-type=\"disposition-notification\"", true},
    {"blank around the equals sign", report_content_type,
     "multipart/report; report-type = delivery-status", true},
    {"report without a type", report_content_type, "multipart/report; boundary=x", false},
    {"report of another type", report_content_type, "multipart/report; report-type=feedback-report",
     false},
    {"report-type inside a quoted boundary", report_content_type,
     "multipart/report; boundary=\"; report-type=delivery-status\"", false},
    {"other type with report-type", report_content_type,
     "multipart/mixed; report-type=delivery-status", false},
    {"type with report as prefix", report_content_type,
     "multipart/reports; report-type=delivery-status", false},
    {"empty content type", report_content_type, "", false},
    {"open quote", report_content_type, "multipart/report; x=\"", false},
    {"open quote, backslash last", report_content_type, "multipart/report; x=\"\\", false},
    {"auto-replied", report_auto_submitted, " auto-replied", true},
    {"auto-generated with parameter", report_auto_submitted, "auto-generated; owner=x", true},
    {"auto-replied with comment", report_auto_submitted, "auto-replied (vacation)", true},
    {"no", report_auto_submitted, "No", false},
    {"no with comment", report_auto_submitted, "no(really)", false},
    {"empty", report_auto_submitted, " ", false},
};

static void answers(void **state)
{
    const struct row *row = *state;
    size_t len = strlen(row->value);
    char *exact = malloc(len ? len : 1); /* no terminator: an over-read shows under ASan */
    memcpy(exact, row->value, len);
    bool got = row->question(span_make(exact, len));
    free(exact);
    assert_int_equal(got, row->want);
}

int main(void)
{
    ROWS_ADD(rows, answers);
    return rows_main();
}
