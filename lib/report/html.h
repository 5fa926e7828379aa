/*
 * report/html.h: the report as a page: the writer, and the parts that it is made of.
 * SPDX-License-Identifier: MIT
 *
 * The writer remembers its first failure and then does nothing more, so that a part reads like the
 * page and looks at the status once, at its end.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "evaluate/evaluation.h"

#include <stdarg.h>

enum {
    IC_MATRIX_MOST = 40 /* classes of a confusion matrix; beyond, pairs of classes are listed */
};

/* Pictures of one class that were taken for another one: album->mistakes[first ... + count - 1]. */
typedef struct ic_confused {
    int32_t actual, predicted;
    int64_t first, count;
} ic_confused;

/* What went wrong, ordered to be looked at. */
typedef struct ic_album {
    int64_t *mistakes; /* rows of the report, by pair of classes, the surest first */
    int64_t mistake_count;
    ic_confused *pairs; /* the most frequent first */
    size_t pair_count, pair_capacity;
    size_t linked; /* so many of them have pictures on the page */
} ic_album;

typedef struct ic_page {
    ic_context *context;
    const ic_report *report;
    json_t *model;      /* as ic_model_describe has it */
    size_t folder;      /* bytes that all origins begin with, up to a slash */
    const char *method; /* of explanations, by the option */
    ic_album album;
    ic_buffer out, contents; /* the sections so far, and the links to them */
    ic_status status;        /* of the writing so far */
    int32_t titles;          /* of drawings, for their ids */
    int64_t done, total;     /* progress */
    double started, told;
} ic_page;

/*
 * Writes. %s: text, escaped, what is no UTF-8 as U+FFFD; %n: the same in <bdi>, for names in
 * sentences; %r: text as it is; %d: int; %l: int64_t; %p: a share in percent, one digit; %f: a
 * number, three digits; %c: a length, one digit at most; %%. Undefined numbers are a dash.
 */
void ic_page_put(ic_page *page, const char *format, ...);

/* Bytes in base64. */
void ic_page_bytes(ic_page *page, const ic_buffer *bytes);

/* Begins a section (</section> ends it) and puts it into the contents. Both are literals. */
void ic_page_section(ic_page *page, const char *id, const char *title);

/* The whole page around what was written. */
ic_status ic_page_finish(ic_page *page, const char *title, ic_buffer *out);

/* A whole number of the model's or the data's description; 0: it has none. */
static inline int64_t ic_page_whole(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

const char *ic_page_class(const ic_page *page, int32_t index);

/* A file as the page calls it: without the folder that all have in common. */
const char *ic_page_file(const ic_page *page, int64_t row);

/* ---- The parts, in their order ---- */

void ic_page_confusion(ic_page *page);
void ic_page_classes(ic_page *page);
void ic_page_decisions(ic_page *page);
ic_status ic_page_curves(ic_page *page);
void ic_page_unknown(ic_page *page);
void ic_page_folds(ic_page *page);
ic_status ic_page_pictures(ic_page *page); /* doubtful labels, worst mistakes, all mistakes */
ic_status ic_page_data(ic_page *page);
void ic_page_training(ic_page *page);

/* The drawings of the training: loss and accuracy by epoch. */
void ic_page_history(ic_page *page);

/* Who was taken for whom. */
ic_status ic_album_create(ic_context *context, const ic_report *report, ic_album *out);
void ic_album_free(ic_context *context, ic_album *album);

#endif
