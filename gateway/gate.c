#include "gateway/gate.h"

#include <string.h>
#include <strings.h>

struct reader {
    struct hl_gate_head *head;
    struct hl_gate_refusal *refusal;
    uint32_t n_headers;
    uint32_t seen; /* bit per entry of header_table */
    bool has_content_length;
    bool connection_close, connection_keep_alive, connection_upgrade, upgrade_websocket;
};

static int refuse(struct reader *reader, enum hl_problem_code code, const char *detail)
{
    reader->refusal->code = code;
    reader->refusal->detail = detail;
    return HL_GATE_REFUSED;
}

static int refuse_bad(struct reader *reader, const char *detail)
{
    return refuse(reader, HL_PROBLEM_BAD_REQUEST, detail);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 section 5.6.2 */
static bool is_token_character(char c)
{
    return is_alpha(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct hl_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_character(text.data[i]))
            return false;
    }
    return text.size > 0;
}

static bool is_caseless(struct hl_bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static struct hl_bytes part_of(struct hl_bytes text, size_t from, size_t to)
{
    return (struct hl_bytes){.data = text.data + from, .size = to - from};
}

/* Cuts the first member off a list with the given separator; false at its end. */
static bool next_member(struct hl_bytes *list, char separator, struct hl_bytes *out_member)
{
    const char *end;

    if (list->size == 0)
        return false;
    end = memchr(list->data, separator, list->size);
    if (end == NULL) {
        *out_member = hl_bytes_trim(*list);
        list->size = 0;
        return true;
    }
    *out_member = hl_bytes_trim(part_of(*list, 0, (size_t)(end - list->data)));
    *list = part_of(*list, (size_t)(end - list->data) + 1, list->size);
    return true;
}

/* -- request line -- */

static int read_method(struct reader *reader, struct hl_bytes name)
{
    for (int i = 0; i < HL_METHOD_END; i++) {
        if (hl_bytes_is(name, hl_method_name((enum hl_method)i))) {
            reader->head->method = (enum hl_method)i;
            return 0;
        }
    }
    if (!is_token(name) || name.size > 32)
        return refuse_bad(reader, "The request line does not begin with a method.");
    return refuse(reader, HL_PROBLEM_METHOD_NOT_ALLOWED, "This method is not supported.");
}

/* Origin form only: "/path?query" of the characters RFC 3986 allows. */
static int read_target(struct reader *reader, struct hl_bytes target)
{
    struct hl_gate_head *head = reader->head;
    size_t query = target.size;

    if (target.size == 0 || target.data[0] != '/')
        return refuse_bad(reader, "The request target must begin with a slash.");
    for (size_t i = 0; i < target.size; i++) {
        char c = target.data[i];

        if (c == '?' && query == target.size)
            query = i;
        if (c == '%' && (i + 2 >= target.size || !is_hex(target.data[i + 1]) ||
                         !is_hex(target.data[i + 2]) || memcmp(target.data + i, "%00", 3) == 0))
            return refuse_bad(reader, "The request target holds a bad percent escape.");
        if (!is_alpha(c) && !is_digit(c) &&
            (c == '\0' || strchr("-._~!$&'()*+,;=:@%/?[]", c) == NULL))
            return refuse_bad(reader, "The request target holds a character that is not allowed.");
    }
    head->path = part_of(target, 0, query);
    if (query < target.size)
        head->query = part_of(target, query + 1, target.size);
    return 0;
}

static int read_request_line(struct reader *reader, struct hl_bytes line)
{
    const char *first = memchr(line.data, ' ', line.size);
    const char *last = memrchr(line.data, ' ', line.size);
    struct hl_bytes version;
    int r;

    if (first == NULL || first == last)
        return refuse_bad(reader, "The request line must be METHOD TARGET HTTP/1.1.");
    version = part_of(line, (size_t)(last - line.data) + 1, line.size);
    r = read_method(reader, part_of(line, 0, (size_t)(first - line.data)));
    if (r == 0)
        r = read_target(reader,
                        part_of(line, (size_t)(first - line.data) + 1, (size_t)(last - line.data)));
    if (r != 0)
        return r;
    reader->head->is_http_1_0 = hl_bytes_is(version, "HTTP/1.0");
    if (!reader->head->is_http_1_0 && !hl_bytes_is(version, "HTTP/1.1"))
        return refuse_bad(reader, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    return 0;
}

/* -- header fields -- */

static int read_host(struct reader *reader, struct hl_bytes value)
{
    size_t i = 0;
    size_t port;

    if (value.size > 0 && value.data[0] == '[') {
        for (i = 1; i < value.size && (is_hex(value.data[i]) || strchr(":.", value.data[i])); i++)
            ;
        if (i < 3 || i >= value.size || value.data[i] != ']')
            return refuse_bad(reader, "The Host header is not valid.");
        i++;
    } else {
        while (i < value.size && (is_alpha(value.data[i]) || is_digit(value.data[i]) ||
                                  strchr("-._~", value.data[i]) != NULL))
            i++;
        if (i == 0)
            return refuse_bad(reader, "The Host header is not valid.");
    }
    if (i == value.size)
        return 0;
    port = i + 1;
    for (i = port; i < value.size && is_digit(value.data[i]); i++)
        ;
    if (value.data[port - 1] != ':' || i != value.size || i - port > 5)
        return refuse_bad(reader, "The Host header is not valid.");
    return 0;
}

static int read_content_length(struct reader *reader, struct hl_bytes value)
{
    uint64_t length = 0;

    if (value.size == 0 || value.size > 15)
        return refuse_bad(reader, "Content-Length must be a plain number.");
    for (size_t i = 0; i < value.size; i++) {
        if (!is_digit(value.data[i]))
            return refuse_bad(reader, "Content-Length must be a plain number.");
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    reader->head->content_length = length;
    reader->has_content_length = true;
    return 0;
}

static int read_transfer_encoding(struct reader *reader, struct hl_bytes value)
{
    (void)value;
    return refuse_bad(reader, "Transfer-Encoding is not accepted; send Content-Length.");
}

static int read_expect(struct reader *reader, struct hl_bytes value)
{
    (void)value;
    return refuse(reader, HL_PROBLEM_EXPECTATION_FAILED, "Send the body without Expect.");
}

static int read_content_encoding(struct reader *reader, struct hl_bytes value)
{
    if (is_caseless(value, "identity"))
        return 0;
    return refuse(reader, HL_PROBLEM_UNSUPPORTED_TYPE, "Send the body without Content-Encoding.");
}

static int read_connection(struct reader *reader, struct hl_bytes value)
{
    struct hl_bytes member;

    while (next_member(&value, ',', &member)) {
        if (member.size > 0 && !is_token(member))
            return refuse_bad(reader, "The Connection header is not valid.");
        reader->connection_close |= is_caseless(member, "close");
        reader->connection_keep_alive |= is_caseless(member, "keep-alive");
        reader->connection_upgrade |= is_caseless(member, "upgrade");
    }
    return 0;
}

static int read_upgrade(struct reader *reader, struct hl_bytes value)
{
    struct hl_bytes member;

    while (next_member(&value, ',', &member))
        reader->upgrade_websocket |= is_caseless(member, "websocket");
    return 0;
}

static int read_websocket_key(struct reader *reader, struct hl_bytes value)
{
    reader->head->upgrade.key = value;
    return 0;
}

static int read_websocket_version(struct reader *reader, struct hl_bytes value)
{
    reader->head->upgrade.version = value;
    return 0;
}

static int read_websocket_protocol(struct reader *reader, struct hl_bytes value)
{
    struct hl_gate_upgrade *upgrade = &reader->head->upgrade;
    struct hl_bytes member;

    upgrade->has_protocols = true;
    while (next_member(&value, ',', &member)) {
        upgrade->offers_v1 |= hl_bytes_is(member, "holdline.v1");
        upgrade->offers_events |= hl_bytes_is(member, "holdline.events.v1");
        upgrade->offers_echo |= hl_bytes_is(member, "holdline.echo");
    }
    return 0;
}

/* True for permessage-deflate with parameters that leave our compression window free: we
 * answer every offer with both no_context_takeover parameters (RFC 7692 section 7.1.1). */
static bool is_good_deflate_offer(struct hl_bytes offer)
{
    struct hl_bytes member;

    if (!next_member(&offer, ';', &member) || !is_caseless(member, "permessage-deflate"))
        return false;
    while (next_member(&offer, ';', &member)) {
        struct hl_bytes name = member;

        (void)next_member(&member, '=', &name);
        if (!is_caseless(name, "client_max_window_bits") &&
            !is_caseless(name, "client_no_context_takeover") &&
            !is_caseless(name, "server_no_context_takeover"))
            return false;
    }
    return true;
}

static int read_websocket_extensions(struct reader *reader, struct hl_bytes value)
{
    struct hl_bytes offer;

    while (next_member(&value, ',', &offer))
        reader->head->upgrade.offers_deflate |= is_good_deflate_offer(offer);
    return 0;
}

static int keep_forwarded(struct reader *reader, enum hl_forwarded_header header,
                          struct hl_bytes value)
{
    struct hl_forwarded *forwarded = &reader->head->forwarded[header];

    if (forwarded->n_lines == HL_FORWARDED_LINES_MAX)
        return refuse_bad(reader, "There are too many lines of one header.");
    forwarded->lines[forwarded->n_lines++] = value;
    return 0;
}

static int read_x_forwarded_for(struct reader *reader, struct hl_bytes value)
{
    return keep_forwarded(reader, HL_FORWARDED_X_FORWARDED_FOR, value);
}

static int read_forwarded(struct reader *reader, struct hl_bytes value)
{
    return keep_forwarded(reader, HL_FORWARDED_FORWARDED, value);
}

static const struct header_rule {
    const char *name;
    int keep; /* enum hl_header, or -1 */
    bool is_repeatable;
    int (*read)(struct reader *reader, struct hl_bytes value);
} header_table[] = {
    {"host", HL_HEADER_HOST, false, read_host},
    {"content-length", -1, false, read_content_length},
    {"transfer-encoding", -1, false, read_transfer_encoding},
    {"expect", -1, false, read_expect},
    {"content-encoding", -1, false, read_content_encoding},
    {"connection", -1, true, read_connection},
    {"upgrade", -1, true, read_upgrade},
    {"sec-websocket-key", -1, false, read_websocket_key},
    {"sec-websocket-version", -1, false, read_websocket_version},
    {"sec-websocket-protocol", -1, true, read_websocket_protocol},
    {"sec-websocket-extensions", -1, true, read_websocket_extensions},
    {"authorization", HL_HEADER_AUTHORIZATION, false, NULL},
    {"content-type", HL_HEADER_CONTENT_TYPE, false, NULL},
    {"accept", HL_HEADER_ACCEPT, true, NULL},
    {"origin", HL_HEADER_ORIGIN, false, NULL},
    {"idempotency-key", HL_HEADER_IDEMPOTENCY_KEY, false, NULL},
    {"if-match", HL_HEADER_IF_MATCH, false, NULL},
    {"if-none-match", HL_HEADER_IF_NONE_MATCH, false, NULL},
    {"last-event-id", HL_HEADER_LAST_EVENT_ID, false, NULL},
    {"accept-encoding", HL_HEADER_ACCEPT_ENCODING, true, NULL},
    {"cookie", HL_HEADER_COOKIE, false, NULL},
    {"sec-fetch-site", HL_HEADER_SEC_FETCH_SITE, false, NULL},
    {"x-forwarded-for", -1, true, read_x_forwarded_for},
    {"forwarded", -1, true, read_forwarded},
    {"holdline-min-position", HL_HEADER_MIN_POSITION, false, NULL},
};
enum { HEADER_RULES = sizeof(header_table) / sizeof(header_table[0]) };
_Static_assert(HEADER_RULES <= 32, "one bit each in reader.seen");

static int apply_rule(struct reader *reader, size_t rule_index, struct hl_bytes value)
{
    const struct header_rule *rule = &header_table[rule_index];
    bool is_first = (reader->seen & (1U << rule_index)) == 0;

    if (!is_first && !rule->is_repeatable)
        return refuse_bad(reader, "A header that may come once came twice.");
    reader->seen |= 1U << rule_index;
    if (rule->keep >= 0 && is_first)
        reader->head->headers[rule->keep] = value;
    return rule->read != NULL ? rule->read(reader, value) : 0;
}

static int read_header(struct reader *reader, struct hl_bytes line)
{
    const char *colon = memchr(line.data, ':', line.size);
    struct hl_bytes name;
    struct hl_bytes value;

    if (line.data[0] == ' ' || line.data[0] == '\t')
        return refuse_bad(reader, "A header line must not be folded.");
    if (colon == NULL)
        return refuse_bad(reader, "A header line has no colon.");
    if (++reader->n_headers > HL_GATE_HEADERS_MAX)
        return refuse(reader, HL_PROBLEM_HEADERS_TOO_LARGE, "There are too many headers.");
    name = part_of(line, 0, (size_t)(colon - line.data));
    value = hl_bytes_trim(part_of(line, name.size + 1, line.size));
    if (!is_token(name))
        return refuse_bad(reader, "A header name holds a character that is not allowed.");
    for (size_t i = 0; i < HEADER_RULES; i++) {
        if (is_caseless(name, header_table[i].name))
            return apply_rule(reader, i, value);
    }
    return 0;
}

/* -- the whole head -- */

/* Visible ASCII, space and tab. Checked for each line before it is looked at. */
static int check_line(struct reader *reader, struct hl_bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        unsigned char c = (unsigned char)line.data[i];

        if ((c < 0x20 && c != '\t') || c >= 0x7f)
            return refuse_bad(reader, "The request head holds a control or non-ASCII character.");
    }
    return 0;
}

static int finish(struct reader *reader)
{
    struct hl_gate_head *head = reader->head;
    bool has_body = head->content_length > 0;

    if (head->headers[HL_HEADER_HOST].size == 0 && !head->is_http_1_0)
        return refuse_bad(reader, "The Host header is missing.");
    if (has_body && head->method != HL_POST && head->method != HL_PUT && head->method != HL_PATCH)
        return refuse_bad(reader, "This method takes no body.");
    head->is_keep_alive = !head->is_http_1_0 && !reader->connection_close;
    head->upgrade.is_wanted = reader->upgrade_websocket && reader->connection_upgrade &&
                              head->method == HL_GET && !head->is_http_1_0;
    return 0;
}

/* One line that ends in CR LF, from *at on. 0, HL_GATE_MORE, HL_GATE_REFUSED. What is there of
 * an unfinished line is checked too: who speaks another protocol is told at once. */
static int next_line(struct reader *reader, struct hl_bytes input, size_t *at,
                     struct hl_bytes *out_line)
{
    const char *start = input.data + *at;
    const char *end = memchr(start, '\n', input.size - *at);
    size_t size = end != NULL ? (size_t)(end - start) : input.size - *at;
    const char *cr = memchr(start, '\r', size);
    int r;

    if (cr != NULL && cr + 1 != start + size)
        return refuse_bad(reader, "A line holds a bare carriage return.");
    if (end != NULL && cr == NULL)
        return refuse_bad(reader, "Lines must end in CR LF.");
    *out_line = (struct hl_bytes){.data = start, .size = cr != NULL ? size - 1 : size};
    *at += size + 1;
    r = check_line(reader, *out_line);
    return r == 0 && end == NULL ? HL_GATE_MORE : r;
}

static int read_lines(struct reader *reader, struct hl_bytes input)
{
    struct hl_bytes line;
    size_t at = 0;
    int r;

    /* RFC 9112 section 2.2: an empty line before the request line is let pass */
    if (input.size >= 2 && memcmp(input.data, "\r\n", 2) == 0)
        at = 2;
    r = next_line(reader, input, &at, &line);
    if (r == 0)
        r = read_request_line(reader, line);
    while (r == 0) {
        r = next_line(reader, input, &at, &line);
        if (r == 0 && line.size == 0) {
            reader->head->size = at;
            return finish(reader);
        }
        if (r == 0)
            r = read_header(reader, line);
    }
    return r;
}

int hl_gate_read(struct hl_bytes input, size_t head_bytes_max, struct hl_gate_head *out_head,
                 struct hl_gate_refusal *out_refusal)
{
    struct reader reader = {.head = out_head, .refusal = out_refusal};
    int r;

    memset(out_head, 0, sizeof(*out_head));
    if (input.size == 0)
        return HL_GATE_MORE;
    r = read_lines(&reader, input);
    if ((r == HL_GATE_MORE && input.size > head_bytes_max) ||
        (r == 0 && out_head->size > head_bytes_max))
        return refuse(&reader, HL_PROBLEM_HEADERS_TOO_LARGE, "The request head is too large.");
    return r;
}
