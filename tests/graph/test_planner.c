/*
 * graph/test_planner.c: no two tensors that live at one time share a byte. SPDX-License-Identifier:
 * MIT
 *
 * Checked on random graphs, by walking the steps: every byte of the arena remembers which tensor
 * wrote it last, and a step that reads a tensor must find its bytes as they were written. Taking
 * over memory in place is so allowed exactly where it is sound.
 */
#include "rig.h"

#include "graph/planner.h"
#include "graph/program.h"
#include "graph/recompute.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* the arena in the planner's units of alignment */

typedef struct owners {
    const ic_program *program;
    int32_t *of; /* by block: the tensor that wrote it last; -1: none */
    size_t blocks;
} owners;

static void check_reads(const owners *o, int32_t tensor, size_t step)
{
    if (tensor < 0 || o->program->tensors[tensor].base != IC_BASE_ARENA)
        return;
    const ic_tensor *t = &o->program->tensors[tensor];
    assert_true(t->offset % BLOCK == 0);
    for (size_t i = t->offset / BLOCK; i < (t->offset + t->bytes + BLOCK - 1) / BLOCK; i++)
        if (o->of[i] != tensor)
            fail_msg("step %zu reads tensor %d, but tensor %d has written over it", step, tensor,
                     o->of[i]);
}

static void write_tensor(owners *o, int32_t tensor)
{
    if (tensor < 0 || o->program->tensors[tensor].base != IC_BASE_ARENA)
        return;
    const ic_tensor *t = &o->program->tensors[tensor];
    for (size_t i = t->offset / BLOCK; i < (t->offset + t->bytes + BLOCK - 1) / BLOCK; i++) {
        assert_true(i < o->blocks);
        o->of[i] = tensor;
    }
}

/* A tensor that a step writes may lie on one that it reads only where the step works in place. */
static void check_in_place(const ic_program *p, const ic_step *step, int32_t read)
{
    if (read < 0 || p->tensors[read].base != IC_BASE_ARENA)
        return;
    const ic_tensor *a = &p->tensors[read];
    for (int32_t i = 0; i < IC_STEP_TENSORS; i++) {
        int32_t written = step->writes[i];
        if (written < 0 || written == read || p->tensors[written].base != IC_BASE_ARENA)
            continue;
        const ic_tensor *b = &p->tensors[written];
        bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
        bool in_place = i == 0 && a->offset == b->offset && a->bytes == b->bytes &&
                        p->tensors[step->in_place].offset == a->offset;
        assert_true(apart || a->bytes == 0 || b->bytes == 0 || in_place);
    }
}

static void walk_packs(owners *o, const ic_step *step)
{
    for (int32_t i = step->first; i < step->first + step->count; i++) {
        write_tensor(o, o->program->packs[i].weights);
        check_reads(o, o->program->packs[i].weights, 0);
    }
    for (int32_t i = step->first; i < step->first + step->count; i++)
        write_tensor(o, o->program->packs[i].packed);
}

static void check_program(const ic_program *p)
{
    owners o = {.program = p, .blocks = p->arena_bytes / BLOCK + 1};
    o.of = malloc(o.blocks * sizeof *o.of);
    assert_non_null(o.of);
    memset(o.of, 0xff, o.blocks * sizeof *o.of);
    write_tensor(&o, p->input);
    for (size_t i = 0; i < p->step_count; i++) {
        const ic_step *step = &p->steps[i];
        if (i == p->forward_count)
            write_tensor(&o, p->logit_gradients); /* the caller does */
        if (strcmp(step->kind->name, "pack") == 0)
            walk_packs(&o, step);
        const int32_t reads[] = {step->x[0].tensor, step->x[0].scale, step->x[0].shift,
                                 step->x[1].tensor, step->x[1].scale, step->x[1].shift,
                                 step->reads[0],    step->reads[1],   step->reads[2],
                                 step->reads[3]};
        for (size_t j = 0; j < sizeof reads / sizeof *reads; j++) {
            check_reads(&o, reads[j], i);
            check_in_place(p, step, reads[j]);
        }
        if (step->accumulate)
            check_reads(&o, step->writes[0], i);
        for (int32_t j = 0; j < IC_STEP_TENSORS; j++)
            write_tensor(&o, step->writes[j]);
    }
    check_reads(&o, p->input, p->step_count); /* these three must have lived on */
    check_reads(&o, p->logits, p->step_count);
    check_reads(&o, p->input_gradients, p->step_count);
    free(o.of);
}

