#include "tests/bench/speaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 8192, ACK_EVERY = 64 };

static uint64_t n_mids; /* ids are unique in the run */

static const char *find_text(const char *text, size_t size, const char *key)
{
    const char *found = memmem(text, size, key, strlen(key));
    return found == NULL ? NULL : found + strlen(key);
}

/* -- holdline's frames, read with the eye of a bench: members are compact JSON -- */

static void send_ack(struct speaker *speaker)
{
    char frame[128];
    int n = snprintf(frame, sizeof frame, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":%" PRIu64 "}",
                     speaker->conversation, speaker->offset);
    net_send(&speaker->conn, frame, (size_t)n);
}

static void send_hello(struct speaker *speaker)
{
    char frame[FRAME_MAX];
    int n;
    if (speaker->role == ROLE_READER && speaker->config->key != NULL)
        n = snprintf(frame, sizeof frame, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}",
                     speaker->config->key);
    else if (speaker->token != NULL)
        n = snprintf(
            frame, sizeof frame,
            "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\",\"pos\":[{\"c\":\"%s\",\"e\":\"%s\","
            "\"o\":%" PRIu64 "}]}",
            speaker->token, speaker->conversation, speaker->epoch, speaker->resume_at);
    else
        n = snprintf(frame, sizeof frame, "{\"t\":\"hello\",\"v\":1}");
    net_send(&speaker->conn, frame, (size_t)n);
}

static void copy_member(char *out, size_t out_size, const char *text, size_t size, const char *key)
{
    const char *value = find_text(text, size, key);
    if (value == NULL)
        return;
    const char *end = memchr(value, '"', (size_t)(text + size - value));
    if (end != NULL && (size_t)(end - value) < out_size) {
        memcpy(out, value, (size_t)(end - value));
        out[end - value] = '\0';
    }
}

static void note_offset(struct speaker *speaker, const char *text, size_t size)
{
    const char *offset = find_text(text, size, "\"o\":");
    uint64_t value = offset == NULL ? 0 : strtoull(offset, NULL, 10);
    if (value > speaker->offset)
        speaker->offset = value;
}

static void take_welcome(struct speaker *speaker, const char *text, size_t size)
{
    char token[2048] = "";
    copy_member(token, sizeof token, text, size, "\"token\":\"");
    if (speaker->keeps_token && token[0] != '\0') {
        free(speaker->token);
        speaker->token = strdup(token);
    }
    if (speaker->role == ROLE_SENDER) {
        const char *list = find_text(text, size, "\"conv\":");
        if (list != NULL) {
            size_t rest = (size_t)(text + size - list);
            copy_member(speaker->conversation, sizeof speaker->conversation, list, rest,
                        "\"c\":\"");
            copy_member(speaker->epoch, sizeof speaker->epoch, list, rest, "\"e\":\"");
        }
        speaker->is_ready = true;
        speaker->config->handler->ready(speaker);
        return;
    }
    char frame[128];
    int n = snprintf(frame, sizeof frame, "{\"t\":\"sub\",\"c\":\"%s\",\"after\":%" PRIu64 "}",
                     speaker->conversation, speaker->resume_at);
    net_send(&speaker->conn, frame, (size_t)n);
}

static void take_frame(struct speaker *speaker, const char *text, size_t size)
{
    const char *type = find_text(text, size, "\"t\":\"");
    const struct speaker_handler *handler = speaker->config->handler;
    if (type == NULL)
        return;
    if (strncmp(type, "pub_ok\"", 7) == 0) {
        note_offset(speaker, text, size);
        handler->acked(speaker, 1);
    } else if (strncmp(type, "msg\"", 4) == 0) {
        note_offset(speaker, text, size);
        speaker->n_given++;
        if (handler->given != NULL)
            handler->given(speaker, text, size);
        if (speaker->n_given % ACK_EVERY == 0)
            send_ack(speaker);
    } else if (strncmp(type, "synced\"", 7) == 0) {
        note_offset(speaker, text, size);
        bool was_ready = speaker->is_ready;
        speaker->is_ready = true;
        if (!was_ready)
            handler->ready(speaker);
        if (handler->synced != NULL)
            handler->synced(speaker);
    } else if (strncmp(type, "welcome\"", 8) == 0) {
        take_welcome(speaker, text, size);
    } else if (strncmp(type, "ping\"", 5) == 0) {
        net_send(&speaker->conn, "{\"t\":\"pong\"}", 12);
    } else if (strncmp(type, "pub_no\"", 7) == 0 || strncmp(type, "error\"", 6) == 0 ||
               strncmp(type, "bye\"", 4) == 0) {
        fprintf(stderr, "refused: %.*s\n", (int)size, text);
        exit(2);
    }
}

/* A batch is an array of frames: cut where braces balance outside strings. */
static void take_holdline(struct speaker *speaker, const char *data, size_t size)
{
    if (size > 0 && data[0] == '{') {
        take_frame(speaker, data, size);
        return;
    }
    unsigned depth = 0;
    bool is_string = false;
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        if (is_string) {
            if (data[i] == '\\')
                i++;
            else
                is_string = data[i] != '"';
        } else if (data[i] == '"') {
            is_string = true;
        } else if (data[i] == '{' && depth++ == 0) {
            start = i;
        } else if (data[i] == '}' && --depth == 0) {
            take_frame(speaker, data + start, i + 1 - start);
        }
    }
}

/* -- MQTT 3.1.1, only what is needed; QoS 1 both ways -- */

