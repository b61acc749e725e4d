/* Floor: the least a server can do that speaks the bench's frames. One epoll loop; with
 * --data each round's messages are one SQLite transaction (WAL, synchronous FULL or NORMAL)
 * and are answered after its commit. Rows carry the bytes holdline's carry, in a rowid table
 * with one index (conversation, offset). It checks nothing, remembers nothing, deduplicates
 * nothing and resumes nobody: not a peer, a lower bound. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sqlite3.h>

enum { CONNS_MAX = 20000, EVENTS_MAX = 512, READ_SIZE = 1 << 16, FRAME_MAX = 4096 };

struct conn {
    int fd;
    bool is_upgraded, is_dirty;
    uint32_t room;    /* the conversation it publishes to: its own number */
    uint32_t next;    /* next subscriber of the same room, 0: none */
    uint32_t members; /* first subscriber of this room */
    uint64_t offset;  /* last of its room */
    char *in, *out;
    size_t in_size, out_size, out_capacity;
};

struct pub { /* one message of this round */
    uint32_t conn;
    uint64_t offset;
    uint16_t mid_size, body_size;
    char mid[64];
    char body[1024];
};

static struct conn conns[CONNS_MAX];
static struct pub pubs[EVENTS_MAX * 64];
static uint32_t dirty[CONNS_MAX];
static size_t n_pubs, n_dirty;
static uint64_t position;
static sqlite3 *db;
static sqlite3_stmt *insert, *begin, *commit;
static int epoll;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno != 0 ? strerror(errno) : "failed");
    exit(1);
}

static void run_sql(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
}

static void open_store(const char *path, const char *sync)
{
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA synchronous=%s", sync);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        die(path);
    run_sql("PRAGMA journal_mode=WAL");
    run_sql(pragma);
    run_sql("CREATE TABLE entries(position INTEGER PRIMARY KEY, conversation BLOB, offset INTEGER,"
            " author BLOB, kind INTEGER, mid TEXT, wall_ms INTEGER, body TEXT, hash BLOB)");
    run_sql("CREATE UNIQUE INDEX by_offset ON entries(conversation, offset)");
    if (sqlite3_prepare_v2(db, "INSERT INTO entries VALUES(?,?,?,?,1,?,?,?,?)", -1, &insert,
                           NULL) ||
        sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL) ||
        sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL))
        die(sqlite3_errmsg(db));
}

static void run_statement(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        die(sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

static void store_pubs(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    run_statement(begin);
    for (size_t i = 0; i < n_pubs; i++) {
        unsigned char hash[32] = {0}, id[16] = {0};
        uint64_t mixed = pubs[i].conn * 0x9E3779B97F4A7C15U; /* ids are random in life */
        memcpy(id, &mixed, sizeof mixed);
        memcpy(hash, &mixed, sizeof mixed);
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)++position);
        sqlite3_bind_blob(insert, 2, id, sizeof id, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, (sqlite3_int64)pubs[i].offset);
        sqlite3_bind_blob(insert, 4, id, sizeof id, SQLITE_STATIC);
        sqlite3_bind_text(insert, 5, pubs[i].mid, pubs[i].mid_size, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 6, time.tv_sec * 1000);
        sqlite3_bind_text(insert, 7, pubs[i].body, pubs[i].body_size, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 8, hash, sizeof hash, SQLITE_STATIC);
        run_statement(insert);
    }
    run_statement(commit);
}

static void queue_bytes(struct conn *conn, const void *data, size_t size)
{
    if (conn->out_size + size > conn->out_capacity) {
        conn->out_capacity = (conn->out_size + size) * 2;
        conn->out = realloc(conn->out, conn->out_capacity);
        if (conn->out == NULL)
            die("memory");
    }
    memcpy(conn->out + conn->out_size, data, size);
    conn->out_size += size;
    if (!conn->is_dirty)
        dirty[n_dirty++] = (uint32_t)(conn - conns);
    conn->is_dirty = true;
}

