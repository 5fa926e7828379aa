/* cli/arguments.c: flags are the command's own few plus whatever the library's table of options
 * lists. SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "output.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, OPTIONS_MAX = 256 };

/* What was given of the library's options, by their places in its list. */
static const char *given[OPTIONS_MAX];

static void print_dashed(FILE *file, const char *name)
{
    fputs("--", file);
    for (; *name != '\0'; name++)
        fputc(*name == '_' ? '-' : *name, file);
}

void cli_print_flag(FILE *file, const char *name, const char *value)
{
    if (value == NULL)
        return;
    fputc(' ', file);
    print_dashed(file, name);
    fputc(' ', file);
    cli_print_path(file, value);
}

int cli_usage(const cli_command *command, const char *message)
{
    fprintf(stderr, "imgcls: %s\nusage: imgcls %s %s\n", message, command->name, command->usage);
    return EXIT_USAGE;
}

/* Whether two comma lists share a word. */
static int lists_meet(const char *a, const char *b)
{
    while (*a != '\0') {
        size_t length = strcspn(a, ",");
        for (const char *p = b; *p != '\0';) {
            size_t other = strcspn(p, ",");
            if (other == length && strncmp(a, p, length) == 0)
                return 1;
            p += other + (p[other] == ',');
        }
        a += length + (a[length] == ',');
    }
    return 0;
}

static const char *owner_of(int32_t option)
{
    const char *owner = "";
    ic_option_info(option, NULL, &owner, NULL, NULL, NULL, NULL);
    return owner;
}

static void print_option(int32_t option)
{
    const char *name, *owner, *type, *fallback, *values, *help;
    ic_option_info(option, &name, &owner, &type, &fallback, &values, &help);
    print_dashed(stdout, name);
    printf(" %s  (%s; default %s)\n    %s\n", *values != '\0' ? values : type, owner, fallback,
           help);
}

void cli_print_options(const char *owners)
{
    char earlier[256] = "", owner[64];
    if (owners == NULL)
        for (int32_t i = 0; i < ic_option_count(); i++)
            print_option(i);
    for (const char *rest = owners; rest != NULL && *rest != '\0';) {
        size_t length = strcspn(rest, ",");
        snprintf(owner, sizeof owner, "%.*s", (int)length, rest);
        snprintf(earlier, sizeof earlier, "%.*s", (int)(rest - owners), owners);
        printf("\nOptions of the %s:\n", owner);
        for (int32_t i = 0; i < ic_option_count(); i++)
            if (lists_meet(owner_of(i), owner) && !lists_meet(owner_of(i), earlier))
                print_option(i);
        rest += length + (rest[length] == ',');
    }
}

void cli_print_help(const cli_command *command)
{
    printf("usage: imgcls %s %s\n%s\n", command->name, command->usage, command->help);
    if (command->more != NULL)
        printf("\n%s\n", command->more);
    if (*command->owners != '\0')
        cli_print_options(command->owners);
}

/* Whether they are one name; '-' and '_' are the same letter. */
static int same_name(const char *a, const char *b)
{
    for (; *a != '\0' && (*a == *b || (*a == '-' && *b == '_')); a++)
        b++;
    return *a == *b;
}

/* The option's place in the library's list, or -1. */
static int32_t find_option(const char *name)
{
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *known = NULL;
        ic_option_info(i, &known, NULL, NULL, NULL, NULL, NULL);
        if (same_name(name, known))
            return i;
    }
    return -1;
}

void cli_print_with_flags(FILE *file, const char *text)
{
    char name[NAME_BYTES + 1];
    while (*text != '\0') {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
        int named = text[length] == '=' && length > 0 && length <= NAME_BYTES;
        snprintf(name, sizeof name, "%.*s", named ? (int)length : 0, text);
        if (named && find_option(name) >= 0) {
            print_dashed(file, name);
            fputc(' ', file);
            text += length + 1;
        } else {
            length += length == 0;
            fwrite(text, 1, length, file);
            text += length;
        }
    }
}

static int option_fits(const cli_command *command, int32_t option)
{
    const char *owner = NULL;
    ic_option_info(option, NULL, &owner, NULL, NULL, NULL, NULL);
    return lists_meet(owner, command->owners);
}

void cli_print_given(FILE *file, cli_wanted *wanted, const void *payload)
{
    for (int32_t i = 0; i < ic_option_count() && i < OPTIONS_MAX; i++) {
        const char *name = NULL, *owner = NULL;
        ic_option_info(i, &name, &owner, NULL, NULL, NULL, NULL);
        if (wanted(name, owner, payload))
            cli_print_flag(file, name, given[i]);
    }
}

