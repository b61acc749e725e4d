/* holdline-check-history: decides from what clients saw, and what was kept, whether a run
 * kept the promises. Format and findings: docs/history.md. Exit 0 kept, 1 broken, 2 cannot tell. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/rules.h"

static int usage(FILE *stream, int code)
{
    fputs("usage: holdline-check-history HISTORY.jsonl... [--transcript FILE.jsonl] [--json]"
          " [--show N]\n"
          "exit: 0 every promise kept, 1 something found, 2 cannot tell\n",
          stream);
    return code;
}

static uint64_t print_findings(const struct history *history, const struct findings *findings,
                               bool is_json)
{
    uint64_t counts[OP_END] = {0}, n_found = 0;
    for (size_t i = 0; i < history->n_events; i++)
        counts[history->events[i].op]++;
    printf(is_json ? "{\"events\":%zu,\"sent\":%" PRIu64 ",\"acked\":%" PRIu64
                     ",\"delivered\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"entries\":%zu"
                   : "events %zu, sent %" PRIu64 ", acked %" PRIu64 ", delivered %" PRIu64
                     ", refused %" PRIu64 ", entries %zu\n",
           history->n_events, counts[OP_SEND], counts[OP_ACKED], counts[OP_DELIVER],
           counts[OP_REFUSED], history->n_entries);
    for (int class = 0; class < FOUND_END; class ++) {
        n_found += findings->counts[class];
        printf(is_json ? ",\"%s\":%" PRIu64 : "%-10s %" PRIu64 "\n",
               finding_class_name((enum finding_class) class), findings->counts[class]);
    }
    if (is_json)
        puts("}");
    else
        puts(n_found == 0 ? "every promise kept" : "BROKEN");
    return n_found;
}

int main(int argc, char **argv)
{
    struct history history;
    struct findings findings = {.n_shown_max = 10};
    bool is_json = false;
    int r = 0;
    history_init(&history);
    for (int i = 1; i < argc && r == 0; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--help") == 0)
            return usage(stdout, 0);
        if (strcmp(argv[i], "--json") == 0)
            is_json = findings.is_quiet = true;
        else if (strcmp(argv[i], "--show") == 0 && has_value)
            findings.n_shown_max = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--transcript") == 0 && has_value)
            r = history_read_transcript(&history, argv[++i]);
        else if (argv[i][0] == '-')
            return usage(stderr, 2);
        else
            r = history_read_events(&history, argv[i]);
    }
    if (r == 0 && history.n_events == 0)
        fputs("no events: nothing is proved\n", stderr);
    if (r != 0 || history.n_events == 0) {
        history_fini(&history);
        return 2;
    }
    rules_run(&history, &findings);
    uint64_t n_found = print_findings(&history, &findings, is_json);
    history_fini(&history);
    return n_found == 0 ? 0 : 1;
}
