/* evaluate/scores.c: see scores.h. SPDX-License-Identifier: MIT */
#include "evaluate/scores.h"

#include "base/maths.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

made_scores make_scores(int32_t classes, int64_t count)
{
    made_scores m = {{classes, count}};
    m.scores.labels = m.labels = calloc((size_t)count, sizeof *m.labels);
    m.scores.losses = m.losses = calloc((size_t)count, sizeof *m.losses);
    m.scores.probabilities = m.probabilities =
        calloc((size_t)(count * classes), sizeof *m.probabilities);
    return m;
}

void free_scores(made_scores *m)
{
    free(m->labels);
    free(m->losses);
    free(m->probabilities);
}

void add_losses(made_scores *m)
{
    for (int64_t i = 0; i < m->scores.count; i++)
        m->losses[i] =
            (float)-ic_ln((double)m->probabilities[i * m->scores.classes + m->labels[i]]);
}

made_scores random_scores(int32_t classes, int64_t count, double skill, int levels)
{
    made_scores m = make_scores(classes, count);
    ic_random random = ic_random_at(7, IC_USE_SHUFFLE, (uint64_t)count, (uint64_t)classes);
    for (int64_t i = 0; i < count; i++) {
        float *row = m.probabilities + i * classes;
        double sum = 0;
        m.labels[i] = (int32_t)ic_random_below(&random, (uint64_t)classes);
        for (int32_t c = 0; c < classes; c++) {
            double power = ic_random_normal(&random) + (c == m.labels[i] ? skill : 0);
            row[c] = (float)(1 + floor(levels * ic_exp(power)));
            sum += (double)row[c];
        }
        for (int32_t c = 0; c < classes; c++)
            row[c] = (float)((double)row[c] / sum);
    }
    add_losses(&m);
    return m;
}

void set_prediction(made_scores *m, int64_t index, int32_t predicted)
{
    for (int32_t c = 0; c < m->scores.classes; c++)
        m->probabilities[index * m->scores.classes + c] = c == predicted ? 0.75f : 0.125f;
}

static ic_status copy_array(ic_context *context, const void *from, size_t size, void *out)
{
    void *copy;
    IC_TRY(ic_allocate(context, size, &copy));
    memcpy(copy, from, size);
    *(void **)out = copy;
    return IC_OK;
}

static ic_status fill_report(ic_report *report, const ic_scores *s)
{
    ic_context *context = report->context;
    size_t count = (size_t)s->count;
    ic_image *image;
    IC_TRY(ic_dataset_create(context, NULL, &report->dataset));
    for (int64_t i = 0; i < s->count; i++) {
        const unsigned char pixel[2] = {(unsigned char)i, (unsigned char)(i >> 8)};
        IC_TRY(ic_image_from_pixels(context, pixel, 2, 1, 0, IC_PIXELS_GREY8, &image));
        ic_status status = ic_dataset_add_image(report->dataset, image, "any");
        ic_image_free(image);
        IC_TRY(status);
    }
    IC_TRY(ic_allocate_array(context, count, sizeof *report->items, &report->items));
    for (int64_t i = 0; i < s->count; i++)
        report->items[i] = i;
    report->scores.classes = s->classes;
    report->scores.count = s->count;
    IC_TRY(copy_array(context, s->labels, count * sizeof *s->labels, &report->scores.labels));
    IC_TRY(copy_array(context, s->losses, count * sizeof *s->losses, &report->scores.losses));
    IC_TRY(copy_array(context, s->probabilities,
                      count * (size_t)s->classes * sizeof *s->probabilities,
                      &report->scores.probabilities));
    report->split = "all";
    IC_TRY(ic_metrics_measure(context, &report->scores, &report->metrics));
    return ic_intervals_create(context, &report->metrics, report->resampling.level,
                               &report->intervals);
}

ic_status create_report(ic_context *context, const ic_scores *scores, int64_t resamples,
                        ic_report **out)
{
    ic_model *model;
    ic_report *report;
    ic_status status = scores->classes == 2
                           ? fixture_model(context, "tiny", 0, 0, 0, 5, &model)
                           : fixture_model(context, "lenet5", 28, 1, scores->classes, 5, &model);
    IC_TRY(status);
    status = ic_report_create(model, &report);
    ic_model_free(model);
    IC_TRY(status);
    report->resampling = (ic_resampling){.level = 0.95, .resamples = resamples, .seed = 1};
    status = fill_report(report, scores);
    if (status < 0)
        ic_report_free(report);
    else
        *out = report;
    return status;
}

ic_report *make_report(ic_context *context, const ic_scores *scores, int64_t resamples)
{
    ic_report *report;
    assert_ok(create_report(context, scores, resamples, &report));
    return report;
}

double value_of(const ic_report *report, const char *name)
{
    double value;
    assert_ok(ic_report_value(report, name, &value));
    return value;
}

void check_close(double got, double wanted, double tolerance, const char *what, int64_t at)
{
    if (isnan(got) && isnan(wanted))
        return;
    if (got != wanted && !(fabs(got - wanted) <= tolerance))
        fail_msg("%s, %lld: %.17g, not %.17g", what, (long long)at, got, wanted);
}
