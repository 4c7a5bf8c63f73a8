#include "replay_run.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct replay_player *player;
    unsigned played, failed;
};

void replay_split_reply(struct arena *a, const char *reply, struct replay_answer *out)
{
    const size_t code = 3;
    struct span text = span_of(reply);
    struct span rest = span_sub(text, code + 1, text.len);
    size_t enhanced = span_find(rest, ' ');
    out->code = arena_copy(a, span_sub(text, 0, code));
    out->text = arena_copy(a, span_sub(rest, enhanced + 1, rest.len));
}

/* ---- one scenario ---- */

static const char *verdict_name(enum replay_verdict verdict)
{
    static const char *const names[] = {
        [REPLAY_CONTINUE] = "continue",
        [REPLAY_REJECT] = "reject",
        [REPLAY_TEMPFAIL] = "tempfail",
    };
    return names[verdict];
}

/* The reply's text begins with the reason's identifier. */
static bool names_reason(const char *text, const char *reason)
{
    size_t len = strlen(reason);
    return strncmp(text, reason, len) == 0 && !ascii_is_alpha(text[len]) && text[len] != '-';
}

static bool meets(const struct replay_expect *want, const struct replay_answer *got)
{
    char class = got->verdict == REPLAY_REJECT ? '5' : '4';
    return got->verdict == want->verdict &&
           (got->verdict == REPLAY_CONTINUE || got->code[0] == class) &&
           (!want->code || strcmp(got->code, want->code) == 0) &&
           (!want->reason || names_reason(got->text, want->reason));
}

/* The i-th, or what stands for none. */
static const char *change_at(const struct replay_words *changes, size_t i)
{
    return i < changes->count ? changes->items[i] : "no change";
}

static bool check_changes(const struct replay_words *want, const struct replay_words *got,
                          struct errtext *why)
{
    for (size_t i = 0; i < want->count || i < got->count; i++) {
        if (strcmp(change_at(want, i), change_at(got, i)) == 0)
            continue;
        errtext_set(why, "change %zu: wanted %s, got %s", i + 1, change_at(want, i),
                    change_at(got, i));
        return false;
    }
    return true;
}

static bool check_expect(const struct replay_expect *want, const struct replay_answer *got,
                         struct errtext *why)
{
    if (meets(want, got))
        return check_changes(&want->changes, &got->changes, why);
    errtext_set(why, "wanted %s%s%s%s%s, got %s %s %s", verdict_name(want->verdict),
                want->code ? " " : "", want->code ? want->code : "", want->reason ? " " : "",
                want->reason ? want->reason : "", verdict_name(got->verdict), got->code, got->text);
    return false;
}

/* An answer that no expectation looks at must let the session go on. */
static bool check_unexpected(const struct replay_answer *got, struct errtext *why)
{
    static const struct replay_expect go_on = {.verdict = REPLAY_CONTINUE};
    return check_expect(&go_on, got, why);
}

static bool play_step(const struct replay_player *player, const struct replay_step *step,
                      const struct replay_step *next, struct replay_answer *answer,
                      struct errtext *why)
{
    switch (step->kind) {
    case STEP_EVENT:
        *answer = (struct replay_answer){.code = "", .text = ""};
        if (!player->event(player->self, &step->event, answer, why))
            return false;
        return (next && next->kind == STEP_EXPECT) || check_unexpected(answer, why);
    case STEP_EXPECT:
        return check_expect(&step->expect, answer, why);
    case STEP_LOG:
    case STEP_CLOCK:
    case STEP_DIRECTORY:
    case STEP_ADD:
    case STEP_REMOVE:
        return player->control(player->self, step, why);
    }
    return false;
}

static bool play_steps(const struct replay_player *player, const struct replay_scenario *scenario,
                       unsigned *line_out, struct errtext *why)
{
    struct replay_answer answer = {.code = "", .text = ""};
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct replay_step *step = &scenario->steps[i];
        const struct replay_step *next = i + 1 < scenario->step_count ? step + 1 : NULL;
        *line_out = step->line;
        if (!play_step(player, step, next, &answer, why))
            return false;
    }
    return true;
}

static bool begin_play_end(const struct replay_player *player, struct arena *a,
                           const struct replay_scenario *scenario, unsigned *line_out,
                           struct errtext *why)
{
    struct errtext end_why = {""};
    bool ok = player->begin(player->self, a, scenario, why) &&
              play_steps(player, scenario, line_out, why);
    bool ended = player->end(player->self, !ok, &end_why);
    if (ok && !ended)
        *why = end_why;
    return ok && ended;
}

static void play_scenario(struct run *run, const struct replay_file *file,
                          const struct replay_scenario *scenario)
{
    const struct replay_player *player = run->player;
    struct arena *a = arena_create();
    struct errtext why = {""};
    unsigned line = scenario->line;
    bool ok = false;
    if (scenario->core_only && !player->control)
        errtext_set(&why, "this scenario needs the in-process player");
    else
        ok = begin_play_end(player, a, scenario, &line, &why);
    run->played++;
    run->failed += !ok;
    printf("%s %u - %s\n", ok ? "ok" : "not ok", run->played, scenario->name);
    if (!ok)
        printf("# %s:%u: %s\n", file->path, line, why.text);
    (void)fflush(stdout);
    arena_destroy(a);
}

/* ---- files ---- */

static void play_file(struct run *run, const char *path)
{
    struct arena *a = arena_create();
    struct errtext why = {""};
    const struct replay_file *file = replay_read(a, path, &why);
    if (!file) {
        run->played++;
        run->failed++;
        printf("not ok %u - %s\n# %s\n", run->played, path, why.text);
    }
    for (size_t i = 0; file && i < file->count; i++)
        play_scenario(run, file, &file->scenarios[i]);
    arena_destroy(a);
}

static void play_folder(struct run *run, const char *folder)
{
    char pattern[4096];
    glob_t found = {0};
    const char *source = getenv("srcdir");
    (void)snprintf(pattern, sizeof pattern, "%s/tests/replay/%s/*.replay", source ? source : ".",
                   folder);
    if (glob(pattern, 0, NULL, &found) != 0) {
        run->played++;
        run->failed++;
        printf("not ok %u - no file %s\n", run->played, pattern);
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        play_file(run, found.gl_pathv[i]);
    globfree(&found);
}

int replay_main(int argc, char **argv, const struct replay_player *player)
{
    struct run run = {.player = player};
    for (int i = 1; i < argc; i++)
        play_file(&run, argv[i]);
    for (size_t i = 0; argc < 2 && player->folders[i]; i++)
        play_folder(&run, player->folders[i]);
    printf("1..%u\n", run.played);
    return run.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
