#include "utext.h"
#include "span.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

enum {
    LABEL_MAX = 63,
    DOMAIN_MAX = 253,
    /* No code point takes more octets in UTF-8, and no U-label has more code points than its
     * A-label has octets. */
    DOMAIN_UTF8_MAX = 4 * DOMAIN_MAX,
};

static const uint8_t *bytes_of(struct span text)
{
    return (const uint8_t *)text.data;
}

bool utext_is_utf8(struct span text)
{
    return text.len == 0 || u8_check(bytes_of(text), text.len) == NULL;
}

static bool is_printable_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

static bool is_forbidden(ucs4_t c)
{
    /* Cn holds what this version of Unicode does not know: its normal form is not settled. */
    const uint32_t mask = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
                          UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Z;
    return uc_is_general_category_withtable(c, mask) ||
           uc_is_property_default_ignorable_code_point(c);
}

static bool check_characters(struct span text, enum utext_allow allow, struct errtext *why)
{
    for (size_t i = 0; i < text.len;) {
        ucs4_t c = 0;
        int used = u8_mbtoucr(&c, bytes_of(text) + i, text.len - i);
        if (used <= 0) {
            errtext_set(why, "is not valid UTF-8");
            return false;
        }
        if (is_forbidden(c) && !(c == ' ' && (allow & UTEXT_ASCII_SPACE))) {
            errtext_set(why, "holds the character U+%04X", (unsigned)c);
            return false;
        }
        i += (size_t)used;
    }
    return true;
}

static bool is_nfc(struct span text)
{
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFC, bytes_of(text), text.len, NULL, &len);
    bool same = normal && span_equal(text, span_make((const char *)normal, len));
    free(normal);
    return same;
}

bool utext_check(struct span text, enum utext_allow allow, struct errtext *why)
{
    if (is_printable_ascii(text))
        return true;
    if (!check_characters(text, allow, why))
        return false;
    if (is_nfc(text))
        return true;
    errtext_set(why, "is not in Unicode normal form C");
    return false;
}

static bool is_ldh(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-';
}

static bool check_label(struct span label, struct errtext *why)
{
    const char *wrong = NULL;
    if (!label.len)
        wrong = "the domain has an empty label";
    else if (label.len > LABEL_MAX)
        wrong = "a label of the domain is over 63 octets";
    else if (label.data[0] == '-' || label.data[label.len - 1] == '-')
        wrong = "a label of the domain begins or ends with a hyphen";
    for (size_t i = 0; i < label.len && !wrong; i++)
        if (!is_ldh(label.data[i]))
            wrong = "the domain holds a character other than letters, digits and hyphens";
    if (wrong)
        errtext_set(why, "%s", wrong);
    return !wrong;
}

static bool is_all_digits(struct span label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_digit(label.data[i]))
            return false;
    return true;
}

static bool check_labels(struct span domain, struct errtext *why)
{
    if (domain.len > DOMAIN_MAX) {
        errtext_set(why, "the domain is over %d octets", DOMAIN_MAX);
        return false;
    }
    for (;;) {
        size_t dot = span_find(domain, '.');
        struct span label = span_sub(domain, 0, dot);
        if (!check_label(label, why))
            return false;
        if (dot < domain.len) {
            domain = span_sub(domain, dot + 1, domain.len);
            continue;
        }
        if (!is_all_digits(label))
            return true;
        errtext_set(why, "the last label of the domain is a number");
        return false;
    }
}

/* RFC 5891 wants A-labels and the ASCII part of U-labels in lower case before anything else. */
static char *lower_copy(struct arena *a, struct span text)
{
    char *copy = arena_copy(a, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = ascii_lower(copy[i]);
    return copy;
}

static bool needs_idna(const char *domain)
{
    for (const char *c = domain; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return true;
    return strstr(domain, "xn--") != NULL;
}

static bool to_alabels(struct arena *a, const char *domain, const char **out, struct errtext *why)
{
    uint8_t *result = NULL;
    int status = idn2_lookup_u8((const uint8_t *)domain, &result, IDN2_NO_TR46 | IDN2_NFC_INPUT);
    if (status == IDN2_OK)
        *out = arena_strdup(a, (const char *)result);
    else
        errtext_set(why, "the domain is not valid in IDNA2008: %s", idn2_strerror(status));
    idn2_free(result);
    return status == IDN2_OK;
}

bool utext_domain(struct arena *a, struct span text, const char **domain_out, struct errtext *why)
{
    if (text.len > DOMAIN_UTF8_MAX) {
        errtext_set(why, "the domain is over %d octets", DOMAIN_MAX);
        return false;
    }
    /* This also refuses NUL, so that C strings may be used from here on. */
    struct errtext inner;
    if (!utext_check(text, UTEXT_NOTHING, &inner)) {
        errtext_set(why, "the domain %s", inner.text);
        return false;
    }
    const char *domain = lower_copy(a, text);
    if (needs_idna(domain) && !to_alabels(a, domain, &domain, why))
        return false;
    if (!check_labels(span_of(domain), why))
        return false;
    *domain_out = domain;
    return true;
}
