/* imgcls/options.h: every setting by its name, and their list. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_OPTIONS_H
#define IMGCLS_OPTIONS_H

#include <imgcls/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A set of options, each checked against the library's table as it is set (free text that has a
 * form of its own, such as "rates", "replan", "mean" and "group": where it is used). One set may hold
 * options for several owners (context, dataset, inspection, model, trainer, evaluation …): every
 * function takes those of its own and passes over the others, so one set can serve a whole program.
 * NULL in place of a set means all defaults. A set belongs to one thread at a time; the functions
 * that take it read it and keep nothing of it. Release it with ic_options_free.
 */
IC_API ic_status ic_options_create(ic_context *context, ic_options **out);

/* Frees the set; NULL does nothing. */
IC_API void ic_options_free(ic_options *options);

/*
 * Set one option; on an error it keeps the value that it had. IC_ERROR_OPTION: no such name (the
 * message names the nearest one), a value out of its range or choices (the message names them), or
 * a number for a text. A float option takes an int too, an int option, or a choice of numbers as
 * 1|2|6, a float that is whole. In names and choices '-' and '_' are the same.
 */
IC_API ic_status ic_options_set_int(ic_options *options, const char *name, int64_t value);
IC_API ic_status ic_options_set_float(ic_options *options, const char *name, double value);

/* The same for an option of any type from text, as from a command line: "12", "0.05", "sgd".
 * Numbers have a point in every locale. */
IC_API ic_status ic_options_set_text(ic_options *options, const char *name, const char *value);

/* How many options the library knows. */
IC_API int32_t ic_option_count(void);

/*
 * Describes option index (0 <= index < ic_option_count()); all texts are static. Any output may
 * be NULL. owner: "context", "dataset", "inspection", "model", "trainer", "evaluation",
 * "cross-validation", "explanation" or "report", or several with commas between. type: "int",
 * "float", "text", "choice". default_value: as text.
 * values: what it takes, "1..1000", "0..1" or "sgd|adamw"; "" for free text. help: one line.
 * IC_ERROR_ARGUMENT: no such index.
 */
IC_API ic_status ic_option_info(int32_t index, const char **name, const char **owner,
                                const char **type, const char **default_value, const char **values,
                                const char **help);

#ifdef __cplusplus
}
#endif

#endif