/* ---- Random graphs ---- */

static ic_node random_node(ic_graph *graph, test_numbers *numbers, const ic_node *nodes,
                           int32_t count)
{
    char name[16];
    ic_node x = nodes[count - 1 - abs(numbers_whole(numbers, count > 3 ? 2 : 0))];
    ic_conv_options same = {.k = 6, .size = 3, .padding = 1, .bias = numbers_whole(numbers, 1) > 0};
    snprintf(name, sizeof name, "n%d", count);
    switch (abs(numbers_whole(numbers, 9))) {
    case 0:
    case 1:
        return ic_graph_conv(graph, name, x, &same);
    case 2:
    case 3:
        return ic_graph_batch_norm(graph, name, x);
    case 4:
        return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
    case 5:
        return ic_graph_activation(graph, x, IC_ACTIVATION_SILU);
    case 6:
        return ic_graph_add(graph, x, nodes[abs(numbers_whole(numbers, count - 1))]);
    case 7:
        return ic_graph_multiply(graph, x, nodes[abs(numbers_whole(numbers, count - 1))]);
    case 8:
        return ic_graph_max_pool(graph, x, 3, 1, 1);
    default:
        return ic_graph_dropout(graph, x, 0.5f);
    }
}

/* Up to 20 nodes of 5 x 4 x 6 in any connection, those that nobody reads joined at the end. */
static ic_graph *random_graph(ic_context *context, test_numbers *numbers)
{
    ic_graph *graph = NULL;
    ic_node nodes[24] = {0}, loose[24];
    int32_t count = 1, loose_count = 0, wanted = 8 + abs(numbers_whole(numbers, 12));
    assert_ok(ic_graph_create(context, (ic_shape){5, 4, 6}, &graph));
    while (count < wanted) {
        nodes[count] = random_node(graph, numbers, nodes, count);
        assert_true(nodes[count] >= 0);
        count++;
    }
    for (int32_t i = 0; i < count; i++) {
        bool used = false;
        for (size_t j = 0; j < graph->node_count; j++)
            for (int32_t k = 0; k < graph->nodes[j].input_count; k++)
                used = used || graph->nodes[j].inputs[k] == nodes[i];
        if (!used)
            loose[loose_count++] = nodes[i];
    }
    ic_node x = ic_graph_concat(graph, loose, loose_count);
    x = ic_graph_linear(graph, "fc", ic_graph_flatten(graph, x), 3, true);
    assert_ok(ic_graph_finish(graph, x));
    return graph;
}

static void random_graphs(void **state)
{
    ic_context *context = test_context(1);
    test_numbers numbers = {.state = 42};
    for (int round = 0; round < 300; round++) {
        ic_graph *graph = random_graph(context, &numbers);
        for (int mode = IC_INFERENCE; mode <= IC_TRAINING_TO_INPUT; mode++) {
            ic_program *program = NULL;
            assert_ok(ic_program_create(context, graph, 3, (ic_executor_mode)mode, NULL, IC_NO_TAP,
                                        &program));
            check_program(program);
            ic_program_free(program);
        }
        ic_graph_free(graph);
    }
    ic_context_free(context);
}

/* With activations computed again: at the least arena, and half the way down to it. */
static int check_limits(ic_context *context, const ic_graph *graph, int32_t batch)
{
    ic_program *program = NULL;
    size_t least = 0;
    assert_ok(
        ic_program_create(context, graph, batch, IC_TRAINING_TO_INPUT, NULL, IC_NO_TAP, &program));
    size_t all = program->arena_bytes, steps = program->step_count;
    assert_int_equal(ic_program_limit(program, 0, &least), IC_ERROR_LIMIT);
    assert_int_equal(program->step_count, steps);
    assert_true(least > 0 && least <= all);
    check_program(program);
    const size_t limits[] = {all, (all + least) / 2, least};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_ok(ic_program_limit(program, limits[i], &least));
        assert_true(program->arena_bytes <= limits[i]);
        assert_true(program->live_bytes <= program->arena_bytes);
        check_program(program);
        bool repeats = program->step_count > steps;
        assert_true(repeats == (limits[i] < all));
        ic_program_free(program);
        assert_ok(ic_program_create(context, graph, batch, IC_TRAINING_TO_INPUT, NULL, IC_NO_TAP,
                                    &program));
    }
    ic_program_free(program);
    return least < all;
}

