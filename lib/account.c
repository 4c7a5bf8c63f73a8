#include "account.h"
#include "xalloc.h"

#include <stdlib.h>

struct account_kept {
    struct account_kept *next;
    struct account_answer *answer;
};

struct account_answer *account_answer_create(void)
{
    struct account_answer *answer = xcalloc(1, sizeof *answer);
    answer->arena = arena_create();
    answer->refs = 1;
    return answer;
}

struct account_answer *account_answer_ref(struct account_answer *answer)
{
    (void)__atomic_add_fetch(&answer->refs, 1, __ATOMIC_RELAXED);
    return answer;
}

void account_answer_unref(struct account_answer *answer)
{
    if (!answer || __atomic_sub_fetch(&answer->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (struct account_kept *kept = answer->kept; kept; kept = kept->next)
        account_answer_unref(kept->answer);
    arena_destroy(answer->arena);
    free(answer);
}

void account_answer_keep(struct account_answer *answer, struct account_answer *part)
{
    struct account_kept *kept = arena_alloc(answer->arena, sizeof *kept);
    *kept = (struct account_kept){answer->kept, account_answer_ref(part)};
    answer->kept = kept;
}
