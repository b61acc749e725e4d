#include "gateway/visit/lobby.h"

#include <stdlib.h>
#include <string.h>

#include "agent-api/hours.h"
#include "agent-api/permission.h"
#include "agent-api/present.h"
#include "agent-api/reply.h"

struct question {
    struct hl_pending pending; /* first */
    struct hl_lobby *lobby;
    struct hl_door door;
    bool wants_widget;
    struct hl_index_queue queue;
};

/* -- what is known -- */

static struct hl_lobby_note *find_note(struct hl_lobby *lobby, const struct hl_id *inbox)
{
    return &lobby->notes[inbox->b[15] % HL_LOBBY_NOTES];
}

static bool is_fresh(const struct hl_lobby *lobby, const struct hl_lobby_note *note,
                     const struct hl_id *inbox)
{
    return hl_id_equal(&note->inbox, inbox) && hl_clock_mono_ms(lobby->clock) < note->until_ms;
}

static bool works_at(const struct hl_agent *agent, const struct hl_inbox *inbox)
{
    bool is_bound = agent->n_inboxes > 0;
    if (!agent->is_active || agent->is_away ||
        !hl_permission_has((enum hl_key_role)agent->role, HL_PERMISSION_CONVERSATION_WORK) ||
        (agent->record.site[0] != '\0' && strcmp(agent->record.site, inbox->record.site) != 0))
        return false;
    for (size_t i = 0; i < agent->n_inboxes; i++) {
        if (hl_id_equal(&agent->inboxes[i], &inbox->id))
            return true;
    }
    return !is_bound;
}

static uint32_t count_online(const struct hl_lobby *lobby, const struct hl_door *door)
{
    uint32_t n = 0;
    for (size_t i = 0; i < door->snapshot->n_agents; i++) {
        const struct hl_agent *agent = &door->snapshot->agents[i];
        n += works_at(agent, door->inbox) && hl_online_has(lobby->online, &agent->id) ? 1 : 0;
    }
    return n;
}

/* -- what is said -- */

static void append_availability(struct hl_buffer *out, const struct hl_lobby *lobby,
                                const struct hl_door *door, const struct hl_lobby_note *note)
{
    int64_t now_ms = hl_clock_wall_ms(lobby->clock);
    bool is_open = hl_hours_is_open(door->inbox, now_ms);
    hl_buffer_printf(out,
                     "{\"open\":%s,\"agents_online\":%u,\"queue\":", is_open ? "true" : "false",
                     note->n_online);
    hl_buffer_append_u64(out, note->n_waiting);
    hl_buffer_append_text(out, ",\"expected_wait_s\":");
    if (note->median_wait_ms >= 0)
        hl_buffer_append_i64(out, (note->median_wait_ms + 999) / 1000);
    else
        hl_buffer_append_text(out, "null");
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "opens_at", is_open ? 0 : hl_hours_opens(door->inbox, now_ms));
    hl_buffer_append_text(out, "}");
}

static void append_member(struct hl_buffer *out, const json_t *object, const char *name,
                          const char *standard)
{
    const json_t *value = json_object_get(object, name);
    hl_buffer_printf(out, ",\"%s\":", name);
    if (value != NULL && !json_is_null(value))
        hl_json_append_canonical(out, value);
    else
        hl_buffer_append_text(out, standard);
}

static void append_text(struct hl_buffer *out, const char *name, const char *text)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    hl_json_append_string(out, hl_bytes_of(text));
}

static const char *locale_of(const struct hl_inbox *inbox)
{
    const char *locale = json_string_value(json_object_get(inbox->widget, "locale"));
    return locale != NULL ? locale : inbox->locale;
}

/* A site that nobody gave a name has its id as one, which is no title: "" then, and the widget has
 * a text of its own. */
static const char *title_of(const struct hl_door *door)
{
    const struct hl_site *site = door->site;
    const char *title = json_string_value(json_object_get(door->inbox->widget, "title"));
    if (title != NULL)
        return title;
    return strcmp(site->name, site->record.id) == 0 ? "" : site->name;
}

static void append_widget(struct hl_buffer *out, const struct hl_lobby *lobby,
                          const struct hl_door *door, const struct hl_lobby_note *note)
{
    const json_t *widget = door->inbox->widget;
    hl_buffer_append_text(out, "{\"site\":");
    hl_json_append_string(out, hl_bytes_of(door->site->record.id));
    append_text(out, "inbox", door->inbox->record.id);
    append_text(out, "title", title_of(door));
    append_member(out, widget, "greeting", "null");
    append_member(out, widget, "accent", "null");
    append_member(out, widget, "form",
                  "{\"email\":\"optional\",\"name\":\"optional\",\"phone\":\"off\"}");
    append_member(out, widget, "consent", "null");
    append_text(out, "locale", locale_of(door->inbox));
    hl_buffer_append_text(out, ",\"availability\":");
    append_availability(out, lobby, door, note);
    hl_buffer_append_text(out, "}");
}

