/* Histories and transcripts in memory: JSON lines read into flat records with names replaced
 * by numbers. Format: docs/history.md. Shares nothing with the server but the JSON library.
 * Thread: one. */
#ifndef HL_TESTS_HISTORY_HISTORY_H
#define HL_TESTS_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every text of a run once; 0 stands for "not given". */
struct names {
    char **texts; /* index is the number */
    uint32_t n_texts, capacity;
    uint32_t *slots; /* open addressing, power of two */
    uint32_t n_slots;
};

enum op {
    OP_OTHER,
    OP_SEND,
    OP_ACKED,
    OP_REFUSED,
    OP_FAILED,
    OP_VERDICT,
    OP_DELIVER,
    OP_GAP,
    OP_SYNCED,
    OP_START,
    OP_FINAL,
    OP_END
};

enum verdict { VERDICT_NONE, VERDICT_RESUMED, VERDICT_GAP, VERDICT_RESET };

struct event {
    enum op op;
    enum verdict verdict;
    uint32_t file, line;                         /* where it stands */
    uint32_t client, conversation;               /* names */
    uint32_t mid, author, body, epoch, my_epoch; /* names; 0: not given */
    int64_t offset;                              /* o, or pos of a verdict, or to of a gap */
    int64_t head;                                /* of a verdict */
    int64_t after;                               /* -1: not given */
    bool is_agent;                               /* start with role agent */
    bool is_duplicate;                           /* set by the rules */
    uint32_t incarnation;                        /* set by the rules: rises with each reset */
};

struct entry { /* one line of the transcript */
    uint32_t file, line;
    uint32_t conversation, mid, author, body, epoch;
    int64_t offset;
    bool is_internal; /* a note: no visitor sees it */
    bool is_change;   /* a state change: nobody sent it as a message */
};

struct history {
    struct names names;
    const char **files;
    uint32_t n_files;
    struct event *events; /* in the order read */
    size_t n_events, events_capacity;
    struct entry *entries;
    size_t n_entries, entries_capacity;
    bool has_transcript;
};

void history_init(struct history *history);
void history_fini(struct history *history);
/* Reads one file; `path` must outlive the history. 0, or -1 after saying why on stderr. */
int history_read_events(struct history *history, const char *path);
int history_read_transcript(struct history *history, const char *path);
const char *history_text(const struct history *history, uint32_t name); /* "-" for 0 */

#endif
