/*
 * train/test_muon.c: muon's direction against its five steps taken on the matrix itself, in
 * doubles. SPDX-License-Identifier: MIT
 */
#include "support/hashed.h"
#include "support/support.h"

#include "train/muon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double momentum = 0.9;

/* low x low = x x'. */
static void square(int32_t low, int32_t wide, const double *x, double *out)
{
    for (int64_t i = 0; i < low; i++)
        for (int64_t j = 0; j < low; j++) {
            out[i * low + j] = 0;
            for (int64_t k = 0; k < wide; k++)
                out[i * low + j] += x[i * wide + k] * x[j * wide + k];
        }
}

/* x <- a x + (b G + c G G) x with G = x x', once. */
static void step_in_double(int32_t low, int32_t wide, double *x)
{
    double *gram = calloc((size_t)low * (size_t)low, sizeof *gram);
    double *factor = calloc((size_t)low * (size_t)low, sizeof *factor);
    double *next = calloc((size_t)low * (size_t)wide, sizeof *next);
    square(low, wide, x, gram);
    square(low, low, gram, factor); /* G is symmetric */
    for (int64_t i = 0; i < (int64_t)low * low; i++)
        factor[i] = -4.7750 * gram[i] + 2.0315 * factor[i];
    for (int64_t i = 0; i < low; i++)
        for (int64_t k = 0; k < low; k++)
            for (int64_t j = 0; j < wide; j++)
                next[i * wide + j] +=
                    (factor[i * low + k] + (i == k ? 3.4445 : 0)) * x[k * wide + j];
    memcpy(x, next, (size_t)low * (size_t)wide * sizeof *x);
    free(gram);
    free(factor);
    free(next);
}

/* The direction of a matrix [rows][columns] whose momentum was nothing. */
static double *turn_in_double(int32_t rows, int32_t columns, const float *gradient)
{
    const bool turned = rows > columns;
    int32_t low = turned ? columns : rows, wide = turned ? rows : columns;
    double norm = 0, *x = calloc((size_t)rows * (size_t)columns, sizeof *x);
    double *out = calloc((size_t)rows * (size_t)columns, sizeof *out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double value = (1 + momentum) * (double)gradient[i * columns + j]; /* Nesterov's */
            x[turned ? j * rows + i : i * columns + j] = value;
            norm += value * value;
        }
    for (int64_t i = 0; i < (int64_t)rows * columns; i++)
        x[i] /= sqrt(norm);
    for (int32_t i = 0; i < 5; i++)
        step_in_double(low, wide, x);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            out[i * columns + j] = x[turned ? j * rows + i : i * columns + j] *
                                   (turned ? sqrt((double)rows / columns) : 1);
    free(x);
    return out;
}

static float *turn(int32_t threads, int32_t rows, int32_t columns, const float *gradient)
{
    ic_context *context = test_context(threads);
    ic_parameter_run run = {.count = (int64_t)rows * columns, .rows = rows, .columns = columns};
    size_t size = (size_t)run.count * sizeof(float);
    float *velocity = calloc(1, size), *out = malloc(size);
    ic_muon *muon;
    memcpy(out, gradient, size);
    assert_ok(ic_muon_create(context, &run, 1, &muon));
    assert_ok(ic_muon_turn(muon, &run, (float)momentum, velocity, out));
    ic_muon_free(muon);
    free(velocity);
    ic_context_free(context);
    return out;
}

/* Matrices of one strip and of several, the last one whole or not; wide, high and square. */
static void directions_are_those_of_the_plain_iteration(void **state)
{
    (void)state;
    static const int32_t shapes[][2] = {{1, 7},     {16, 40},  {64, 64},   {65, 70},
                                        {100, 150}, {190, 81}, {129, 200}, {257, 300}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        int32_t rows = shapes[s][0], columns = shapes[s][1];
        int64_t count = (int64_t)rows * columns;
        float *gradient = malloc((size_t)count * sizeof *gradient);
        for (int64_t i = 0; i < count; i++)
            gradient[i] = (float)value_at(s + 1, i);
        double *wanted = turn_in_double(rows, columns, gradient);
        float *got = turn(1, rows, columns, gradient), *same = turn(3, rows, columns, gradient);
        assert_memory_equal(got, same, (size_t)count * sizeof *got);
        for (int64_t i = 0; i < count; i++)
            if (!(fabs((double)got[i] - wanted[i]) <= 1e-5))
                fail_msg("%d x %d, %lld: %.9g, not %.9g", rows, columns, (long long)i,
                         (double)got[i], wanted[i]);
        free(gradient);
        free(wanted);
        free(got);
        free(same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_those_of_the_plain_iteration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
