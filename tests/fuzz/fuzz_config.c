/* gateway/config.h: any file is read or refused with a finding that says where. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "gateway/config.h"
#include "tests/fuzz/fuzz.h"

/* libconfig's scanner loses a buffer when a text is not ended; a file is read once per reload. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void check_report(const struct hl_config_report *report)
{
    HL_CHECK(report->n_findings <= HL_CONFIG_FINDINGS_MAX);
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct hl_config_finding *finding = &report->findings[i];
        HL_CHECK(memchr(finding->place, '\0', sizeof finding->place) != NULL);
        HL_CHECK(memchr(finding->key, '\0', sizeof finding->key) != NULL);
        HL_CHECK(memchr(finding->message, '\0', sizeof finding->message) != NULL);
        HL_CHECK(finding->message[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hl_config config;
    static struct hl_config_report report;
    char path[64];

    int fd = memfd_create("config", 0);
    HL_CHECK(fd >= 0);
    HL_CHECK(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(&report, 0, sizeof report);
    int r = hl_config_load(path, NULL, &config, &report);
    check_report(&report);
    if (r == HL_CONFIG_INVALID)
        HL_CHECK(report.n_findings > 0);
    if (r == 0)
        (void)hl_config_check(&config, path, &report);
    check_report(&report);
    (void)close(fd);
    return 0;
}