static void send_mqtt(struct speaker *speaker, unsigned char type, const char *body, size_t size)
{
    char packet[FRAME_MAX];
    size_t head = 0, rest = size;
    packet[head++] = (char)type;
    do {
        packet[head++] = (char)((rest % 128) | (rest >= 128 ? 0x80 : 0));
        rest /= 128;
    } while (rest > 0);
    memcpy(packet + head, body, size);
    net_send(&speaker->conn, packet, head + size);
}

static void open_mqtt(struct speaker *speaker)
{
    char body[64] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
    static unsigned n_clients;
    int n = snprintf(body + 12, sizeof body - 12, "bench%u", n_clients++);
    body[11] = (char)n;
    send_mqtt(speaker, 0x10, body, 12 + (size_t)n);
}

static void subscribe_mqtt(struct speaker *speaker)
{
    char body[32] = {0, 1};
    int n = snprintf(body + 4, sizeof body - 4, "c/%u", speaker->room);
    body[3] = (char)n;
    body[4 + n] = 1;
    send_mqtt(speaker, 0x82, body, 5 + (size_t)n);
}

static void take_mqtt_packet(struct speaker *speaker, unsigned char type, const char *body,
                             size_t size)
{
    const struct speaker_handler *handler = speaker->config->handler;
    switch (type & 0xf0) {
    case 0x20: /* CONNACK */
        if (speaker->role == ROLE_READER) {
            subscribe_mqtt(speaker);
            break;
        }
        speaker->is_ready = true;
        handler->ready(speaker);
        break;
    case 0x90: /* SUBACK */
        speaker->is_ready = true;
        handler->ready(speaker);
        break;
    case 0x40: /* PUBACK */
        handler->acked(speaker, 1);
        break;
    case 0x30: { /* PUBLISH */
        size_t topic = (size_t)(unsigned char)body[0] << 8 | (unsigned char)body[1];
        send_mqtt(speaker, 0x40, body + 2 + topic, 2);
        speaker->n_given++;
        if (handler->given != NULL)
            handler->given(speaker, body + 4 + topic, size - 4 - topic);
        break;
    }
    default:
        break;
    }
}

static size_t take_mqtt(struct speaker *speaker, const char *data, size_t size)
{
    size_t length = 0, head = 1;
    for (unsigned shift = 0; head < size && shift < 28; shift += 7) {
        unsigned char byte = (unsigned char)data[head++];
        length |= (size_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    if (head < 2 || size < head + length)
        return 0;
    take_mqtt_packet(speaker, (unsigned char)data[0], data + head, length);
    return head + length;
}

/* -- the connection -- */

static void on_opened(struct net_conn *conn)
{
    struct speaker *speaker = conn->owner;
    if (speaker->config->dialect == DIALECT_HOLDLINE) {
        send_hello(speaker);
    } else if (speaker->config->dialect == DIALECT_MQTT) {
        open_mqtt(speaker);
    } else {
        speaker->is_ready = true;
        speaker->config->handler->ready(speaker);
    }
}

static size_t on_received(struct net_conn *conn, const char *data, size_t size)
{
    struct speaker *speaker = conn->owner;
    if (speaker->config->dialect == DIALECT_MQTT)
        return take_mqtt(speaker, data, size);
    if (speaker->config->dialect == DIALECT_HOLDLINE) {
        take_holdline(speaker, data, size);
    } else if (speaker->role == ROLE_SENDER) {
        speaker->config->handler->acked(speaker, 1);
    } else if (speaker->config->handler->given != NULL) {
        speaker->n_given++;
        speaker->config->handler->given(speaker, data, size);
    }
    return size;
}

static void on_closed(struct net_conn *conn)
{
    struct speaker *speaker = conn->owner;
    speaker->is_ready = false;
    speaker->config->handler->closed(speaker);
}

static const struct net_handler net_handler = {on_opened, on_received, on_closed};

int speaker_open(struct speaker *speaker, const struct speaker_config *config)
{
    char path[64] = "/v1/ws";
    speaker->config = config;
    speaker->is_ready = false;
    if (config->dialect == DIALECT_NCHAN)
        snprintf(path, sizeof path, "/%s/%u", speaker->role == ROLE_SENDER ? "pub" : "sub",
                 speaker->room);
    return net_connect(config->net, &speaker->conn,
                       config->dialect == DIALECT_MQTT ? NET_RAW : NET_WS, config->port, path,
                       &net_handler, speaker);
}

void speaker_send(struct speaker *speaker, const char *text, size_t size)
{
    char frame[FRAME_MAX];
    int n;
    if (speaker->config->dialect == DIALECT_MQTT) {
        n = snprintf(frame + 2, sizeof frame - 2, "c/%u", speaker->room);
        frame[0] = 0;
        frame[1] = (char)n;
        uint64_t id = n_mids++ % 65535 + 1;
        frame[2 + n] = (char)(id >> 8);
        frame[3 + n] = (char)id;
        memcpy(frame + 4 + n, text, size);
        send_mqtt(speaker, 0x32, frame, 4 + (size_t)n + size);
        return;
    }
    n = snprintf(frame, sizeof frame,
                 "{\"t\":\"pub\",\"mid\":\"%08x-0000-4000-8000-%012" PRIx64
                 "\",\"body\":{\"text\":\"%.*s\"}}",
                 (unsigned)(speaker->mid_seed), n_mids++, (int)size, text);
    net_send(&speaker->conn, frame, (size_t)n);
}

void speaker_drop(struct speaker *speaker)
{
    net_drop(&speaker->conn);
    free(speaker->token);
    speaker->token = NULL;
}
