/*
 * train/test_levels.c: the option cpu_level. A trained at each level of this CPU: the same bytes
 * when it is repeated, the same numbers within rounding as those of the portable level.
 * SPDX-License-Identifier: MIT
 */
#include "shapes.h"

#include "base/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EACH = 12, STEPS_MAX = 16, NEW = 6 };

#define BOUND 1e-4 /* of losses and probabilities at two levels */

typedef struct trained {
    double loss[STEPS_MAX]; /* after each step */
    int32_t steps;
    float probability[NEW][SHAPE_CLASSES]; /* of new pictures, by the model that came out */
    unsigned char *file;
    size_t file_bytes;
} trained;

static void predict_new(ic_context *context, const ic_model *model, trained *out)
{
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    for (int32_t i = 0; i < NEW; i++) {
        ic_image *image = shape_image(context, i % SHAPE_CLASSES, 500 + (uint64_t)i, SHAPE_SIDE);
        assert_ok(ic_predict(model, image, prediction));
        for (int32_t rank = 0; rank < SHAPE_CLASSES; rank++) {
            int32_t found = -1;
            float probability = 0;
            assert_ok(ic_prediction_class(prediction, rank, &found, &probability));
            out->probability[i][found] = probability;
        }
        ic_image_free(image);
    }
    ic_prediction_free(prediction);
}

/* From nothing to the bytes of the model file, by the public functions, one epoch. */
static trained train(const char *network, const char *level, const char *threads)
{
    const char *const for_context[] = {"cpu_level", level, "threads", threads, NULL};
    const char *const for_training[] = {"network",    network,    "epochs",        "1",
                                        "batch_size", "6",        "seed",          "3",
                                        "optimizer",  "sgd",      "learning_rate", "0.002",
                                        "schedule",   "constant", "warmup_epochs", "0",
                                        NULL};
    trained out = {.steps = 0};
    ic_context *context = test_context(1);
    ic_options *context_options = shapes_options(context, for_context);
    assert_ok(ic_context_configure(context, context_options));
    training made;
    assert_ok(training_try(context, EACH, for_training, &made));
    ic_status status;
    while ((status = ic_train_step(made.trainer)) == IC_OK)
        if (out.steps < STEPS_MAX)
            assert_ok(ic_trainer_value(made.trainer, "loss", &out.loss[out.steps++]));
    assert_int_equal(status, IC_DONE);
    predict_new(context, made.model, &out);
    out.file = saved_model(made.model, &out.file_bytes);
    training_end(&made);
    ic_options_free(context_options);
    return out;
}

static void check_same(const trained *a, const trained *b)
{
    assert_int_equal(a->file_bytes, b->file_bytes);
    assert_memory_equal(a->file, b->file, a->file_bytes);
    assert_memory_equal(a->loss, b->loss, sizeof a->loss);
    assert_memory_equal(a->probability, b->probability, sizeof a->probability);
}

/* Rounding differs in the last bits of sums, and grows with every step. */
static void check_close(const char *network, const char *level, const trained *a,
                        const trained *reference)
{
    assert_int_equal(a->steps, reference->steps);
    double worst_loss = 0, worst_probability = 0;
    for (int32_t i = 0; i < a->steps; i++)
        worst_loss = fmax(worst_loss, fabs(a->loss[i] - reference->loss[i]));
    for (int32_t i = 0; i < NEW; i++)
        for (int32_t k = 0; k < SHAPE_CLASSES; k++)
            worst_probability = fmax(worst_probability, fabs((double)a->probability[i][k] -
                                                             (double)reference->probability[i][k]));
    print_message("%s at %s: losses within %.1e, probabilities within %.1e\n", network, level,
                  worst_loss, worst_probability);
    assert_true(worst_loss <= BOUND && worst_probability <= BOUND);
}

static void check_network(void **state)
{
    const char *network = *state;
    trained reference = train(network, "c", "1");
    assert_true(reference.steps >= 5);
    assert_true(fabs(reference.loss[reference.steps - 1] - reference.loss[0]) > 50 * BOUND);
    for (int32_t i = IC_CPU_C; i < IC_CPU_LEVELS; i++) {
        ic_cpu_level level = (ic_cpu_level)i;
        if (!ic_cpu_has(level))
            continue;
        trained once = train(network, ic_cpu_level_name(level), "1");
        trained again = train(network, ic_cpu_level_name(level), "2");
        check_same(&once, &again);
        check_close(network, ic_cpu_level_name(level), &once, &reference);
        free(once.file);
        free(again.file);
    }
    free(reference.file);
}

/* "auto" is the highest, so it gives that level's bytes. */
static void auto_is_the_highest(void **state)
{
    (void)state;
    trained automatic = train("lenet5", "auto", "1");
    trained highest = train("lenet5", ic_cpu_level_name(ic_cpu_detect()), "1");
    check_same(&automatic, &highest);
    free(automatic.file);
    free(highest.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"lenet5", check_network, NULL, NULL, "lenet5"},
        {"plain", check_network, NULL, NULL, "plain"},
        cmocka_unit_test(auto_is_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
