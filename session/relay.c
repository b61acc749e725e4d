#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "session/hub_private.h"
#include "session/link.h"
#include "session/poll.h"

enum { REFUSAL_SIZE_MAX = 4096 };

struct hl_relay {
    struct hl_link inner; /* what the session's hub answers */
    struct hl_task back;
    struct hl_hub *home;
    struct hl_link *outer;   /* the home's thread only; NULL: gone */
    struct hl_buffer origin; /* of the outer link */
    struct hl_buffer body;
    struct hl_buffer answer; /* or the texts of the problem, one behind the other */
    bool is_refused;
    struct hl_problem problem; /* sizes of its texts; where they are is in `answer` */
};

static bool is_inner_ready(struct hl_link *link)
{
    (void)link;
    return true;
}

static void answer_inner(struct hl_link *link, struct hl_bytes text);
static void refuse_inner(struct hl_link *link, const struct hl_problem *problem);

static const struct hl_link_ops inner_ops = {
    .is_ready = is_inner_ready, .send = answer_inner, .close = refuse_inner};

static struct hl_relay *relay_of(struct hl_link *link)
{
    HL_CHECK(link->ops == &inner_ops);
    return HL_CONTAINER_OF(link, struct hl_relay, inner);
}

static void free_relay(struct hl_relay *relay)
{
    hl_buffer_fini(&relay->origin);
    hl_buffer_fini(&relay->body);
    hl_buffer_fini(&relay->answer);
    free(relay);
}

/* ---- there ---- */

static void answer_inner(struct hl_link *link, struct hl_bytes text)
{
    struct hl_relay *relay = relay_of(link);

    hl_buffer_init(&relay->answer, text.size);
    hl_buffer_append_bytes(&relay->answer, text);
    if (hl_buffer_failed(&relay->answer)) {
        relay->is_refused = true;
        relay->problem = (struct hl_problem){.code = HL_PROBLEM_BUSY};
    }
    hl_loop_post(relay->home->config.loop, &relay->back);
}

static void refuse_inner(struct hl_link *link, const struct hl_problem *problem)
{
    struct hl_relay *relay = relay_of(link);

    relay->is_refused = true;
    relay->problem = *problem;
    hl_buffer_init(&relay->answer, REFUSAL_SIZE_MAX);
    hl_buffer_append_bytes(&relay->answer, problem->detail);
    hl_buffer_append_bytes(&relay->answer, problem->pointer);
    hl_buffer_append_bytes(&relay->answer, problem->request_id);
    hl_buffer_append_bytes(&relay->answer, problem->extra);
    if (hl_buffer_failed(&relay->answer))
        relay->problem = (struct hl_problem){.code = problem->code, .retry_ms = problem->retry_ms};
    hl_loop_post(relay->home->config.loop, &relay->back);
}

void hl_relay_arrive(struct hl_hub *hub, struct hl_relay *relay)
{
    struct hl_problem problem = {.code = HL_PROBLEM_DRAINING};
    struct hl_buffer body = relay->body;

    /* once it is answered the home may free it; while it waits it needs no body */
    relay->body = (struct hl_buffer){.data = NULL};
    if (hub->is_closing)
        refuse_inner(&relay->inner, &problem);
    else
        hl_poll_receive(hub, &relay->inner, hl_buffer_bytes(&body));
    hl_buffer_fini(&body);
}

/* ---- back ---- */

/* Points the next text of the problem into the copy. */
static void place_text(struct hl_bytes *text, const char **at)
{
    text->data = *at;
    *at += text->size;
}

static void refuse_outer(struct hl_relay *relay)
{
    const char *at = relay->answer.data;

    place_text(&relay->problem.detail, &at);
    place_text(&relay->problem.pointer, &at);
    place_text(&relay->problem.request_id, &at);
    place_text(&relay->problem.extra, &at);
    relay->outer->ops->close(relay->outer, &relay->problem);
}

static void come_back(struct hl_task *task)
{
    struct hl_relay *relay = HL_CONTAINER_OF(task, struct hl_relay, back);
    struct hl_hub *home = relay->home;

    if (relay->outer != NULL) {
        relay->outer->relay = NULL;
        if (relay->is_refused)
            refuse_outer(relay);
        else
            relay->outer->ops->send(relay->outer, hl_buffer_bytes(&relay->answer));
    }
    free_relay(relay);
    home->n_relays--;
    hl_hub_consider_end(home);
}

/* ---- here ---- */

bool hl_relay_start(struct hl_hub *home, struct hl_link *link, const struct hl_attach *attach,
                    struct hl_bytes body)
{
    if (link->ops == &inner_ops)
        return false; /* one hop is enough: the session moved meanwhile, it may move again */
    struct hl_relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL)
        return false;
    hl_buffer_init(&relay->origin, link->origin.size);
    hl_buffer_append_bytes(&relay->origin, link->origin);
    relay->inner = (struct hl_link){.ops = &inner_ops,
                                    .kind = HL_LINK_POLL,
                                    .origin = hl_buffer_bytes(&relay->origin),
                                    .is_same_host = link->is_same_host};
    relay->back.run = come_back;
    relay->home = home;
    relay->outer = link;
    hl_buffer_init(&relay->body, body.size);
    hl_buffer_append_bytes(&relay->body, body);
    if (hl_buffer_failed(&relay->body) || hl_buffer_failed(&relay->origin) ||
        !hl_registry_relay(home->config.registry, attach, relay)) {
        free_relay(relay);
        return false;
    }
    link->relay = relay; /* back on this thread only after this returned */
    home->n_relays++;
    return true;
}

void hl_relay_forget(struct hl_link *link)
{
    link->relay->outer = NULL;
    link->relay = NULL;
}
