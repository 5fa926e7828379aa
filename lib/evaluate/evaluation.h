/* evaluate/evaluation.h: the inside of a report, and what makes one. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_EVALUATION_H
#define EVALUATE_EVALUATION_H

#include "evaluate/metrics.h"
#include "model/model.h"

#include <imgcls/report.h>

/* A picture that was not measured. */
typedef struct ic_skipped {
    char *file;
    char *reason;
} ic_skipped;

struct ic_report {
    ic_context *context;
    ic_model *model;   /* for the names of the classes */
    const char *split; /* static */
    ic_metrics metrics;
    ic_skipped *skipped;
    size_t skipped_count, skipped_capacity;
};

ic_status ic_report_create(ic_model *model, ic_report **out);
ic_status ic_report_skip(ic_report *report, const char *file, const char *reason);

/*
 * The part of a data set that `wanted` (a value of the option split) means for a model, as report.h
 * says it for ic_evaluate, and its name, which is static.
 */
ic_status ic_evaluation_part(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                             ic_dataset **part, const char **name);

#endif
