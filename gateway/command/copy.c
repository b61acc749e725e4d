/* `holdline verify`, `backup` and `restore`: proofs and copies of a data
 * folder. */
#include <argp.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/result.h"
#include "gateway/command/command.h"
#include "gateway/data.h"
#include "gateway/secrets.h"
#include "store/directory.h"
#include "store/verify.h"

enum { OPTION_TO = 256, OPTION_FROM, OPTION_KEYS, OPTION_JSON, OUTPUT_MAX = 16 * 1024 * 1024 };

struct arguments {
    const char *data;
    const char *to;
    const char *from;
    const char *keys;    /* NULL: beside the folder */
    const char **folder; /* the one of these two that may come without its option; or NULL */
    bool is_json;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'd':
        arguments->data = value;
        return 0;
    case OPTION_TO:
        arguments->to = value;
        return 0;
    case OPTION_FROM:
        arguments->from = value;
        return 0;
    case OPTION_KEYS:
        arguments->keys = value;
        return 0;
    case OPTION_JSON:
        arguments->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->folder == NULL || *arguments->folder != NULL)
            argp_error(state, "takes no further argument \"%s\"", value);
        else
            *arguments->folder = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void append_report(struct hl_buffer *out, const struct hl_verify_report *report)
{
    hl_buffer_printf(
        out,
        ",\"epoch\":\"%" PRIu64 "\",\"position\":%" PRIu64 ",\"conversations\":%" PRIu64
        ",\"erased\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"findings\":{\"integrity\":%" PRIu64
        ",\"gaps\":%" PRIu64 ",\"chain\":%" PRIu64 ",\"index\":%" PRIu64 "},\"details\":[",
        report->epoch, report->position, report->n_conversations, report->n_erased,
        report->n_entries, report->n_integrity, report->n_gaps, report->n_chain, report->n_index);
    const char *line = report->findings.data;
    const char *end = line + report->findings.size;
    for (bool is_first = true; line < end; is_first = false) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((line_end != NULL ? line_end : end) - line);
        hl_buffer_append_text(out, is_first ? "" : ",");
        hl_json_append_string(out, (struct hl_bytes){line, size});
        line += size + 1;
    }
    hl_buffer_append_text(out, "]");
}

static const char *describe_outcome(int r)
{
    switch (r) {
    case 0:
        return "whole";
    case HL_VERIFY_BROKEN:
        return "broken";
    case HL_VERIFY_SCHEMA_NEWER:
        return "written by a newer holdline";
    case HL_VERIFY_NOT_A_LOG:
        return "no holdline log, or damaged beyond reading";
    case HL_VERIFY_KEYS_MISSING:
        return "made without its keys: give them with --keys";
    case HL_VERIFY_KEYS_TOO_OLD:
        return "newer than the keys: give those made with it or after it";
    case HL_VERIFY_KEYS_FOREIGN:
        return "given a file that holds no keys, or is damaged";
    default:
        return strerror(-r);
    }
}

struct finding { /* of one file */
    const char *path;
    int r;
    bool is_lost; /* of the audit log: it is not what directory.db knows of it */
    struct hl_audit_mark mark;
    struct hl_verify_report report;
};

static void append_finding(struct hl_buffer *out, const struct finding *finding)
{
    hl_buffer_printf(out, "{\"ok\":%s,\"result\":", finding->r == 0 ? "true" : "false");
    hl_json_append_string(out, hl_bytes_of(describe_outcome(finding->r)));
    if (finding->is_lost)
        hl_buffer_printf(out, ",\"known\":{\"epoch\":\"%" PRIu64 "\",\"position\":%" PRIu64 "}",
                         finding->mark.epoch, finding->mark.position);
    append_report(out, &finding->report);
}

