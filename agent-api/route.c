/* The table of routes (exchange.h): pure matching of paths against patterns. */
#include <string.h>

#include "agent-api/exchange.h"
#include "base/check.h"

static struct hl_bytes next_segment(struct hl_bytes *path)
{
    const char *end = path->size > 0 ? memchr(path->data, '/', path->size) : NULL;
    struct hl_bytes segment = *path;

    if (end == NULL) {
        path->data += path->size;
        path->size = 0;
        return segment;
    }
    segment.size = (size_t)(end - path->data);
    path->data = end + 1;
    path->size -= segment.size + 1;
    return segment;
}

static size_t count_segments(struct hl_bytes path)
{
    size_t n = 1;

    for (size_t i = 0; i < path.size; i++)
        n += path.data[i] == '/';
    return n;
}

static bool match_pattern(const char *pattern, struct hl_bytes path,
                          struct hl_route_params *out_params)
{
    struct hl_bytes rest = hl_bytes_of(pattern);
    size_t n_segments = count_segments(rest);
    size_t n_params = 0;

    if (count_segments(path) != n_segments)
        return false;
    for (size_t i = 0; i < n_segments; i++) {
        struct hl_bytes wanted = next_segment(&rest);
        struct hl_bytes given = next_segment(&path);

        if (wanted.size > 0 && wanted.data[0] == '{') {
            HL_CHECK(n_params < HL_ROUTE_PARAMS_MAX);
            if (given.size == 0)
                return false;
            out_params->values[n_params++] = given;
        } else if (!hl_bytes_equal(wanted, given)) {
            return false;
        }
    }
    return true;
}

static void refuse_method(struct hl_exchange *exchange, unsigned int allowed)
{
    struct hl_buffer names;

    hl_buffer_init(&names, 128);
    for (unsigned int method = 0; method < HL_METHOD_END; method++) {
        if ((allowed & (1U << method)) == 0)
            continue;
        hl_buffer_append_text(&names, names.size > 0 ? ", " : "");
        hl_buffer_append_text(&names, hl_method_name((enum hl_method)method));
    }
    if (!hl_buffer_failed(&names))
        exchange->ops->header(exchange, "allow", hl_buffer_bytes(&names));
    hl_exchange_problem(exchange, HL_PROBLEM_METHOD_NOT_ALLOWED, "Use a method named in Allow.");
    hl_buffer_fini(&names);
}

/* HEAD is answered by the route of GET: the wire leaves the body out. */
static bool is_method_of(const struct hl_route *route, enum hl_method method)
{
    return route->method == method || (route->method == HL_GET && method == HL_HEAD);
}

void hl_routes_run(const struct hl_route *routes, size_t n_routes, void *arg,
                   struct hl_exchange *exchange)
{
    struct hl_route_params params;
    unsigned int allowed = 0;

    for (size_t i = 0; i < n_routes; i++) {
        memset(&params, 0, sizeof(params));
        if (!match_pattern(routes[i].pattern, exchange->path, &params))
            continue;
        if (is_method_of(&routes[i], exchange->method)) {
            routes[i].handle(arg, exchange, &params);
            return;
        }
        allowed |= 1U << routes[i].method;
        if (routes[i].method == HL_GET)
            allowed |= 1U << HL_HEAD;
    }
    if (allowed != 0)
        refuse_method(exchange, allowed);
    else
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "There is nothing at this path.");
}
