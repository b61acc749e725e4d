/* Static files, read into memory at the start: the example page of a small installation. Not
 * a web server: no ranges, no listing, no directories beyond what was there at the start.
 * Thread: any, once loaded; nothing changes. */
#ifndef HL_GATEWAY_SERVER_PAGE_H
#define HL_GATEWAY_SERVER_PAGE_H

#include "agent-api/exchange.h"

enum {
    HL_PAGES_MAX = 512,
    HL_PAGE_BYTES_MAX = 4 * 1024 * 1024,
    HL_PAGES_BYTES_MAX = 32 * 1024 * 1024
};

struct hl_pages;

/* All files below the folders whose type is known; others, hidden ones and symbolic links are
 * left out. `folders`: "FOLDER", or several with commas between them; "/NAME/=FOLDER" is served
 * below /NAME/. 0, -errno; `why` gets one line. */
int hl_pages_load(const char *folders, char *why, size_t why_size, struct hl_pages **out_pages);
void hl_pages_free(struct hl_pages *pages); /* accepts NULL */

/* Answers GET and HEAD of a path that is there ("/" and "/x/": index.html). False: it is not
 * there; nothing was answered. `pages` may be NULL. */
bool hl_pages_answer(const struct hl_pages *pages, struct hl_exchange *exchange);

#endif
