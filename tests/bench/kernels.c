/*
 * bench/kernels.c: the speed of convolutions on one thread: in billions of floating-point
 * operations a second and as a share of the multiply-add peak that is measured between the runs;
 * and, with input, output and weights counted once each, in billions of bytes a second and as a
 * share of the memory's bandwidth (the triad's) that is measured first. Arrays that stay in a cache
 * go beyond 100 % of it.
 *
 *     kernels [--level NAME] [--precision float32|bfloat16] [--shape PART-OF-A-NAME]
 *             [--algorithm NAME] [--seconds S] [--json]
 *     kernels --machine [--threads N]      the yardsticks alone, as JSON
 *
 * The levels of bfloat16 are avx512_bf16 and amx_bf16. The peak is always that of float32.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bandwidth.h"
#include "base/cpu.h"
#include "kernels/conv.h"
#include "peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer {
    const char *name;
    int32_t n, h, w, c, k, filter, stride, pad, groups;
} layer;

static const layer layers[] = {
    {"bar 64ch 56x56 b32", 32, 56, 56, 64, 64, 3, 1, 1, 1},
    {"lenet conv1 b64", 64, 28, 28, 1, 6, 5, 1, 2, 1},
    {"lenet conv2 b64", 64, 14, 14, 6, 16, 5, 1, 0, 1},
    {"lenet fc1 b64", 1, 1, 64, 400, 120, 1, 1, 0, 1},
    {"lenet fc2 b64", 1, 1, 64, 120, 84, 1, 1, 0, 1},
    {"lenet fc3 b64", 1, 1, 64, 84, 10, 1, 1, 0, 1},
    {"plain 1->32 28x28 b64", 64, 28, 28, 1, 32, 3, 1, 1, 1},
    {"plain 32 28x28 b64", 64, 28, 28, 32, 32, 3, 1, 1, 1},
    {"plain 32->64 14x14 b64", 64, 14, 14, 32, 64, 3, 1, 1, 1},
    {"plain 64->128 7x7 b64", 64, 7, 7, 64, 128, 3, 1, 1, 1},
    {"resnet9 3->64 32x32 b128", 128, 32, 32, 3, 64, 3, 1, 1, 1},
    {"resnet9 64->128 32x32 b128", 128, 32, 32, 64, 128, 3, 1, 1, 1},
    {"resnet9 128 16x16 b128", 128, 16, 16, 128, 128, 3, 1, 1, 1},
    {"resnet9 128->256 16x16 b128", 128, 16, 16, 128, 256, 3, 1, 1, 1},
    {"resnet9 256->512 8x8 b128", 128, 8, 8, 256, 512, 3, 1, 1, 1},
    {"resnet9 512 4x4 b128", 128, 4, 4, 512, 512, 3, 1, 1, 1},
    {"resnet18 stem 7x7s2 b16", 16, 224, 224, 3, 64, 7, 2, 3, 1},
    {"airbench 24->64 31x31 b128", 128, 31, 31, 24, 64, 3, 1, 1, 1},
    {"airbench 64 15x15 b128", 128, 15, 15, 64, 64, 3, 1, 1, 1},
    {"airbench 64->256 15x15 b128", 128, 15, 15, 64, 256, 3, 1, 1, 1},
    {"airbench 256 7x7 b128", 128, 7, 7, 256, 256, 3, 1, 1, 1},
    {"resnet18 64 56x56 b16", 16, 56, 56, 64, 64, 3, 1, 1, 1},
    {"resnet18 64->128 s2 b16", 16, 56, 56, 64, 128, 3, 2, 1, 1},
    {"resnet18 64->128 1x1s2 b16", 16, 56, 56, 64, 128, 1, 2, 0, 1},
    {"resnet18 128 28x28 b16", 16, 28, 28, 128, 128, 3, 1, 1, 1},
    {"resnet18 128->256 s2 b16", 16, 28, 28, 128, 256, 3, 2, 1, 1},
    {"resnet18 256 14x14 b16", 16, 14, 14, 256, 256, 3, 1, 1, 1},
    {"resnet18 256->512 s2 b16", 16, 14, 14, 256, 512, 3, 2, 1, 1},
    {"resnet18 512 7x7 b16", 16, 7, 7, 512, 512, 3, 1, 1, 1},
    {"resnet18 64 56x56 b1", 1, 56, 56, 64, 64, 3, 1, 1, 1},
    {"resnet18 128 28x28 b1", 1, 28, 28, 128, 128, 3, 1, 1, 1},
    {"resnet18 256 14x14 b1", 1, 14, 14, 256, 256, 3, 1, 1, 1},
    {"resnet18 512 7x7 b1", 1, 7, 7, 512, 512, 3, 1, 1, 1},
    {"resnet18 128->256 12x12 s2 b32", 32, 12, 12, 128, 256, 3, 2, 1, 1},
    {"resnet18 256 6x6 b32", 32, 6, 6, 256, 256, 3, 1, 1, 1},
    {"resnet18 256->512 6x6 s2 b32", 32, 6, 6, 256, 512, 3, 2, 1, 1},
    {"resnet18 512 3x3 b32", 32, 3, 3, 512, 512, 3, 1, 1, 1},
    {"mobilenet stem 3x3s2 b16", 16, 224, 224, 3, 32, 3, 2, 1, 1},
    {"mobilenet 32->16 112x112 b16", 16, 112, 112, 32, 16, 1, 1, 0, 1},
    {"mobilenet 16->96 112x112 b16", 16, 112, 112, 16, 96, 1, 1, 0, 1},
    {"mobilenet 96->24 56x56 b16", 16, 56, 56, 96, 24, 1, 1, 0, 1},
    {"mobilenet 144->24 56x56 b16", 16, 56, 56, 144, 24, 1, 1, 0, 1},
    {"mobilenet 144->32 28x28 b16", 16, 28, 28, 144, 32, 1, 1, 0, 1},
    {"mobilenet 192->64 14x14 b16", 16, 14, 14, 192, 64, 1, 1, 0, 1},
    {"mobilenet 64->384 14x14 b16", 16, 14, 14, 64, 384, 1, 1, 0, 1},
    {"mobilenet 384->96 14x14 b16", 16, 14, 14, 384, 96, 1, 1, 0, 1},
    {"mobilenet 576->96 14x14 b16", 16, 14, 14, 576, 96, 1, 1, 0, 1},
    {"mobilenet 576->160 7x7 b16", 16, 7, 7, 576, 160, 1, 1, 0, 1},
    {"mobilenet 160->960 7x7 b16", 16, 7, 7, 160, 960, 1, 1, 0, 1},
    {"mobilenet 320->1280 7x7 b16", 16, 7, 7, 320, 1280, 1, 1, 0, 1},
    {"depthwise 32 112x112 b16", 16, 112, 112, 32, 32, 3, 1, 1, 32},
    {"depthwise 96 112x112 s2 b16", 16, 112, 112, 96, 96, 3, 2, 1, 96},
    {"depthwise 144 56x56 b16", 16, 56, 56, 144, 144, 3, 1, 1, 144},
    {"depthwise 144 56x56 s2 b16", 16, 56, 56, 144, 144, 3, 2, 1, 144},
    {"depthwise 192 28x28 b16", 16, 28, 28, 192, 192, 3, 1, 1, 192},
    {"depthwise 384 14x14 b16", 16, 14, 14, 384, 384, 3, 1, 1, 384},
    {"depthwise 576 14x14 s2 b16", 16, 14, 14, 576, 576, 3, 2, 1, 576},
    {"depthwise 960 7x7 b16", 16, 7, 7, 960, 960, 3, 1, 1, 960},
    {"efficientnet 16->96 112x112 b16", 16, 112, 112, 16, 96, 1, 1, 0, 1},
    {"efficientnet 40->240 28x28 b16", 16, 28, 28, 40, 240, 1, 1, 0, 1},
    {"efficientnet 80->480 14x14 b16", 16, 14, 14, 80, 480, 1, 1, 0, 1},
    {"efficientnet 672->112 14x14 b16", 16, 14, 14, 672, 112, 1, 1, 0, 1},
    {"efficientnet 1152->192 7x7 b16", 16, 7, 7, 1152, 192, 1, 1, 0, 1},
    {"efficientnet 1152->320 7x7 b16", 16, 7, 7, 1152, 320, 1, 1, 0, 1},
    {"efficientnet 1152->48 gate b16", 16, 1, 1, 1152, 48, 1, 1, 0, 1},
    {"depthwise 5x5 144 56x56 s2 b16", 16, 56, 56, 144, 144, 5, 2, 2, 144},
    {"depthwise 5x5 240 28x28 b16", 16, 28, 28, 240, 240, 5, 1, 2, 240},
    {"depthwise 3x3 240 28x28 s2 b16", 16, 28, 28, 240, 240, 3, 2, 1, 240},
    {"depthwise 5x5 480 14x14 b16", 16, 14, 14, 480, 480, 5, 1, 2, 480},
    {"depthwise 5x5 672 14x14 b16", 16, 14, 14, 672, 672, 5, 1, 2, 672},
    {"depthwise 5x5 672 14x14 s2 b16", 16, 14, 14, 672, 672, 5, 2, 2, 672},
    {"depthwise 5x5 1152 7x7 b16", 16, 7, 7, 1152, 1152, 5, 1, 2, 1152},
    {"depthwise 32 112x112 b1", 1, 112, 112, 32, 32, 3, 1, 1, 32},
    {"depthwise 96 112x112 s2 b1", 1, 112, 112, 96, 96, 3, 2, 1, 96},
    {"depthwise 144 56x56 b1", 1, 56, 56, 144, 144, 3, 1, 1, 144},
    {"depthwise 5x5 144 56x56 s2 b1", 1, 56, 56, 144, 144, 5, 2, 2, 144},
    {"depthwise 5x5 240 28x28 b1", 1, 28, 28, 240, 240, 5, 1, 2, 240},
    {"depthwise 5x5 480 14x14 b1", 1, 14, 14, 480, 480, 5, 1, 2, 480},
    {"depthwise 5x5 672 14x14 s2 b1", 1, 14, 14, 672, 672, 5, 2, 2, 672},
    {"depthwise 5x5 1152 7x7 b1", 1, 7, 7, 1152, 1152, 5, 1, 2, 1152},
    {"grouped 4x32 14x14 b16", 16, 14, 14, 128, 128, 3, 1, 1, 4},
};

static const char *const pass_names[IC_CONV_PASSES] = {"forward", "backward data",
                                                       "backward weights"};

typedef struct memory {
    float *x, *y, *w, *packed, *shared, *scratch;
} memory;

static float *make_floats(size_t count, float scale)
{
    float *floats = aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64);
    if (floats == NULL) {
        fputs("not enough memory\n", stderr);
        exit(1);
    }
    uint32_t state = 1;
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        floats[i] = ((float)(state >> 8) / 8388608.0f - 1.0f) * scale;
    }
    return floats;
}

static void run_pass(const ic_conv *conv, ic_conv_pass pass, const memory *m)
{
    ic_conv_arguments arguments = {.x = m->x,
                                   .d_y = m->y,
                                   .packed = conv->plans[pass].packed_floats > 0 ? m->packed : m->w,
                                   .shared = m->shared};
    arguments.out = pass == IC_CONV_FORWARD ? m->y : pass == IC_CONV_BACKWARD_DATA ? m->x : m->w;
    for (int32_t phase = 0; phase < conv->plans[pass].phases; ++phase) {
        int64_t units = ic_conv_units(conv, pass, phase);
        for (int64_t unit = 0; unit < units; ++unit)
            ic_conv_run(conv, pass, phase, unit, &arguments, m->scratch);
    }
}

static double pack_seconds(const ic_conv *conv, ic_conv_pass pass, const memory *m)
{
    double best = 1e9;
    for (int32_t i = 0; i < 3; ++i) {
        double begin = thread_seconds();
        for (int64_t unit = 0; unit < ic_conv_pack_units(conv, pass); ++unit)
            ic_conv_pack(conv, pass, unit, m->w, m->packed);
        double seconds = thread_seconds() - begin;
        best = seconds < best ? seconds : best;
    }
    return best;
}

/* Runs often enough to be measured, and returns the time of one. */
static double run_seconds(const ic_conv *conv, ic_conv_pass pass, const memory *m, int64_t repeats)
{
    double begin = thread_seconds();
    for (int64_t i = 0; i < repeats; ++i)
        run_pass(conv, pass, m);
    return (thread_seconds() - begin) / (double)repeats;
}

