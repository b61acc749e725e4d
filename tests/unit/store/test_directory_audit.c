/* The outbox of the directory: nothing that was changed is missing in the audit log, or twice. */
#include "store/directory_audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/directory_people.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_loop.h"
#include "tests/support/faulty_log.h"
#include "tests/support/temp_folder.h"

struct fixture {
    struct hl_temp_folder folder;
    char path[512];
    struct hl_fake_clock clock;
    struct hl_fake_loop loop;
    struct hl_directory *directory;
    struct hl_log *audit;
};

static struct hl_directory *open_directory(struct fixture *f)
{
    struct hl_directory *directory = NULL;
    struct hl_directory_config config = {f->path, NULL, &f->clock.clock, hl_random_system()};
    assert_int_equal(hl_directory_open(&config, &directory), 0);
    return directory;
}

static struct hl_log *open_log(struct fixture *f)
{
    struct hl_log *log = NULL;
    struct hl_log_memory_config config = {&f->clock.clock, 5, 100};
    assert_int_equal(hl_log_memory_open(&config, &log), 0);
    return log;
}

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    hl_temp_folder_init(&f->folder);
    snprintf(f->path, sizeof(f->path), "%s/directory.db", f->folder.path);
    hl_fake_clock_init(&f->clock, INT64_C(1700000000000));
    hl_fake_loop_init(&f->loop);
    f->directory = open_directory(f);
    hl_directory_start_on(f->directory, &f->loop.loop);
    f->audit = open_log(f);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_fake_loop_run_all(&f->loop);
    hl_directory_audit_end(f->directory);
    hl_log_close(f->audit);
    hl_fake_loop_run_all(&f->loop);
    hl_directory_close(f->directory);
    hl_fake_loop_fini(&f->loop);
    hl_temp_folder_fini(&f->folder);
    free(f);
    return 0;
}

/* As the gateway starts again: it stopped in good order, or by a power cut. */
static void reopen(struct fixture *f, struct hl_log *audit)
{
    hl_directory_audit_end(f->directory);
    hl_fake_loop_run_all(&f->loop);
    hl_directory_close(f->directory);
    f->directory = open_directory(f);
    hl_directory_start_on(f->directory, &f->loop.loop);
    assert_int_equal(hl_directory_audit_begin(f->directory, audit), 0);
    hl_fake_loop_run_all(&f->loop);
}

static struct hl_id add_person(struct hl_directory *directory, const char *name)
{
    struct hl_id id;
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_person_wish wish = {.name = name, .role = HL_KEY_ADMIN};
    assert_int_equal(hl_directory_add_person(directory, &wish, secret, &id), 0);
    return id;
}

static uint64_t position_of(struct hl_log *log)
{
    struct hl_log_info info;
    hl_log_info(log, &info);
    return info.position;
}

struct scan {
    struct hl_log_scan scan;
    bool is_done;
};

static void take_scan(struct hl_log_scan *scan, int r)
{
    assert_int_equal(r, 0);
    HL_CONTAINER_OF(scan, struct scan, scan)->is_done = true;
}

static void assert_entry(struct fixture *f, uint64_t position, const char *text)
{
    char body[1024] = "";
    struct scan scan = {.scan = {.loop = &f->loop.loop,
                                 .done = take_scan,
                                 .after = position - 1,
                                 .limit = 1,
                                 .bytes_max = 4096}};
    assert_int_equal(hl_log_scan(f->audit, &scan.scan), 0);
    hl_fake_loop_run_all(&f->loop);
    assert_true(scan.is_done);
    assert_int_equal(scan.scan.batch->n_entries, 1);
    struct hl_bytes bytes = hl_entry_body(scan.scan.batch->entries[0]);
    memcpy(body, bytes.data, bytes.size < sizeof(body) ? bytes.size : sizeof(body) - 1);
    assert_non_null(strstr(body, text));
    hl_batch_unref(scan.scan.batch);
}

static void test_what_was_changed_while_it_was_down_is_recorded_in_order(void **state)
{
    struct fixture *f = *state;
    struct hl_id ann = add_person(f->directory, "Ann");
    assert_int_equal(hl_directory_let_go(f->directory, &ann), 0);
    assert_int_equal(position_of(f->audit), 0);
    reopen(f, f->audit);
    assert_int_equal(position_of(f->audit), 3);
    assert_entry(f, 1, "{\"action\":\"agent.created\",\"actor\":{\"role\":\"operator\"},\"at\":");
    assert_entry(f, 2, "key.created");
    assert_entry(f, 3, "agent.deactivated");
    reopen(f, f->audit);
    assert_int_equal(position_of(f->audit), 3);
}

static void test_another_process_changes_it(void **state)
{
    struct fixture *f = *state;
    struct hl_directory *other = open_directory(f);
    assert_int_equal(hl_directory_audit_begin(f->directory, f->audit), 0);
    hl_fake_loop_run_all(&f->loop);
    (void)add_person(other, "Ann");
    hl_directory_close(other);
    assert_int_equal(hl_directory_refresh(f->directory), HL_DIRECTORY_CHANGED);
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(position_of(f->audit), 2);
}

