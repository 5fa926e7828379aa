/* dataset/inspection.h: the inside of an inspection. SPDX-License-Identifier: MIT */
#ifndef DATASET_INSPECTION_H
#define DATASET_INSPECTION_H

#include "base/json.h"
#include "dataset/leaks.h"

#include <imgcls/inspection.h>

/* All texts are places in the inspection's texts, but kind and advice, which are static. */
typedef struct ic_finding {
    const char *kind, *advice;
    size_t text, examples;
} ic_finding;

struct ic_inspection {
    ic_context *context;
    ic_dataset *dataset;
    ic_duplicates duplicates;
    ic_leak leaks[IC_PART_TEST + 1];
    ic_finding *findings;
    size_t finding_count, finding_capacity;
    ic_buffer texts;
};

/* What a pair is, IC_PAIR_… */
int32_t ic_inspection_bits(const ic_inspection *inspection, const ic_duplicate *pair);

/* findings.c: draws the conclusions; duplicates and leaks are there. */
ic_status ic_inspection_conclude(ic_inspection *inspection);

/* summary.c: what ic_dataset_json gives, into an object; and a path as JSON text. */
ic_status ic_dataset_describe(const ic_dataset *dataset, json_t *root);
ic_status ic_json_set_path(ic_context *context, json_t *object, const char *key, const char *path);

#endif
