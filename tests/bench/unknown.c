/*
 * bench/unknown.c: fits what a finished model knows of its own answers anew, and measures it.
 *
 *     unknown MODEL DATA OUT [STRANGERS...]
 *
 * MODEL was trained on DATA, whose training and validation pictures are found again as `imgcls
 * evaluate` does; OUT is the model with the confidence, "-" for none. Prints the calibration of
 * the test pictures, and for each folder of strangers (of its test part, at most 300 pictures) the
 * area under the ROC curve against the test pictures and the share that is refused.
 * SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "base/options.h"
#include "base/random.h"
#include "dataset/loader.h"
#include "evaluate/evaluation.h"
#include "model/calibrate.h"
#include "model/model.h"
#include "train/trainer.h"

#include <imgcls/prediction.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, TRAINING_MOST = 2000, STRANGERS_MOST = 300, DRAWS = 1000 };

static void check(ic_status status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "unknown: %s: %s\n", what, ic_last_error());
    exit(1);
}

typedef struct thinning {
    int64_t count, most;
} thinning;

static bool is_chosen(void *payload, int64_t index)
{
    const thinning *t = payload;
    return t->count <= t->most || index * t->most / t->count != (index + 1) * t->most / t->count;
}

static ic_dataset *part_of(const ic_model *model, const char *path, const char *name, int64_t most)
{
    ic_options *options;
    ic_dataset *all, *part, *some;
    const char *found;
    bool known;
    check(ic_options_create(model->context, &options), path);
    check(ic_options_set_text(options, "verify", "header"), path);
    check(ic_dataset_open(model->context, path, options, &all), path);
    check(ic_evaluation_part(model, all, name, &part, &found, &known), path);
    thinning t = {ic_dataset_count(part), most};
    check(ic_dataset_select(part, is_chosen, &t, &some), path);
    ic_dataset_free(part);
    ic_dataset_free(all);
    ic_options_free(options);
    return some;
}

/* ---- Fitting ---- */

/* That of the model's training. */
static ic_training_recipe recipe_of(const ic_model *model, const ic_dataset *train)
{
    json_t *record;
    ic_options *options;
    ic_data_facts facts;
    ic_training_recipe recipe;
    check(ic_model_record(model, &record), "record");
    check(ic_training_recipe_options(model->context, json_object_get(record, "options"), &options),
          "options");
    check(ic_recipe_look(model->context, train, &facts), "pictures");
    check(ic_recipe_training(model->context, &facts, model->network, &model->pipeline, options,
                             &recipe),
          "recipe");
    ic_options_free(options);
    json_decref(record);
    return recipe;
}

/* With a recipe: reframed as in its training. */
static void show(const ic_model *model, const ic_dataset *part, const ic_training_recipe *recipe,
                 ic_fitting *fitting, ic_status (*take)(ic_fitting *, const ic_batch *))
{
    ic_loader *loader;
    int32_t *map;
    check(ic_model_class_map(model, part, &map), "classes");
    ic_loader_options options = {.pipeline = model->pipeline, .batch = BATCH, .class_map = map};
    if (recipe != NULL) {
        options.augmented = true;
        options.augment = ic_trust_view(&recipe->augment);
        options.seed = recipe->seed;
    }
    check(ic_loader_create(model->context, part, &options, &loader), "loader");
    check(ic_loader_seek(loader, 0, 0), "loader");
    for (int64_t i = 0; i < ic_loader_batches(loader); i++) {
        ic_batch batch;
        check(ic_loader_next(loader, &batch), "picture");
        check(take(fitting, &batch), "fitting");
    }
    ic_loader_free(loader);
    ic_free(model->context, map);
}

static void fit(ic_model *model, const char *data)
{
    ic_dataset *train = part_of(model, data, "train", TRAINING_MOST);
    ic_dataset *validation = part_of(model, data, "validation", INT32_MAX);
    ic_fitting *fitting;
    ic_confidence *made;
    ic_weights *weights = ic_model_weights(model);
    const ic_training_recipe recipe = recipe_of(model, train);
    double began = ic_clock_seconds();
    ic_fitting_options options = {.calibrate = true,
                                  .unknown = true,
                                  .share = 0.05,
                                  .training = ic_dataset_count(train),
                                  .validation = ic_dataset_count(validation),
                                  .further_looks = 1,
                                  .batch = BATCH};
    check(ic_fitting_create(model->context, model->graph, &model->pipeline, weights, &options,
                            &fitting),
          "fitting");
    show(model, train, NULL, fitting, ic_fitting_train);
    show(model, validation, NULL, fitting, ic_fitting_validate);
    show(model, validation, &recipe, fitting, ic_fitting_validate);
    check(ic_fitting_finish(fitting, &made), "fitting");
    printf("fitted in %.1f s on %d + %d pictures: temperature %.4f, calibration error of the "
           "validation %.2f %% -> %.2f %%\n",
           ic_clock_seconds() - began, (int)options.training, (int)options.validation,
           made->temperature, 100 * made->error_before, 100 * made->error_after);
    ic_model_trust(model, made);
    ic_fitting_free(fitting);
    ic_weights_free(weights);
    ic_dataset_free(validation);
    ic_dataset_free(train);
}

/* ---- Measuring ---- */

