#include "tests/bench/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

unsigned processes_parse(struct processes *processes, const char *text)
{
    memset(processes, 0, sizeof *processes);
    while (processes->n < PROCESSES_MAX) {
        char *end;
        long pid = strtol(text, &end, 10);
        if (end == text || pid <= 0)
            return 0;
        processes->pids[processes->n++] = (pid_t)pid;
        if (*end == '\0')
            return processes->n;
        text = end + 1;
    }
    return 0;
}

static uint64_t read_cpu_us(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[size] = '\0';
    const char *fields = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (fields == NULL || sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &system) != 2)
        return 0;
    return (uint64_t)(user + system) * 1000000U / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t processes_cpu_us(const struct processes *processes)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < processes->n; i++)
        sum += read_cpu_us(processes->pids[i]);
    return sum;
}

uint64_t processes_pss(const struct processes *processes)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < processes->n; i++) {
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)processes->pids[i]);
        FILE *stream = fopen(path, "re");
        unsigned long kib;
        while (stream != NULL && fgets(line, sizeof line, stream) != NULL)
            if (sscanf(line, "Pss: %lu kB", &kib) == 1)
                sum += (uint64_t)kib * 1024;
        if (stream != NULL)
            fclose(stream);
    }
    return sum;
}

uint64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000U + (uint64_t)time.tv_nsec / 1000U;
}

unsigned raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return (unsigned)limit.rlim_cur;
}
