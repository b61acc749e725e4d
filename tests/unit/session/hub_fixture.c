#include "tests/unit/session/hub_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_SIZE_MAX = 200000 };

/* ---- links ---- */

static struct fixture_link *link_of(struct hl_link *link)
{
    return HL_CONTAINER_OF(link, struct fixture_link, link);
}

static bool is_ready(struct hl_link *link)
{
    return !link_of(link)->is_blocked;
}

static void keep_frames(struct fixture_link *link, json_t *frames)
{
    if (json_is_array(frames))
        json_array_extend(link->frames, frames);
    else
        json_array_append(link->frames, frames);
}

static void take_text(struct hl_link *base, struct hl_bytes text)
{
    struct fixture_link *link = link_of(base);
    json_t *value = NULL;

    assert_false(link->is_closed || link->is_answered);
    assert_int_equal(hl_json_parse(text, NULL, 0, &value), 0);
    link->n_messages++;
    if (base->kind == HL_LINK_POLL) {
        link->is_answered = true;
        link->answer = value;
        keep_frames(link, json_object_get(value, "frames"));
        return;
    }
    memset((char *)(uintptr_t)text.data - HL_LINK_PRE, 0xee, HL_LINK_PRE); /* it is ours */
    keep_frames(link, value);
    json_decref(value);
}

static void take_close(struct hl_link *base, const struct hl_problem *problem)
{
    struct fixture_link *link = link_of(base);

    assert_false(link->is_closed || link->is_answered);
    link->is_closed = true;
    link->problem = problem != NULL ? problem->code : HL_PROBLEM_END;
}

static const struct hl_link_ops link_ops = {
    .is_ready = is_ready, .send = take_text, .close = take_close};

static struct fixture_link *create_link(struct fixture *fixture, enum hl_link_kind kind)
{
    struct fixture_link *link = calloc(1, sizeof(*link));

    assert_non_null(link);
    assert_true(fixture->n_links < FIXTURE_LINKS);
    link->link = (struct hl_link){.ops = &link_ops, .kind = kind};
    link->frames = json_array();
    fixture->links[fixture->n_links++] = link;
    return link;
}

struct fixture_link *fixture_link_open(struct fixture *fixture, size_t hub)
{
    struct fixture_link *link = create_link(fixture, HL_LINK_STREAM);

    hl_hub_link_open(fixture->hubs[hub], &link->link);
    return link;
}

void fixture_link_gone(struct fixture *fixture, size_t hub, struct fixture_link *link)
{
    if (!link->is_closed && !link->is_answered)
        hl_hub_link_gone(fixture->hubs[hub], &link->link);
    link->is_closed = true;
    fixture_run(fixture);
}

static struct hl_bytes format_text(char *text, const char *format, va_list args)
{
    int size = vsnprintf(text, TEXT_SIZE_MAX, format, args);

    assert_in_range(size, 0, TEXT_SIZE_MAX - 1);
    return (struct hl_bytes){text, (size_t)size};
}

void fixture_send(struct fixture *fixture, size_t hub, struct fixture_link *link,
                  const char *format, ...)
{
    char *text = malloc(TEXT_SIZE_MAX);
    va_list args;

    assert_non_null(text);
    va_start(args, format);
    hl_hub_link_receive(fixture->hubs[hub], &link->link, format_text(text, format, args));
    va_end(args);
    free(text);
    fixture_run(fixture);
}

struct fixture_link *fixture_poll(struct fixture *fixture, size_t hub, const char *format, ...)
{
    struct fixture_link *link = create_link(fixture, HL_LINK_POLL);
    char *text = malloc(TEXT_SIZE_MAX);
    va_list args;

    assert_non_null(text);
    va_start(args, format);
    hl_hub_poll(fixture->hubs[hub], &link->link, format_text(text, format, args));
    va_end(args);
    free(text);
    fixture_run(fixture);
    return link;
}

json_t *fixture_frame(const struct fixture_link *link, const char *type, size_t n)
{
    for (size_t i = 0; i < json_array_size(link->frames); i++) {
        json_t *frame = json_array_get(link->frames, i);
        if (strcmp(fixture_text(frame, "t"), type) == 0 && n-- == 0)
            return frame;
    }
    return NULL;
}

size_t fixture_count(const struct fixture_link *link, const char *type)
{
    size_t n_frames = 0;

    while (fixture_frame(link, type, n_frames) != NULL)
        n_frames++;
    return n_frames;
}

void fixture_forget_frames(struct fixture_link *link)
{
    json_array_clear(link->frames);
    link->n_messages = 0;
}

const char *fixture_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

json_int_t fixture_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* ---- hubs ---- */

