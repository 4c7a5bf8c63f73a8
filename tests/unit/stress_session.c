/*
 * Many sessions with an identity each, their events on whatever thread takes them next, while
 * the configuration is published anew all the time. Run it under TSan. TAP on standard output.
 */
#include "one_user.h"
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 32, SESSIONS = 64, MESSAGES = 60 };

struct seat {
    pthread_mutex_t lock; /* an MTA sends one event at a time */
    struct session *session;
    char login[16], own[40], foreign[40];
    unsigned step, message;
};

static struct snapshot_slot slot;
static struct seat seats[SESSIONS];
static atomic_uint wrong, done;
static atomic_bool stop;

static void decided(void *context, const struct record *record)
{
    (void)context;
    (void)record;
}

static const struct session_host host = {.slot = &slot, .clock = &clock_real, .decided = decided};

static void expect(bool condition)
{
    if (!condition)
        atomic_fetch_add(&wrong, 1);
}

/* Odd messages carry another's From. */
static void next_step(struct seat *s)
{
    bool foreign = s->message % 2;
    switch (s->step++) {
    case 0: {
        char path[50];
        (void)snprintf(path, sizeof path, "<%s>", s->own);
        (void)session_mail(s->session, &(struct session_mail){.argument = path,
                                                              .mail_addr = s->own,
                                                              .auth_type = "PLAIN",
                                                              .auth_authen = s->login});
        break;
    }
    case 1:
        expect(session_rcpt(s->session, &(struct session_rcpt){.argument = "<x@other.example>"})
                   .effect == EFFECT_ACCEPT);
        break;
    case 2:
        session_header(s->session, "From", foreign ? s->foreign : s->own);
        break;
    default: {
        struct session_answer answer = session_eom(s->session, "4Q");
        expect(answer.effect == (foreign ? EFFECT_REJECT : EFFECT_ACCEPT));
        if (answer.effect == EFFECT_REJECT)
            expect(strstr(answer.reply.lines[0], s->foreign) != NULL);
        s->step = 0;
        if (++s->message == MESSAGES)
            atomic_fetch_add(&done, 1);
    }
    }
}

static void *work(void *argument)
{
    unsigned i = (unsigned)(uintptr_t)argument;
    while (atomic_load(&done) < SESSIONS) {
        struct seat *s = &seats[i++ % SESSIONS];
        if (pthread_mutex_trylock(&s->lock) != 0)
            continue;
        if (s->message < MESSAGES)
            next_step(s);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static void *republish(void *argument)
{
    unsigned *count = argument;
    while (!atomic_load(&stop)) {
        snapshot_publish(&slot, one_user_snapshot());
        (*count)++;
    }
    return NULL;
}

static void open_seats(void)
{
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct seat *s = &seats[i];
        pthread_mutex_init(&s->lock, NULL);
        s->session = session_create(&host);
        (void)snprintf(s->login, sizeof s->login, "user%u", i);
        (void)snprintf(s->own, sizeof s->own, "user%u@example.net", i);
        (void)snprintf(s->foreign, sizeof s->foreign, "user%u@example.net", i + 1);
        session_connect(s->session,
                        &(struct session_connect){.client_addr = "192.0.2.1", .listener = "MSA"});
    }
}

int main(void)
{
    pthread_t threads[THREADS], publisher;
    unsigned published = 0;
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, one_user_snapshot());
    open_seats();
    pthread_create(&publisher, NULL, republish, &published);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i * 7));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(publisher, NULL);
    for (unsigned i = 0; i < SESSIONS; i++)
        session_destroy(seats[i].session);
    snapshot_slot_clear(&slot);
    printf("1..2\n%s 1 - %d sessions on %d threads, each with its own identity\n",
           atomic_load(&wrong) ? "not ok" : "ok", SESSIONS, THREADS);
    printf("%s 2 - configurations were published meanwhile\n", published > 1 ? "ok" : "not ok");
    return atomic_load(&wrong) || published < 2;
}
