/* base/options.c: the table of options and sets of values for it. SPDX-License-Identifier: MIT */
#include "base/options.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

typedef enum option_type { TYPE_INT, TYPE_FLOAT, TYPE_TEXT, TYPE_CHOICE } option_type;

typedef struct option_row {
    const char *name, *owner;
    option_type type;
    const char *default_value;
    double low, high;
    const char *values, *help;
} option_row;

#define VALUES_INT(low, high, choices)    #low ".." #high
#define VALUES_FLOAT(low, high, choices)  #low ".." #high
#define VALUES_TEXT(low, high, choices)   ""
#define VALUES_CHOICE(low, high, choices) choices
#define OPTION(name, owner, type, default_value, low, high, choices, help)                         \
    {name, owner, TYPE_##type, default_value, low, high, VALUES_##type(low, high, choices), help},

static const option_row table[] = {
#include "base/options_table.h"
};
enum { OPTION_COUNT = sizeof table / sizeof table[0] };

typedef struct option_value {
    bool set;
    double number; /* of int and float: every whole number in the table's ranges is exact */
    char *text;    /* of text and choice */
} option_value;

struct ic_options {
    ic_context *context;
    option_value values[OPTION_COUNT];
};

static char canonical(char c)
{
    return c == '-' ? '_' : c;
}

/* Whether the length bytes at b spell a, '-' and '_' being one. */
static bool same_name(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (a[i] == '\0' || canonical(a[i]) != canonical(b[i]))
            return false;
    return a[length] == '\0';
}

static int32_t find_option(const char *name)
{
    for (int32_t i = 0; i < OPTION_COUNT; i++)
        if (same_name(name, table[i].name, strlen(table[i].name)))
            return i;
    return -1;
}

enum { NAME_MAX_LENGTH = 48 };

/*
 * How far apart a given word and a known one of `length` bytes are; -1: they are the same, 0: it is
 * a beginning of at least three letters, more than NEAR_MAX: not near.
 */
enum { NEAR_MAX = 3 };
static int32_t distance_to(const char *given, const char *known, size_t length)
{
    size_t given_length = strlen(given);
    char a[NAME_MAX_LENGTH], b[NAME_MAX_LENGTH];
    if (given_length >= sizeof a || length >= sizeof b)
        return NEAR_MAX + 1;
    for (size_t i = 0; i <= given_length; i++)
        a[i] = canonical(given[i]);
    for (size_t i = 0; i < length; i++)
        b[i] = canonical(known[i]);
    b[length] = '\0';
    if (given_length >= 3 && strncmp(a, b, given_length) == 0)
        return given_length == length ? -1 : 0;
    int32_t limit = given_length < 4 ? 1 : given_length < 8 ? 2 : NEAR_MAX;
    int32_t distance = ic_text_distance(a, b, limit);
    return distance <= limit ? distance : NEAR_MAX + 1;
}

const char *ic_option_nearest(const char *name)
{
    const char *nearest = NULL;
    int32_t best = NEAR_MAX + 1;
    for (int32_t i = 0; name != NULL && i < OPTION_COUNT; i++) {
        int32_t distance = distance_to(name, table[i].name, strlen(table[i].name));
        if (distance < best) {
            best = distance;
            nearest = table[i].name;
        }
    }
    return nearest;
}

/* One choice of "a|b|c"; false behind the last. */
static bool next_choice(const char **at, const char **choice, size_t *length)
{
    if (**at == '\0')
        return false;
    *choice = *at;
    *length = strcspn(*at, "|");
    *at += *length;
    if (**at == '|')
        (*at)++;
    return true;
}

/* The choice that a value spells. */
static bool find_choice(const option_row *row, const char *value, const char **choice,
                        size_t *length)
{
    const char *at = row->values;
    while (next_choice(&at, choice, length))
        if (same_name(value, *choice, *length))
            return true;
    return false;
}

static ic_status fail_choice(const option_row *row, const char *value)
{
    const char *at = row->values, *choice, *nearest = NULL;
    size_t length, nearest_length = 0;
    int32_t best = NEAR_MAX + 1;
    while (next_choice(&at, &choice, &length)) {
        int32_t distance = distance_to(value, choice, length);
        if (distance < best) {
            best = distance;
            nearest = choice;
            nearest_length = length;
        }
    }
    if (nearest == NULL)
        return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes %s, not \"%.80s\"", row->name,
                       row->values, value);
    return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes %s, not \"%.80s\": did you mean \"%.*s\"?",
                   row->name, row->values, value, (int)nearest_length, nearest);
}