/* The best time and the best peak of runs that take turns. */
static double measure(const ic_conv *conv, ic_conv_pass pass, const memory *m, double seconds,
                      double *peak)
{
    double best = run_seconds(conv, pass, m, 1), begin = thread_seconds();
    int64_t repeats = 1 + (int64_t)(0.0005 / best);
    *peak = 0;
    for (int32_t i = 0; i < 3 || thread_seconds() - begin < seconds; ++i) {
        double rate = peak_gflops(conv->kernels->level);
        double took = run_seconds(conv, pass, m, repeats);
        best = took < best ? took : best;
        *peak = rate > *peak ? rate : *peak;
    }
    return best;
}

/* algorithm: by this one where it can; "": by the chosen one. */
static void bench_layer(const layer *l, ic_cpu_level level, const char *algorithm, double seconds,
                        double triad, int json)
{
    int32_t oh = (l->h + 2 * l->pad - l->filter) / l->stride + 1;
    int32_t ow = (l->w + 2 * l->pad - l->filter) / l->stride + 1;
    ic_conv_shape shape = {.n = l->n,
                           .h = l->h,
                           .w = l->w,
                           .c = l->c,
                           .oh = oh,
                           .ow = ow,
                           .k = l->k,
                           .r = l->filter,
                           .s = l->filter,
                           .stride_h = l->stride,
                           .stride_w = l->stride,
                           .pad_h = l->pad,
                           .pad_w = l->pad,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = l->groups};
    ic_conv conv;
    ic_conv_prepare(ic_kernels_at(level), &shape,
                    shape.n == 1 ? IC_CONV_INFERENCE : IC_CONV_TRAINING, &conv);
    size_t w_floats = (size_t)l->k * (l->c / l->groups) * l->filter * l->filter;
    size_t x_floats = (size_t)l->n * l->h * l->w * l->c, y_floats = (size_t)l->n * oh * ow * l->k;
    double flops = 2.0 * l->n * oh * ow * (double)w_floats;
    double bytes = (double)(x_floats + y_floats + w_floats) * sizeof(float);
    for (int32_t pass = 0; pass < IC_CONV_PASSES; ++pass) {
        if (algorithm[0] != '\0' && !ic_conv_choose(&conv, (ic_conv_pass)pass, algorithm))
            continue;
        const ic_conv_plan *plan = &conv.plans[pass];
        memory m = {.x = make_floats(x_floats, 1),
                    .y = make_floats(y_floats, 1),
                    .w = make_floats(w_floats, 0.05f),
                    .packed = make_floats(plan->packed_floats, 0),
                    .shared = make_floats(plan->shared_floats, 0),
                    .scratch = make_floats(plan->scratch_floats, 0)};
        double pack = pack_seconds(&conv, (ic_conv_pass)pass, &m), peak;
        double best = measure(&conv, (ic_conv_pass)pass, &m, seconds, &peak);
        const char *format =
            json ? "{\"layer\":\"%s\",\"level\":\"%s\",\"pass\":\"%s\",\"algorithm\":\"%s\","
                   "\"ms\":%.4f,\"gflops\":%.1f,\"percent_of_peak\":%.1f,\"gbytes\":%.2f,"
                   "\"percent_of_bandwidth\":%.1f,\"pack_ms\":%.4f}\n"
                 : "%-32s %-7s %-17s %-9s %9.4f ms %7.1f GF/s %6.1f %% %7.2f GB/s %6.1f %%"
                   "   pack %8.4f ms\n";
        printf(format, l->name, conv.kernels->name, pass_names[pass],
               ic_conv_algorithm_name(&conv, (ic_conv_pass)pass), best * 1e3, flops / best * 1e-9,
               100 * flops / best * 1e-9 / peak, bytes / best * 1e-9,
               100 * bytes / best * 1e-9 / triad, pack * 1e3);
        fflush(stdout);
        free(m.x), free(m.y), free(m.w), free(m.packed), free(m.shared), free(m.scratch);
    }
}

