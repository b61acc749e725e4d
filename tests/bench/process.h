/* What the kernel knows about a server process. */
#ifndef HL_TESTS_BENCH_PROCESS_H
#define HL_TESTS_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum { PROCESSES_MAX = 8 };

struct processes { /* a server may be several: nginx and its worker, a gateway and its database */
    pid_t pids[PROCESSES_MAX];
    unsigned n;
};

/* "PID[,PID…]"; returns the number read, 0 if the text is wrong. */
unsigned processes_parse(struct processes *processes, const char *text);
/* User and system time of all their threads so far, in microseconds (steps of 10 ms). */
uint64_t processes_cpu_us(const struct processes *processes);
/* Resident bytes, shared pages divided among those that share them. */
uint64_t processes_pss(const struct processes *processes);

/* Monotonic. */
uint64_t now_us(void);
/* Raises the limit of open files as far as it goes; returns it. */
unsigned raise_file_limit(void);

#endif
