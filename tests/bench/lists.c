/* holdline-lists: what a page of conversations costs the index, for each order and filter that a
 * console asks for. A log of so many conversations is written, projected from the beginning,
 * then read. CPU is that of the whole process. One JSON line per figure. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/index.h"
#include "store/log_sqlite.h"
#include "tests/bench/histogram.h"
#include "tests/bench/process.h"
#include "tests/support/fake_loop.h"

enum { WINDOW = 1024, AGENTS = 20, INBOXES = 8, ROUNDS = 200, WORDS = 4000 };

struct slot { /* one submit under way */
    struct hl_log_submit submit;
    struct hl_log_opening opening;
    char reference[HL_REFERENCE_SIZE_MAX + 1];
    bool is_busy;
};

static struct {
    struct hl_log *log;
    struct hl_index *index;
    struct hl_fake_loop loop;
    struct slot slots[WINDOW];
    uint64_t n_sent, n_done, random;
    bool is_woken;
} run;

static uint64_t next_random(uint64_t below)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return run.random % below;
}

static struct hl_id make_id(uint8_t kind, uint64_t number)
{
    struct hl_id id = {{kind}};
    for (int i = 0; i < 8; i++)
        id.b[15 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

static _Noreturn void give_up(const char *what, int r)
{
    fprintf(stderr, "%s: %d\n", what, r);
    exit(1);
}

static void on_done(struct hl_log_submit *submit, int r)
{
    struct slot *slot = HL_CONTAINER_OF(submit, struct slot, submit);
    if (r != 0)
        give_up("submit", r);
    hl_entry_unref(submit->entry);
    slot->is_busy = false;
    run.n_done++;
    run.is_woken = true;
}

static void wait_for(uint64_t n_done)
{
    while (run.n_done < n_done) {
        run.is_woken = false;
        if (!hl_fake_loop_run_until(&run.loop, &run.is_woken))
            exit(1);
    }
}

static void submit(uint64_t number, enum hl_entry_kind kind, struct hl_author author,
                   const char *body)
{
    struct slot *slot = &run.slots[run.n_sent % WINDOW];
    char mid[32];
    if (run.n_sent >= WINDOW)
        wait_for(run.n_sent - WINDOW + 1);
    while (slot->is_busy)
        wait_for(run.n_done + 1);
    int mid_size = snprintf(mid, sizeof mid, "m-%" PRIu64, run.n_sent++);
    struct hl_entry_fields fields = {.conversation = make_id(1, number),
                                     .author = author,
                                     .kind = kind,
                                     .mid = {mid, (size_t)mid_size},
                                     .body = hl_bytes_of(body)};
    if (kind == HL_ENTRY_CLAIMED)
        fields.subject = author.id;
    memset(&slot->submit, 0, sizeof slot->submit);
    snprintf(slot->reference, sizeof slot->reference, "HL-%08" PRIX64, number);
    slot->opening = (struct hl_log_opening){.site = hl_bytes_of("bench"),
                                            .reference = hl_bytes_of(slot->reference),
                                            .inbox = make_id(4, number % INBOXES)};
    slot->submit.loop = &run.loop.loop;
    slot->submit.done = on_done;
    slot->submit.entry = hl_entry_create(&fields);
    slot->submit.opening = &slot->opening;
    slot->is_busy = true;
    int r = hl_log_submit(run.log, &slot->submit);
    if (r != 0)
        give_up("submit was not taken", r);
}

static void write_form(uint64_t number, struct hl_author visitor)
{
    char body[1024];
    int size = snprintf(body, sizeof body,
                        "{\"contact\":{\"email\":\"p%u@example.com\",\"name\":\"Person %u\"},"
                        "\"context\":{\"locale\":\"en\",\"page\":\"/shop/%u\"},"
                        "\"message\":{\"text\":\"hello%s%s",
                        (unsigned)(number * 7 / 10), (unsigned)(number * 7 / 10),
                        (unsigned)next_random(500), number % 20 == 3 ? " refund" : "",
                        number % 9973 == 5 ? " zygote" : "");
    for (int i = 0; i < 12; i++) {
        uint64_t word = next_random(WORDS) * next_random(WORDS) / WORDS; /* some are common */
        size += snprintf(body + size, sizeof body - (size_t)size, " w%u", (unsigned)word);
    }
    snprintf(body + size, sizeof body - (size_t)size, "\"}}");
    submit(number, HL_ENTRY_FORM, visitor, body);
}

/* A third is open, a fifth waits, three fifths have an agent; a fifth has a common tag. */
static void write_conversation(uint64_t number)
{
    struct hl_author visitor = {HL_ROLE_VISITOR, make_id(2, number)};
    struct hl_author agent = {HL_ROLE_AGENT, make_id(3, next_random(AGENTS))};
    uint64_t fate = next_random(100);
    write_form(number, visitor);
    if (fate < 60)
        submit(number, HL_ENTRY_CLAIMED, agent, "{}");
    if (fate < 80)
        submit(number, HL_ENTRY_MESSAGE, agent, "{\"text\":\"What can we do for you?\"}");
    if (fate % 5 == 0)
        submit(number, HL_ENTRY_UPDATED, agent,
               number % 500 == 5 ? "{\"tags\":[\"common\",\"rare\"]}" : "{\"tags\":[\"common\"]}");
    if (fate < 66)
        submit(number, HL_ENTRY_CLOSED, agent, "{}");
}

static uint64_t own_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int64_t due_soon(void *arg, const struct hl_index_wait *wait)
{
    (void)arg;
    return wait->waiting_since_ms + 300000;
}

static void measure_projection(const char *path)
{
    static const uint8_t key[HL_HASH_KEY_SIZE] = {1};
    struct hl_index_config config = {.path = path,
                                     .log = run.log,
                                     .clock = hl_clock_system(),
                                     .contact_key = key,
                                     .policy = {.due = due_soon},
                                     .n_readers = 1};
    struct hl_index_stats stats;
    uint64_t start = now_us(), cpu = own_cpu_us();
    int r = hl_index_open(&config, NULL, 0, &run.index);
    if (r != 0)
        give_up("index", r);
    do {
        usleep(1000);
        hl_index_stats(run.index, &stats);
    } while (stats.applied < stats.log && stats.failure == 0);
    printf("{\"figure\":\"project\",\"entries\":%" PRIu64 ",\"cpu_us\":%.2f,\"per_s\":%.0f}\n",
           stats.entries, (double)(own_cpu_us() - cpu) / (double)stats.entries,
           (double)stats.entries * 1e6 / (double)(now_us() - start));
    fflush(stdout);
}

static void on_page(struct hl_index_list *list, int r)
{
    if (r != 0)
        give_up("list", r);
    hl_index_read_free(&list->read);
    run.is_woken = true;
}

static void measure_list(const char *name, const struct hl_index_list *wanted)
{
    struct histogram latencies;
    struct hl_index_list list = *wanted;
    uint64_t cpu = own_cpu_us();
    memset(&latencies, 0, sizeof latencies);
    for (unsigned i = 0; i < ROUNDS; i++) {
        list = *wanted;
        list.read.loop = &run.loop.loop;
        list.read.at_least = HL_INDEX_LATEST;
        list.read.asker = make_id(3, 1);
        list.done = on_page;
        list.sort = list.sort == 0 ? HL_INDEX_NEWEST : list.sort;
        list.limit = 50;
        uint64_t start = now_us();
        run.is_woken = false;
        if (hl_index_list(run.index, &list) != 0 ||
            !hl_fake_loop_run_until(&run.loop, &run.is_woken))
            exit(1);
        histogram_add(&latencies, now_us() - start);
    }
    printf("{\"figure\":\"list\",\"name\":\"%s\",\"items\":%zu,\"cpu_us\":%.0f,\"p50_us\":%" PRIu64
           ",\"p99_us\":%" PRIu64 "}\n",
           name, list.n_items, (double)(own_cpu_us() - cpu) / ROUNDS, histogram_at(&latencies, 0.5),
           histogram_at(&latencies, 0.99));
    fflush(stdout);
}

static void measure_lists(uint64_t n_conversations)
{
    const struct {
        const char *name;
        struct hl_index_list list;
    } pages[] = {
        {"newest", {.sort = HL_INDEX_NEWEST}},
        {"oldest", {.sort = HL_INDEX_OLDEST}},
        {"updated", {.sort = HL_INDEX_UPDATED}},
        {"oldest_unanswered", {.sort = HL_INDEX_OLDEST_UNANSWERED}},
        {"due", {.sort = HL_INDEX_DUE}},
        {"open, updated", {.sort = HL_INDEX_UPDATED, .status = HL_STATUS_OPEN}},
        {"open, unassigned, oldest_unanswered",
         {.sort = HL_INDEX_OLDEST_UNANSWERED, .status = HL_STATUS_OPEN, .unassigned_only = true}},
        {"open, an agent's, updated",
         {.sort = HL_INDEX_UPDATED, .status = HL_STATUS_OPEN, .assignee = make_id(3, 7)}},
        {"closed, an agent's, newest", {.status = HL_STATUS_CLOSED, .assignee = make_id(3, 7)}},
        {"an inbox, due", {.sort = HL_INDEX_DUE, .inbox = make_id(4, 3)}},
        {"a site, updated", {.sort = HL_INDEX_UPDATED, .site = "bench"}},
        {"another site", {.sort = HL_INDEX_UPDATED, .site = "other"}},
        {"a common tag", {.tags = {"common"}, .n_tags = 1}},
        {"a rare tag, updated", {.sort = HL_INDEX_UPDATED, .tags = {"rare"}, .n_tags = 1}},
        {"a word in all", {.query = "hello"}},
        {"a word in all, updated", {.sort = HL_INDEX_UPDATED, .query = "hello"}},
        {"a word in one of 20", {.query = "refund"}},
        {"a word in ten", {.query = "zygote"}},
        {"two words and a beginning", {.query = "hello refund w12"}},
        {"an address", {.query = "p4711@example.com"}},
        {"no such word", {.query = "quux"}},
        {"an empty filter", {.assignee = make_id(3, 999)}},
    };
    struct hl_index_list deep = {.has_cursor = true, .cursor_number = n_conversations};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        measure_list(pages[i].name, &pages[i].list);
    deep.cursor_key = hl_clock_wall_ms(hl_clock_system()) - 1000;
    measure_list("newest, from a cursor", &deep);
}

int main(int argc, char **argv)
{
    static const uint8_t key[32] = {1};
    char path[1024], index_path[1024], why[256] = "";
    if (argc != 3) {
        fputs("usage: holdline-lists FOLDER CONVERSATIONS\n", stderr);
        return 2;
    }
    uint64_t n_conversations = strtoull(argv[2], NULL, 10);
    snprintf(path, sizeof path, "%s/lists.db", argv[1]);
    snprintf(index_path, sizeof index_path, "%s/lists-index.db", argv[1]);
    struct hl_log_sqlite_config config = {
        .path = path, .clock = hl_clock_system(), .chain_key = key, .region_key = key};
    run.random = 88172645463325252U;
    hl_fake_loop_init(&run.loop);
    if (hl_log_sqlite_open(&config, why, sizeof why, &run.log) != 0) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (uint64_t i = 1; i <= n_conversations; i++)
        write_conversation(i);
    wait_for(run.n_sent);
    measure_projection(index_path);
    measure_lists(n_conversations);
    hl_index_close(run.index);
    hl_log_close(run.log);
    (void)hl_fake_loop_run_all(&run.loop);
    hl_fake_loop_fini(&run.loop);
    return 0;
}