/* The audit log against the mark of it in directory.db, which was read before it. */
static void check_mark(struct finding *audit, bool has_audit)
{
    const struct hl_audit_mark *mark = &audit->mark;
    if (!has_audit && mark->epoch == 0)
        return;
    if (audit->r != 0 && audit->r != HL_VERIFY_BROKEN)
        return;
    if (has_audit && hl_audit_mark_fits(mark, audit->report.epoch, audit->report.position))
        return;
    audit->is_lost = true;
    audit->r = HL_VERIFY_BROKEN;
    hl_buffer_printf(
        &audit->report.findings,
        "audit: %s: directory.db knows of epoch %" PRIu64 " up to position %" PRIu64 "\n",
        has_audit ? "older than it was, or another log" : "missing", mark->epoch, mark->position);
}

static void append_line(struct hl_buffer *out, const struct finding *finding)
{
    const struct hl_verify_report *report = &finding->report;
    hl_buffer_append_bytes(out, hl_buffer_bytes(&report->findings));
    hl_buffer_printf(out,
                     "%s: %s; epoch %" PRIu64 ", position %" PRIu64 ", %" PRIu64
                     " conversations (%" PRIu64 " erased), %" PRIu64 " entries\n",
                     finding->path, describe_outcome(finding->r), report->epoch, report->position,
                     report->n_conversations, report->n_erased, report->n_entries);
}

/* `audit` NULL: there is none. */
static int print_findings(const struct arguments *arguments, const struct finding *log,
                          const struct finding *audit)
{
    struct hl_buffer out;
    int r = log->r != 0 || audit == NULL ? log->r : audit->r;
    hl_buffer_init(&out, OUTPUT_MAX);
    if (arguments->is_json) {
        append_finding(&out, log);
        if (audit != NULL) {
            hl_buffer_append_text(&out, ",\"audit\":");
            append_finding(&out, audit);
            hl_buffer_append_text(&out, "}");
        }
        hl_buffer_append_text(&out, "}\n");
    } else {
        append_line(&out, log);
        if (audit != NULL)
            append_line(&out, audit);
    }
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    if (code != HL_EXIT_OK || r == 0)
        return code;
    return r > 0 ? HL_EXIT_REFUSED : HL_EXIT_ENVIRONMENT;
}

static int print_report(const struct arguments *arguments, const char *path, int r,
                        const struct hl_verify_report *report)
{
    const struct finding finding = {.path = path, .r = r, .report = *report};
    return print_findings(arguments, &finding, NULL);
}

static int load_secrets(const struct hl_data_paths *paths, struct hl_secrets *out_secrets)
{
    char why[640];
    int r = hl_secrets_load(paths->secrets, false, hl_clock_system(), hl_random_system(), why,
                            sizeof(why), out_secrets);
    if (r == 0)
        return HL_EXIT_OK;
    return hl_command_fail(r < 0 ? HL_EXIT_ENVIRONMENT : HL_EXIT_REFUSED, "%s", why);
}

static int find_data(const char *folder, struct hl_data_paths *out_paths)
{
    if (hl_data_paths(folder, out_paths) != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "the path %s is too long", folder);
    if (access(out_paths->log, R_OK) != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot read %s: %s", out_paths->log,
                               strerror(errno));
    return HL_EXIT_OK;
}

/* False: there is none, and there need not be. */
static bool verify_audit(const struct hl_data_paths *paths, const struct hl_secrets *secrets,
                         struct finding *audit)
{
    bool has_audit = access(paths->audit, F_OK) == 0;
    bool has_directory = access(paths->directory, F_OK) == 0;
    int r = has_directory ? hl_audit_mark_read(paths->directory, &audit->mark) : 0;
    if (has_audit)
        audit->r = hl_verify(paths->audit, secrets->chain, &audit->report);
    else
        hl_buffer_init(&audit->report.findings, OUTPUT_MAX);
    if (r == 0)
        check_mark(audit, has_audit);
    else if (audit->r == 0)
        audit->r = r;
    return has_audit || audit->r != 0;
}