static void queue_text(struct conn *conn, const char *text, size_t size)
{
    unsigned char head[4] = {0x81, (unsigned char)size};
    if (size >= 126) {
        head[1] = 126;
        head[2] = (unsigned char)(size >> 8);
        head[3] = (unsigned char)size;
    }
    queue_bytes(conn, head, size < 126 ? 2 : 4);
    queue_bytes(conn, text, size);
}

static void end_conn(struct conn *conn)
{
    close(conn->fd);
    free(conn->in);
    free(conn->out);
    conn->in = conn->out = NULL;
    conn->fd = -1;
    conn->in_size = conn->out_size = conn->out_capacity = 0;
}

static void flush_conn(struct conn *conn)
{
    size_t sent = 0;
    while (conn->fd >= 0 && sent < conn->out_size) {
        ssize_t n = send(conn->fd, conn->out + sent, conn->out_size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0; /* full: a floor may spin, the bench's readers are fast */
    }
    conn->out_size = 0;
    free(conn->out);
    conn->out = NULL;
    conn->out_capacity = 0;
}

static void finish_round(void)
{
    char text[FRAME_MAX];
    if (n_pubs > 0 && db != NULL)
        store_pubs();
    for (size_t i = 0; i < n_pubs; i++) {
        struct pub *pub = &pubs[i];
        struct conn *conn = &conns[pub->conn];
        int n = snprintf(
            text, sizeof text,
            "{\"t\":\"pub_ok\",\"mid\":\"%.*s\",\"c\":\"cnv_%032x\",\"e\":\"1\",\"o\":%" PRIu64
            ",\"ts\":\"2026-01-01T00:00:00.000Z\",\"dup\":false,\"dur\":\"local\"}",
            pub->mid_size, pub->mid, pub->conn, pub->offset);
        if (conn->fd >= 0)
            queue_text(conn, text, (size_t)n);
        if (conn->members == 0)
            continue;
        n = snprintf(text, sizeof text,
                     "{\"t\":\"msg\",\"c\":\"cnv_%032x\",\"e\":\"1\",\"o\":%" PRIu64
                     ",\"mid\":\"%.*s\",\"from\":{\"role\":\"visitor\",\"id\":\"%032x\"},"
                     "\"ts\":\"2026-01-01T00:00:00.000Z\",\"kind\":\"message\",\"body\":%.*s}",
                     pub->conn, pub->offset, pub->mid_size, pub->mid, pub->conn, pub->body_size,
                     pub->body);
        for (uint32_t member = conn->members; member != 0; member = conns[member].next)
            queue_text(&conns[member], text, (size_t)n);
    }
    n_pubs = 0;
    for (size_t i = 0; i < n_dirty; i++) {
        conns[dirty[i]].is_dirty = false;
        flush_conn(&conns[dirty[i]]);
    }
    n_dirty = 0;
}

static const char *find_member(const char *text, size_t size, const char *key, size_t *out_size)
{
    const char *value = memmem(text, size, key, strlen(key));
    if (value == NULL)
        return NULL;
    value += strlen(key);
    const char *end = memchr(value, '"', (size_t)(text + size - value));
    *out_size = end == NULL ? 0 : (size_t)(end - value);
    return value;
}

static void take_pub(struct conn *conn, const char *text, size_t size)
{
    size_t mid_size = 0;
    const char *mid = find_member(text, size, "\"mid\":\"", &mid_size);
    const char *body = memmem(text, size, "\"body\":", 7);
    if (mid == NULL || body == NULL || mid_size > sizeof pubs->mid)
        return;
    size_t body_size = (size_t)(text + size - 1 - (body + 7));
    if (body_size > sizeof pubs->body)
        return;
    struct pub *pub = &pubs[n_pubs++];
    pub->conn = conn->room;
    pub->offset = ++conns[conn->room].offset;
    pub->mid_size = (uint16_t)mid_size;
    pub->body_size = (uint16_t)body_size;
    memcpy(pub->mid, mid, mid_size);
    memcpy(pub->body, body + 7, body_size);
    if (n_pubs == sizeof pubs / sizeof *pubs)
        finish_round();
}

static void take_text(struct conn *conn, const char *text, size_t size)
{
    char answer[256];
    size_t room_size = 0;
    if (memmem(text, size, "\"t\":\"pub\"", 9) != NULL) {
        take_pub(conn, text, size);
    } else if (memmem(text, size, "\"t\":\"hello\"", 11) != NULL) {
        int n = snprintf(answer, sizeof answer,
                         "{\"t\":\"welcome\",\"v\":1,\"conv\":[{\"c\":\"cnv_%032x\","
                         "\"verdict\":\"resumed\",\"e\":\"1\",\"head\":0,\"floor\":0}]}",
                         conn->room);
        queue_text(conn, answer, (size_t)n);
    } else if (memmem(text, size, "\"t\":\"sub\"", 9) != NULL) {
        const char *room = find_member(text, size, "\"c\":\"cnv_", &room_size);
        unsigned long number = room == NULL ? 0 : strtoul(room, NULL, 16);
        if (number == 0 || number >= CONNS_MAX)
            return;
        conn->next = conns[number].members;
        conns[number].members = (uint32_t)(conn - conns);
        int n = snprintf(answer, sizeof answer,
                         "{\"t\":\"synced\",\"c\":\"cnv_%032lx\",\"o\":%" PRIu64 "}", number,
                         conns[number].offset);
        queue_text(conn, answer, (size_t)n);
    }
}

static size_t take_upgrade(struct conn *conn, const char *data, size_t size)
{
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    const char *key = memmem(data, size, "Sec-WebSocket-Key: ", 19);
    if (end == NULL || key == NULL)
        return 0;
    char text[24 + 37], base64[64], answer[256];
    unsigned char hash[SHA_DIGEST_LENGTH];
    memcpy(text, key + 19, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    SHA1((unsigned char *)text, 60, hash);
    EVP_EncodeBlock((unsigned char *)base64, hash, sizeof hash);
    int n =
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: holdline.v1\r\n\r\n",
                 base64);
    queue_bytes(conn, answer, (size_t)n);
    conn->is_upgraded = true;
    return (size_t)(end - data) + 4;
}

static size_t take_frame(struct conn *conn, char *data, size_t size)
{
    unsigned char *p = (unsigned char *)data;
    if (size < 6)
        return 0;
    size_t length = p[1] & 0x7f, head = length == 126 ? 8 : 6;
    if (length == 126)
        length = (size_t)p[2] << 8 | p[3];
    if (size < head + length)
        return 0;
    for (size_t i = 0; i < length; i++)
        p[head + i] ^= p[head - 4 + (i & 3)];
    if ((p[0] & 0x0f) == 1)
        take_text(conn, data + head, length);
    return head + length;
}

static void read_conn(struct conn *conn)
{
    static char scratch[READ_SIZE * 2];
    memcpy(scratch, conn->in, conn->in_size);
    ssize_t n = recv(conn->fd, scratch + conn->in_size, READ_SIZE, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        end_conn(conn);
        return;
    }
    size_t size = conn->in_size + (size_t)n, used = 0, step;
    do {
        step = conn->is_upgraded ? take_frame(conn, scratch + used, size - used)
                                 : take_upgrade(conn, scratch + used, size - used);
        used += step;
    } while (step > 0 && used < size);
    free(conn->in);
    conn->in_size = size - used;
    conn->in = conn->in_size > 0 ? malloc(conn->in_size) : NULL;
    if (conn->in_size > 0)
        memcpy(conn->in, scratch + used, conn->in_size);
}

static void accept_all(int listener)
{
    static uint32_t n_conns = 1; /* numbers are not used again: a floor lives for one run */
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (n_conns == CONNS_MAX)
            die("too many connections");
        struct conn *conn = &conns[n_conns];
        conn->fd = fd;
        conn->room = n_conns++;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_anywhere(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("listen");
    printf("listening http://127.0.0.1:%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (argc == 3) /* PATH FULL|NORMAL */
        open_store(argv[1], argv[2]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_anywhere();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(listener);
            else
                read_conn(events[i].data.ptr);
        }
        finish_round();
    }
}
