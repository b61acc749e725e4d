#include "session/registry.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/idmap.h"
#include "base/result.h"

enum { GENERATION_COUNT_BITS = 32, BOOTS_BITS = 21, INBOX_MAX = 8192 };

struct hl_registry {
    pthread_mutex_t lock;
    struct hl_list members;
    struct hl_id_map attachments;
    uint64_t generation; /* the last one given */
};

struct attachment {
    struct hl_id_node by_session;
    struct hl_registry_member *member;
    uint64_t generation;
    uint64_t confirmed; /* highest generation whose welcome the client is known to have */
    uint64_t proof;     /* what this generation was given for */
    uint64_t first;     /* lowest generation of the polls that led here, one after another */
    struct hl_pace pace;
    uint64_t attach_rid;
    uint64_t rid;  /* last one seen */
    bool is_poll;  /* attached by a poll */
    bool is_hello; /* that began with hello, or knew no generation */
    bool is_bound; /* a stream is there */
};

struct letter {
    struct hl_list link;
    struct hl_signal signal;
};

int hl_registry_create(uint64_t boots, struct hl_registry **out_registry)
{
    struct hl_registry *registry = calloc(1, sizeof(*registry));

    if (registry == NULL)
        return -ENOMEM;
    HL_CHECK(boots < UINT64_C(1) << BOOTS_BITS);
    registry->generation = boots << GENERATION_COUNT_BITS;
    hl_list_init(&registry->members);
    /* only ids that the process made itself or opened from its own tokens get in here */
    if (hl_id_map_init(&registry->attachments, 0) != 0) {
        free(registry);
        return -ENOMEM;
    }
    pthread_mutex_init(&registry->lock, NULL);
    *out_registry = registry;
    return 0;
}

static struct attachment *find_attachment(struct hl_registry *registry, const struct hl_id *session)
{
    struct hl_id_node *node = hl_id_map_find(&registry->attachments, session);

    return node == NULL ? NULL : HL_CONTAINER_OF(node, struct attachment, by_session);
}

static void free_attachment(struct hl_registry *registry, struct attachment *attachment)
{
    hl_id_map_remove(&registry->attachments, &attachment->by_session);
    free(attachment);
}

