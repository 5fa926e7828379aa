/* report/history.c: the learning curves of a training as a picture. SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "model/model.h"
#include "report/drawing.h"
#include "train/trainer.h"

#include <imgcls/report.h>

#include <math.h>
#include <stdio.h>

enum { INK = 0x222222, FAINT = 0x777777, GRID = 0xe4e4e4, TRAIN = 0x8a8a8a, UNSEEN = 0x0b4f9c };

/* One panel: a frame on the plot and the range of its values. */
typedef struct panel {
    double left, top, width, height;
    double low, high; /* of the values */
    size_t epochs;
    double times;   /* values are shown times this: 100 for percent */
    int32_t digits; /* of a single value, and its unit */
    const char *unit;
} panel;

#define VALUE_MAX 1e9 /* larger losses are left out */

double ic_plot_epoch_value(const json_t *epochs, size_t index, const char *key)
{
    const json_t *json = json_object_get(json_array_get(epochs, index), key);
    double value = json_is_number(json) ? json_number_value(json) : NAN;
    return fabs(value) <= VALUE_MAX ? value : NAN;
}

static double x_of(const panel *p, size_t epoch)
{
    return p->epochs > 1 ? p->left + p->width * (double)epoch / (double)(p->epochs - 1)
                         : p->left + p->width / 2;
}

static double y_of(const panel *p, double value)
{
    return p->top + p->height * (p->high - value) / (p->high - p->low);
}

double ic_plot_step(double range, int32_t wanted)
{
    double step = 1;
    while (step * wanted < range)
        step *= 10;
    while (step * wanted / 10 >= range)
        step /= 10;
    if (step * wanted / 5 >= range)
        return step / 5;
    return step * wanted / 2 >= range ? step / 2 : step;
}

double ic_plot_range(double *low, double *high)
{
    if (!(*low <= *high))
        *low = *high = 0;
    double least = 1e-3 * fmax(1, fabs(*low)); /* so that steps can be told apart */
    if (*high - *low < least)
        *high = *low + least;
    double step = ic_plot_step(*high - *low, 5);
    *low = step * floor(*low / step);
    *high = step * ceil(*high / step);
    return step;
}

/* Widens the panel to whole steps around its curves. */
static double fit_range(panel *p, const json_t *epochs, const char *const keys[2])
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < p->epochs; i++)
        for (int32_t k = 0; k < 2; k++) {
            double value = ic_plot_epoch_value(epochs, i, keys[k]);
            if (isfinite(value)) {
                low = fmin(low, value);
                high = fmax(high, value);
            }
        }
    double step = ic_plot_range(&low, &high);
    p->low = low;
    p->high = high;
    return step;
}

/* Digits after the point that a multiple of step (1, 2 or 5 times a power of ten) needs. */
static int32_t digits_of(double step)
{
    int32_t digits = 0;
    for (; step < 0.999; step *= 10)
        digits++;
    return digits;
}

static ic_status draw_axes(const panel *p, double step, const char *title, ic_plot *plot)
{
    char text[IC_TEXT_FLOAT_MAX];
    IC_TRY(ic_plot_text(plot, p->left, p->top - 18, 15, IC_ANCHOR_START, false, INK, title));
    for (int32_t i = 0; p->low + i * step <= p->high + step / 2; i++) {
        double value = p->low + i * step, y = y_of(p, value);
        IC_TRY(ic_plot_line(plot, p->left, y, p->left + p->width, y, 1, GRID));
        IC_TRY(ic_plot_text(plot, p->left - 8, y + 4, 11, IC_ANCHOR_END, false, FAINT,
                            ic_text_float(value * p->times, digits_of(step * p->times), text)));
    }
    double every = ic_plot_step((double)p->epochs, 8);
    if (every < 1)
        every = 1;
    for (size_t e = 0; e < p->epochs; e++)
        if (e == 0 || (e + 1) % (size_t)every == 0)
            IC_TRY(ic_plot_text(plot, x_of(p, e), p->top + p->height + 18, 11, IC_ANCHOR_MIDDLE,
                                false, FAINT, ic_text_float((double)(e + 1), 0, text)));
    return ic_plot_text(plot, p->left + p->width / 2, p->top + p->height + 38, 12, IC_ANCHOR_MIDDLE,
                        false, FAINT, "epoch");
}

static ic_status draw_curve(const panel *p, const json_t *epochs, const char *key, uint32_t colour,
                            ic_plot *plot)
{
    double lx = 0, ly = NAN;
    for (size_t e = 0; e < p->epochs; e++) {
        double value = ic_plot_epoch_value(epochs, e, key), x = x_of(p, e), y = y_of(p, value);
        if (isfinite(y) && isfinite(ly))
            IC_TRY(ic_plot_line(plot, lx, ly, x, y, 2.2, colour));
        if (isfinite(y) && p->epochs <= 40)
            IC_TRY(ic_plot_circle(plot, x, y, 2.6, colour));
        lx = x;
        ly = y;
    }
    return IC_OK;
}

