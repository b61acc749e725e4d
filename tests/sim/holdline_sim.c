/* holdline-sim: the session core under a seed. Prints what reproduces a failure. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum { EXIT_FOUND = 1, EXIT_USAGE = 2, PLANTED_SEEDS_MAX = 150, PLANTED_STEPS = 4000 };

struct options {
    uint64_t seed, n_seeds, n_steps;
    enum sim_bug bug;
    bool is_verbose, is_planted_check;
};

static void print_usage(void)
{
    (void)fputs("usage: holdline-sim [--seed N] [--seeds COUNT] [--steps M] [--verbose]\n"
                "                    [--bug NAME] [--planted]\n"
                "--planted: plants each bug in turn and fails if one is not found.\n"
                "exit: 0 all held, 1 an invariant was broken, 2 usage\n",
                stderr);
}

static bool parse_number(const char *text, uint64_t *out_number)
{
    char *end;

    *out_number = strtoull(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

static bool parse_bug(const char *name, enum sim_bug *out_bug)
{
    for (int bug = 0; bug < SIM_BUG_END; bug++) {
        if (strcmp(sim_bug_name((enum sim_bug)bug), name) != 0)
            continue;
        *out_bug = (enum sim_bug)bug;
        return true;
    }
    return false;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"seeds", required_argument, NULL, 'n'},
                                          {"steps", required_argument, NULL, 'm'},
                                          {"bug", required_argument, NULL, 'b'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"planted", no_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    bool is_good = true;
    int name;

    while (is_good && (name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (name == 's')
            is_good = parse_number(optarg, &options->seed);
        else if (name == 'n')
            is_good = parse_number(optarg, &options->n_seeds);
        else if (name == 'm')
            is_good = parse_number(optarg, &options->n_steps);
        else if (name == 'b')
            is_good = parse_bug(optarg, &options->bug);
        else if (name == 'v')
            options->is_verbose = true;
        else if (name == 'p')
            options->is_planted_check = true;
        else
            is_good = false;
    }
    return is_good && optind == argc;
}

static void print_counts(const struct sim_world *world)
{
    (void)printf("seed %" PRIu64 ": %" PRIu64 " confirmed, %" PRIu64 " delivered, %" PRIu64
                 " welcomes (%" PRIu64 " resumed, %" PRIu64 " gap, %" PRIu64 " reset), %" PRIu64
                 " polls (%" PRIu64 " superseded), %" PRIu64 " refused, %" PRIu64
                 " restarts, %" PRIu64 " roll backs, largest group %" PRIu64 "\n",
                 world->seed, world->counts.confirmed, world->counts.taken, world->counts.welcomes,
                 world->counts.resumed, world->counts.gaps, world->counts.resets,
                 world->counts.polls, world->counts.superseded, world->counts.refused,
                 world->counts.restarts, world->counts.roll_backs, world->counts.largest_group);
}

/* True if all invariants held. */
static bool run_seed(const struct options *options, uint64_t seed)
{
    struct sim_world *world = sim_world_create(seed, options->bug, options->is_verbose);
    bool is_good = sim_world_run(world, options->n_steps);

    if (is_good && (options->is_verbose || options->n_seeds == 1))
        print_counts(world);
    if (!is_good && options->bug == SIM_BUG_NONE)
        (void)printf(
            "seed %" PRIu64 ", step %" PRIu64 ": %s: %s\nreproduce: holdline-sim --seed %" PRIu64
            " --steps %" PRIu64 " --verbose\n",
            seed, world->n_steps, world->failure, world->failure_detail, seed, options->n_steps);
    else if (!is_good)
        (void)printf("%s: found with seed %" PRIu64 " at step %" PRIu64 ": %s: %s\n",
                     sim_bug_name(options->bug), seed, world->n_steps, world->failure,
                     world->failure_detail);
    sim_world_destroy(world);
    return is_good;
}

static int run_seeds(const struct options *options)
{
    for (uint64_t i = 0; i < options->n_seeds; i++) {
        if (!run_seed(options, options->seed + i))
            return EXIT_FOUND;
    }
    (void)printf("%" PRIu64 " seeds of %" PRIu64 " steps: all invariants held\n", options->n_seeds,
                 options->n_steps);
    return EXIT_SUCCESS;
}

static int run_planted(void)
{
    int exit_code = EXIT_SUCCESS;

    for (int bug = SIM_BUG_NONE + 1; bug < SIM_BUG_END; bug++) {
        struct options options = {
            .n_steps = PLANTED_STEPS, .n_seeds = PLANTED_SEEDS_MAX, .bug = (enum sim_bug)bug};
        bool is_found = false;
        for (uint64_t seed = 1; seed <= PLANTED_SEEDS_MAX && !is_found; seed++)
            is_found = !run_seed(&options, seed);
        if (is_found)
            continue;
        (void)printf("%s: NOT FOUND\n", sim_bug_name((enum sim_bug)bug));
        exit_code = EXIT_FOUND;
    }
    return exit_code;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1, .n_seeds = 1, .n_steps = 5000};

    if (!parse_options(argc, argv, &options)) {
        print_usage();
        return EXIT_USAGE;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    return options.is_planted_check ? run_planted() : run_seeds(&options);
}