static void print_machine(int threads)
{
    double peak = 0;
    for (int i = 0; i < 20; ++i) {
        double rate = peak_gflops(ic_cpu_detect());
        peak = rate > peak ? rate : peak;
    }
    bandwidth one = measure_bandwidth(1), all = measure_bandwidth(threads);
    printf("{\"level\": \"%s\", \"peak_gflops\": %.1f, \"threads\": %d, \"read_gbytes\": "
           "[%.2f, %.2f], \"triad_gbytes\": [%.2f, %.2f]}\n",
           ic_kernels_at(ic_cpu_detect())->name, peak, threads, one.read, all.read, one.triad,
           all.triad);
}

int main(int argc, char **argv)
{
    const char *level_name = NULL, *part = "", *algorithm = "";
    double seconds = 0.3;
    int json = 0, bf16 = 0, machine = 0, threads = 2;
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--json") == 0)
            json = 1;
        else if (strcmp(argv[i], "--machine") == 0)
            machine = 1;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
            level_name = argv[++i];
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc)
            bf16 = strcmp(argv[++i], "bfloat16") == 0;
        else if (strcmp(argv[i], "--shape") == 0 && i + 1 < argc)
            part = argv[++i];
        else if (strcmp(argv[i], "--algorithm") == 0 && i + 1 < argc)
            algorithm = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else {
            fputs("usage: kernels [--level NAME] [--precision float32|bfloat16] [--shape PART] "
                  "[--algorithm NAME] [--seconds S] [--json]\n"
                  "       kernels --machine [--threads N]\n",
                  stderr);
            return 2;
        }
    }
    if (machine) {
        print_machine(threads);
        return 0;
    }
    double triad = measure_bandwidth(1).triad;
    int first = bf16 ? IC_CPU_ALL_LEVELS - 1 : IC_CPU_LEVELS - 1;
    for (int i = first; i >= (int)(bf16 ? IC_CPU_LEVELS : IC_CPU_C); --i) {
        ic_cpu_level level = (ic_cpu_level)i;
        if (!ic_cpu_has(level) ||
            (level_name != NULL && strcmp(level_name, ic_cpu_level_name(level)) != 0))
            continue;
        for (size_t l = 0; l < sizeof layers / sizeof *layers; ++l)
            if (strstr(layers[l].name, part) != NULL)
                bench_layer(&layers[l], level, algorithm, seconds, triad, json);
    }
    return 0;
}
