/* evaluate/evaluation.h: the inside of a report, and what makes one. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_EVALUATION_H
#define EVALUATE_EVALUATION_H

#include "evaluate/interval.h"
#include "model/model.h"

#include <imgcls/report.h>

/* A picture that was not measured. */
typedef struct ic_skipped {
    char *file;
    char *reason;
} ic_skipped;

/* Points of a curve, kept for whoever borrows them. */
typedef struct ic_curve {
    struct ic_curve *next;
    int32_t kind, class_index;
    int64_t count;
    double values[]; /* [3][count]: x, y, and the third */
} ic_curve;

/* A label that is likely wrong: that of a row (the first one of its picture). */
typedef struct ic_label_doubt {
    int64_t row;
    int32_t label, suggested;
    bool sure;     /* the suggested class reaches what is usual for its pictures */
    double margin; /* of its probability over the label's */
} ic_label_doubt;

/* What becomes of the pictures by the costs of mistakes that the model keeps. */
typedef struct ic_decisions {
    int64_t *counts;       /* [actual][called]; NULL: it keeps none */
    double accuracy, cost; /* the mean of a picture */
} ic_decisions;

/* The figures of one part of a joined report. */
typedef struct ic_fold_figures {
    int64_t count;
    double figures[IC_FIGURES];
} ic_fold_figures;

struct ic_report {
    ic_context *context;
    ic_model *model; /* for the names of the classes */
    ic_dataset
        *dataset;      /* for the origins of the pictures, and for those who want to look at them */
    const char *split; /* static */
    bool split_known;  /* whether the model's record proves that this is that part of its data */
    int64_t *items;    /* [scores.count]: the measured pictures by their index in the data set */
    ic_scores scores;  /* its arrays are the report's */
    ic_metrics metrics;
    ic_resampling resampling;
    char *command; /* the option of that name; NULL: none */
    /* How unlike the training's each picture is; NULL: the model cannot tell, or there are several.
     */
    float *unknown;
    double threshold, share; /* of ic_unknown */
    ic_decisions decisions;
    ic_skipped *skipped;
    size_t skipped_count, skipped_capacity;
    /* What takes time, or is seldom wanted, is made when first asked for. */
    ic_intervals intervals;
    bool resampled;
    double ece_limit; /* NaN: not known yet */
    ic_curve *curves;
    ic_label_doubt *doubts;
    int64_t doubt_count;
    bool doubted;
    /* Of a joined report alone. */
    ic_fold_figures *folds;
    int32_t fold_count;
};

ic_status ic_report_create(ic_model *model, ic_report **out);
ic_status ic_report_skip(ic_report *report, const char *file, const char *reason);

/* Lets go of the report's model for that of another one, which has the same classes. */
void ic_report_share_model(ic_report *report, const ic_report *other);

/* Draws the figures from the scores. */
ic_status ic_report_conclude(ic_report *report);

/*
 * One report over what several have measured, each on a part of `dataset` with a model of the same
 * classes: in the order of the data set; a picture of several parts has a row for each.
 */
ic_status ic_report_join(const ic_dataset *dataset, ic_report *const *parts, int32_t count,
                         ic_report **out);

/* Where a measured picture comes from, and the name of its class. Borrowed. */
const char *ic_report_origin(const ic_report *report, int64_t index);
const char *ic_report_label(const ic_report *report, int64_t index);

/* Sees to it that all intervals and ece_limit are known. */
ic_status ic_report_resample(const ic_report *report);
ic_status ic_report_find_ece_limit(const ic_report *report, double *out);

/* How many pictures the model would refuse: their scores are above the threshold. */
int64_t ic_report_refused(const ic_report *report);

/* A number as JSON; an undefined or infinite one is null. */
json_t *ic_report_number(double value);
/* A file's name as JSON: what is not UTF-8 becomes one question mark a byte. */
json_t *ic_report_file(const char *name);

/* The place of a name among so many; -1: it is none of them. */
int32_t ic_report_find_name(const char (*names)[20], int32_t count, const char *name);

/* IC_ERROR_ARGUMENT: no such class. */
ic_status ic_report_check_class(const ic_report *report, int32_t index, const char *caller);
ic_status ic_report_check_decisions(const ic_report *report);

/*
 * The part of a data set that `wanted` (a value of the option split) means for a model, as report.h
 * says it for ic_evaluate, and its name, which is static. known: the model's record proves that it
 * was trained on other pictures of this data set (or on these, where it is "train").
 */
ic_status ic_evaluation_part(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                             ic_dataset **part, const char **name, bool *known);

#endif
