/* The commands of the program. Each reads its own arguments (glibc argp) and
 * returns the exit code; argp itself ends the process for --help (0) and for
 * wrong usage (HL_EXIT_USAGE). */
#ifndef HL_GATEWAY_COMMAND_COMMAND_H
#define HL_GATEWAY_COMMAND_COMMAND_H

#include "base/bytes.h"

enum {
    HL_EXIT_OK = 0,
    HL_EXIT_REFUSED = 1,     /* a finding, or refused because of what the data is */
    HL_EXIT_USAGE = 2,       /* wrong options or configuration */
    HL_EXIT_ENVIRONMENT = 3, /* port in use, no permission, folder missing or locked … */
    HL_EXIT_STORE = 4,       /* serve: the store failed; start again, it recovers by itself */
    HL_EXIT_LATE = 5,        /* serve: did not come down in time */
};

#define HL_COMMAND_EXIT_CODES                                                                      \
    "Exit codes: 0 done; 1 a finding, or refused because of what the data is; "                    \
    "2 wrong usage "                                                                               \
    "or configuration; 3 the environment does not allow it (port in use, no "                      \
    "permission, "                                                                                 \
    "missing or locked folder)."

int hl_command_serve(int argc, char **argv);
int hl_command_check(int argc, char **argv);
int hl_command_key(int argc, char **argv);
int hl_command_verify(int argc, char **argv);
int hl_command_backup(int argc, char **argv);
int hl_command_restore(int argc, char **argv);

/* Writes to standard output and flushes. HL_EXIT_OK, HL_EXIT_ENVIRONMENT
 * (closed pipe, full disk). */
int hl_command_print(const struct hl_buffer *text);
/* "holdline: …" on standard error. Returns `code`, for `return
 * hl_command_fail(…)`. */
int hl_command_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