static void limits_of_random_graphs(void **state)
{
    ic_context *context = test_context(1);
    test_numbers numbers = {.state = 44};
    int smaller = 0;
    for (int round = 0; round < 100; round++) {
        ic_graph *graph = random_graph(context, &numbers);
        smaller += check_limits(context, graph, 40);
        ic_graph_free(graph);
    }
    assert_true(smaller > 50);
    ic_context_free(context);
}

static void stock_networks(void **state)
{
    static const char *const names[] = {"lenet5",         "plain",        "resnet9",
                                        "resnet18",       "mobilenet_v2", "mobilenet_v3_large",
                                        "efficientnet_b0"};
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ic_graph *graph = NULL;
        assert_ok(ic_zoo_build(context, names[i], (ic_shape){64, 64, 3}, 10, &graph));
        for (int mode = IC_INFERENCE; mode <= IC_TRAINING; mode++) {
            ic_program *program = NULL;
            assert_ok(ic_program_create(context, graph, 2, (ic_executor_mode)mode, NULL, IC_NO_TAP,
                                        &program));
            check_program(program);
            size_t sum = 0;
            for (size_t j = 0; j < program->tensor_count; j++)
                if (program->tensors[j].base == IC_BASE_ARENA)
                    sum += program->tensors[j].bytes;
            assert_true(program->arena_bytes < sum * 3 / 4); /* places are shared */
            ic_program_free(program);
        }
        assert_true(check_limits(context, graph, 8));
        ic_graph_free(graph);
    }
    ic_context_free(context);
}

/* Random graphs computed twice in one executor: whatever the first run left in the arena does not
 * show. */
static void leftovers_do_not_show(void **state)
{
    test_numbers numbers = {.state = 43};
    for (int round = 0; round < 40; round++) {
        ic_context *context = test_context(1);
        test_rig rig;
        rig_open(&rig, random_graph(context, &numbers), 2);
        test_numbers values = {.state = (uint64_t)round};
        float g[6], kept[6];
        numbers_fill_unit(&values, rig.parameters, rig.sizes.total);
        numbers_fill_unit(&values, ic_executor_input(rig.executor), rig.inputs);
        numbers_fill_unit(&values, g, rig.outputs);
        rig_forward(&rig);
        memcpy(kept, ic_executor_logits(rig.executor), sizeof kept);
        rig_backward(&rig, g);
        float *d_x = malloc((size_t)rig.inputs * sizeof *d_x);
        float *first = malloc((size_t)rig.sizes.trained * sizeof *first);
        assert_non_null(d_x);
        assert_non_null(first);
        memcpy(first, rig.gradients, (size_t)rig.sizes.trained * sizeof *first);
        memcpy(d_x, ic_executor_input_gradients(rig.executor), (size_t)rig.inputs * sizeof *d_x);
        assert_memory_equal(kept, ic_executor_logits(rig.executor), sizeof kept);
        rig_forward(&rig); /* the input has lived on, and nothing else matters */
        assert_memory_equal(kept, ic_executor_logits(rig.executor), sizeof kept);
        rig_backward(&rig, g);
        assert_memory_equal(first, rig.gradients, (size_t)rig.sizes.trained * sizeof *first);
        assert_memory_equal(d_x, ic_executor_input_gradients(rig.executor),
                            (size_t)rig.inputs * sizeof *d_x);
        free(d_x);
        free(first);
        rig_close(&rig);
        ic_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(limits_of_random_graphs),
        cmocka_unit_test(stock_networks),
        cmocka_unit_test(leftovers_do_not_show),
    };
    return cmocka_run_group_tests_name("graph/planner", tests, NULL, NULL);
}
