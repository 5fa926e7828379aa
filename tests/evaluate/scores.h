/*
 * evaluate/scores.h: made-up answers of a model, and reports of them, for the tests of what is
 * measured on them. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_SCORES_H
#define EVALUATE_SCORES_H

#include "model/fixture.h"

#include "evaluate/evaluation.h"

typedef struct made_scores {
    ic_scores scores;
    int32_t *labels;
    float *probabilities, *losses;
} made_scores;

/* Zeros, to be freed with free_scores. */
made_scores make_scores(int32_t classes, int64_t count);
void free_scores(made_scores *m);
/* Sets the losses by the probabilities. */
void add_losses(made_scores *m);
/* Probabilities that favour the label by `skill`; rounded to so many levels, for ties. */
made_scores random_scores(int32_t classes, int64_t count, double skill, int levels);
/* Three quarters for one class, an eighth for each other. */
void set_prediction(made_scores *m, int64_t index, int32_t predicted);

/* A report as an evaluation would make it of these scores. */
ic_status create_report(ic_context *context, const ic_scores *scores, int64_t resamples,
                        ic_report **out);
ic_report *make_report(ic_context *context, const ic_scores *scores, int64_t resamples);
double value_of(const ic_report *report, const char *name);

/* Fails unless both are alike, or neither is a number; at: of what's entries. */
void check_close(double got, double wanted, double tolerance, const char *what, int64_t at);

#endif
