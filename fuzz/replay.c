/* replay: the reader of session files that the tests play. Input: the file. */
#include "files.h"
#include "fuzz.h"

#include "../tests/replay/replay_file.h"

static void check_options(const struct replay_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        FUZZ_CLAIM(options->items[i].values.count >= 1);
        FUZZ_CLAIM(replay_option(options, options->items[i].name) != NULL);
    }
}

static void check_setup(const struct replay_setup *setup)
{
    FUZZ_CLAIM(setup->senders && setup->denies);
    check_options(&setup->options);
    check_options(&setup->login);
    check_options(&setup->address);
    for (size_t i = 0; i < setup->policy_count; i++) {
        FUZZ_CLAIM(setup->policies[i].name);
        check_options(&setup->policies[i].options);
    }
}

static void check_event(struct arena *a, const struct replay_event *event)
{
    for (size_t i = 0; i < event->pair_count; i++)
        (void)replay_value(event, event->pairs[i].key, NULL);
    if (event->kind == REPLAY_MAIL)
        FUZZ_CLAIM(replay_value(event, "from", NULL) != NULL);
    if (event->kind != REPLAY_RCPT)
        return;
    FUZZ_CLAIM(event->argument);
    FUZZ_CLAIM(strlen(replay_parsed(a, event->argument)) <= strlen(event->argument));
}

static bool owes_expectation(const struct replay_step *step)
{
    return step->kind == STEP_EVENT &&
           (step->event.kind == REPLAY_RCPT || step->event.kind == REPLAY_EOM);
}

/* What checks nothing is refused: an answer is followed by an expectation. */
static void check_steps(struct arena *a, const struct replay_scenario *scenario)
{
    bool owes = false;
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct replay_step *step = &scenario->steps[i];
        if (step->kind == STEP_EVENT) {
            FUZZ_CLAIM(!owes);
            check_event(a, &step->event);
        }
        owes = (owes && step->kind != STEP_EXPECT) || owes_expectation(step);
    }
    FUZZ_CLAIM(!owes);
}

static void check_file(struct arena *a, const struct replay_file *file)
{
    FUZZ_CLAIM(file->count >= 1);
    for (size_t i = 0; i < file->count; i++) {
        FUZZ_CLAIM(*file->scenarios[i].name);
        check_setup(&file->scenarios[i].setup);
        check_steps(a, &file->scenarios[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char path[] = FILES_ROOT "replay";
    struct arena *a = arena_create();
    struct errtext why = {""};
    files_write("replay", span_make((const char *)data, size));
    const struct replay_file *file = replay_read(a, path, &why);
    if (file)
        check_file(a, file);
    else
        FUZZ_CLAIM(strncmp(why.text, path, strlen(path)) == 0);
    arena_destroy(a);
    return 0;
}