/* Cut off after the entry is durable, before the outbox forgets it: it is offered once more. */
static void test_a_repeat_is_no_second_entry(void **state)
{
    struct fixture *f = *state;
    for (int fault = HL_FAULT_BUSY; fault < HL_FAULT_END; fault++) {
        hl_log_close(f->audit);
        f->audit = hl_faulty_log_create(open_log(f), (enum hl_fault)fault, 2);
        (void)add_person(f->directory, "Ann");
        hl_directory_audit_end(f->directory);
        hl_directory_close(f->directory);
        f->directory = open_directory(f);
        hl_directory_start_on(f->directory, &f->loop.loop);
        assert_int_equal(hl_directory_audit_begin(f->directory, f->audit), 0);
        hl_fake_loop_run_all(&f->loop);
        assert_true(position_of(f->audit) <= 2);
        hl_faulty_log_heal(f->audit);
        assert_int_equal(hl_directory_refresh(f->directory) < 0, 0); /* tries again */
        hl_fake_loop_run_all(&f->loop);
        assert_int_equal(position_of(f->audit), 2);
        hl_directory_audit_end(f->directory);
        hl_directory_close(f->directory);
        snprintf(f->path, sizeof(f->path), "%s/%d.db", f->folder.path, fault);
        f->directory = open_directory(f);
        hl_directory_start_on(f->directory, &f->loop.loop);
    }
}

struct probe {
    struct hl_directory_change change;
    int r;
    int n_done;
};

static void take_change(struct hl_directory_change *change, int r)
{
    struct probe *probe = HL_CONTAINER_OF(change, struct probe, change);
    probe->r = r;
    probe->n_done++;
}

static int submit_job(struct fixture *f, const char *id)
{
    static const struct hl_author author = {.role = HL_ROLE_SYSTEM};
    struct hl_directory_audit audit;
    struct probe probe = {.change = {.loop = &f->loop.loop,
                                     .done = take_change,
                                     .operation = HL_DIRECTORY_CREATE,
                                     .kind = HL_RECORD_JOB,
                                     .document = hl_bytes_of("{}"),
                                     .audit = &audit}};
    hl_directory_audit_init(&audit, hl_random_system(), &author, "shop");
    audit.body = hl_bytes_of("{\"action\":\"job.created\"}");
    snprintf(probe.change.id, sizeof(probe.change.id), "%s", id);
    assert_int_equal(hl_directory_submit(f->directory, &probe.change), 0);
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(probe.n_done, 1);
    return probe.r;
}

static void test_a_change_is_answered_once_it_is_recorded(void **state)
{
    struct fixture *f = *state;
    struct hl_log *faulty = hl_faulty_log_create(f->audit, HL_FAULT_BEFORE, 2);
    f->audit = faulty;
    assert_int_equal(hl_directory_audit_begin(f->directory, faulty), 0);
    assert_int_equal(submit_job(f, "job_1"), 0);
    assert_int_equal(position_of(faulty), 1);
    assert_int_equal(submit_job(f, "job_2"), HL_DIRECTORY_UNRECORDED);
    assert_int_equal(submit_job(f, "job_3"), 0); /* the log is back, and has both */
    assert_int_equal(position_of(faulty), 3);
    assert_int_equal(submit_job(f, "job_3"), HL_DIRECTORY_TAKEN);
    assert_int_equal(position_of(faulty), 3);
}

static void test_a_log_that_was_put_back_is_found(void **state)
{
    struct fixture *f = *state;
    struct hl_audit_mark mark;
    (void)add_person(f->directory, "Ann");
    reopen(f, f->audit);
    assert_int_equal(hl_audit_mark_read(f->path, &mark), 0);
    assert_int_equal(mark.epoch, 5);
    assert_int_equal(mark.position, 2);
    assert_true(hl_audit_mark_fits(&mark, 5, 2) && hl_audit_mark_fits(&mark, 5, 3));
    assert_false(hl_audit_mark_fits(&mark, 5, 1) || hl_audit_mark_fits(&mark, 6, 9));
    hl_directory_audit_end(f->directory);
    hl_log_close(f->audit);
    f->audit = open_log(f); /* an empty one */
    reopen(f, f->audit);
    for (int i = 0; i < 3; i++)
        (void)add_person(f->directory, "Ben");
    hl_fake_loop_run_all(&f->loop);
    assert_true(position_of(f->audit) > 2);
    assert_int_equal(hl_audit_mark_read(f->path, &mark), 0);
    assert_true(mark.is_lost);
    assert_int_equal(mark.position, 2);
    assert_false(hl_audit_mark_fits(&mark, 5, 100));
}

int main(void)
{
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_what_was_changed_while_it_was_down_is_recorded_in_order),
        WITH_FIXTURE(test_another_process_changes_it),
        WITH_FIXTURE(test_a_repeat_is_no_second_entry),
        WITH_FIXTURE(test_a_change_is_answered_once_it_is_recorded),
        WITH_FIXTURE(test_a_log_that_was_put_back_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
