/*
 * graph/test_frozen.c: parameters that do not train cost no work, and change no bit of what the
 * others get. SPDX-License-Identifier: MIT
 */
#include "rig.h"

#include "graph/executor_state.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

static const float untouched = 1234.5f; /* in gradients that nobody writes */

typedef struct network {
    const char *name;
    int32_t side, channels;
} network;

static const network networks[] = {
    {"resnet18", 40, 3},     {"resnet9", 16, 3},
    {"airbench94", 32, 3},   {"lenet5", 28, 1},
    {"plain", 20, 3},        {"efficientnet_b0", 32, 3},
    {"small", 20, 1},        {"mobilenet_v3_large", 32, 3},
    {"mobilenet_v2", 32, 3},
};

enum { NETWORKS = sizeof networks / sizeof networks[0], BATCH = 3, CLASSES = 5 };

/* One step of training; what it gives. */
typedef struct trace {
    float *logits, *parameters, *gradients;
    size_t memory;
} trace;

static float *copy(const float *values, int64_t count)
{
    float *made = malloc((size_t)count * sizeof *made);
    assert_non_null(made);
    memcpy(made, values, (size_t)count * sizeof *made);
    return made;
}

static void free_trace(trace *t)
{
    free(t->logits);
    free(t->parameters);
    free(t->gradients);
}

/* Nothing is 0 or 1, so that nothing drops out of the gradients. */
static float *make_parameters(const ic_graph *graph)
{
    int64_t total = ic_graph_parameter_sizes(graph).total;
    float *made = calloc((size_t)total, sizeof *made);
    test_numbers numbers = {.state = 3};
    assert_non_null(made);
    ic_graph_initialise(NULL, graph, 2, made);
    for (int64_t i = 0; i < total; i++)
        made[i] += 0.05f * numbers_unit(&numbers);
    return made;
}

static trace run(ic_executor *executor, const float *parameters)
{
    const ic_graph *graph = ic_executor_graph(executor);
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    ic_shape shape = ic_graph_input_shape(graph);
    test_numbers numbers = {.state = 5};
    trace t = {.parameters = copy(parameters, sizes.total), .memory = ic_executor_memory(executor)};
    t.gradients = malloc((size_t)sizes.trained * sizeof(float));
    assert_non_null(t.gradients);
    for (int64_t i = 0; i < sizes.trained; i++)
        t.gradients[i] = untouched;
    numbers_fill_unit(&numbers, ic_executor_input(executor),
                      (int64_t)BATCH * shape.h * shape.w * shape.c);
    assert_ok(ic_executor_forward(executor, t.parameters, 3, 1));
    t.logits = copy(ic_executor_logits(executor), BATCH * CLASSES);
    numbers_fill_unit(&numbers, ic_executor_logit_gradients(executor), BATCH * CLASSES);
    assert_ok(ic_executor_backward(executor, t.parameters, t.gradients));
    return t;
}

/* The trained gradients are those of the whole backward pass, the others as they were. */
static void check_gradients(const ic_graph *graph, const bool *trained, const trace *part,
                            const trace *whole)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        const float *got = part->gradients + p->offset, *full = whole->gradients + p->offset;
        if (p->role == IC_ROLE_STATISTIC)
            continue;
        for (int64_t k = 0; k < p->count; k++)
            assert_true(full[k] != untouched);
        if (trained[i] && memcmp(got, full, (size_t)p->count * sizeof *got) != 0)
            fail_msg("%s has another gradient", p->name);
        for (int64_t k = 0; k < p->count && !trained[i]; k++)
            if (got[k] != untouched)
                fail_msg("the gradient of %s was written", p->name);
    }
    int64_t total = ic_graph_parameter_sizes(graph).total;
    assert_memory_equal(part->logits, whole->logits, BATCH * CLASSES * sizeof(float));
    assert_memory_equal(part->parameters, whole->parameters, (size_t)total * sizeof(float));
}

/* No step is left that only frozen parameters want: below the lowest node that trains, of weights.
 */
static void check_steps(const ic_executor *executor, const bool *trained)
{
    const ic_program *p = executor->program;
    const ic_graph *graph = executor->graph;
    int32_t lowest = (int32_t)graph->node_count;
    for (int32_t i = lowest - 1; i >= 0; i--) {
        int32_t end = i + 1 < (int32_t)graph->node_count ? graph->nodes[i + 1].first_parameter
                                                         : ic_graph_parameter_count(graph);
        for (int32_t k = graph->nodes[i].first_parameter; k < end; k++)
            lowest = trained[k] && graph->parameters[k].role != IC_ROLE_STATISTIC ? i : lowest;
    }
    for (size_t i = p->forward_count; i < p->step_count; i++) {
        const ic_step *step = &p->steps[i];
        if (step->again)
            continue;
        assert_true(step->node >= lowest);
        if (strcmp(step->kind->name, "convolution, weight gradient") == 0)
            assert_true(trained[graph->nodes[step->node].first_parameter]);
        if (strcmp(step->kind->name, "convolution, data gradient") == 0)
            assert_true(step->node > lowest);
    }
}

