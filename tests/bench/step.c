/*
 * bench/step.c: the time of a training step, or of inference, of a stock network.
 *
 *     step NETWORK SIZE CHANNELS BATCH THREADS [--infer] [--seconds N] [--level LEVEL]
 *          [--precision float32|bfloat16] [--limit MIB] [--trained PREFIX | --frozen PREFIX]
 *          [--profile | --serve | --memory]
 *
 * Prints the best and the median milliseconds of a step: forward, loss, backward, SGD with Nesterov
 * momentum. --trained and --frozen: only parameters whose names begin so train, or only the others.
 * --profile adds where the time went, by kind of step and by node. --serve is for
 * compare.py: each line of standard input is a number of seconds to run for, answered by the times
 * of all steps. --memory prints how far a few steps push the resident memory up, and how much of a
 * core the context takes when it then has nothing to do. SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, nanosleep */
#include "base/context.h"
#include "base/options.h"
#include "base/pool.h"
#include "graph/profile.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASSES = 10, RUNS_MIN = 2, RUNS_MAX = 4096, KINDS_MAX = 512 };

typedef struct bench {
    const char *network;
    int32_t size, channels, batch, threads;
    bool infer, profile, serve, memory;
    double seconds;
    const char *level, *precision;
    const char *names; /* of parameters that alone train; NULL: all do */
    bool frozen;       /* or that do not */
    double limit;      /* of memory, MiB; 0: none */
    ic_context *context;
    const ic_kernels *kernels;
    ic_graph *graph;
    ic_executor *executor;
    ic_weights *weights;
    float *parameters, *gradients, *velocity, *loss;
    int32_t *labels;
} bench;

static void check(ic_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "step: %s: %s\n", ic_status_name(status), ic_last_error());
    exit(1);
}

static bool read_arguments(int argc, char **argv, bench *b)
{
    if (argc < 6)
        return false;
    b->network = argv[1];
    b->size = atoi(argv[2]);
    b->channels = atoi(argv[3]);
    b->batch = atoi(argv[4]);
    b->threads = atoi(argv[5]);
    b->seconds = 3;
    for (int i = 6; i < argc; i++) {
        if (strcmp(argv[i], "--profile") == 0)
            b->profile = true;
        else if (strcmp(argv[i], "--infer") == 0)
            b->infer = true;
        else if (strcmp(argv[i], "--serve") == 0)
            b->serve = true;
        else if (strcmp(argv[i], "--memory") == 0)
            b->memory = true;
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            b->seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
            b->level = argv[++i];
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc)
            b->precision = argv[++i];
        else if ((strcmp(argv[i], "--trained") == 0 || strcmp(argv[i], "--frozen") == 0) &&
                 i + 1 < argc) {
            b->frozen = argv[i][2] == 'f';
            b->names = argv[++i];
        } else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            b->limit = atof(argv[++i]);
        else
            return false;
    }
    return true;
}

static void *zeroed(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (block == NULL)
        exit(1);
    return block;
}

static void configure(bench *b)
{
    ic_options *options = NULL;
    check(ic_context_create(&b->context));
    check(ic_options_create(b->context, &options));
    check(ic_options_set_int(options, "threads", b->threads));
    if (b->level != NULL)
        check(ic_options_set_text(options, "cpu_level", b->level));
    if (b->precision != NULL)
        check(ic_options_set_text(options, "precision", b->precision));
    check(ic_context_configure(b->context, options));
    ic_options_free(options);
    b->kernels = ic_kernels_at(b->context->cpu_level);
}

/* The network and its weights. */
static void make_network(bench *b)
{
    ic_shape input = {.h = b->size, .w = b->size, .c = b->channels};
    check(ic_zoo_build(b->context, b->network, input, CLASSES, &b->graph));
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(b->graph);
    b->parameters = zeroed((size_t)sizes.total, sizeof(float));
    b->loss = zeroed((size_t)b->batch, sizeof(float));
    b->labels = zeroed((size_t)b->batch, sizeof *b->labels);
    ic_graph_initialise(NULL, b->graph, 1, b->parameters);
    for (int32_t i = 0; i < b->batch; i++)
        b->labels[i] = i % CLASSES;
}

