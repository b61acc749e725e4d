/* The promises, as checks over a history and a transcript. Each finding has a class, a place
 * and a sentence. Sorting and binary search only: O(n log n). */
#ifndef HL_TESTS_HISTORY_RULES_H
#define HL_TESTS_HISTORY_RULES_H

#include "tests/history/history.h"

enum finding_class {
    FOUND_LOST,
    FOUND_DUPLICATE,
    FOUND_ORDER,
    FOUND_GAP,
    FOUND_RESUMED,
    FOUND_PHANTOM,
    FOUND_PLACE,
    FOUND_END
};

struct findings {
    uint64_t counts[FOUND_END];
    uint64_t n_shown_max; /* sentences printed per class */
    bool is_quiet;
};

const char *finding_class_name(enum finding_class class);

/* Marks and sorts the history in passing. Findings are printed to stdout as they are met. */
void rules_run(struct history *history, struct findings *findings);

#endif
