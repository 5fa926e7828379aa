/* train/test_rates.c: patterns of names, and the runs that they make. SPDX-License-Identifier: MIT
 */
#include "support/support.h"

#include "base/memory.h"
#include "train/optimiser.h"

#include <stdlib.h>
#include <string.h>

/* conv1.weight; norm.weight, norm.bias; fc1.weight, fc1.bias; fc2.weight, fc2.bias */
static ic_graph *make_graph(ic_context *context)
{
    const ic_conv_options conv = {.k = 16, .size = 3, .padding = 1};
    ic_graph *graph;
    assert_ok(ic_graph_create(context, (ic_shape){4, 4, 3}, &graph));
    ic_node x = ic_graph_conv(graph, "conv1", ic_graph_input(graph), &conv);
    x = ic_graph_global_pool(graph, ic_graph_batch_norm(graph, "norm", x));
    x = ic_graph_linear(graph, "fc1", x, 24, true);
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc2", x, 5, true)));
    return graph;
}

static ic_training_recipe recipe_of(const char *rates)
{
    ic_training_recipe recipe = {.learning_rate = 0.1,
                                 .sgd_rate = 0.1,
                                 .momentum = 0.9,
                                 .weight_decay = 0.1,
                                 .accumulate = 1};
    strcpy(recipe.rates, rates);
    return recipe;
}

static const ic_parameter *parameter(const ic_graph *graph, const char *name)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++)
        if (strcmp(ic_graph_parameter(graph, i)->name, name) == 0)
            return ic_graph_parameter(graph, i);
    fail_msg("no %s", name);
    return NULL;
}

/* The run that a parameter lies in as a whole. */
static ic_parameter_run run_of(const ic_parameter_run *runs, int32_t count, const ic_parameter *p)
{
    for (int32_t i = 0; i < count; i++)
        if (p->offset >= runs[i].offset && p->offset < runs[i].offset + runs[i].count) {
            assert_true(p->offset + p->count <= runs[i].offset + runs[i].count);
            return runs[i];
        }
    fail_msg("%s is in no run", p->name);
    return runs[0];
}

/* Whether `name` has this factor and these epochs under these rates. */
static void check(const char *rates, const char *name, double factor, int64_t epochs)
{
    ic_context *context = test_context(1);
    ic_graph *graph = make_graph(context);
    ic_training_recipe recipe = recipe_of(rates);
    ic_parameter_run *runs;
    int32_t count;
    assert_ok(ic_rates_resolve(context, graph, &recipe, &runs, &count));
    ic_parameter_run run = run_of(runs, count, parameter(graph, name));
    assert_true(run.factor == factor && run.epochs == epochs && run.rows == 0);
    assert_int_equal(run.decays, strstr(name, ".weight") != NULL && name[0] != 'n');
    ic_free(context, runs);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void patterns_match_as_shells_do(void **state)
{
    check("", "fc1.bias", 1, INT64_MAX);
    check("fc1.bias=2", "fc1.bias", 2, INT64_MAX);
    check("fc1.bias=2", "fc2.bias", 1, INT64_MAX);
    check("fc?.bias=2.5", "fc2.bias", 2.5, INT64_MAX);
    check("*=0", "conv1.weight", 0, INT64_MAX);
    check("*.bias=3@7,*=0", "norm.bias", 3, 7);
    check("*.bias=3@7,*=0", "norm.weight", 0, INT64_MAX);
    check("**1*.*i*t*=4,f*=5", "fc1.weight", 4, INT64_MAX);
    check("**1*.*i*t*=4,f*=5", "fc1.bias", 5, INT64_MAX);
    check("*i?s=4", "fc1.bias", 4, INT64_MAX);
    check("fc1.b*=6,fc1.bias=7,", "fc1.bias", 6, INT64_MAX); /* the first wins */
}

static void no_more_runs_than_needed(void **state)
{
    static const struct {
        const char *rates;
        ic_optimizer_kind kind;
        int32_t runs;
    } cases[] = {
        {"", IC_OPTIMIZER_SGD, 2},        {"*=3", IC_OPTIMIZER_ADAMW, 2},
        {"fc1.*=3", IC_OPTIMIZER_SGD, 6}, {"fc*=3", IC_OPTIMIZER_SGD, 4},
        {"", IC_OPTIMIZER_MUON, 4}, /* conv1 and fc1; fc2; the rest */
    };
    ic_context *context = test_context(1);
    ic_graph *graph = make_graph(context);
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ic_training_recipe recipe = recipe_of(cases[i].rates);
        ic_parameter_run *runs;
        int32_t count;
        recipe.optimizer = cases[i].kind;
        assert_ok(ic_rates_resolve(context, graph, &recipe, &runs, &count));
        assert_int_equal(count, cases[i].runs);
        assert_int_equal(runs[count].offset, sizes.trained);
        assert_int_equal(runs[count].count, sizes.total - sizes.trained);
        if (cases[i].kind == IC_OPTIMIZER_MUON) {
            assert_true(runs[0].rows == 16 && runs[0].columns == 27);
            assert_true(runs[1].rows == 24 && runs[1].columns == 16 && runs[2].rows == 0);
        }
        ic_free(context, runs);
    }
    ic_graph_free(graph);
    ic_context_free(context);
}

