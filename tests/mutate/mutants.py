"""The mutants: what a careless change of each rule would look like.

The rules are those of a strict sender check:
 1 one From field, one Sender          9 whole addresses are compared
 2 one mailbox in From                10 one reading of the envelope
 3 tokens, never a search for "<"     11 a null sender excuses no header
 4 nothing inside an address          12 only a login that was proved
 5 Sender and Resent-* are owned too  13 values in filters are escaped
 6 names are read as they are shown   14 cache keys hold every input
 7 no control characters, no bad fold 15 fail closed
 8 bounds of lines and fields         16 nothing stays for the next message
and 17, on top of them: what is done to a message is done to the right part of it, 18: outsiders.
"""
import dataclasses


@dataclasses.dataclass
class Mutant:
    rule: int
    name: str
    file: str
    old: str
    new: str
    tests: tuple = ()


def mutant(rule, name, file, old, new, *tests):
    return Mutant(rule, name, file, old, new, tests)


RULES = "lib/policy_rules.c"
CLAIM = "lib/policy_claim.c"

MUTANTS = [
    # ---- 1: one From, one Sender ----
    mutant(1, "a second From passes", RULES, "} else if (fields > 1) {", "} else if (fields > 2) {"),
    mutant(1, "a second From is judged by the first alone", "lib/fields.c",
           "if (++f->of_kind[FIELD_FROM] == 1)", "if (f->of_kind[FIELD_FROM]++, f->of_kind[FIELD_FROM] = 1)"),
    mutant(1, "a field name with blanks is another field", "lib/fields.c",
           "struct span trimmed = span_trim(span_of(name));", "struct span trimmed = span_of(name);"),
    mutant(1, "letter case makes another field", "lib/fields.c",
           "!span_equal_nocase(name, span_of(field_name((enum field_kind)kind)))",
           "!span_equal(name, span_of(field_name((enum field_kind)kind)))"),
    mutant(1, "a second Sender passes", RULES, "if (seen++ == 0)", "if (seen++ <= 1)"),
    mutant(1, "no From at all passes", RULES,
           "if (fields == 0 || (fields == 1 && from->status == MAILBOX_BLANK)) {",
           "if (fields == 1 && from->status == MAILBOX_BLANK) {"),
    # ---- 2: one mailbox ----
    mutant(2, "a list passes", RULES, "if (from->list.count > 1)", "if (from->list.count > 2)"),
    mutant(2, "a group passes", "lib/mailbox.c", "p->group = true;", "p->group = false;"),
    mutant(2, "only the first of a list is judged", RULES,
           "for (size_t i = 0; i < from->list.count; i++)\n        judge_author(j, from, i);",
           "for (size_t i = 0; i < 1; i++)\n        judge_author(j, from, i);"),
    mutant(2, "several authors need no Sender", RULES,
           "struct claim sender = header_sender_claim(j);",
           "struct claim sender = {.result = CLAIM_GRANTED};"),
    # ---- 3: tokens ----
    mutant(3, "text behind the angle brackets passes", "lib/mailbox.c",
           "if (rest.text.len)\n        return fault(p, \"text stands behind the angle brackets\");",
           "(void)rest;"),
    mutant(3, "another address before the brackets passes", "lib/mailbox.c",
           "if (addr_equal(&named, addr))\n        return true;", "return true;"),
    mutant(3, "a quote without end passes", "lib/mailbox.c",
           "static size_t quoted_end(struct span v, size_t at)\n{\n    for (size_t i = at + 1; i < v.len; i++) {\n        if (v.data[i] == '\"')\n            return i + 1;",
           "static size_t quoted_end(struct span v, size_t at)\n{\n    for (size_t i = at + 1; i < v.len; i++) {\n        if (v.data[i] == '\"' || i + 1 == v.len)\n            return i + 1;"),
    mutant(3, "encoded words may move the edge of quotes", "lib/mailbox.c",
           "return check_encoded_words(&all, value, why);", "return true;"),
    mutant(3, "words beside an address pass", "lib/mailbox.c", "if (!run->glued)", "if (false)"),
    mutant(3, "a comment that others take apart passes", "lib/mailbox.c",
           "return parentheses <= 2 || !address;", "return true;"),
    # ---- 4: nothing inside the address ----
    mutant(4, "a comment within the brackets passes", "lib/mailbox.c", "if (inner.comments)",
           "if (false)"),
    mutant(4, "an encoded word in an address passes", "lib/mailbox.c",
           "if (has_encoded_word(span_of(out->local)))", "if (false)"),
    mutant(4, "source routes are always stripped", "lib/addr.c",
           "size_t end = rules->strip_routes ? route_end(a, text) : 0;",
           "size_t end = route_end(a, text);"),
    # ---- 5: Sender and Resent-* ----
    mutant(5, "Sender is not judged", RULES, "judge_field(j, field, REASON_HEADER_SENDER_NOT_GRANTED);",
           "(void)field;"),
    mutant(5, "Resent-* are not judged", RULES,
           "judge_field(j, &j->facts->fields[i], REASON_RESENT_NOT_GRANTED);", "(void)i;"),
    mutant(5, "a granted Sender excuses From", CLAIM, "    if (!behalf)\n        return own;\n",
           "    if (!behalf)\n        return j->behalf.result == CLAIM_GRANTED && !j->sender_is_ours\n"
           "                   ? j->behalf\n                   : own;\n"),
    mutant(5, "on behalf needs no Sender", CLAIM, "struct claim claim = j->behalf;",
           "struct claim claim = {.result = CLAIM_GRANTED};"),
    mutant(5, "on behalf is send-as", "lib/grant.c",
           "enum grant_right right = use == GRANT_FOR_AUTHOR ? GRANT_ON_BEHALF : GRANT_SEND_AS;",
           "enum grant_right right = lists[0].count ? lists[0].items[0].right : GRANT_SEND_AS;\n"
           "    if (use != GRANT_FOR_AUTHOR)\n        right = GRANT_ON_BEHALF;"),
    mutant(5, "Resent-* always stand for From", RULES, "if (!j->policy->resent_covers_from || j->facts->too_large)",
           "if (j->facts->too_large)"),
    mutant(5, "one good Resent-From covers a bad one", RULES,
           "worst = claim_worse(worst, field_claim(j, field));", "worst = field_claim(j, field);"),
    mutant(5, "Resent-* without a Resent-From covers", RULES, "return resent ? worst : none;", "return worst;"),
    # ---- 6: names ----
    mutant(6, "encoded words are not decoded", "lib/shown.c",
           "if (s.len - at < 2 || s.data[at] != '=' || s.data[at + 1] != '?')\n        return false;",
           "if (s.len || at)\n        return false;"),
    mutant(6, "adjacent encoded words are not joined", "lib/shown.c",
           "if (behind_word && next && !span_trim(gap).len) {", "if (false) {"),
    mutant(6, "no compatibility forms", "lib/shown.c", "UNINORM_NFKC", "UNINORM_NFC"),
    mutant(6, "invisible characters split a name", "lib/shown.c",
           "else if (!uc_is_property_default_ignorable_code_point(c))", "else"),
    mutant(6, "turned text passes", "lib/shown.c", "if (c == 0x202d || c == 0x202e)", "if (c == 0x202d)"),
    mutant(6, "decoded control characters pass", "lib/shown.c", "out->control = true;",
           "out->control = false;"),
    mutant(6, "comments show nothing", "lib/shown.c", "i < mailbox->comment_count;", "i < 0;"),
    mutant(6, "the name of Sender is not looked at", RULES, "judge_names(j, &j->facts->fields[i]);",
           "(void)i;"),
    mutant(6, "every name may show its own mailbox's domain", RULES,
           "is_same_mailbox(j, &seen->addr, &field->list.items[i].addr)",
           "strcmp(seen->addr.domain, field->list.items[i].addr.domain) == 0"),
    # ---- 7: control characters and folds ----
    mutant(7, "control characters pass", "lib/mailbox.c", "if (has_control(line))", "if (false)"),
    mutant(7, "a line end without fold passes", "lib/mailbox.c",
           "else if (start && !(line.len && is_white(line.data[0])))", "else if (false)"),
    mutant(7, "a blank folded line passes", "lib/mailbox.c",
           "else if (start && !span_trim(line).len)", "else if (false)"),
    # ---- 8: bounds ----
    mutant(8, "long lines pass", "lib/mailbox.c", "if (before > MAILBOX_LINE_MAX || line.len > MAILBOX_LINE_MAX - before) {",
           "if (false) {"),
    mutant(8, "one octet more", "lib/mailbox.c", "size_t before = name_len + sizeof \": \" - 1;",
           "size_t before = name_len + sizeof \": \" - 2;"),
    mutant(8, "comments nest for ever", "lib/mailbox.c", "++depth > MAILBOX_COMMENT_DEPTH",
           "++depth > 1000000"),
    mutant(8, "large fields pass unread", RULES, "if (j->facts->too_large)\n        add_by_action",
           "if (false)\n        add_by_action"),
    mutant(8, "any number of fields", "lib/fields.c", "f->too_large = \"more fields than max_headers\";",
           "f->too_large = NULL;"),
    # ---- 9: whole addresses ----
    mutant(9, "a domain is compared by its end", "lib/grant.c",
           "return !bare && strcmp(grant->key, addr->domain) == 0;",
           "return !bare && strlen(addr->domain) >= strlen(grant->key) &&\n"
           "               strcmp(grant->key, addr->domain + strlen(addr->domain) - strlen(grant->key)) == 0;"),
    mutant(9, "subdomains without their dot", "lib/grant.c",
           "return len == parent_len || domain[len - parent_len - 1] == '.';", "return true;"),
    mutant(9, "tags are stripped unasked", "lib/addr.c", "if (!rules->delimiters || !is_dot_string(local))",
           "if (!is_dot_string(local))\n        return local;\n    if (!rules->delimiters && span_find(local, '+') > 0)\n"
           "        return span_sub(local, 0, span_find(local, '+'));\n    if (!rules->delimiters)"),
    mutant(9, "letter case counts for nothing although it should", "lib/addr.c",
           "strbuf_add_char(b, rules->fold_local_part ? ascii_lower(c) : c);",
           "strbuf_add_char(b, ascii_lower(c));"),
    mutant(9, "Unicode is folded in domains", "lib/utext.c", "IDN2_NO_TR46 | IDN2_NFC_INPUT",
           "IDN2_TRANSITIONAL | IDN2_NFC_INPUT"),
    mutant(9, "a domain grant covers what reads as another address", "lib/grant.c",
           "if (!is_exact(grant) && !wide && may_be_misread(addr))\n        return false;",
           "(void)may_be_misread;"),
    mutant(9, "a deny of a domain spares what reads as another address", "lib/grant.c",
           "!is_exact(grant) && !wide && may", "!is_exact(grant) && may"),
    mutant(9, "a deny does not beat a grant", CLAIM, "if (deny_of(j, addr))\n        return NULL;",
           "(void)deny_of;"),
    mutant(9, "patterns count in headers", "lib/grant.c", "(wide || use == GRANT_FOR_ENVELOPE) &&",
           "(wide || use != GRANT_FOR_AUTHOR) &&"),
    mutant(9, "a deny turns on the case of a letter", "lib/grant.c",
           "return use == GRANT_FOR_DENY ? span_equal_nocase(a, b) : span_equal(a, b);",
           "(void)use;\n    return span_equal(a, b);"),
    mutant(9, "a pattern denies nothing", "lib/grant.c", "(wide || use == GRANT_FOR_ENVELOPE)",
           "(use == GRANT_FOR_ENVELOPE)"),
    mutant(9, "a domain gives others' addresses", CLAIM,
           "if (other && owners->fresh)\n        return (struct claim){.result = CLAIM_NOT_GRANTED, .owner = other, .forbidden = true};",
           "if (other && owners->fresh)\n        return (struct claim){.result = CLAIM_GRANTED, .grant = grant};"),
    # ---- 10: the envelope ----
    mutant(10, "two readings need not agree", "lib/envelope.c", "!addr_same_mailbox(&typed, &parsed)",
           "false"),
    mutant(10, "a malformed argument is not looked at", "lib/envelope.c",
           "if (typed_status == ADDR_MALFORMED)\n        return ADDR_MALFORMED;\n    if (!macro)",
           "if (typed_status == ADDR_MALFORMED && !macro)\n        return ADDR_MALFORMED;\n"
           "    if (typed_status == ADDR_MALFORMED)\n        return addr_parse(a, rules, span_of(macro), out, why);\n    if (!macro)"),
    mutant(10, "< > is the null sender", "lib/addr.c", "if (span_equal(text, span_of(\"<>\")))",
           "if (span_equal(text, span_of(\"<>\")) || span_equal(text, span_of(\"< >\")))"),
    mutant(10, "a malformed sender passes", RULES, "if (sender->shape != SENDER_MALFORMED)\n        return;",
           "return;"),
    mutant(10, "a foreign SRS domain is unwrapped", "lib/envelope.c", "rules->unwrap_srs && sender->local",
           "rules->unwrap_srs"),
    mutant(10, "BATV is unwrapped unasked", "lib/envelope.c", "if (rules->unwrap_batv &&", "if ("),
    # ---- 11: the null sender ----
    mutant(11, "a null sender switches the headers off", RULES, "return at_end(j) && authenticated(j);",
           "return at_end(j) && authenticated(j) && j->facts->sender.shape != SENDER_NULL;"),
    mutant(11, "any message may have a null sender", RULES,
           "if (!at_end(j) || (report && ", "if (!at_end(j) || ("),
    mutant(11, "a report with a foreign From passes", RULES,
           "(report && (from_is_fine(j) || from_will_speak(j)))", "report", "test_policy"),
    mutant(11, "every content type is a report", "lib/report.c",
           "if (is_report_type(next_part(&value)))", "if (next_part(&value).len)"),
    mutant(11, "Auto-Submitted: no is a report", "lib/report.c",
           "return keyword.len && !span_equal_nocase(keyword, span_of(\"no\"));", "return keyword.len > 0;"),
    # ---- 12: the principal ----
    mutant(12, "half a pair is a login", "lib/identify.c", "if (proof == LOGIN_PROOF_HALF)", "if (false)"),
    mutant(12, "half a pair is nobody", "lib/identify.c", "if (proof == LOGIN_PROOF_NONE)",
           "if (proof != LOGIN_PROOF_SASL)"),
    mutant(12, "any certificate is a proof", "lib/identify.c",
           "if (strcmp(rules->cert_issuers[i], issuer) == 0)", "if (rules->cert_issuers[i])"),
    mutant(12, "a certificate need not be verified", "lib/identify.c",
           "(macros->verify && strcmp(macros->verify, \"OK\") == 0)", "true"),
    mutant(12, "a network beats a login", "lib/identify.c",
           "if (by_login(a, rules, macros, out) || by_certificate(rules, decoded, out))\n        return;\n    (void)by_network(rules, out);",
           "if (by_network(rules, out) || by_login(a, rules, macros, out))\n        return;\n    (void)by_certificate(rules, decoded, out);"),
    mutant(12, "an unknown login passes", RULES, "if (answer_is_final(answer))\n            add_claim(j, action_of(j, CHECK_UNKNOWN_LOGIN),",
           "if (false)\n            add_claim(j, action_of(j, CHECK_UNKNOWN_LOGIN),"),
    mutant(12, "a disabled login passes", RULES, "if (says_disabled(answer) && answer_is_final(answer))",
           "if (false)"),
    mutant(12, "a login with blanks is trimmed", "lib/login.c", "if (!check_raw(raw, why))",
           "raw = span_trim(raw);\n    if (!check_raw(raw, why))"),
    mutant(12, "a network relays without a right to", RULES, "return network || is_outsider(j);",
           "return is_outsider(j);"),
    mutant(12, "relaying is open", RULES, "if (!may_not_relay(j) || at_end(j) || !to->raw || to->local)",
           "if (true || !may_not_relay(j) || at_end(j) || !to->raw || to->local)"),
    # ---- 13: filters ----
    mutant(13, "stars are not escaped", "lib/dir_filter.c",
           'strchr("()*\\\\", c);', 'strchr("()\\\\", c);'),
    # ---- 14: the cache ----
    mutant(14, "keys without lengths", "lib/cachekey.c", "strbuf_printf(out, \"%zu:\", part.len);",
           "(void)part.len;"),
    mutant(14, "kinds of principals share a key", "lib/dir_cache.c",
           "cachekey_add(text, span_of(principal_kind_name(p->kind)));", "(void)principal_kind_name;"),
    mutant(14, "clients share a key", "lib/dir_cache.c",
           "if (c->backend.uses_client || p->kind == PRINCIPAL_NETWORK)", "if (false)"),
    mutant(14, "certificates share a key", "lib/dir_cache.c",
           "if (c->backend.uses_cert || p->kind == PRINCIPAL_CERT) {", "if (false) {"),
    # ---- 15: fail closed ----
    mutant(15, "no answer is a yes", RULES,
           ".effect = EFFECT_TEMPFAIL,\n                            .action = ACTION_TEMPFAIL,\n                            .observed = observed,",
           ".effect = EFFECT_ACCEPT,\n                            .action = ACTION_ACCEPT,\n                            .observed = observed,"),
    mutant(15, "owners whom nobody can tell are none", CLAIM,
           "if (other || trouble == ACCOUNT_UNAVAILABLE || trouble == ACCOUNT_MISCONFIGURED)",
           "if (other)"),
    mutant(15, "no answer is a no", CLAIM,
           "if (answer->status != ACCOUNT_FOUND)\n        return (struct claim){.result = CLAIM_NOT_KNOWN, .blame = answer};",
           "if (answer->status != ACCOUNT_FOUND)\n        return (struct claim){.result = CLAIM_NOT_GRANTED};"),
    mutant(15, "a part that is missing counts as a no", CLAIM,
           "return answer->fresh && answer->missing == ACCOUNT_FOUND;", "return answer->fresh;"),
    mutant(15, "old data may refuse", CLAIM,
           "return answer->fresh && answer->missing == ACCOUNT_FOUND;",
           "return answer->missing == ACCOUNT_FOUND;"),
    mutant(15, "denies that are missing are none", CLAIM, "|| answer->denies_missing)", ")"),
    mutant(15, "no answer is remembered", "lib/dir_cache.c",
           "    case ACCOUNT_UNAVAILABLE:\n    case ACCOUNT_MISCONFIGURED:\n        return false;\n    case ACCOUNT_UNKNOWN:",
           "    case ACCOUNT_UNAVAILABLE:\n    case ACCOUNT_MISCONFIGURED:\n        return true;\n    case ACCOUNT_UNKNOWN:"),
    mutant(15, "an unchanged message is let through", "milter/callbacks.c",
           "change->name ? change->name : \"the envelope or the queue\");\n        return SMFIS_TEMPFAIL;",
           "change->name ? change->name : \"the envelope or the queue\");\n        return SMFIS_CONTINUE;",
           "changes"),
    mutant(15, "a large packet ends the session", "milter/callbacks.c",
           "(void)smfi_setmaxdatasize(PACKET_MAX);", "(void)PACKET_MAX;", "robustness", "messages"),
    # ---- 16: one message ----
    mutant(16, "the message before is not forgotten", "lib/session.c",
           "    struct message *m = &s->message;\n    forget(s);\n    m->open = true;",
           "    struct message *m = &s->message;\n    if (m->open) {\n        m->queue_id = NULL;\n        return;\n    }\n    m->open = true;"),
    mutant(16, "an identity is used twice", "milter/callbacks.c",
           "    forget_macro(ctx, \"{auth_authen}\");\n", "", "macros"),
    # ---- 17: what is done to a message ----
    mutant(17, "a refused message is changed", "lib/amend.c",
           "if (effect_refuses(decision->effect) || policy->observe)", "if (policy->observe)"),
    mutant(17, "observing changes", "lib/amend.c",
           "if (effect_refuses(decision->effect) || policy->observe)", "if (effect_refuses(decision->effect))"),
    mutant(17, "observing acts", RULES, "finding.observed = finding.observed || j->policy->observe;",
           ""),
    mutant(17, "fields are removed from the first one on", "lib/amend.c",
           "for (size_t i = m->facts->field_count; i-- > 0;)\n        if (!sets",
           "for (size_t i = 0; i < m->facts->field_count; i++)\n        if (!sets"),
    mutant(17, "a malformed From is rewritten", RULES,
           "return action == ACTION_REWRITE || action == ACTION_REMOVE ? ACTION_REJECT : action;",
           "return action;"),
    mutant(17, "rewriting needs no primary address", RULES,
           "bool can = j->decision->primary || reason == REASON_DISPLAY_NAME_ADDRESS;", "bool can = true; (void)reason;"),
    mutant(17, "the primary address need not be granted", CLAIM,
           "return grant_of(j, GRANT_FOR_HEADER, &addr) ? addr.key : NULL;", "return addr.key;"),
    mutant(17, "forged fields stay", "lib/amend.c", "remove_forged(&m);", "(void)remove_forged;"),
    mutant(17, "a name with an address stays", "lib/amend.c", "shown->count == 0 && !shown->direction",
           "!shown->direction"),
    mutant(17, "tag beats reject", RULES, "if (!f->observed && f->effect > d->effect) {",
           "if (!f->observed && (d->effect == EFFECT_ACCEPT || f->effect < d->effect)) {"),
    # ---- 18: outsiders ----
    mutant(18, "results below Received count", "lib/fields.c", "if (f->received_seen || ", "if ("),
    mutant(18, "results of any id count", "lib/fields.c",
           "strcmp(result.authserv_id, f->trusted_id) == 0;", "result.authserv_id;"),
    mutant(18, "a login is vouched for", "lib/fields.c", "f->trusted_id && !f->conf->authenticated",
           "f->trusted_id && f->conf->authenticated"),
    mutant(18, "a fail is a pass", "lib/authres.c", "|| strcmp(r->result, \"pass\") != 0)", ")"),
    mutant(18, "any domain's pass counts", "lib/authres.c", "return prop && prop->domain && strcmp(prop->domain, domain) == 0;",
           "return prop && prop->domain;"),
    mutant(18, "only the first mailbox of an outsider counts", RULES,
           "for (size_t i = 0; from->status == MAILBOX_OK && i < from->list.count; i++) {\n        const struct addr *addr = &from->list.items[i].addr;\n        bool vouched",
           "for (size_t i = 0; from->status == MAILBOX_OK && i < 1; i++) {\n        const struct addr *addr = &from->list.items[i].addr;\n        bool vouched"),
    mutant(18, "a malformed From of an outsider is not looked at", RULES,
           "if (j->facts->from_mentions)", "if (false)"),
    mutant(18, "who is not known is", RULES, "} else if (to->owners->status != ACCOUNT_FOUND) {",
           "} else if (false) {"),
]
