/* The program: finds the command and hands it its arguments. */
#include <argp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/command/command.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *meaning;
} commands[] = {
    {"serve", hl_command_serve, "run the gateway"},
    {"check", hl_command_check, "check a configuration; list its keys"},
    {"key", hl_command_key, "add, list and revoke API keys; rotate the key of resume tokens"},
    {"verify", hl_command_verify, "prove that a data folder is whole"},
    {"backup", hl_command_backup, "copy a data folder, in use or not"},
    {"restore", hl_command_restore, "make a data folder from a backup"},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const char *argp_program_version = "holdline " HL_VERSION;

static void print_usage(FILE *out)
{
    fprintf(out, "Usage: holdline COMMAND [OPTION...]\n\n"
                 "A durable chat and enquiry gateway.\n\nCommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].meaning);
    fprintf(out, "  %-9s %s\n", "version", "print the version (--json: for programs)");
    fprintf(out, "\n`holdline COMMAND --help` explains a command.\n\n%s\n", HL_COMMAND_EXIT_CODES);
}

static int print_version(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        printf("Usage: holdline version [--json]\n\nPrints the version.\n");
    else if (argc == 2 && strcmp(argv[1], "--json") == 0)
        printf("{\"name\":\"holdline\",\"version\":\"%s\",\"protocol\":[1]}\n", HL_VERSION);
    else if (argc == 1)
        printf("holdline %s\n", HL_VERSION);
    else
        return hl_command_fail(HL_EXIT_USAGE, "version takes --json or nothing");
    return HL_EXIT_OK;
}

int main(int argc, char **argv)
{
    static char name[64]; /* what argp calls the program in its messages */
    argp_err_exit_status = HL_EXIT_USAGE;
    umask(S_IRWXG | S_IRWXO); /* what is said in private is nobody else's to read */
    if (argc < 2) {
        print_usage(stderr);
        return HL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return HL_EXIT_OK;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)
        return print_version(argc - 1, argv + 1);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        snprintf(name, sizeof(name), "holdline %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    return hl_command_fail(HL_EXIT_USAGE, "there is no command \"%s\"; see `holdline --help`",
                           argv[1]);
}