static int unknown_flag(const cli_command *command, const cli_flag *flags, const char *name)
{
    cli_nearest best = cli_nearest_to(name);
    for (const cli_flag *f = flags; f->name != NULL; f++)
        cli_nearest_offer(&best, f->name);
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *known = NULL, *owner = NULL;
        ic_option_info(i, &known, &owner, NULL, NULL, NULL, NULL);
        if (lists_meet(owner, command->owners))
            cli_nearest_offer(&best, known);
    }
    fputs("imgcls: unknown flag --", stderr);
    cli_print_text(stderr, name, 0);
    if (best.word == NULL) {
        fputs("; imgcls options lists them\n", stderr);
        return -1;
    }
    fputs(": did you mean ", stderr);
    print_dashed(stderr, best.word);
    fputs("?\n", stderr);
    return -1;
}

/* The library writes option "input_size" where a command line says --input-size. */
static int refused_value(const char *name)
{
    static const char start[] = "option \"";
    const char *message = ic_last_error();
    const char *rest = NULL;
    if (strncmp(message, start, sizeof start - 1) == 0)
        rest = strchr(message + sizeof start - 1, '"');
    fputs("imgcls: ", stderr);
    if (rest != NULL)
        print_dashed(stderr, name);
    cli_print_text(stderr, rest != NULL ? rest + 1 : message, 0);
    fputc('\n', stderr);
    return -1;
}

/* One "--name value" or "--name=value"; returns how many arguments it took, or -1. */
static int take_flag(const cli_command *command, const cli_flag *flags, int left, char **arguments,
                     ic_options *options)
{
    char name[NAME_BYTES + 1];
    const char *text = arguments[0] + 2;
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    if (length > NAME_BYTES)
        length = NAME_BYTES;
    memcpy(name, text, length);
    name[length] = '\0';

    const cli_flag *flag = flags;
    while (flag->name != NULL && strcmp(flag->name, name) != 0)
        flag++;
    if (flag->name != NULL && flag->text == NULL) {
        if (value != NULL) {
            fprintf(stderr, "imgcls: --%s takes no value\n", name);
            return -1;
        }
        *flag->given = 1;
        return 1;
    }
    int32_t option = flag->name != NULL ? -1 : find_option(name);
    if (flag->name == NULL && option < 0)
        return unknown_flag(command, flags, name);
    if (option >= 0 && !option_fits(command, option)) {
        fprintf(stderr, "imgcls: --%s is not for imgcls %s\n", name, command->name);
        return -1;
    }
    int taken = value != NULL ? 1 : 2;
    if (taken > left) {
        fprintf(stderr, "imgcls: --%s wants a value\n", name);
        return -1;
    }
    if (value == NULL)
        value = arguments[1];
    if (flag->name != NULL)
        *flag->text = value;
    else if (ic_options_set_text(options, name, value) < 0)
        return refused_value(name);
    else if (option < OPTIONS_MAX)
        given[option] = value;
    return taken;
}

int cli_parse(ic_context *context, const cli_command *command, const cli_flag *flags, int count,
              char **arguments, ic_options **options, int *code)
{
    ic_options *set = NULL;
    int rest = 0;
    *code = EXIT_USAGE;
    if (ic_options_create(context, &set) < 0)
        goto failed;
    for (int i = 0; i < count;) {
        if (strcmp(arguments[i], "--") == 0) {
            for (i++; i < count; i++)
                arguments[rest++] = arguments[i];
        } else if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            cli_print_help(command);
            *code = EXIT_DONE;
            goto over;
        } else if (strncmp(arguments[i], "--", 2) == 0) {
            int taken = take_flag(command, flags, count - i, arguments + i, set);
            if (taken < 0)
                goto over;
            i += taken;
        } else if (arguments[i][0] == '-' && arguments[i][1] != '\0') {
            fputs("imgcls: flags are written with two dashes, not ", stderr);
            cli_print_text(stderr, arguments[i], 0);
            fprintf(stderr, "; imgcls %s --help\n", command->name);
            goto over;
        } else {
            arguments[rest++] = arguments[i++];
        }
    }
    if (ic_context_configure(context, set) < 0)
        goto failed;
    *options = set;
    return rest;
failed:
    cli_failed();
over:
    ic_options_free(set);
    return -1;
}