int hl_command_verify(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"data", 'd', "DIR", 0, "Data folder or backup to verify (default: data)", 0},
        {"json", OPTION_JSON, NULL, 0, "Answer as JSON", 0},
        {0},
    };
    static const struct argp parser = {
        options,
        parse_option,
        NULL,
        "Proves that a data folder is whole: the database's own integrity check, "
        "dense offsets and "
        "positions, the hash chain of every conversation, and the conversation "
        "index; of the log and of the audit log, which must not be behind what "
        "directory.db knows of it. Reads only; "
        "the gateway may be running.\v" HL_COMMAND_EXIT_CODES,
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.data = "data"};
    struct hl_data_paths paths;
    struct hl_secrets secrets;
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    int code = find_data(arguments.data, &paths);
    if (code == HL_EXIT_OK)
        code = load_secrets(&paths, &secrets);
    if (code != HL_EXIT_OK)
        return code;
    struct finding log = {.path = paths.log};
    struct finding audit = {.path = paths.audit};
    log.r = hl_verify(paths.log, secrets.chain, &log.report);
    bool has_audit = verify_audit(&paths, &secrets, &audit);
    hl_secrets_wipe(&secrets);
    code = print_findings(&arguments, &log, has_audit ? &audit : NULL);
    hl_buffer_fini(&log.report.findings);
    hl_buffer_fini(&audit.report.findings);
    return code;
}

static int copy_small_file(const char *from, const char *to)
{
    char content[4096];
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return -errno;
    ssize_t size = read(in, content, sizeof(content));
    int r = size < 0 ? -errno : 0;
    close(in);
    int out = r == 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR) : -1;
    if (r == 0 && out < 0)
        return -errno;
    if (r == 0 && (write(out, content, (size_t)size) != size || fsync(out) != 0))
        r = errno != 0 ? -errno : -EIO;
    if (out >= 0)
        close(out);
    explicit_bzero(content, sizeof(content));
    return r;
}

static int copy_secrets(const char *from, const char *to)
{
    char source[2 * HL_CONFIG_PATH_SIZE];
    char target[2 * HL_CONFIG_PATH_SIZE];
    DIR *entries = opendir(from);
    if (entries == NULL)
        return -errno;
    int r = mkdir(to, S_IRWXU) == 0 || errno == EEXIST ? 0 : -errno;
    for (struct dirent *entry = readdir(entries); entry != NULL && r == 0;
         entry = readdir(entries)) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
        snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
        r = copy_small_file(source, target);
    }
    closedir(entries);
    return r;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

/* So that the name of what is in it outlives a power cut. */
static int sync_parent(const char *path)
{
    char parent[2 * HL_CONFIG_PATH_SIZE];
    int size = snprintf(parent, sizeof(parent), "%s/..", path);
    return size < (int)sizeof(parent) ? sync_folder(parent) : -ENAMETOOLONG;
}

/* Takes back what a failed copy left. */
static void remove_copy(const struct hl_data_paths *copy)
{
    char path[2 * HL_CONFIG_PATH_SIZE];
    DIR *entries = opendir(copy->secrets);
    for (struct dirent *entry = entries != NULL ? readdir(entries) : NULL; entry != NULL;
         entry = readdir(entries)) {
        snprintf(path, sizeof(path), "%s/%s", copy->secrets, entry->d_name);
        unlink(path);
    }
    if (entries != NULL)
        closedir(entries);
    rmdir(copy->secrets);
    unlink(copy->directory);
    unlink(copy->keys);
    unlink(copy->audit);
    unlink(copy->log);
}

/* What is beside the log; keys.db is of an older holdline that did not run since. */
static int copy_companions(const struct hl_data_paths *from, const struct hl_data_paths *to)
{
    const struct {
        const char *from, *to;
        int (*copy)(const char *from, const char *to);
    } files[] = {{from->directory, to->directory, hl_directory_backup},
                 {from->keys, to->keys, hl_directory_backup}};
    int r = copy_secrets(from->secrets, to->secrets);
    for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
        if (access(files[i].from, F_OK) == 0)
            r = files[i].copy(files[i].from, files[i].to);
    }
    return r;
}

/* Into a folder of another name first: a backup is there whole or not at all.
 */