/* A line and a dot at the epoch that is kept, and its value in words in the corner. */
static ic_status draw_best(const panel *p, double value, size_t epoch, ic_plot *plot)
{
    char number[IC_TEXT_FLOAT_MAX], text[IC_TEXT_FLOAT_MAX + 32];
    double x = x_of(p, epoch), y = y_of(p, value);
    snprintf(text, sizeof text, "epoch %zu: %s%s", epoch + 1,
             ic_text_float(value * p->times, p->digits, number), p->unit);
    IC_TRY(ic_plot_line(plot, x, y, x, p->top + p->height, 1, UNSEEN));
    IC_TRY(ic_plot_circle(plot, x, y, 5, UNSEEN));
    return ic_plot_text(plot, p->left + p->width, p->top - 18, 13, IC_ANCHOR_END, false, UNSEEN,
                        text);
}

static ic_status draw_panel(panel p, const json_t *epochs, const char *title,
                            const char *const keys[2], size_t best, ic_plot *plot)
{
    p.epochs = json_array_size(epochs);
    double step = fit_range(&p, epochs, keys);
    IC_TRY(draw_axes(&p, step, title, plot));
    IC_TRY(draw_curve(&p, epochs, keys[0], TRAIN, plot));
    IC_TRY(draw_curve(&p, epochs, keys[1], UNSEEN, plot));
    double value =
        best > 0 && best <= p.epochs ? ic_plot_epoch_value(epochs, best - 1, keys[1]) : NAN;
    return isfinite(value) ? draw_best(&p, value, best - 1, plot) : IC_OK;
}

static ic_status draw_legend(double y, ic_plot *plot)
{
    static const struct {
        double x;
        uint32_t colour;
        const char *text;
    } entries[] = {{70, TRAIN, "training pictures"}, {230, UNSEEN, "unseen pictures"}};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        IC_TRY(ic_plot_line(plot, entries[i].x, y, entries[i].x + 20, y, 3, entries[i].colour));
        IC_TRY(ic_plot_text(plot, entries[i].x + 28, y + 4, 12, IC_ANCHOR_START, false, INK,
                            entries[i].text));
    }
    IC_TRY(ic_plot_circle(plot, 390, y, 5, UNSEEN));
    return ic_plot_text(plot, 402, y + 4, 12, IC_ANCHOR_START, false, INK,
                        "the best epoch, which is kept");
}

static ic_status draw_record(ic_context *context, const json_t *record, const char *path)
{
    static const char *const losses[2] = {"train_loss", "validation_loss"};
    static const char *const accuracies[2] = {"train_accuracy", "validation_accuracy"};
    const panel loss = {
        .left = 70, .top = 60, .width = 360, .height = 240, .times = 1, .digits = 3, .unit = ""};
    const panel accuracy = {.left = 510,
                            .top = 60,
                            .width = 360,
                            .height = 240,
                            .times = 100,
                            .digits = 1,
                            .unit = " %"};
    const json_t *epochs = json_object_get(record, "epochs");
    size_t best = (size_t)json_integer_value(json_object_get(record, "best_epoch"));
    ic_plot *plot = NULL;
    ic_status status;
    IC_TRY(ic_plot_create(context, 900, 400, &plot));
    IC_TRY_CLEAN(draw_panel(loss, epochs, "loss", losses, best, plot));
    IC_TRY_CLEAN(draw_panel(accuracy, epochs, "accuracy, %", accuracies, best, plot));
    IC_TRY_CLEAN(draw_legend(376, plot));
    IC_TRY_CLEAN(ic_plot_save(plot, path));
cleanup:
    ic_plot_free(plot);
    return status;
}

ic_status ic_model_plot_history(const ic_model *model, const char *path)
{
    if (model == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_plot_history wants a model and a path");
    json_t *record = NULL;
    IC_TRY(ic_model_record(model, &record));
    ic_status status =
        json_array_size(json_object_get(record, "epochs")) > 0
            ? draw_record(model->context, record, path)
            : ic_fail(IC_ERROR_STATE, "the model has no training record to draw: train it first");
    json_decref(record);
    return status;
}

ic_status ic_trainer_plot(const ic_trainer *trainer, const char *path)
{
    if (trainer == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_trainer_plot wants a trainer and a path");
    if (trainer->state.epoch == 0)
        return ic_fail(IC_ERROR_STATE,
                       "there are no curves to draw before the first epoch is over");
    json_t *record = NULL;
    IC_TRY(ic_training_record(trainer, trainer->state.epoch, trainer->state.best_epoch, &record));
    ic_status status = draw_record(trainer->context, record, path);
    json_decref(record);
    return status;
}
