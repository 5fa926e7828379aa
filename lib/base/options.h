/* base/options.h: reading options (base/options_table.h). SPDX-License-Identifier: MIT */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <imgcls/options.h>
#include <stdbool.h>

/*
 * The value of an option: what was set, else the table's default. options may be NULL. An unknown
 * name is a defect of the caller and reads as 0 or "".
 */
int64_t ic_option_int(const ic_options *options, const char *name);
double ic_option_float(const ic_options *options, const char *name);
const char *ic_option_text(const ic_options *options, const char *name);

/* Whether its value is this text: of a choice, say. */
bool ic_option_is(const ic_options *options, const char *name, const char *value);

/* Whether the caller has set it, so that `auto` can tell a wish from a default. */
bool ic_option_is_set(const ic_options *options, const char *name);

/* A set with the same values; options may be NULL. Release it with ic_options_free. */
ic_status ic_options_copy(ic_context *context, const ic_options *options, ic_options **out);

/* Sets an option from text that stands at its default, as far as anybody can tell: left open. */
ic_status ic_option_suggest(ic_options *options, const char *name, const char *value);

/* The known name nearest to a misspelt one, static; NULL: none is near, or name is NULL. */
const char *ic_option_nearest(const char *name);

#endif
