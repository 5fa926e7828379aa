/*
 * bench/elementwise.c: the kernels that are bound by memory, as GB/s and as a share of what memcpy
 * moves over arrays of the same size. SPDX-License-Identifier: MIT
 *
 *   bench_elementwise [LEVEL]      (the machine's highest level by default; one thread)
 */
#include "base/cpu.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one call of a case works on; x, y, z, w are arrays of `count` floats. */
typedef struct bench_work {
    const ic_kernels *kernels;
    int64_t count;
    int32_t c;
    float *x, *y, *z, *w;
    uint8_t *index;
    float *channels[5]; /* 2048 floats each */
} bench_work;

typedef struct bench_case {
    const char *name;
    void (*run)(const bench_work *work);
    double bytes; /* moved for each element: read or written once */
    int32_t c;
} bench_case;

static int64_t rows_of(const bench_work *work)
{
    return work->count / work->c;
}

static void run_copy(const bench_work *work)
{
    memcpy(work->y, work->x, (size_t)work->count * sizeof(float));
}

static void run_add(const bench_work *work)
{
    work->kernels->add(work->count, work->x, work->y, work->z);
}

static void run_accumulate(const bench_work *work)
{
    work->kernels->accumulate(work->count, work->x, work->y);
}

static void run_relu(const bench_work *work)
{
    work->kernels->activate(IC_ACTIVATION_RELU, work->count, work->x, work->y);
}

static void run_silu(const bench_work *work)
{
    work->kernels->activate(IC_ACTIVATION_SILU, work->count, work->x, work->y);
}

static void run_gelu(const bench_work *work)
{
    work->kernels->activate(IC_ACTIVATION_GELU, work->count, work->x, work->y);
}

static void run_gelu_backward(const bench_work *work)
{
    work->kernels->activate_backward(IC_ACTIVATION_GELU, work->count, work->x, work->y, work->z);
}

static void run_affine(const bench_work *work)
{
    work->kernels->affine(rows_of(work), work->c, work->x, work->channels[0], work->channels[1],
                          IC_ACTIVATION_RELU, work->y);
}

static void run_gate(const bench_work *work)
{
    work->kernels->gate(rows_of(work), work->c, work->x, work->channels[0], work->y);
}

static void run_sums(const bench_work *work)
{
    work->kernels->channel_sums(rows_of(work), work->c, work->x, work->channels[3],
                                work->channels[4]);
}

static void run_gradient(const bench_work *work)
{
    work->kernels->norm_gradient(rows_of(work), work->c, work->c, work->x, work->channels[0],
                                 work->channels[1], work->channels[2], IC_ACTIVATION_RELU, work->y,
                                 work->z, work->channels[3], work->channels[4]);
}

static void run_backward(const bench_work *work)
{
    work->kernels->norm_backward(rows_of(work), work->c, work->x, work->y, work->channels[0],
                                 work->channels[1], work->channels[2], work->z);
}

static void run_sgd(const bench_work *work)
{
    work->kernels->sgd(work->count, 1e-3f, 0.9f, 5e-4f, work->x, work->y, work->z);
}

static void run_adamw(const bench_work *work)
{
    work->kernels->adamw(work->count, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.05f, 0.1f, 0.001f, work->x,
                         work->y, work->w, work->z);
}

/* Pictures 32 pixels wide, as high as the array allows. */
static ic_window window_of(const bench_work *work, int32_t side, int32_t stride)
{
    ic_window window = {.w = 32, .c = work->c, .r = side, .s = side};
    window.h = (int32_t)(rows_of(work) / 32);
    window.stride_h = window.stride_w = stride;
    window.pad_h = window.pad_w = side == 3 ? 1 : 0;
    window.oh = (window.h + 2 * window.pad_h - side) / stride + 1;
    window.ow = (window.w + 2 * window.pad_w - side) / stride + 1;
    return window;
}

static void run_max_2(const bench_work *work)
{
    const ic_window window = window_of(work, 2, 2);
    work->kernels->max_pool(&window, 0, window.oh, work->x, work->y, work->index);
}

static void run_max_3(const bench_work *work)
{
    const ic_window window = window_of(work, 3, 2);
    work->kernels->max_pool(&window, 0, window.oh, work->x, work->y, work->index);
}

static void run_max_2_backward(const bench_work *work)
{
    const ic_window window = window_of(work, 2, 2);
    work->kernels->max_pool_backward(&window, false, work->y, work->index, work->z);
}

static void run_average_2(const bench_work *work)
{
    const ic_window window = window_of(work, 2, 2);
    work->kernels->average_pool(&window, 0, window.oh, work->x, work->y);
}

