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

/* Whether the caller has set it, so that `auto` can tell a wish from a default. */
bool ic_option_is_set(const ic_options *options, const char *name);

/* The known name nearest to a misspelt one, static; NULL: none is near, or name is NULL. */
const char *ic_option_nearest(const char *name);

#endif
