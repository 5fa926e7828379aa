/*
 * bench/memory.c: the memory that executors plan for training and for inference.
 *
 *     memory [NETWORK SIZE CHANNELS BATCH [LIMIT]]
 *
 * Without arguments: the stock networks at the sizes of the benchmarks. arena: as planned; live:
 * the most that is alive at one step, below which no plan can go; beside: the scratch of the
 * threads. With a network, also what lives then. LIMIT: of training, in MiB.
 * SPDX-License-Identifier: MIT
 */
#include "base/context.h"
#include "graph/program.h"
#include "graph/recompute.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct row {
    const char *network;
    int32_t size, channels, batch;
} row;

static const row rows[] = {
    {"lenet5", 28, 1, 64},
    {"plain", 28, 1, 64},
    {"small", 28, 1, 64},
    {"resnet9", 32, 3, 128},
    {"resnet18", 224, 3, 16},
    {"mobilenet_v2", 224, 3, 16},
    {"mobilenet_v3_large", 224, 3, 16},
    {"efficientnet_b0", 224, 3, 16},
};

static void check(ic_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "memory: %s: %s\n", ic_status_name(status), ic_last_error());
    exit(1);
}

/* ---- What lives at the step at which most does ---- */

static bool lives(const ic_tensor *t, size_t step)
{
    return t->base == IC_BASE_ARENA &&
           (t->permanent || ((size_t)t->first <= step && t->last >= 0 && step <= (size_t)t->last));
}

/* Not of tensors whose place another one takes over in this step. */
static size_t live_at(const ic_program *p, size_t step)
{
    size_t sum = 0;
    for (size_t i = 0; i < p->tensor_count; i++)
        sum += lives(&p->tensors[i], step) ? p->tensors[i].bytes : 0;
    int32_t x = p->steps[step].in_place, y = p->steps[step].writes[0];
    bool in_place = x >= 0 && y >= 0 && p->tensors[x].offset == p->tensors[y].offset;
    return sum - (in_place ? p->tensors[x].bytes : 0);
}

static void print_place(const ic_program *p, size_t step)
{
    const ic_step *s = &p->steps[step];
    const ic_graph_node *node = &p->graph->nodes[s->node];
    printf("%zu %s%s, %s", step, s->kind->name, s->again ? " again" : "",
           node->name != NULL ? node->name : node->op->name);
}

static void print_peak(const ic_program *p)
{
    size_t peak = 0;
    for (size_t i = 1; i < p->step_count; i++)
        peak = live_at(p, i) > live_at(p, peak) ? i : peak;
    printf("  most at step ");
    print_place(p, peak);
    printf(":\n");
    for (size_t i = 0; i < p->tensor_count; i++) {
        const ic_tensor *t = &p->tensors[i];
        if (!lives(t, peak) || t->bytes * 100 < p->live_bytes)
            continue;
        printf("  %8.2f MB at %8.2f, from step ", (double)t->bytes / 1e6, (double)t->offset / 1e6);
        print_place(p, t->permanent ? 0 : (size_t)t->first);
        printf(" to ");
        print_place(p, t->permanent ? p->step_count - 1 : (size_t)t->last);
        printf("\n");
    }
}

/* The multiply-adds of convolutions that are done again, of those of the forward pass. */
static double share_again(const ic_program *p)
{
    double forward = 0, again = 0;
    for (size_t i = 0; i < p->step_count; i++) {
        if (p->steps[i].conv == NULL || (i >= p->forward_count && !p->steps[i].again))
            continue;
        const ic_conv_shape *s = &p->steps[i].conv->shape;
        double work = (double)s->n * s->oh * s->ow * s->k * (s->c / s->groups) * s->r * s->s;
        *(i < p->forward_count ? &forward : &again) += work;
    }
    return forward > 0 ? again / forward : 0;
}

static void measure(ic_context *context, const row *r, ic_executor_mode mode, size_t limit,
                    bool peak)
{
    size_t least = 0;
    ic_graph *graph = NULL;
    ic_program *p = NULL;
    check(ic_zoo_build(context, r->network, (ic_shape){r->size, r->size, r->channels}, 10, &graph));
    check(ic_program_create(context, graph, r->batch, mode, NULL, IC_NO_TAP, &p));
    if (mode == IC_TRAINING && limit > 0)
        check(ic_program_limit(p, limit << 20, &least));
    printf("%-10s %-20s %dx%dx%d b%-4d arena %8.1f MB, live %8.1f MB (%.3f), beside %6.2f MB a "
           "thread, %zu steps\n",
           mode == IC_INFERENCE ? "inference" : "training", r->network, r->size, r->size,
           r->channels, r->batch, (double)p->arena_bytes / 1e6, (double)p->live_bytes / 1e6,
           (double)p->arena_bytes / (double)p->live_bytes, (double)p->scratch_bytes / 1e6,
           p->step_count);
    if (mode == IC_TRAINING && limit > 0)
        printf("  %.0f %% of the forward multiply-adds are done again\n", 100 * share_again(p));
    if (peak)
        print_peak(p);
    ic_program_free(p);
    ic_graph_free(graph);
}

int main(int argc, char **argv)
{
    ic_context *context = NULL;
    check(ic_context_create(&context));
    row one = {0};
    if (argc >= 5)
        one = (row){argv[1], atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
    size_t count = argc >= 5 ? 1 : sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++) {
        measure(context, argc >= 5 ? &one : &rows[i], IC_TRAINING,
                argc >= 6 ? (size_t)atoi(argv[5]) : 0, argc >= 5);
        measure(context, argc >= 5 ? &one : &rows[i], IC_INFERENCE, 0, argc >= 5);
    }
    ic_context_free(context);
    return 0;
}