static void make_training(bench *b)
{
    int32_t parameters = ic_graph_parameter_count(b->graph);
    bool *trained = zeroed((size_t)parameters, sizeof *trained);
    for (int32_t i = 0; i < parameters; i++) {
        const char *name = ic_graph_parameter(b->graph, i)->name;
        trained[i] = !b->names || (strncmp(name, b->names, strlen(b->names)) == 0) != b->frozen;
    }
    check(ic_executor_create_training(b->context, b->graph, b->batch, trained,
                                      (size_t)(b->limit * 1048576), &b->executor));
    free(trained);
}

/* What a step needs beside it, and the pictures. */
static void make_executor(bench *b)
{
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(b->graph);
    if (!b->infer) {
        b->gradients = zeroed((size_t)sizes.trained, sizeof(float));
        b->velocity = zeroed((size_t)sizes.trained, sizeof(float));
    } else {
        check(ic_weights_create(b->context, b->graph, b->parameters, &b->weights));
    }
    if (b->infer)
        check(ic_executor_create(b->context, b->graph, b->batch, IC_INFERENCE, &b->executor));
    else
        make_training(b);
    float *input_values = ic_executor_input(b->executor);
    uint32_t state = 1;
    for (int64_t i = 0; i < (int64_t)b->batch * b->size * b->size * b->channels; i++) {
        state = state * 1664525u + 1013904223u;
        input_values[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
}

typedef struct sgd_job {
    bench *b;
    int64_t trained;
} sgd_job;

enum { SGD_PIECE = 65536 };

static ic_status sgd_unit(void *arguments, int64_t unit, int32_t worker)
{
    const sgd_job *job = arguments;
    bench *b = job->b;
    int64_t first = unit * SGD_PIECE, left = job->trained - first;
    b->kernels->sgd(left < SGD_PIECE ? left : SGD_PIECE, 0.01f, 0.9f, 5e-4f, b->gradients + first,
                    b->velocity + first, b->parameters + first);
    return IC_OK;
}

static void step(bench *b, uint64_t number)
{
    if (b->infer) {
        check(ic_executor_infer(b->executor, b->weights, b->batch));
        return;
    }
    ic_pool *pool = NULL;
    sgd_job job = {.b = b, .trained = ic_graph_parameter_sizes(b->graph).trained};
    check(ic_context_pool(b->context, &pool));
    check(ic_executor_forward(b->executor, b->parameters, 1, number));
    const ic_targets targets = {.labels = b->labels};
    b->kernels->cross_entropy(b->batch, CLASSES, ic_executor_logits(b->executor), &targets, 0, NULL,
                              1.0f / (float)b->batch, b->loss,
                              ic_executor_logit_gradients(b->executor));
    check(ic_executor_backward(b->executor, b->parameters, b->gradients));
    check(ic_pool_run(pool, (job.trained + SGD_PIECE - 1) / SGD_PIECE, sgd_unit, &job));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct total {
    char name[128];
    double seconds;
} total;

static int by_seconds(const void *a, const void *b)
{
    return by_value(&((const total *)b)->seconds, &((const total *)a)->seconds);
}

static void add_total(total *totals, int *count, const char *name, double seconds)
{
    int i = 0;
    while (i < *count && strcmp(totals[i].name, name) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    if (i == *count) {
        snprintf(totals[i].name, sizeof totals[i].name, "%s", name);
        totals[i].seconds = 0;
        (*count)++;
    }
    totals[i].seconds += seconds;
}

static void print_profile(const bench *b, const double *seconds, int64_t runs)
{
    static total kinds[KINDS_MAX], nodes[KINDS_MAX];
    int kind_count = 0, node_count = 0;
    for (int32_t i = 0; i < ic_executor_step_count(b->executor); i++) {
        const char *kind, *node;
        char both[128];
        ic_executor_step(b->executor, i, &kind, &node);
        snprintf(both, sizeof both, "%s: %s", node, kind);
        add_total(kinds, &kind_count, kind, seconds[i]);
        add_total(nodes, &node_count, both, seconds[i]);
    }
    qsort(kinds, (size_t)kind_count, sizeof *kinds, by_seconds);
    qsort(nodes, (size_t)node_count, sizeof *nodes, by_seconds);
    for (int i = 0; i < kind_count; i++)
        printf("  %9.3f ms  %s\n", kinds[i].seconds * 1e3 / (double)runs, kinds[i].name);
    printf("\n");
    for (int i = 0; i < node_count && i < 24; i++)
        printf("  %9.3f ms  %s\n", nodes[i].seconds * 1e3 / (double)runs, nodes[i].name);
}

/* Runs for that long, twice at least; returns how many times, which lie in times. */
static int run_for(bench *b, double seconds, double *times)
{
    int count = 0;
    for (double end = ic_clock_seconds() + seconds;
         count < RUNS_MAX && (count < RUNS_MIN || ic_clock_seconds() < end); count++) {
        double start = ic_clock_seconds();
        step(b, (uint64_t)count);
        times[count] = ic_clock_seconds() - start;
    }
    return count;
}

static void serve(bench *b, double *times)
{
    char line[64];
    printf("ready %s\n", b->kernels->name);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        int count = run_for(b, atof(line), times);
        for (int i = 0; i < count; i++)
            printf("%s%.4f%s", i == 0 ? "[" : ", ", times[i] * 1e3, i + 1 == count ? "]\n" : "");
        fflush(stdout);
    }
}

/* A line of /proc/self/status, in bytes: "VmRSS", what is resident, or "VmHWM", the most so far. */
static double resident_bytes(const char *name)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = atof(line + strlen(name) + 1);
    if (file != NULL)
        fclose(file);
    return kilobytes * 1024;
}

/* The time on a core of all threads of this process. */
static double process_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure_memory(bench *b)
{
    const struct timespec one_second = {.tv_sec = 1};
    double before = resident_bytes("VmRSS");
    make_executor(b);
    for (int i = 0; i < 3; i++)
        step(b, (uint64_t)i);
    double steady = resident_bytes("VmRSS"), most = resident_bytes("VmHWM");
    nanosleep(&one_second, NULL); /* helpers of the pool may wait for more work a little */
    double busy = process_seconds();
    nanosleep(&one_second, NULL);
    busy = process_seconds() - busy;
    printf("{\"growth_mb\": %.2f, \"peak_growth_mb\": %.2f, \"arena_mb\": %.2f, "
           "\"rest_cpu_ms\": %.3f}\n",
           (steady - before) / 1e6, (most - before) / 1e6,
           (double)ic_executor_memory(b->executor) / 1e6, busy * 1e3);
}

static void measure_time(bench *b, double *times)
{
    double *profile = zeroed((size_t)ic_executor_step_count(b->executor), sizeof *profile);
    if (b->profile)
        ic_executor_set_profile(b->executor, profile);
    int count = run_for(b, b->seconds, times);
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("%s %s %dx%dx%d b%d %dT %s: best %.3f ms, median %.3f ms, loss %.4f, memory %.1f MB\n",
           b->infer ? "infer" : "train", b->network, b->size, b->size, b->channels, b->batch,
           b->threads, b->kernels->name, times[0] * 1e3, times[count / 2] * 1e3, (double)b->loss[0],
           (double)ic_executor_memory(b->executor) / 1e6);
    if (b->profile)
        print_profile(b, profile, count);
    free(profile);
}

int main(int argc, char **argv)
{
    static double times[RUNS_MAX];
    bench b = {0};
    if (!read_arguments(argc, argv, &b)) {
        fprintf(stderr, "usage: step NETWORK SIZE CHANNELS BATCH THREADS [--infer] [--seconds N] "
                        "[--level LEVEL]\n            [--precision float32|bfloat16] "
                        "[--limit MIB] [--profile | --serve | --memory]\n");
        return 2;
    }
    configure(&b);
    make_network(&b);
    if (b.memory) {
        measure_memory(&b);
    } else {
        make_executor(&b);
        for (int i = 0; i < 3; i++)
            step(&b, 0);
        if (b.serve)
            serve(&b, times);
        else
            measure_time(&b, times);
    }
    free(b.parameters);
    free(b.gradients);
    free(b.velocity);
    free(b.loss);
    free(b.labels);
    ic_weights_free(b.weights);
    ic_executor_free(b.executor);
    ic_graph_free(b.graph);
    ic_context_free(b.context);
    return 0;
}