static void answer(const struct hl_lobby *lobby, struct hl_exchange *exchange,
                   const struct hl_door *door, const struct hl_lobby_note *note, bool wants_widget)
{
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    if (wants_widget)
        append_widget(&body, lobby, door, note);
    else
        append_availability(&body, lobby, door, note);
    hl_reply_add_text(exchange, "cache-control", "public, max-age=5");
    hl_reply_add_text(exchange, "vary", "origin");
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

/* -- who asks -- */

static bool read_name(struct hl_exchange *exchange, const char *name, char *out, size_t out_size)
{
    char pointer[32] = "/";
    int r = hl_exchange_query(exchange, name, out, out_size);
    if (r == HL_QUERY_ABSENT)
        out[0] = '\0';
    if (r != HL_QUERY_INVALID)
        return true;
    strncat(pointer, name, sizeof(pointer) - 2);
    hl_reply_invalid(exchange, pointer, "%s must be one name, in UTF-8.", name);
    return false;
}

static bool enter(struct hl_lobby *lobby, struct hl_exchange *exchange, struct hl_door *out_door)
{
    char site[HL_SITE_SIZE_MAX + 1];
    char inbox[256];
    if (!read_name(exchange, "site", site, sizeof(site)) ||
        !read_name(exchange, "inbox", inbox, sizeof(inbox)))
        return false;
    int r = hl_door_enter(lobby->doors, hl_bytes_of(site), hl_bytes_of(inbox), out_door);
    if (r == HL_VISIT_NO_SITE) {
        hl_exchange_problem(exchange, HL_PROBLEM_UNKNOWN_SITE, "Check the name of the site.");
        return false;
    }
    if (r != 0 || out_door->inbox == NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_UNKNOWN_INBOX, "Check the name of the inbox.");
        hl_door_leave(out_door);
        return false;
    }
    if (hl_door_allows_request(lobby->doors, out_door, exchange))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_ORIGIN_FORBIDDEN,
                        "Add this origin to the origins of the site.");
    hl_door_leave(out_door);
    return false;
}

static void take_queue(struct hl_index_queue *queue, int r)
{
    struct question *question = HL_CONTAINER_OF(queue, struct question, queue);
    struct hl_lobby *lobby = question->lobby;
    struct hl_exchange *exchange = hl_pending_take(&question->pending);
    const struct hl_id *inbox = &question->door.inbox->id;
    if (r == 0) {
        struct hl_lobby_note *note = find_note(lobby, inbox);
        *note =
            (struct hl_lobby_note){.inbox = *inbox,
                                   .until_ms = hl_clock_mono_ms(lobby->clock) + HL_LOBBY_NOTE_MS,
                                   .n_waiting = queue->n_waiting,
                                   .median_wait_ms = queue->median_wait_ms,
                                   .n_online = count_online(lobby, &question->door)};
        if (exchange != NULL)
            answer(lobby, exchange, &question->door, note, question->wants_widget);
    } else if (exchange != NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "Ask again in a moment.");
    }
    hl_index_read_free(&queue->read);
    hl_door_leave(&question->door);
    hl_pending_end(&question->pending);
    free(question);
}

/* Takes the door. */
static void ask_index(struct hl_lobby *lobby, struct hl_exchange *exchange, struct hl_door *door,
                      bool wants_widget)
{
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "Ask again in a moment.");
        hl_door_leave(door);
        return;
    }
    question->lobby = lobby;
    question->door = *door;
    question->wants_widget = wants_widget;
    question->queue =
        (struct hl_index_queue){.read = {.loop = lobby->loop, .at_least = HL_INDEX_AS_IS},
                                .done = take_queue,
                                .inbox = door->inbox->id};
    memcpy(question->queue.site, door->site->record.id, sizeof(question->queue.site));
    hl_pending_begin(&question->pending, &lobby->pending, exchange);
    if (hl_index_queue(lobby->index, &question->queue) == 0)
        return;
    hl_exchange_problem(hl_pending_take(&question->pending), HL_PROBLEM_BUSY,
                        "Ask again in a moment.");
    hl_door_leave(door);
    hl_pending_end(&question->pending);
    free(question);
}

static void look(struct hl_lobby *lobby, struct hl_exchange *exchange, bool wants_widget)
{
    struct hl_door door;
    if (!enter(lobby, exchange, &door))
        return;
    const struct hl_lobby_note *note = find_note(lobby, &door.inbox->id);
    if (!is_fresh(lobby, note, &door.inbox->id)) {
        ask_index(lobby, exchange, &door, wants_widget);
        return;
    }
    answer(lobby, exchange, &door, note, wants_widget);
    hl_door_leave(&door);
}

void hl_lobby_availability(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params)
{
    (void)params;
    look(arg, exchange, false);
}

void hl_lobby_widget(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    (void)params;
    look(arg, exchange, true);
}