static void fill_random(void *arg, void *out, size_t size)
{
    struct fixture *fixture = arg;
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++) {
        fixture->seed = fixture->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(fixture->seed >> 33);
    }
}

static int find_agent(void *arg, struct hl_bytes secret, struct hl_bearer *out_bearer)
{
    (void)arg;
    if (!hl_bytes_is(secret, FIXTURE_AGENT_KEY))
        return HL_AGENTS_UNKNOWN;
    *out_bearer = (struct hl_bearer){.may_write = true, .role = HL_ROLE_AGENT};
    memset(&out_bearer->id, 0xa9, sizeof(out_bearer->id));
    return 0;
}

void fixture_add_hub(struct fixture *fixture)
{
    size_t hub = 0;
    struct hl_hub_config config = {.log = fixture->log,
                                   .loop = &fixture->loop.loop,
                                   .clock = &fixture->clock.clock,
                                   .random = &fixture->random,
                                   .registry = fixture->registry,
                                   .keys = &fixture->keys,
                                   .agents = {.find = find_agent, .sees = fixture->sees},
                                   .sites = fixture->sites,
                                   .node = "node-1",
                                   .site = "main",
                                   .limits = fixture->limits};

    while (hub < FIXTURE_HUBS && fixture->hubs[hub] != NULL)
        hub++;
    assert_true(hub < FIXTURE_HUBS);
    assert_int_equal(hl_hub_create(&config, &fixture->hubs[hub]), 0);
}

void fixture_run(struct fixture *fixture)
{
    (void)hl_fake_loop_run_all(&fixture->loop);
}

void fixture_pass(struct fixture *fixture, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 100) {
        hl_fake_clock_advance(&fixture->clock, 100);
        for (size_t i = 0; i < FIXTURE_HUBS; i++) {
            if (fixture->hubs[i] != NULL)
                hl_hub_tick(fixture->hubs[i]);
        }
        fixture_run(fixture);
    }
}

static void count_destroyed(void *arg)
{
    ((struct fixture *)arg)->n_destroyed++;
}

static size_t destroy_hubs(struct fixture *fixture)
{
    size_t n_hubs = 0;

    fixture->n_destroyed = 0;
    for (size_t i = 0; i < FIXTURE_HUBS; i++) {
        if (fixture->hubs[i] == NULL)
            continue;
        hl_hub_destroy(fixture->hubs[i], count_destroyed, fixture);
        fixture->hubs[i] = NULL;
        n_hubs++;
    }
    fixture_run(fixture);
    assert_int_equal(fixture->n_destroyed, n_hubs);
    hl_registry_destroy(fixture->registry);
    return n_hubs;
}

void fixture_restart(struct fixture *fixture)
{
    size_t n_hubs = destroy_hubs(fixture);

    assert_int_equal(hl_registry_create(2, &fixture->registry), 0);
    for (size_t i = 0; i < n_hubs; i++)
        fixture_add_hub(fixture);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct hl_log_memory_config config = {.epoch = 7};

    if (fixture == NULL)
        return -1;
    hl_fake_clock_init(&fixture->clock, 1700000000000);
    hl_fake_loop_init(&fixture->loop);
    fixture->random = (struct hl_random){.fill = fill_random, .arg = fixture};
    fixture->keys.n_keys = 1;
    memcpy(fixture->keys.keys[0].kid, "k1", 3);
    fixture->limits = hl_hub_limits_default;
    config.clock = &fixture->clock.clock;
    assert_int_equal(hl_log_memory_open(&config, &fixture->log), 0);
    assert_int_equal(hl_registry_create(1, &fixture->registry), 0);
    fixture_add_hub(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    (void)destroy_hubs(fixture);
    hl_log_close(fixture->log);
    for (size_t i = 0; i < fixture->n_links; i++) {
        json_decref(fixture->links[i]->frames);
        json_decref(fixture->links[i]->answer);
        free(fixture->links[i]);
    }
    hl_fake_loop_fini(&fixture->loop);
    free(fixture);
    return 0;
}

void fixture_visit(struct fixture *fixture, size_t hub, struct fixture_visitor *visitor)
{
    visitor->link = fixture_link_open(fixture, hub);
    fixture_send(fixture, hub, visitor->link, "{\"t\":\"hello\",\"v\":1}");
    json_t *welcome = fixture_frame(visitor->link, "welcome", 0);
    assert_non_null(welcome);
    (void)snprintf(visitor->token, sizeof(visitor->token), "%s", fixture_text(welcome, "token"));
    const json_t *conversation = json_array_get(json_object_get(welcome, "conv"), 0);
    (void)snprintf(visitor->conversation, sizeof(visitor->conversation), "%s",
                   fixture_text(conversation, "c"));
}
