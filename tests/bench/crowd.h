/* Many speakers at once: opened a few hundred at a time, waited for with a deadline. */
#ifndef HL_TESTS_BENCH_CROWD_H
#define HL_TESTS_BENCH_CROWD_H

#include "tests/bench/process.h"
#include "tests/bench/speaker.h"

struct options {
    const char *mode;
    uint16_t port;
    struct processes server;
    enum dialect dialect;
    const char *dialect_name;
    const char *key;
    unsigned clients, inflight, rate, entries;
    double seconds;
};

struct crowd {
    struct net net;
    struct speaker *speakers;
    struct speaker_config config;
    unsigned n_speakers;
    unsigned n_ready; /* the mode's ready() counts it up, closed() down */
};

/* Exits with 2 when out of memory. */
void crowd_init(struct crowd *crowd, const struct options *options, unsigned n_speakers,
                const struct speaker_handler *handler);
void crowd_fini(struct crowd *crowd);
/* Opens speakers [first, first + n) and waits until all are ready; exits with 2 after
 * `seconds`, saying how many were. */
void crowd_open(struct crowd *crowd, unsigned first, unsigned n, double seconds);
/* Steps the net until a counter has reached a value; exits with 2 after `seconds`. */
void crowd_wait(struct crowd *crowd, const uint64_t *counter, uint64_t wanted, double seconds,
                const char *what);

/* One measured stretch: start, …, stop. */
struct stretch {
    const struct processes *server;
    uint64_t start_us, start_cpu_us, us, cpu_us;
};
void stretch_start(struct stretch *stretch, const struct processes *server);
void stretch_stop(struct stretch *stretch);

int mode_accept(const struct options *options);
int mode_open(const struct options *options);
int mode_pairs(const struct options *options);
int mode_fanout(const struct options *options);
int mode_replay(const struct options *options);
int mode_storm(const struct options *options);
int mode_idle(const struct options *options);
int mode_parked(const struct options *options);
int mode_consoles(const struct options *options);

#endif
