/*
 * train/test_steps.c: rates, losses and twenty steps of the optimisers against PyTorch.
 * SPDX-License-Identifier: MIT
 *
 * goldens/steps.json is what PyTorch computes in float64 (tests/tools/goldens_train.py) from
 * parameters and gradients that both sides make from the same hash.
 */
#include "support/hashed.h"
#include "support/support.h"

#include "base/file.h"
#include "base/json.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 5, EACH = 4, STEPS = EPOCHS * EACH };

static const double BOUND = 1e-5; /* of a value, or of its size beyond 1 */

static json_t *read_golden(ic_context *context)
{
    ic_buffer text = {.context = context};
    json_t *golden = NULL;
    assert_ok(ic_file_read(context, GOLDENS "/steps.json", 1 << 20, &text));
    assert_ok(ic_json_parse((const char *)text.bytes, text.size, "steps.json", &golden));
    ic_buffer_free(&text);
    return golden;
}

/* As a user gives them; what is left out is that of goldens_train.py. */
static ic_training_recipe recipe_of(ic_context *context, const json_t *pairs)
{
    static const char *const common[] = {
        "epochs",        "5", "batch_size",  "32", "learning_rate", "0.05", "weight_decay", "0.01",
        "warmup_epochs", "1", "step_epochs", "2",  "average",       "none",
    };
    ic_data_facts facts = {1000, 10, 240, 240, false, false, 1};
    ic_pipeline pipeline = {.width = 96, .height = 96, .channels = 3};
    ic_options *options;
    ic_training_recipe recipe;
    const char *key;
    json_t *text;
    assert_ok(ic_options_create(context, &options));
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i += 2)
        assert_ok(ic_options_set_text(options, common[i], common[i + 1]));
    json_object_foreach((json_t *)pairs, key, text)
        assert_ok(ic_options_set_text(options, key, json_string_value(text)));
    assert_ok(ic_recipe_training(context, &facts, "", &pipeline, options, &recipe));
    ic_options_free(options);
    return recipe;
}

/* A convolution, its norm, a tall matrix and the last layer. */
static ic_graph *make_graph(ic_context *context)
{
    const ic_conv_options conv = {.k = 6, .size = 3, .padding = 1};
    ic_graph *graph;
    assert_ok(ic_graph_create(context, (ic_shape){4, 4, 3}, &graph));
    ic_node x = ic_graph_conv(graph, "conv1", ic_graph_input(graph), &conv);
    x = ic_graph_global_pool(graph, ic_graph_batch_norm(graph, "norm", x));
    x = ic_graph_linear(graph, "fc1", x, 24, true);
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc2", x, 5, true)));
    return graph;
}

/* [-1/2, 1/2), about 1 for variances. */
static void fill(const ic_parameter *p, const char *prefix, float *flat)
{
    uint64_t hash = name_hash(prefix, p->name);
    double centre = strstr(p->name, "_var") ? 1 : 0;
    for (int64_t i = 0; i < p->count; i++)
        flat[p->offset + i] = (float)(centre + value_at(hash, i) / 2);
}

/* What a backward pass leaves, and the statistics that the forward pass before it does. */
static void play_batch(const ic_graph *graph, ic_optimiser *optimiser, int step, int nth, int batch)
{
    char prefix[40];
    float *target = ic_optimiser_target(optimiser, nth);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        if (p->role == IC_ROLE_STATISTIC) {
            snprintf(prefix, sizeof prefix, "statistic %d ", step);
            fill(p, prefix, optimiser->parameters);
            continue;
        }
        snprintf(prefix, sizeof prefix, "gradient %d ", batch);
        uint64_t hash = name_hash(prefix, p->name);
        for (int64_t j = 0; j < p->count; j++)
            target[p->offset + j] = (float)value_at(hash, j);
    }
    if (nth > 0)
        assert_ok(ic_optimiser_accumulate(optimiser, 0));
}

static void check(const char *name, const ic_parameter *p, const json_t *wanted, const float *flat)
{
    uint64_t hash = name_hash("sample:", p->name);
    double norm = 0;
    for (int64_t i = 0; i < p->count; i++)
        norm += (double)flat[p->offset + i] * (double)flat[p->offset + i];
    assert_int_equal(json_array_size(wanted), 4);
    for (size_t i = 0; i < 4; i++) {
        int64_t place = i > 0 ? (int64_t)(bits_at(hash, (int64_t)i - 1) % (uint64_t)p->count) : 0;
        double got = i > 0 ? (double)flat[p->offset + place] : sqrt(norm);
        double expected = json_number_value(json_array_get(wanted, i));
        if (!(fabs(got - expected) <= BOUND * fmax(1, fabs(expected))))
            fail_msg("%s: %s, value %d: %.9g in place of %.9g", name, p->name, (int)i, got,
                     expected);
    }
}