static int copy_data(const struct hl_data_paths *from, const char *to, const char *keys)
{
    char temporary[HL_CONFIG_PATH_SIZE];
    struct hl_data_paths target;
    if (access(to, F_OK) == 0)
        return -EEXIST;
    int n = snprintf(temporary, sizeof(temporary), "%s.part-%ld", to, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(temporary) || hl_data_paths(temporary, &target) != 0)
        return -ENAMETOOLONG;
    if (mkdir(temporary, S_IRWXU) != 0)
        return -errno;
    int r = copy_companions(from, &target);
    if (r == 0 && access(from->audit, F_OK) == 0)
        r = hl_backup(from->audit, target.audit);
    if (r == 0)
        r = hl_backup_apart(from->log, target.log, keys);
    bool has_keys = r == 0;
    if (r == 0)
        r = sync_folder(target.secrets);
    if (r == 0)
        r = sync_folder(temporary);
    if (r == 0 && rename(temporary, to) != 0)
        r = -errno;
    if (r != 0) {
        if (has_keys)
            unlink(keys);
        remove_copy(&target);
        rmdir(temporary);
        return r;
    }
    return sync_parent(to);
}

/* Beside the folder unless the command line says where. False: the path is too long. */
static bool find_keys(const struct arguments *arguments, const char *folder, char *out_path,
                      size_t out_size)
{
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/')
        size--;
    int n = arguments->keys != NULL ? snprintf(out_path, out_size, "%s", arguments->keys)
                                    : snprintf(out_path, out_size, "%.*s.keys", (int)size, folder);
    return n > 0 && (size_t)n < out_size;
}

int hl_command_backup(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"data", 'd', "DIR", 0, "Data folder to copy (default: data)", 0},
        {"to", OPTION_TO, "FOLDER", 0, "Where to: a folder that does not exist yet", 0},
        {"keys", OPTION_KEYS, "FILE", 0,
         "Where the keys of the conversations go (default: FOLDER.keys)", 0},
        {"json", OPTION_JSON, NULL, 0, "Answer as JSON", 0},
        {0},
    };
    static const struct argp parser = {
        options,
        parse_option,
        NULL,
        "Makes a consistent copy of a data folder, in use or not: the log, the audit log, the "
        "directory and the secrets. The keys that conversations are sealed with go to a file "
        "beside it: keep only the newest of these, then no backup brings back what was erased. "
        "Guard both like the original. `holdline verify --data FOLDER` proves the copy.\v" HL_COMMAND_EXIT_CODES,
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.data = "data"};
    arguments.folder = &arguments.to;
    struct hl_data_paths paths;
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    if (arguments.to == NULL)
        return hl_command_fail(HL_EXIT_USAGE, "backup needs --to FOLDER");
    int code = find_data(arguments.data, &paths);
    if (code != HL_EXIT_OK)
        return code;
    char keys[HL_CONFIG_PATH_SIZE + sizeof(".keys")];
    if (!find_keys(&arguments, arguments.to, keys, sizeof(keys)))
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "the path %s is too long", arguments.to);
    int r = copy_data(&paths, arguments.to, keys);
    if (r != 0)
        return hl_command_fail(r == -EEXIST ? HL_EXIT_REFUSED : HL_EXIT_ENVIRONMENT,
                               "no backup was made in %s: %s", arguments.to, strerror(-r));
    struct hl_buffer out;
    hl_buffer_init(&out, OUTPUT_MAX);
    hl_buffer_append_text(&out, arguments.is_json ? "{\"ok\":true,\"backup\":" : "backup made in ");
    if (arguments.is_json)
        hl_json_append_string(&out, hl_bytes_of(arguments.to));
    else
        hl_buffer_append_text(&out, arguments.to);
    hl_buffer_append_text(&out, arguments.is_json ? ",\"keys\":" : ", its keys in ");
    if (arguments.is_json)
        hl_json_append_string(&out, hl_bytes_of(keys));
    else
        hl_buffer_append_text(&out, keys);
    hl_buffer_append_text(&out, arguments.is_json ? "}\n" : "\n");
    code = hl_command_print(&out);
    hl_buffer_fini(&out);
    return code;
}