static ic_status require_option(const ic_options *options, const char *name, int32_t *index)
{
    if (options == NULL || name == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_options_set: %s is NULL",
                       options == NULL ? "options" : "name");
    *index = find_option(name);
    if (*index >= 0)
        return IC_OK;
    const char *nearest = ic_option_nearest(name);
    if (nearest == NULL)
        return ic_fail(IC_ERROR_OPTION, "unknown option \"%.80s\"", name);
    return ic_fail(IC_ERROR_OPTION, "unknown option \"%.80s\": did you mean \"%s\"?", name,
                   nearest);
}

ic_status ic_options_create(ic_context *context, ic_options **out)
{
    if (context == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_options_create: %s is NULL",
                       context == NULL ? "context" : "out");
    ic_options *options;
    IC_TRY(ic_allocate_zero(context, sizeof *options, &options));
    options->context = ic_context_retain(context);
    *out = options;
    return IC_OK;
}

void ic_options_free(ic_options *options)
{
    if (options == NULL)
        return;
    ic_context *context = options->context;
    for (int32_t i = 0; i < OPTION_COUNT; i++)
        ic_free(context, options->values[i].text);
    ic_free(context, options);
    ic_context_free(context);
}

static ic_status set_number(ic_options *options, int32_t index, double number, const char *shown)
{
    const option_row *row = &table[index];
    if (!(number >= row->low && number <= row->high)) /* NaN is not in it either */
        return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes %s, not %s", row->name, row->values,
                       shown);
    options->values[index] = (option_value){.set = true, .number = number};
    return IC_OK;
}

static ic_status fail_number_for_text(const option_row *row, const char *shown)
{
    return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes %s, not the number %s", row->name,
                   row->type == TYPE_CHOICE ? row->values : "text", shown);
}

static ic_status set_copy(ic_options *options, int32_t index, const char *text, size_t length)
{
    char *copy;
    IC_TRY(ic_copy_text_part(options->context, text, length, &copy));
    ic_free(options->context, options->values[index].text);
    options->values[index] = (option_value){.set = true, .text = copy};
    return IC_OK;
}

/* For an option of any type: some choices are numbers, too (1|2|6). */
static ic_status set_given_number(ic_options *options, int32_t index, double number,
                                  const char *shown)
{
    const option_row *row = &table[index];
    const char *choice;
    size_t length;
    if (row->type == TYPE_INT || row->type == TYPE_FLOAT)
        return set_number(options, index, number, shown);
    if (row->type == TYPE_CHOICE && find_choice(row, shown, &choice, &length))
        return set_copy(options, index, choice, length);
    return fail_number_for_text(row, shown);
}

ic_status ic_options_set_int(ic_options *options, const char *name, int64_t value)
{
    int32_t index;
    IC_TRY(require_option(options, name, &index));
    char shown[IC_TEXT_FLOAT_MAX];
    ic_text_int(value, shown);
    return set_given_number(options, index, (double)value, shown);
}

ic_status ic_options_set_float(ic_options *options, const char *name, double value)
{
    int32_t index;
    IC_TRY(require_option(options, name, &index));
    char shown[IC_TEXT_FLOAT_MAX];
    ic_text_float(value, 9, shown);
    const option_row *row = &table[index];
    if (row->type == TYPE_INT && isfinite(value) && floor(value) != value)
        return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes whole numbers %s, not %s", row->name,
                       row->values, shown);
    return set_given_number(options, index, value, shown);
}

static ic_status set_choice(ic_options *options, int32_t index, const char *value)
{
    const char *choice;
    size_t length;
    if (find_choice(&table[index], value, &choice, &length))
        return set_copy(options, index, choice, length);
    return fail_choice(&table[index], value);
}

