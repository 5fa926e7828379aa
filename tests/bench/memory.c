/*
 * bench/memory.c: the memory that executors plan for training and for inference.
 *
 *     memory [NETWORK SIZE CHANNELS BATCH [LIMIT]]
 *
 * Without arguments: the stock networks at the sizes of the benchmarks. arena: as planned; live:
 * the most that is alive at one step, below which no plan can go; beside: the scratch of the
 * threads. LIMIT: of training, in MiB. SPDX-License-Identifier: MIT
 */
#include "base/context.h"
#include "graph/program.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct row {
    const char *network;
    int32_t size, channels, batch;
} row;

static const row rows[] = {
    {"lenet5", 28, 1, 64},      {"plain", 28, 1, 64},     {"small", 28, 1, 64},
    {"resnet9", 32, 3, 128},    {"resnet18", 224, 3, 16}, {"mobilenet_v2", 224, 3, 16},
};

static void check(ic_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "memory: %s: %s\n", ic_status_name(status), ic_last_error());
    exit(1);
}

static void measure(ic_context *context, const row *r, ic_executor_mode mode)
{
    ic_graph *graph = NULL;
    ic_program *p = NULL;
    check(ic_zoo_build(context, r->network, (ic_shape){r->size, r->size, r->channels}, 10, &graph));
    check(ic_program_create(context, graph, r->batch, mode, &p));
    printf("%-10s %-20s %dx%dx%d b%-4d arena %8.1f MB, live %8.1f MB (%.3f), beside %6.2f MB a "
           "thread, %zu steps\n",
           mode == IC_INFERENCE ? "inference" : "training", r->network, r->size, r->size,
           r->channels, r->batch, (double)p->arena_bytes / 1e6, (double)p->live_bytes / 1e6,
           (double)p->arena_bytes / (double)p->live_bytes, (double)p->scratch_bytes / 1e6,
           p->step_count);
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
        measure(context, argc >= 5 ? &one : &rows[i], IC_TRAINING);
        measure(context, argc >= 5 ? &one : &rows[i], IC_INFERENCE);
    }
    ic_context_free(context);
    return 0;
}
