/* tests/kernels/test_squeeze.c: means, gates and gradients of values that wait for their norm.
 * SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

static const int32_t channel_counts[] = {1, 3, 17, 32, 96, 257, 600};
static const int64_t row_counts[] = {1, 4, 49, 130};

/* One piece: x and d_y of [rows][c], and what belongs to a channel. */
typedef struct piece {
    const ic_kernels *kernels;
    int64_t rows;
    int32_t c;
    ic_activation f;
    float *x, *d_y, *y, *z, *v, *slope; /* z = x scale + shift, v = f(z), slope = f'(z) */
    float *scale, *shift, *mean, *gate, *b, *e, *sums;
} piece;

typedef void (*piece_test)(const piece *p);

static size_t count_of(const piece *p)
{
    return (size_t)(p->rows * p->c);
}

static void with_piece(const ic_kernels *kernels, int64_t rows, int32_t c, ic_activation f,
                       piece_test test)
{
    piece p = {.kernels = kernels, .rows = rows, .c = c, .f = f};
    const size_t count = count_of(&p), channels = (size_t)c;
    float **large[] = {&p.x, &p.d_y, &p.y, &p.z, &p.v, &p.slope};
    float **small[] = {&p.scale, &p.shift, &p.mean, &p.gate, &p.b, &p.e};
    for (uint32_t i = 0; i < 6; i++) {
        fill_reals(*large[i] = floats(count), count, 3.0f, 1 + i);
        fill_reals(*small[i] = floats(channels), channels, 2.0f, 7 + i);
    }
    p.sums = floats(IC_SQUEEZE_SUMS * channels);
    for (size_t i = 0; i < count; i++)
        p.y[i] = 1.0f;
    kernels->affine(rows, c, p.x, p.scale, p.shift, IC_ACTIVATION_NONE, p.z);
    kernels->affine(rows, c, p.x, p.scale, p.shift, f, p.v);
    kernels->activate_backward(f, (int64_t)count, p.z, p.y, p.slope);
    test(&p);
    for (uint32_t i = 0; i < 6; i++) {
        release_floats(*large[i], count);
        release_floats(*small[i], channels);
    }
    release_floats(p.sums, IC_SQUEEZE_SUMS * channels);
}

static void over_pieces(piece_test test)
{
    FOR_EACH_LEVEL(kernels)
    for (size_t i = 0; i < sizeof channel_counts / sizeof *channel_counts; i++)
        for (size_t j = 0; j < sizeof row_counts / sizeof *row_counts; j++)
            for (int32_t f = 0; f < IC_ACTIVATION_COUNT; f++)
                with_piece(kernels, row_counts[j], channel_counts[i], (ic_activation)f, test);
}

/* sum: over the rows of channel k, of a b w (NULL: one) less away; the bound is of any order. */
static void assert_sum(const piece *p, double found, const char *what, int64_t k, const float *a,
                       const float *b, bool away)
{
    double sum = 0, size = 0;
    for (int64_t i = k; i < p->rows * p->c; i += p->c) {
        double product = (a != NULL ? (double)a[i] : 1) * (double)b[i] *
                         (away ? (double)p->x[i] - (double)p->mean[k] : 1);
        sum += product;
        size += fabs(product);
    }
    assert_near(found, sum, ldexp((double)p->rows + 4, -24) * size, what, p->kernels->name, k);
}

static void check_means(const piece *p)
{
    p->kernels->value_sum(p->rows, p->c, p->x, p->scale, p->shift, p->f, p->sums);
    for (int64_t k = 0; k < p->c; k++)
        assert_sum(p, (double)p->sums[k], "value_sum", k, NULL, p->v, false);
    p->kernels->activate(p->f, p->rows * p->c, p->x, p->v);
    p->kernels->value_sum(p->rows, p->c, p->x, NULL, NULL, p->f, p->sums);
    for (int64_t k = 0; k < p->c; k++)
        assert_sum(p, (double)p->sums[k], "value_sum, no scale", k, NULL, p->v, false);
}

/* The bits of affine and gate, one after the other. */
static void check_gate(const piece *p)
{
    p->kernels->value_gate(p->rows, p->c, p->x, p->scale, p->shift, p->f, p->gate, p->y);
    p->kernels->gate(p->rows, p->c, p->v, p->gate, p->v);
    assert_same_bits(p->y, p->v, count_of(p));
}

static void check_sums(const piece *p)
{
    const float *s = p->sums;
    int64_t c = p->c;
    p->kernels->squeeze_sums(p->f, p->rows, p->c, p->x, p->d_y, p->scale, p->shift, p->mean,
                             p->sums);
    for (int64_t k = 0; k < c; k++) {
        assert_sum(p, (double)s[k], "d_y v", k, p->d_y, p->v, false);
        assert_sum(p, (double)s[c + k], "d_y f'", k, p->d_y, p->slope, false);
        assert_sum(p, (double)s[2 * c + k], "d_y f' (x - mean)", k, p->d_y, p->slope, true);
        assert_sum(p, (double)s[3 * c + k], "f'", k, NULL, p->slope, false);
        assert_sum(p, (double)s[4 * c + k], "f' (x - mean)", k, NULL, p->slope, true);
    }
}

static void check_backward(const piece *p)
{
    const ic_squeeze_slopes slopes = {.scale = p->scale,
                                      .shift = p->shift,
                                      .factor = p->gate,
                                      .offset = p->mean,
                                      .b = p->b,
                                      .e = p->e};
    p->kernels->squeeze_backward(p->f, p->rows, p->c, p->x, p->d_y, &slopes, p->y);
    for (int64_t i = 0; i < p->rows * p->c; i++) {
        int64_t k = i % p->c;
        double d = (double)p->gate[k] * (double)p->d_y[i] + (double)p->mean[k];
        double through = d * (double)p->slope[i];
        double around = (double)p->b[k] * (double)p->x[i] + (double)p->e[k];
        double size = (fabs((double)p->gate[k] * (double)p->d_y[i]) + fabs((double)p->mean[k])) *
                          (fabs((double)p->slope[i]) + ldexp(1, -3)) +
                      fabs((double)p->b[k] * (double)p->x[i]) + fabs((double)p->e[k]);
        assert_near((double)p->y[i], through + around, ldexp(4 * size, -24), "squeeze_backward",
                    p->kernels->name, i);
    }
    p->kernels->squeeze_backward(p->f, p->rows, p->c, p->x, p->d_y, &slopes, p->d_y);
    assert_same_bits(p->d_y, p->y, count_of(p));
}

static void test_means(void **state)
{
    (void)state;
    over_pieces(check_means);
}

static void test_gate(void **state)
{
    (void)state;
    over_pieces(check_gate);
}

static void test_sums(void **state)
{
    (void)state;
    over_pieces(check_sums);
}

static void test_backward(void **state)
{
    (void)state;
    over_pieces(check_backward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_backward),
    };
    return cmocka_run_group_tests_name("kernels/squeeze", tests, NULL, NULL);
}