static ic_status set_parsed(ic_options *options, int32_t index, const char *value)
{
    const option_row *row = &table[index];
    int64_t whole;
    double real;
    char shown[96];
    size_t length = strlen(value) < 80 ? strlen(value) : 80;
    shown[0] = '"';
    memcpy(shown + 1, value, length);
    memcpy(shown + 1 + length, "\"", 2);
    if (row->type == TYPE_INT && ic_parse_int(value, &whole))
        return set_number(options, index, (double)whole, value);
    if (row->type == TYPE_FLOAT && ic_parse_float(value, &real))
        return set_number(options, index, real, value);
    return ic_fail(IC_ERROR_OPTION, "option \"%s\" takes %s%s, not %s", row->name,
                   row->type == TYPE_INT ? "whole numbers " : "numbers ", row->values, shown);
}

ic_status ic_options_set_text(ic_options *options, const char *name, const char *value)
{
    int32_t index;
    IC_TRY(require_option(options, name, &index));
    if (value == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_options_set_text: the value of \"%s\" is NULL",
                       table[index].name);
    switch (table[index].type) {
    case TYPE_TEXT:
        return set_copy(options, index, value, strlen(value));
    case TYPE_CHOICE:
        return set_choice(options, index, value);
    default:
        return set_parsed(options, index, value);
    }
}

int32_t ic_option_count(void)
{
    return OPTION_COUNT;
}

static void put_text(const char **out, const char *text)
{
    if (out != NULL)
        *out = text;
}

ic_status ic_option_info(int32_t index, const char **name, const char **owner, const char **type,
                         const char **default_value, const char **values, const char **help)
{
    static const char *const types[] = {"int", "float", "text", "choice"};
    if (index < 0 || index >= OPTION_COUNT)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_option_info: index must be 0..%d, not %d",
                       OPTION_COUNT - 1, index);
    const option_row *row = &table[index];
    put_text(name, row->name);
    put_text(owner, row->owner);
    put_text(type, types[row->type]);
    put_text(default_value, row->default_value);
    put_text(values, row->values);
    put_text(help, row->help);
    return IC_OK;
}

/* What the caller has set, or NULL. */
static const option_value *value_of(const ic_options *options, int32_t index)
{
    if (options == NULL || index < 0 || !options->values[index].set)
        return NULL;
    return &options->values[index];
}

double ic_option_float(const ic_options *options, const char *name)
{
    int32_t index = find_option(name);
    const option_value *value = value_of(options, index);
    double number = 0;
    if (value != NULL && value->text == NULL)
        return value->number;
    if (index >= 0) /* a choice may be a number, too */
        ic_parse_float(value != NULL ? value->text : table[index].default_value, &number);
    return number;
}

int64_t ic_option_int(const ic_options *options, const char *name)
{
    return (int64_t)ic_option_float(options, name);
}

const char *ic_option_text(const ic_options *options, const char *name)
{
    int32_t index = find_option(name);
    const option_value *value = value_of(options, index);
    if (index < 0 || (table[index].type != TYPE_TEXT && table[index].type != TYPE_CHOICE))
        return "";
    return value != NULL ? value->text : table[index].default_value;
}

bool ic_option_is(const ic_options *options, const char *name, const char *value)
{
    return strcmp(ic_option_text(options, name), value) == 0;
}

bool ic_option_is_set(const ic_options *options, const char *name)
{
    return value_of(options, find_option(name)) != NULL;
}

ic_status ic_options_copy(ic_context *context, const ic_options *options, ic_options **out)
{
    ic_options *copy = NULL;
    ic_status status = IC_OK;
    IC_TRY(ic_options_create(context, &copy));
    for (int32_t i = 0; i < OPTION_COUNT; i++) {
        const option_value *value = value_of(options, i);
        if (value == NULL)
            continue;
        if (value->text != NULL)
            IC_TRY_CLEAN(set_copy(copy, i, value->text, strlen(value->text)));
        else
            copy->values[i] = *value;
    }
    *out = copy;
    return IC_OK;
cleanup:
    ic_options_free(copy);
    return status;
}

static bool is_default(const ic_options *options, int32_t index)
{
    const option_row *row = &table[index];
    const option_value *value = value_of(options, index);
    double number = 0;
    if (value == NULL)
        return true;
    if (value->text != NULL)
        return strcmp(value->text, row->default_value) == 0;
    return ic_parse_float(row->default_value, &number) && number == value->number;
}

ic_status ic_option_suggest(ic_options *options, const char *name, const char *value)
{
    int32_t index;
    IC_TRY(require_option(options, name, &index));
    return is_default(options, index) ? ic_options_set_text(options, name, value) : IC_OK;
}
