/* When keys were last used. Noted in memory, written once a minute: nobody waits for it. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "store/directory/service.h"

enum { USE_STEP_MS = 60000 };

/* With uses->lock: the slot of a key, or the free one where it belongs. */
static struct hl_key_use *find_slot(struct hl_key_uses *uses, const struct hl_id *key)
{
    size_t at = (size_t)(key->b[15] | key->b[14] << 8); /* ids end in random bytes */
    for (;; at++) {
        struct hl_key_use *slot = &uses->slots[at % HL_KEY_USES_SLOTS];
        if (slot->used_ms == 0 || hl_id_equal(&slot->key, key))
            return slot;
    }
}

int hl_directory_open_uses(struct hl_directory *directory)
{
    struct hl_key_uses *uses = &directory->uses;
    size_t n_stored = 0;
    struct hl_key_use *stored = calloc(HL_KEYS_MAX, sizeof(*stored));
    if (stored == NULL)
        return -ENOMEM;
    int r = hl_directory_file_load_uses(directory->reader, stored, HL_KEYS_MAX, &n_stored);
    for (size_t i = 0; i < n_stored && r == 0; i++) {
        if (stored[i].used_ms > 0)
            *find_slot(uses, &stored[i].key) = stored[i];
    }
    uses->n_uses = n_stored;
    uses->saved_ms = hl_clock_wall_ms(directory->clock) - 1;
    free(stored);
    return r;
}

void hl_directory_save_uses(struct hl_directory *directory)
{
    struct hl_key_uses *uses = &directory->uses;
    struct hl_key_use *news = calloc(HL_KEY_USES_MAX, sizeof(*news));
    size_t n_news = 0;
    if (news == NULL)
        return;
    pthread_mutex_lock(&uses->lock);
    for (size_t i = 0; i < HL_KEY_USES_SLOTS && n_news < HL_KEY_USES_MAX; i++) {
        if (uses->slots[i].used_ms > uses->saved_ms)
            news[n_news++] = uses->slots[i];
    }
    uses->saved_ms = hl_clock_wall_ms(directory->clock) - 1;
    uses->is_saving = false;
    pthread_mutex_unlock(&uses->lock);
    pthread_mutex_lock(&directory->file_lock);
    int r = n_news > 0 ? hl_directory_file_save_uses(directory->file, news, n_news) : 0;
    pthread_mutex_unlock(&directory->file_lock);
    free(news);
    if (r != 0)
        hl_event(HL_EVENT_WARN, "directory.uses_not_saved", HL_TEXT("why", strerror(-r)));
}

static void run_save(struct hl_task *task)
{
    struct hl_key_uses *uses = HL_CONTAINER_OF(task, struct hl_key_uses, save);
    hl_directory_save_uses(HL_CONTAINER_OF(uses, struct hl_directory, uses));
}

void hl_directory_note_use(struct hl_directory *directory, const struct hl_id *key)
{
    struct hl_key_uses *uses = &directory->uses;
    int64_t now_ms = hl_clock_wall_ms(directory->clock);
    pthread_mutex_lock(&uses->lock);
    struct hl_key_use *slot = find_slot(uses, key);
    bool is_new = slot->used_ms == 0;
    if ((!is_new || uses->n_uses < HL_KEY_USES_MAX) && now_ms >= slot->used_ms + USE_STEP_MS) {
        *slot = (struct hl_key_use){*key, now_ms};
        uses->n_uses += is_new ? 1 : 0;
        bool is_due =
            directory->loop != NULL && !uses->is_saving && now_ms >= uses->saved_ms + USE_STEP_MS;
        if (is_due) {
            uses->is_saving = true;
            uses->save.run = run_save;
            hl_loop_post(directory->loop, &uses->save);
        }
    }
    pthread_mutex_unlock(&uses->lock);
}

int64_t hl_directory_key_used_ms(struct hl_directory *directory, const struct hl_id *key)
{
    struct hl_key_uses *uses = &directory->uses;
    pthread_mutex_lock(&uses->lock);
    int64_t used_ms = find_slot(uses, key)->used_ms;
    pthread_mutex_unlock(&uses->lock);
    return used_ms;
}