static void mistakes_are_named(void **state)
{
    static const char *const wrong[][2] = {
        {"fc3.*=2", "\"fc3.*\" in \"rates\" or \"freeze\" fits no parameter"},
        {"fc3.*=2", "such as \"conv1.weight\""},
        {"norm.running_*=0", "\"norm.running_*\" in"},
        {"fc1.*", "\"fc1.*\" in \"rates\" names no factor"},
        {"=2", "names no factor"},
        {"fc1.*=x", "no factor of 0 to 1000000"},
        {"fc1.*=-1", "no factor of 0 to 1000000"},
        {"fc1.*=nan", "no factor of 0 to 1000000"},
        {"fc1.*=1@", "no whole number behind @"},
        {"fc1.*=1@2.5", "no whole number behind @"},
        {"*=1,fc1.*=1@-1", "\"fc1.*=1@-1\" in \"rates\" has no whole number behind @"},
    };
    ic_context *context = test_context(1);
    ic_graph *graph = make_graph(context);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ic_training_recipe recipe = recipe_of(wrong[i][0]);
        ic_parameter_run *runs;
        int32_t count;
        assert_fails(IC_ERROR_OPTION, wrong[i][1],
                     ic_rates_resolve(context, graph, &recipe, &runs, &count));
    }
    ic_graph_free(graph);
    ic_context_free(context);
}

/* Whatever the optimiser, its averages, decay and clipping; the others move. */
static void what_is_frozen_keeps_its_bits(void **state)
{
    ic_context *context = test_context(2);
    ic_graph *graph = make_graph(context);
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    float *start = calloc((size_t)sizes.total, sizeof *start);
    assert_non_null(start);
    for (int64_t i = 0; i < sizes.total; i++)
        start[i] = (float)(i % 13 - 6) / 7;
    for (int32_t kind = IC_OPTIMIZER_SGD; kind <= IC_OPTIMIZER_MUON; kind++) {
        ic_training_recipe recipe = recipe_of("conv1.*=0,norm.weight=1@2,fc2.bias=0");
        ic_optimiser *optimiser;
        recipe.optimizer = (ic_optimizer_kind)kind;
        recipe.clip_norm = 1;
        recipe.average = IC_AVERAGE_LOOKAHEAD;
        assert_ok(ic_optimiser_create(context, &recipe, graph, start, &optimiser));
        float *p = optimiser->parameters, norm = 0;
        const ic_parameter *late = parameter(graph, "norm.weight");
        for (int64_t step = 0; step < 4; step++) {
            ic_update update = {0.1, step, 0.01 * (double)(step + 1), step, 1};
            memcpy(optimiser->gradients, start, (size_t)sizes.trained * sizeof *start);
            assert_ok(ic_optimiser_step(optimiser, &update));
            assert_int_equal(p[late->offset] != norm, step < 2); /* two epochs of one step */
            norm = p[late->offset];
        }
        for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
            const ic_parameter *q = ic_graph_parameter(graph, i);
            bool frozen = q->role == IC_ROLE_STATISTIC || strncmp(q->name, "conv1", 5) == 0 ||
                          strcmp(q->name, "fc2.bias") == 0;
            size_t bytes = (size_t)q->count * sizeof *p;
            assert_int_equal(memcmp(p + q->offset, start + q->offset, bytes) == 0, frozen);
        }
        ic_optimiser_free(optimiser);
    }
    free(start);
    ic_graph_free(graph);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_shells_do),
        cmocka_unit_test(no_more_runs_than_needed),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(what_is_frozen_keeps_its_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
