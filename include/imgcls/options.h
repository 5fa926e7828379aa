/* imgcls/options.h: every setting by its name, and their list. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_OPTIONS_H
#define IMGCLS_OPTIONS_H

#include <imgcls/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A set of options, each checked against the library's table as it is set. One set may hold
 * options for several owners (context, dataset, model, trainer, evaluation): every function takes
 * those of its own and passes over the others, so one set can serve a whole program. NULL in place
 * of a set means all defaults. A set belongs to one thread at a time and is only read by the
 * functions that take it.
 */
IC_API ic_status ic_options_create(ic_context *context, ic_options **out);

/* Free the set; NULL does nothing. */
IC_API void ic_options_free(ic_options *options);

/*
 * Set one option. IC_ERROR_OPTION: no such name (the message names the nearest one) or a value
 * out of its range or choices (the message names them). An int may be set to a float option, and a
 * whole float to an int option. In names and choices '-' and '_' are the same.
 */
IC_API ic_status ic_options_set_int(ic_options *options, const char *name, int64_t value);
IC_API ic_status ic_options_set_float(ic_options *options, const char *name, double value);

/* Sets an option of any type from text, as from a command line: "12", "0.05", "sgd". */
IC_API ic_status ic_options_set_text(ic_options *options, const char *name, const char *value);

/* How many options the library knows. */
IC_API int32_t ic_option_count(void);

/*
 * Describes option index (0 <= index < ic_option_count()); all texts are static. Any output may
 * be NULL. owner: "context", "dataset", "model", "trainer" or "evaluation", or several with commas
 * between. type: "int", "float", "text", "choice". default_value: as text. values: what it takes,
 * "1..1000", "0..1" or "sgd|adamw"; "" for free text. help: one line.
 */
IC_API ic_status ic_option_info(int32_t index, const char **name, const char **owner,
                                const char **type, const char **default_value, const char **values,
                                const char **help);

#ifdef __cplusplus
}
#endif

#endif
