/* cli/outline.c: JSON of the library for people. SPDX-License-Identifier: MIT */
#include "output.h"

#include <stdlib.h>
#include <string.h>

/* ---- Each function prints what begins at p and returns what follows it. ---- */

static const char *outline_value(const char *p, int depth, int in_line);

/* A whole number as it is, another one with six digits. */
static const char *outline_number(const char *p)
{
    size_t whole = strspn(p, "-0123456789");
    char *end;
    double value = strtod(p, &end);
    if (end == p + whole)
        printf("%.*s", (int)whole, p);
    else
        printf("%.6g", value);
    return end;
}

/* A string without its quotes; escaped characters (quotes apart) as one question mark. */
static const char *outline_string(const char *p)
{
    for (p++; *p != '"' && *p != '\0'; p++) {
        size_t plain = strcspn(p, "\"\\");
        if (plain > 0) {
            cli_print_part(stdout, p, plain);
            p += plain - 1;
            continue;
        }
        p++;
        putchar(*p == '"' || *p == '\\' || *p == '/' ? *p : '?');
        if (*p == 'u')
            p += strspn(p + 1, "0123456789abcdefABCDEF") < 4 ? 0 : 4;
    }
    return *p == '"' ? p + 1 : p;
}

static const char *outline_scalar(const char *p)
{
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return outline_number(p);
    if (*p == '"')
        return outline_string(p);
    while (*p != '\0' && strchr(",]}", *p) == NULL)
        putchar(*p++);
    return p;
}

/* Whether members stand on lines below: those of an object, or objects in a list. */
static int takes_lines(const char *p, int in_line)
{
    return !in_line && ((p[0] == '{' && p[1] != '}') || (p[0] == '[' && p[1] == '{'));
}

/* "key: value" for each member, on a line of its own or all on one. */
static const char *outline_object(const char *p, int depth, int in_line)
{
    if (p[1] == '}')
        fputs("none", stdout);
    for (int first = 1; *p != '\0' && *p != '}'; first = 0) {
        if (*p == '{' || *p == ',')
            p++;
        if (*p == '}')
            break;
        if (in_line)
            fputs(first ? "" : ", ", stdout);
        else if (depth > 0 || !first)
            printf("\n%*s", 2 * depth, "");
        p = outline_scalar(p);
        p += *p == ':';
        fputs(takes_lines(p, in_line) ? ":" : ": ", stdout);
        p = outline_value(p, depth + 1, in_line);
    }
    return *p == '}' ? p + 1 : p;
}

/* Objects on a line each, anything else on one line. */
static const char *outline_array(const char *p, int depth, int in_line)
{
    int rows = takes_lines(p, in_line);
    if (p[1] == ']')
        fputs("none", stdout);
    for (int first = 1; *p != '\0' && *p != ']'; first = 0) {
        if (*p == '[' || *p == ',')
            p++;
        if (*p == ']')
            break;
        if (rows)
            printf("\n%*s", 2 * depth, "");
        else if (!first)
            fputs(", ", stdout);
        p = outline_value(p, depth + 1, 1);
    }
    return *p == ']' ? p + 1 : p;
}

static const char *outline_value(const char *p, int depth, int in_line)
{
    if (*p == '{')
        return outline_object(p, depth, in_line);
    return *p == '[' ? outline_array(p, depth, in_line) : outline_scalar(p);
}

void cli_outline(const char *json)
{
    outline_value(json, 0, 0);
    putchar('\n');
}
