/* Intrusive doubly linked list. A zeroed link is unlinked; a head must be initialised. */
#ifndef HL_BASE_LIST_H
#define HL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct hl_list {
    struct hl_list *next;
    struct hl_list *prev;
};

#define HL_CONTAINER_OF(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void hl_list_init(struct hl_list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool hl_list_is_empty(const struct hl_list *head)
{
    return head->next == head;
}

static inline bool hl_list_is_linked(const struct hl_list *link)
{
    return link->next != NULL;
}

/* Adds at the end. */
static inline void hl_list_add(struct hl_list *head, struct hl_list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Accepts an unlinked link. */
static inline void hl_list_remove(struct hl_list *link)
{
    if (!hl_list_is_linked(link))
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = NULL;
    link->prev = NULL;
}

#endif
