/* cli/arguments.h: the command line, taken apart. SPDX-License-Identifier: MIT */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <imgcls/imgcls.h>

#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* A flag of one command's own, beside the options of the library. */
typedef struct cli_flag {
    const char *name;  /* "out" for --out */
    const char **text; /* where its value goes; NULL: the flag takes none */
    int *given;        /* set to 1 for a flag without a value; else NULL */
} cli_flag;

typedef struct cli_command cli_command;

struct cli_command {
    const char *name;
    const char *usage;  /* what follows the name */
    const char *help;   /* one line */
    const char *owners; /* owners of the library options it takes: "context,dataset" */
    const char *more;   /* lines of its own help alone; NULL: none */
    int (*run)(ic_context *context, const cli_command *command, int count, char **arguments);
};

extern const cli_command cli_commands[];

/*
 * Sorts arguments into flags, library options (of the command's owners; set in *options, context
 * options applied to the context) and the rest, which moves to the front of `arguments`. Returns
 * the number of the rest, or -1 when the command ends here: help or a message about wrong usage has
 * been printed, and the exit code is in *code.
 */
int cli_parse(ic_context *context, const cli_command *command, const cli_flag *flags, int count,
              char **arguments, ic_options **options, int *code);

/* What imgcls COMMAND --help prints. */
void cli_print_help(const cli_command *command);

/* Prints the library's options of these owners, "model,trainer" say; NULL: all of them. */
void cli_print_options(const char *owners);

/* " --name value", as a shell takes it; nothing for NULL. */
void cli_print_flag(FILE *file, const char *name, const char *value);

/* Whether an option, by its name and owners, is wanted. */
typedef int cli_wanted(const char *name, const char *owner, const void *payload);

/* The same for each option of the library that cli_parse was given and that is wanted. */
void cli_print_given(FILE *file, cli_wanted *wanted, const void *payload);

/* A text of the library, which names options as programs do ("sampling=balanced"), as a command
 * line has them ("--sampling balanced"). */
void cli_print_with_flags(FILE *file, const char *text);

/* Prints "imgcls: message" and how to use the command; returns EXIT_USAGE. */
int cli_usage(const cli_command *command, const char *message);

#endif