/* ---- Which parameters train ---- */

enum {
    LAST_ONLY,
    ALL_BUT_FIRST,
    FIRST_ONLY,
    GATES, /* of squeeze and excite */
    NONE,
    EACH_OTHER,
    AT_RANDOM,
    CHOICES = AT_RANDOM + 2
};

static void choose(const ic_graph *graph, int choice, bool *trained)
{
    int32_t count = ic_graph_parameter_count(graph);
    test_numbers numbers = {.state = (uint64_t)choice};
    const char *last = ic_graph_classifier(graph);
    for (int32_t i = 0; i < count; i++) {
        const char *name = ic_graph_parameter(graph, i)->name;
        bool is_last = last && strncmp(name, last, strlen(last)) == 0;
        trained[i] = choice == LAST_ONLY       ? is_last || (!last && i + 1 == count)
                     : choice == ALL_BUT_FIRST ? i > 0
                     : choice == FIRST_ONLY    ? i == 0
                     : choice == GATES         ? strstr(name, ".fc") != NULL
                     : choice == NONE          ? false
                     : choice == EACH_OTHER    ? i % 2 != 0
                                               : numbers_whole(&numbers, choice) > choice - 2;
    }
}

static void check_network(const network *n, int32_t threads)
{
    ic_context *context = test_context(threads);
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    ic_shape input = {n->side, n->side, n->channels};
    assert_ok(ic_zoo_build(context, n->name, input, CLASSES, &graph));
    bool *trained = calloc((size_t)ic_graph_parameter_count(graph), sizeof *trained);
    assert_non_null(trained);
    assert_ok(ic_executor_create(context, graph, BATCH, IC_TRAINING, &executor));
    size_t steps = executor->program->step_count;
    float *parameters = make_parameters(graph);
    trace whole = run(executor, parameters);
    ic_executor_free(executor);
    for (int choice = 0; choice < CHOICES; choice++) {
        choose(graph, choice, trained);
        assert_ok(ic_executor_create_training(context, graph, BATCH, trained, 0, &executor));
        assert_true(executor->program->step_count < steps);
        if (choice == NONE)
            assert_int_equal(executor->program->step_count, executor->program->forward_count);
        check_steps(executor, trained);
        trace part = run(executor, parameters);
        assert_true(part.memory <= whole.memory);
        check_gradients(graph, trained, &part, &whole);
        free_trace(&part);
        ic_executor_free(executor);
    }
    free_trace(&whole);
    free(parameters);
    free(trained);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* ---- The tests ---- */

static void leave_what_trains_as_it_is(void **state)
{
    for (int32_t i = 0; i < NETWORKS; i++)
        check_network(&networks[i], 1 + i % 2);
}

/* With less memory than that takes: activations are computed again for what is left. */
static void so_within_a_limit(void **state)
{
    ic_context *context = test_context(2);
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    assert_ok(ic_zoo_build(context, "resnet9", (ic_shape){32, 32, 3}, CLASSES, &graph));
    bool *trained = calloc((size_t)ic_graph_parameter_count(graph), sizeof *trained);
    assert_non_null(trained);
    assert_ok(ic_executor_create(context, graph, BATCH, IC_TRAINING, &executor));
    float *parameters = make_parameters(graph);
    trace whole = run(executor, parameters);
    ic_executor_free(executor);
    choose(graph, AT_RANDOM, trained);
    assert_ok(ic_executor_create_training(context, graph, BATCH, trained, 0, &executor));
    size_t all = ic_executor_memory(executor), limit = all / 100 * 97;
    ic_executor_free(executor);
    assert_ok(ic_executor_create_training(context, graph, BATCH, trained, limit, &executor));
    check_steps(executor, trained);
    trace part = run(executor, parameters);
    assert_true(part.memory <= limit);
    check_gradients(graph, trained, &part, &whole);
    ic_executor_free(executor);
    free_trace(&part);
    free_trace(&whole);
    free(parameters);
    free(trained);
    ic_graph_free(graph);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leave_what_trains_as_it_is),
        cmocka_unit_test(so_within_a_limit),
    };
    return cmocka_run_group_tests_name("graph/frozen", tests, NULL, NULL);
}