typedef struct answers {
    int64_t count;
    int32_t *labels;
    float *logits; /* logarithms of the probabilities */
    float *scores;
    int64_t refused;
} answers;

static answers ask(const ic_model *model, const ic_dataset *part)
{
    int64_t count = ic_dataset_count(part);
    int32_t classes = model->class_count, *map;
    answers out = {count, malloc((size_t)count * sizeof(int32_t)),
                   malloc((size_t)(count * classes) * sizeof(float)),
                   malloc((size_t)count * sizeof(float)), 0};
    ic_prediction *prediction;
    check(ic_model_class_map(model, part, &map), "classes");
    check(ic_prediction_create(model->context, &prediction), "prediction");
    for (int64_t i = 0; i < count; i++) {
        ic_image *image = NULL;
        float threshold;
        const float *probabilities;
        check(ic_model_read_image(model, part, i, &image), "picture");
        check(ic_predict(model, image, prediction), "prediction");
        check(ic_prediction_probabilities(prediction, 0, &probabilities, NULL), "prediction");
        check(ic_prediction_unknown(prediction, 0, &out.scores[i], &threshold), "prediction");
        out.labels[i] = map[ic_dataset_at(part, i)->class_index];
        for (int32_t k = 0; k < classes; k++)
            out.logits[i * classes + k] = (float)ic_ln((double)probabilities[k] + 1e-30);
        out.refused += out.scores[i] > threshold;
        ic_image_free(image);
    }
    ic_prediction_free(prediction);
    ic_free(model->context, map);
    return out;
}

static void free_answers(answers *a)
{
    free(a->labels);
    free(a->logits);
    free(a->scores);
}

/* The chance that a stranger scores higher than a test picture. */
static double area(const answers *known, const answers *strangers)
{
    double sum = 0;
    for (int64_t i = 0; i < known->count; i++)
        for (int64_t j = 0; j < strangers->count; j++)
            sum += strangers->scores[j] > known->scores[i]    ? 1
                   : strangers->scores[j] == known->scores[i] ? 0.5
                                                              : 0;
    return sum / (double)known->count / (double)strangers->count;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 95th percentile of the calibration errors that labels drawn from the probabilities have. */
static double drawn_error(const ic_model *model, const answers *a)
{
    static double errors[DRAWS];
    int32_t classes = model->class_count;
    int32_t *labels = malloc((size_t)a->count * sizeof *labels);
    for (int32_t draw = 0; draw < DRAWS; draw++) {
        ic_random random = ic_random_at(1, IC_USE_SHUFFLE, (uint64_t)draw, 0);
        for (int64_t i = 0; i < a->count; i++) {
            double at = ic_random_unit(&random);
            int32_t k = 0;
            for (; k + 1 < classes; k++) {
                at -= ic_exp((double)a->logits[i * classes + k]);
                if (at < 0)
                    break;
            }
            labels[i] = k;
        }
        ic_judged judged = {a->logits, labels, a->count, classes};
        check(ic_calibration_error(model->context, &judged, 1, &errors[draw]), "error");
    }
    free(labels);
    qsort(errors, DRAWS, sizeof *errors, ascending);
    return errors[DRAWS * 95 / 100];
}

static void measure(const ic_model *model, const char *data, char **strangers, int count)
{
    ic_dataset *test = part_of(model, data, "test", INT32_MAX);
    answers known = ask(model, test);
    ic_judged judged = {known.logits, known.labels, known.count, model->class_count};
    double after, before, best = ic_temperature_fit(&judged, 1);
    double back = 1 / model->confidence->temperature;
    check(ic_calibration_error(model->context, &judged, 1, &after), "error");
    check(ic_calibration_error(model->context, &judged, back, &before), "error");
    printf(
        "test: %d pictures, calibration error %.2f %% -> %.2f %% (95 of 100 draws from the "
        "probabilities are below %.2f %%; fitted on the test, the temperature would be %.3f times "
        "as high); refused %.1f %%\n",
        (int)known.count, 100 * before, 100 * after, 100 * drawn_error(model, &known), best,
        100.0 * (double)known.refused / (double)known.count);
    for (int i = 0; i < count; i++) {
        ic_dataset *part = part_of(model, strangers[i], "test", STRANGERS_MOST);
        answers others = ask(model, part);
        printf("%s: %d pictures, AUROC %.4f, refused %.1f %%\n", strangers[i], (int)others.count,
               area(&known, &others), 100.0 * (double)others.refused / (double)others.count);
        free_answers(&others);
        ic_dataset_free(part);
    }
    free_answers(&known);
    ic_dataset_free(test);
}

int main(int argc, char **argv)
{
    ic_context *context;
    ic_model *model;
    if (argc < 4) {
        fprintf(stderr, "usage: unknown MODEL DATA OUT [STRANGERS...]\n");
        return 2;
    }
    check(ic_context_create(&context), "context");
    check(ic_model_load(context, argv[1], &model), argv[1]);
    fit(model, argv[2]);
    if (strcmp(argv[3], "-") != 0)
        check(ic_model_save(model, argv[3]), argv[3]);
    measure(model, argv[2], argv + 4, argc - 4);
    ic_model_free(model);
    ic_context_free(context);
    return 0;
}
