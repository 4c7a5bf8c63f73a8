/*
 * one_user - a directory for tests in which login L owns L@example.net and nothing else, and a
 *   snapshot around it
 *
 * Use: one_user_snapshot(), which also says that example.net is local.
 */
#ifndef TESTS_ONE_USER_H
#define TESTS_ONE_USER_H

#include "dir.h"
#include "snapshot.h"
#include "xalloc.h"

#include <stdlib.h>

static void one_user_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    (void)self;
    struct account_answer *answer = account_answer_create();
    const struct login *login = dir_ticket_login(ticket);
    struct grant *grant = arena_alloc(answer->arena, sizeof *grant);
    struct grant_list *list = arena_alloc(answer->arena, sizeof *list);
    *grant = (struct grant){
        .form = GRANT_EXACT,
        .key = arena_printf(answer->arena, "%s@example.net", login->name),
        .directory = "test",
        .entry = "here",
        .attribute = "all",
    };
    *list = (struct grant_list){grant, 1};
    answer->status = ACCOUNT_FOUND;
    answer->missing = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->asked_at = clock_now(&clock_real);
    answer->account = (struct account){.name = arena_strdup(answer->arena, login->name),
                                       .entry = "here",
                                       .lists = list,
                                       .list_count = 1};
    dir_ticket_done(ticket, answer);
}

static void one_user_destroy(struct dir_backend *self)
{
    free(self);
}

static inline struct dir_backend *one_user_create(void)
{
    static const struct dir_ops ops = {"one-user", one_user_ask, one_user_destroy};
    struct dir_backend *backend = xcalloc(1, sizeof *backend);
    backend->ops = &ops;
    backend->name = "test";
    return backend;
}

/* One reference; the policies are the built-in ones. */
static inline struct snapshot *one_user_snapshot(void)
{
    struct snapshot *s = snapshot_create();
    s->login.fold_case = true;
    s->address.fold_local_part = true;
    s->command_budget = CLOCK_S;
    s->max_headers = 10;
    s->max_header_size = 1024;
    s->policies = arena_array(s->arena, POLICY_BUILTINS, sizeof *s->policies);
    s->policy_count = POLICY_BUILTINS;
    policy_builtins(s->policies);
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 64, .clock = &clock_real});
    if (!dir_add(s->dir, one_user_create()) ||
        !domset_add(s->local_domains, span_of("example.net"), NULL))
        abort();
    return s;
}

#endif