void hl_registry_destroy(struct hl_registry *registry)
{
    struct hl_id_node *node;

    if (registry == NULL)
        return;
    HL_CHECK(hl_list_is_empty(&registry->members));
    while ((node = hl_id_map_walk(&registry->attachments, NULL)) != NULL)
        free_attachment(registry, HL_CONTAINER_OF(node, struct attachment, by_session));
    hl_id_map_fini(&registry->attachments);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

/* ---- signals ---- */

static void post_member(struct hl_registry_member *member)
{
    if (member->is_posted)
        return;
    member->is_posted = true;
    hl_loop_post(member->loop, &member->task);
}

/* Under the lock. A fence is let in always: it is bounded by the sessions there are. False: it
 * was not put in. */
static bool put_letter(struct hl_registry_member *member, const struct hl_signal *signal)
{
    if (member->is_leaving || (member->n_inbox >= INBOX_MAX && signal->kind != HL_SIGNAL_FENCE))
        return false;
    struct letter *letter = calloc(1, sizeof(*letter));
    if (letter == NULL)
        return false;
    letter->signal = *signal;
    hl_list_add(&member->inbox, &letter->link);
    member->n_inbox++;
    post_member(member);
    return true;
}

static struct letter *take_letter(struct hl_registry_member *member, bool *out_has_left)
{
    struct letter *letter = NULL;

    pthread_mutex_lock(&member->registry->lock);
    if (!hl_list_is_empty(&member->inbox)) {
        letter = HL_CONTAINER_OF(member->inbox.next, struct letter, link);
        hl_list_remove(&letter->link);
        member->n_inbox--;
    } else {
        member->is_posted = false;
        *out_has_left = member->is_leaving;
    }
    pthread_mutex_unlock(&member->registry->lock);
    return letter;
}

/* What is put in while this runs is taken too, but no more than an inbox full at a time. */
static void run_inbox(struct hl_task *task)
{
    struct hl_registry_member *member = HL_CONTAINER_OF(task, struct hl_registry_member, task);
    struct letter *letter;
    bool has_left = false;

    for (size_t i = 0; i < INBOX_MAX; i++) {
        letter = take_letter(member, &has_left);
        if (letter == NULL) {
            if (has_left)
                member->on_left(member);
            return;
        }
        if (!member->is_leaving || letter->signal.kind == HL_SIGNAL_RELAY)
            member->on_signal(member, &letter->signal);
        free(letter);
    }
    hl_loop_post(member->loop, &member->task);
}

void hl_registry_join(struct hl_registry *registry, struct hl_registry_member *member)
{
    member->registry = registry;
    member->task.run = run_inbox;
    hl_list_init(&member->inbox);
    pthread_mutex_lock(&registry->lock);
    hl_list_add(&registry->members, &member->link);
    pthread_mutex_unlock(&registry->lock);
}

void hl_registry_leave(struct hl_registry_member *member)
{
    struct hl_registry *registry = member->registry;

    pthread_mutex_lock(&registry->lock);
    HL_CHECK(!member->is_leaving);
    hl_list_remove(&member->link);
    member->is_leaving = true;
    post_member(member);
    pthread_mutex_unlock(&registry->lock);
}

void hl_registry_tell(struct hl_registry *registry, const struct hl_signal *signal)
{
    pthread_mutex_lock(&registry->lock);
    for (struct hl_list *at = registry->members.next; at != &registry->members; at = at->next)
        (void)put_letter(HL_CONTAINER_OF(at, struct hl_registry_member, link), signal);
    pthread_mutex_unlock(&registry->lock);
}

/* ---- attachments ---- */

/* The same request again, whose answer (with the welcome) was lost or is on its way. */
static bool is_repeat(const struct attachment *have, const struct hl_attach *attach)
{
    return have->is_poll && attach->is_poll && have->confirmed < have->generation &&
           attach->proof == have->proof;
}

/* A poll that was long on the way, of the client that has polled on since. It came from hub to
 * hub with a new generation each time, so an older one does not mean another client. */
static bool is_overtaken(const struct attachment *have, const struct hl_attach *attach)
{
    return attach->is_poll && !attach->is_explicit && attach->generation >= have->first &&
           attach->generation < have->generation && attach->rid < have->rid;
}

/* A poll that claims a generation which is not the newest. */
static int judge_older_poll(const struct attachment *have, const struct hl_attach *attach)
{
    if (attach->generation > have->generation)
        return 0;
    if (is_repeat(have, attach))
        return attach->rid < have->attach_rid ? HL_ATTACH_LATE : 0;
    if (have->confirmed >= have->generation)
        return HL_ATTACH_REPLACED;
    /* the newest attachment is not confirmed: its welcome may be lost. While its stream is
     * there this poll may as well be an old one that was long on the way */
    return have->is_bound ? HL_ATTACH_LATE : 0;
}

/* A hello in a poll. One that was long on the way must not end what the same client did
 * afterwards with the same token: request numbers tell. */
static int judge_hello_poll(const struct attachment *have, const struct hl_attach *attach)
{
    bool is_open = have->confirmed < have->generation && attach->proof == have->proof;

    /* below the number of a poll that went on with a generation it is a client that starts anew:
     * who has a generation does not say hello before it polls */
    if (is_open && have->is_poll && have->is_hello && attach->rid < have->attach_rid)
        return HL_ATTACH_LATE;
    return is_open && have->is_bound && attach->rid <= have->rid ? HL_ATTACH_LATE : 0;
}

static int judge_attach(struct attachment *have, const struct hl_attach *attach)
{
    if (is_overtaken(have, attach))
        return HL_ATTACH_LATE;
    if (attach->proof < have->confirmed)
        return HL_ATTACH_REPLACED;
    if (attach->is_explicit)
        return attach->is_poll ? judge_hello_poll(have, attach) : 0;
    if (attach->generation == have->generation) {
        have->confirmed = have->generation; /* the client knows it from the welcome */
        return attach->rid < have->rid ? HL_ATTACH_LATE : 0;
    }
    return judge_older_poll(have, attach);
}

static int go_on(struct attachment *have, const struct hl_attach *attach)
{
    if (have == NULL || have->generation != attach->generation || have->member != attach->member)
        return HL_ATTACH_UNKNOWN;
    if (attach->proof < have->confirmed)
        return HL_ATTACH_REPLACED;
    have->confirmed = have->generation;
    if (attach->rid < have->rid)
        return HL_ATTACH_LATE;
    have->rid = attach->rid;
    return 0;
}

int hl_registry_go_on(struct hl_registry *registry, const struct hl_attach *attach)
{
    pthread_mutex_lock(&registry->lock);
    int r = go_on(find_attachment(registry, &attach->session), attach);
    pthread_mutex_unlock(&registry->lock);
    return r;
}

bool hl_registry_relay(struct hl_registry *registry, const struct hl_attach *attach,
                       struct hl_relay *relay)
{
    const struct hl_signal signal = {.kind = HL_SIGNAL_RELAY, .relay = relay};
    bool is_given = false;

    pthread_mutex_lock(&registry->lock);
    const struct attachment *have = find_attachment(registry, &attach->session);
    if (have != NULL && have->generation == attach->generation && have->member != attach->member)
        is_given = put_letter(have->member, &signal);
    pthread_mutex_unlock(&registry->lock);
    return is_given;
}

/* False: out of memory; without it two attachments would speak. */
static bool fence_other(const struct attachment *have, const struct hl_attach *attach,
                        uint64_t generation)
{
    struct hl_signal signal = {.kind = HL_SIGNAL_FENCE,
                               .session = attach->session,
                               .generation = generation,
                               .is_on = attach->is_poll};

    if (have->member == attach->member || have->member->is_leaving)
        return true;
    return put_letter(have->member, &signal);
}

static void move_attachment(struct hl_registry *registry, struct attachment *have,
                            const struct hl_attach *attach)
{
    bool is_same = is_repeat(have, attach) && attach->rid == have->attach_rid &&
                   have->member == attach->member;

    bool goes_on = attach->is_poll && !attach->is_explicit;

    if (!is_same)
        have->generation = ++registry->generation;
    if (!goes_on)
        have->first = have->generation;
    else if (attach->generation < have->first)
        have->first = attach->generation;
    have->member = attach->member;
    have->proof = attach->proof;
    have->attach_rid = attach->rid;
    if (attach->is_poll)
        have->rid = attach->rid;
    have->is_poll = attach->is_poll;
    have->is_hello = attach->is_explicit;
    have->is_bound = !attach->is_poll;
}

static int attach_session(struct hl_registry *registry, const struct hl_attach *attach,
                          uint64_t *out_generation)
{
    struct attachment *have = find_attachment(registry, &attach->session);
    bool is_new = have == NULL;

    if (is_new) {
        have = calloc(1, sizeof(*have));
        if (have == NULL)
            return -ENOMEM;
        have->by_session.id = attach->session;
        have->member = attach->member;
        have->first = UINT64_MAX;
        hl_id_map_add(&registry->attachments, &have->by_session);
    } else {
        int r = judge_attach(have, attach);
        if (r != 0)
            return r;
        if (!fence_other(have, attach, registry->generation + 1))
            return -ENOMEM;
    }
    move_attachment(registry, have, attach);
    if (is_new && attach->preset != 0)
        have->generation = have->first = attach->preset;
    *out_generation = have->generation;
    return 0;
}

int hl_registry_attach(struct hl_registry *registry, const struct hl_attach *attach,
                       uint64_t *out_generation)
{
    pthread_mutex_lock(&registry->lock);
    int r = attach_session(registry, attach, out_generation);
    pthread_mutex_unlock(&registry->lock);
    return r;
}

uint64_t hl_registry_new_generation(struct hl_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    uint64_t generation = ++registry->generation;
    pthread_mutex_unlock(&registry->lock);
    return generation;
}

void hl_registry_confirm(struct hl_registry *registry, const struct hl_id *session,
                         uint64_t generation)
{
    pthread_mutex_lock(&registry->lock);
    struct attachment *have = find_attachment(registry, session);
    if (have != NULL && have->confirmed < generation)
        have->confirmed = generation;
    pthread_mutex_unlock(&registry->lock);
}

void hl_registry_detach(struct hl_registry *registry, const struct hl_id *session,
                        uint64_t generation, const struct hl_pace *pace)
{
    pthread_mutex_lock(&registry->lock);
    struct attachment *have = find_attachment(registry, session);
    if (have != NULL && have->generation == generation) {
        have->is_bound = false;
        have->pace = *pace;
    }
    pthread_mutex_unlock(&registry->lock);
}

bool hl_registry_pace(struct hl_registry *registry, const struct hl_id *session,
                      struct hl_pace *out_pace)
{
    pthread_mutex_lock(&registry->lock);
    const struct attachment *have = find_attachment(registry, session);
    bool is_known = have != NULL && have->pace.seq != 0;
    if (is_known)
        *out_pace = have->pace;
    pthread_mutex_unlock(&registry->lock);
    return is_known;
}

void hl_registry_forget(struct hl_registry *registry, const struct hl_id *session,
                        uint64_t generation)
{
    pthread_mutex_lock(&registry->lock);
    struct attachment *have = find_attachment(registry, session);
    if (have != NULL && have->generation == generation)
        free_attachment(registry, have);
    pthread_mutex_unlock(&registry->lock);
}

void hl_registry_end(struct hl_registry *registry, const struct hl_id *session)
{
    pthread_mutex_lock(&registry->lock);
    struct attachment *have = find_attachment(registry, session);
    if (have != NULL) {
        struct hl_signal signal = {.kind = HL_SIGNAL_FENCE,
                                   .session = *session,
                                   .generation = have->generation + 1,
                                   .is_on = true};
        (void)put_letter(have->member, &signal);
        free_attachment(registry, have);
    }
    pthread_mutex_unlock(&registry->lock);
}

size_t hl_registry_n_sessions(struct hl_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    size_t n_sessions = registry->attachments.n_nodes;
    pthread_mutex_unlock(&registry->lock);
    return n_sessions;
}