/* The mark in directory.db is of the log before, which had another epoch. One that the backup's own
 * log was behind of stays, and is found. */
static int renew_mark(const struct hl_data_paths *to, const struct hl_secrets *secrets,
                      const struct hl_verify_report *backup)
{
    struct hl_audit_mark mark;
    struct hl_verify_report report = {0};
    int r = hl_audit_mark_read(to->directory, &mark);
    if (r != 0 || !hl_audit_mark_fits(&mark, backup->epoch, backup->position))
        return r;
    r = hl_verify(to->audit, secrets->chain, &report);
    hl_buffer_fini(&report.findings);
    return r == 0 ? hl_audit_mark_renew(to->directory, report.epoch, report.position) : r;
}

/* Never told apart from the log: a backup is restored as a whole. 0, HL_VERIFY_…, -errno. */
static int restore_audit(const struct hl_data_paths *from, const struct hl_data_paths *to,
                         const struct hl_secrets *secrets)
{
    struct hl_verify_report report = {0};
    int r = hl_restore(from->audit, NULL, to->audit, secrets->chain, &report);
    hl_buffer_fini(&report.findings);
    if (r == 0 && access(to->directory, F_OK) == 0)
        r = renew_mark(to, secrets, &report);
    return r;
}

static int restore_data(const struct hl_data_paths *from, const struct hl_data_paths *to,
                        const struct arguments *arguments)
{
    char keys[HL_CONFIG_PATH_SIZE + sizeof(".keys")];
    struct hl_secrets secrets;
    struct hl_verify_report report = {0};
    if (!find_keys(arguments, from->folder, keys, sizeof(keys)))
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "the path %s is too long", from->folder);
    int code = load_secrets(from, &secrets);
    if (code != HL_EXIT_OK)
        return code;
    int r = hl_data_make_folder(to->folder);
    if (r == 0)
        r = copy_companions(from, to);
    if (r == 0 && access(from->audit, F_OK) == 0)
        r = restore_audit(from, to, &secrets);
    if (r == 0)
        r = hl_restore(from->log, access(keys, F_OK) == 0 ? keys : NULL, to->log, secrets.chain,
                       &report);
    hl_secrets_wipe(&secrets);
    if (r != 0)
        remove_copy(to);
    code = r >= 0 ? print_report(arguments, to->log, r, &report)
                  : hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot restore into %s: %s", to->folder,
                                    strerror(-r));
    hl_buffer_fini(&report.findings);
    return code;
}

int hl_command_restore(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"from", OPTION_FROM, "FOLDER", 0, "The backup", 0},
        {"keys", OPTION_KEYS, "FILE", 0,
         "Keys of the conversations, of this backup or newer (default: FOLDER.keys)", 0},
        {"data", 'd', "DIR", 0, "Data folder to make; it must be empty or missing (default: data)",
         0},
        {"json", OPTION_JSON, NULL, 0, "Answer as JSON", 0},
        {0},
    };
    static const struct argp parser = {
        options,
        parse_option,
        NULL,
        "Makes a data folder from a backup. The backup is verified first; the "
        "restored log has a "
        "new epoch, so that clients that saw more than the backup holds start "
        "over instead of "
        "trusting old positions.\v" HL_COMMAND_EXIT_CODES,
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.data = "data"};
    arguments.folder = &arguments.from;
    struct hl_data_paths from;
    struct hl_data_paths to;
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    if (arguments.from == NULL)
        return hl_command_fail(HL_EXIT_USAGE, "restore needs --from FOLDER");
    int code = find_data(arguments.from, &from);
    if (code != HL_EXIT_OK)
        return code;
    if (hl_data_paths(arguments.data, &to) != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "the path %s is too long", arguments.data);
    if (hl_data_has_log(&to) || access(to.secrets, F_OK) == 0 || access(to.keys, F_OK) == 0 ||
        access(to.directory, F_OK) == 0)
        return hl_command_fail(HL_EXIT_REFUSED,
                               "%s already holds data: restore into an empty or new folder",
                               to.folder);
    return restore_data(&from, &to, &arguments);
}