static void check_case(ic_context *context, const char *name, const json_t *wanted)
{
    ic_training_recipe recipe = recipe_of(context, json_object_get(wanted, "options"));
    ic_graph *graph = make_graph(context);
    ic_schedule schedule = ic_schedule_make(&recipe, EACH);
    float *start = calloc((size_t)ic_graph_parameter_sizes(graph).total, sizeof *start);
    ic_optimiser *optimiser;
    assert_non_null(start);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++)
        fill(ic_graph_parameter(graph, i), "", start);
    assert_ok(ic_optimiser_create(context, &recipe, graph, start, &optimiser));
    for (int step = 0; step < STEPS; step++) {
        ic_update update = {.rate = ic_schedule_rate(&schedule, step),
                            .step = step,
                            .share = (double)(step + 1) / STEPS,
                            .epoch = step / EACH,
                            .batches = recipe.accumulate};
        for (int nth = 0; nth < recipe.accumulate; nth++)
            play_batch(graph, optimiser, step, nth, step * recipe.accumulate + nth);
        assert_ok(ic_optimiser_step(optimiser, &update));
    }
    const json_t *after = json_object_get(wanted, "after");
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        check(name, p, json_object_get(after, p->name), ic_optimiser_result(optimiser));
    }
    ic_optimiser_free(optimiser);
    ic_graph_free(graph);
    free(start);
}

static void steps_are_torchs(void **state)
{
    ic_context *context = test_context(2);
    json_t *golden = read_golden(context), *wanted;
    const char *name;
    assert_int_equal(json_object_size(json_object_get(golden, "cases")), 8);
    json_object_foreach(json_object_get(golden, "cases"), name, wanted)
        check_case(context, name, wanted);
    json_decref(golden);
    ic_context_free(context);
}

static void schedules_are_torchs(void **state)
{
    ic_context *context = test_context(1);
    json_t *golden = read_golden(context), *rates;
    const char *kind;
    assert_int_equal(json_object_size(json_object_get(golden, "schedules")), 5);
    json_object_foreach(json_object_get(golden, "schedules"), kind, rates)
    {
        json_t *pairs = json_pack("{s:s}", "schedule", kind);
        ic_training_recipe recipe = recipe_of(context, pairs);
        ic_schedule schedule = ic_schedule_make(&recipe, EACH);
        assert_int_equal(json_array_size(rates), STEPS);
        for (size_t i = 0; i < STEPS; i++)
            assert_true(fabs(ic_schedule_rate(&schedule, (int64_t)i) -
                             json_number_value(json_array_get(rates, i))) < 1e-13);
        json_decref(pairs);
    }
    json_decref(golden);
    ic_context_free(context);
}

static void losses_are_torchs(void **state)
{
    enum { ROWS = 6, CLASSES = 5 };
    static const int32_t labels[ROWS] = {0, 3, 1, 4, 3, 3};
    static const int64_t counts[CLASSES] = {1, 1, 0, 3, 1};
    const ic_targets targets = {.labels = labels};
    ic_context *context = test_context(1);
    json_t *golden = read_golden(context), *wanted = json_object_get(golden, "loss");
    json_t *slopes = json_object_get(wanted, "gradients");
    float logits[ROWS * CLASSES], gradients[ROWS * CLASSES];
    ic_loss *loss;
    ic_loss_sums sums;
    for (int i = 0; i < ROWS * CLASSES; i++)
        logits[i] = (float)(4 * value_at(name_hash("", "logits"), i));
    assert_ok(ic_loss_create(context, CLASSES, ROWS, 0.2, counts, &loss));
    assert_ok(ic_loss_train(loss, ROWS, logits, &targets, gradients, &sums));
    assert_true(fabs(sums.loss - json_number_value(json_object_get(wanted, "sum"))) < BOUND);
    assert_int_equal(json_array_size(slopes), ROWS * CLASSES);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_true(fabs((double)gradients[i] - json_number_value(json_array_get(slopes, i))) <
                    1e-6);
    json_decref(golden);
    ic_loss_free(loss);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_are_torchs),
        cmocka_unit_test(losses_are_torchs),
        cmocka_unit_test(steps_are_torchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
