#include "gateway/server/page.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-api/percent.h"
#include "agent-api/reply.h"
#include "base/result.h"
#include "gateway/web/accept.h"

enum { PATH_SIZE = 512, DEPTH_MAX = 8 };

struct page {
    char path[PATH_SIZE]; /* as asked for: "/chat/app.js" */
    const char *type;
    char etag[24];
    char *data;
    size_t size;
};

struct hl_pages {
    size_t n_items;
    size_t n_bytes;
    struct page items[HL_PAGES_MAX];
};

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i][0], ending) == 0)
            return types[i][1];
    }
    return NULL;
}

static int read_whole(int fd, char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* FNV-1a: tells versions of a file apart, nothing more. */
static void set_etag(struct page *page)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < page->size; i++)
        hash = (hash ^ (unsigned char)page->data[i]) * UINT64_C(1099511628211);
    snprintf(page->etag, sizeof(page->etag), "\"%016" PRIx64 "\"", hash);
}

static int load_file(struct hl_pages *pages, int folder, const char *name, const char *path,
                     size_t size)
{
    if (pages->n_items == HL_PAGES_MAX || size > HL_PAGE_BYTES_MAX ||
        pages->n_bytes + size > HL_PAGES_BYTES_MAX)
        return -EFBIG;
    struct page *page = &pages->items[pages->n_items];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    page->data = malloc(size + 1);
    int r = page->data != NULL ? read_whole(fd, page->data, size) : -ENOMEM;
    close(fd);
    if (r != 0) {
        free(page->data);
        page->data = NULL;
        return r;
    }
    snprintf(page->path, sizeof(page->path), "%s", path);
    page->type = type_of(path);
    page->size = size;
    set_etag(page);
    pages->n_items++;
    pages->n_bytes += size;
    return 0;
}

static int load_folder(struct hl_pages *pages, int fd, const char *path, unsigned depth);

static int load_item(struct hl_pages *pages, int folder, const char *name, const char *prefix,
                     unsigned depth)
{
    char path[PATH_SIZE];
    struct stat status;
    int n = snprintf(path, sizeof(path), "%s/%s", prefix, name);
    if (name[0] == '.' || n < 0 || (size_t)n >= sizeof(path) ||
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (S_ISREG(status.st_mode) && type_of(name) != NULL)
        return load_file(pages, folder, name, path, (size_t)status.st_size);
    if (!S_ISDIR(status.st_mode) || depth == DEPTH_MAX)
        return 0;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : load_folder(pages, fd, path, depth + 1);
}

/* Takes the descriptor. */
static int load_folder(struct hl_pages *pages, int fd, const char *path, unsigned depth)
{
    int r = 0;
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        r = -errno;
        close(fd);
        return r;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL && r == 0; entry = readdir(entries))
        r = load_item(pages, dirfd(entries), entry->d_name, path, depth);
    closedir(entries);
    return r;
}

/* "FOLDER" or "/NAME/=FOLDER". */
static int load_mount(struct hl_pages *pages, char *mount)
{
    char *equals = mount[0] == '/' ? strstr(mount, "/=") : NULL;
    const char *folder = equals != NULL ? equals + 2 : mount;
    if (equals != NULL)
        *equals = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : load_folder(pages, fd, equals != NULL ? mount : "", 0);
}

static int load_mounts(struct hl_pages *pages, const char *folders)
{
    int r = 0;
    while (r == 0 && *folders != '\0') {
        char mount[PATH_SIZE];
        size_t size = strcspn(folders, ",");
        if (size >= sizeof(mount))
            return -ENAMETOOLONG;
        memcpy(mount, folders, size);
        mount[size] = '\0';
        r = load_mount(pages, mount);
        folders += size + (folders[size] == ',' ? 1 : 0);
    }
    return r;
}

int hl_pages_load(const char *folders, char *why, size_t why_size, struct hl_pages **out_pages)
{
    struct hl_pages *pages = calloc(1, sizeof(*pages));
    if (pages == NULL)
        return -ENOMEM;
    int r = load_mounts(pages, folders);
    if (r != 0) {
        snprintf(why, why_size,
                 "cannot serve the files of %s: %s (at most %d files, %d bytes each)", folders,
                 strerror(-r), HL_PAGES_MAX, HL_PAGE_BYTES_MAX);
        hl_pages_free(pages);
        return r;
    }
    *out_pages = pages;
    return 0;
}

void hl_pages_free(struct hl_pages *pages)
{
    for (size_t i = 0; pages != NULL && i < pages->n_items; i++)
        free(pages->items[i].data);
    free(pages);
}

static const struct page *find_page(const struct hl_pages *pages, struct hl_bytes path)
{
    char wanted[PATH_SIZE];
    if (hl_percent_decode(path, HL_PERCENT_PATH, wanted, sizeof(wanted) - sizeof("index.html")) !=
        0)
        return NULL;
    size_t size = strlen(wanted);
    if (size > 0 && wanted[size - 1] == '/')
        memcpy(wanted + size, "index.html", sizeof("index.html"));
    for (size_t i = 0; i < pages->n_items; i++) {
        if (strcmp(pages->items[i].path, wanted) == 0)
            return &pages->items[i];
    }
    return NULL;
}

bool hl_pages_answer(const struct hl_pages *pages, struct hl_exchange *exchange)
{
    if (pages == NULL || (exchange->method != HL_GET && exchange->method != HL_HEAD))
        return false;
    const struct page *page = find_page(pages, exchange->path);
    if (page == NULL)
        return false;
    hl_reply_add_text(exchange, "etag", page->etag);
    hl_reply_add_text(exchange, "cache-control", "no-cache");
    if (hl_accept_etag(exchange->headers[HL_HEADER_IF_NONE_MATCH], page->etag))
        exchange->ops->answer(exchange, 304, NULL, (struct hl_bytes){0});
    else
        exchange->ops->answer(exchange, 200, page->type, (struct hl_bytes){page->data, page->size});
    return true;
}