static void run_softmax(const bench_work *work)
{
    work->kernels->softmax(rows_of(work), work->c, work->x, work->y);
}

static const bench_case benchmarks[] = {
    {"memcpy", run_copy, 8, 1},
    {"add", run_add, 12, 1},
    {"accumulate", run_accumulate, 12, 1},
    {"relu", run_relu, 8, 1},
    {"silu", run_silu, 8, 1},
    {"gelu", run_gelu, 8, 1},
    {"gelu backward", run_gelu_backward, 12, 1},
    {"affine relu", run_affine, 8, 6},
    {"affine relu", run_affine, 8, 64},
    {"affine relu", run_affine, 8, 1280},
    {"gate", run_gate, 8, 17},
    {"channel sums", run_sums, 4, 3},
    {"channel sums", run_sums, 4, 16},
    {"channel sums", run_sums, 4, 64},
    {"channel sums", run_sums, 4, 1280},
    {"norm gradient", run_gradient, 12, 64},
    {"norm gradient", run_gradient, 12, 1280},
    {"norm backward", run_backward, 12, 64},
    {"sgd", run_sgd, 20, 1},
    {"adamw", run_adamw, 28, 1},
    {"max pool 2x2", run_max_2, 5.25, 6},
    {"max pool 2x2", run_max_2, 5.25, 16},
    {"max pool 2x2", run_max_2, 5.25, 64},
    {"max pool 3x3 /2", run_max_3, 5.25, 64},
    {"max 2x2 backward", run_max_2_backward, 9.25, 6},
    {"max 2x2 backward", run_max_2_backward, 9.25, 16},
    {"max 2x2 backward", run_max_2_backward, 9.25, 64},
    {"average 2x2", run_average_2, 5, 64},
    {"softmax", run_softmax, 8, 10},
    {"softmax", run_softmax, 8, 1000},
};

/* Seconds of one call: the best of five groups, each long enough for the clock. */
static double seconds_of(const bench_case *benchmark, const bench_work *work)
{
    int32_t calls = 1;
    double best = 1e9;
    for (int32_t group = 0; group < 5;) {
        const double start = ic_clock_seconds();
        for (int32_t i = 0; i < calls; i++)
            benchmark->run(work);
        const double seconds = ic_clock_seconds() - start;
        if (seconds < 0.01) {
            calls *= 2;
            continue;
        }
        best = seconds / calls < best ? seconds / calls : best;
        group++;
    }
    return best;
}

static float *array(int64_t count)
{
    float *items = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
    if (items == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (int64_t i = 0; i < count; i++)
        items[i] = 0.001f * (float)(i % 4001) - 2.0f;
    return items;
}

static void run_size(const ic_kernels *kernels, const char *name, int64_t count)
{
    bench_work work = {.kernels = kernels, .count = count};
    work.x = array(count);
    work.y = array(count);
    work.z = array(count);
    work.w = array(count);
    work.index = (uint8_t *)array(count / 4 + 1);
    for (int32_t i = 0; i < 5; i++)
        work.channels[i] = array(2048);
    printf("\n%s, arrays of %lld KiB, level %s\n%-20s %5s %8s %8s %8s\n", name,
           (long long)(count / 256), kernels->name, "", "c", "Gel/s", "GB/s", "memcpy");
    double copy = 0.0;
    for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
        const bench_case *benchmark = &benchmarks[i];
        work.c = benchmark->c;
        const double rate = (double)count / seconds_of(benchmark, &work) * 1e-9;
        if (i == 0)
            copy = rate * benchmark->bytes;
        printf("%-20s %5d %8.2f %8.1f %7.0f%%\n", benchmark->name, (int)benchmark->c, rate,
               rate * benchmark->bytes, 100.0 * rate * benchmark->bytes / copy);
    }
    for (int32_t i = 0; i < 5; i++)
        free(work.channels[i]);
    free(work.index);
    free(work.w);
    free(work.z);
    free(work.y);
    free(work.x);
}

int main(int argc, char **argv)
{
    ic_cpu_level level = ic_cpu_detect();
    for (int i = 0; argc > 1 && i < IC_CPU_LEVELS; i++)
        if (ic_cpu_has((ic_cpu_level)i) && strcmp(argv[1], ic_cpu_level_name((ic_cpu_level)i)) == 0)
            level = (ic_cpu_level)i;
    const ic_kernels *kernels = ic_kernels_at(level);
    run_size(kernels, "L2", 40960);
    run_size(kernels, "memory", 16 * 1024 * 1024);
    return 0;
}
