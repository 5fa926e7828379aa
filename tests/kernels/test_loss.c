/* tests/kernels/test_loss.c: softmax and cross-entropy. SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

static const int32_t class_counts[] = {1, 2, 3, 10, 15, 16, 17, 100, 1000};
static const float ranges[] = {1.0f, 30.0f, 1e4f}; /* of the logits */
enum { ROWS = 5, COUNTS = 9, RANGES = 3 };

/* p of one row, in double; the loss of its label as well. */
static double reference_row(int32_t classes, const float *x, int32_t label, double smoothing,
                            double *p)
{
    double max = x[0], sum = 0.0, loss = 0.0;
    for (int32_t i = 1; i < classes; i++)
        max = fmax(max, (double)x[i]);
    for (int32_t i = 0; i < classes; i++)
        sum += p[i] = exp((double)x[i] - max);
    for (int32_t i = 0; i < classes; i++) {
        const double target = (i == label ? 1.0 - smoothing : 0.0) + smoothing / classes;
        loss += target * (log(sum) + max - (double)x[i]);
        p[i] /= sum;
    }
    return loss;
}

/*
 * x - max is rounded to 2^-24 of itself; where it is z, e^z has that times |z| as relative error,
 * and |z| e^z < 0.4. With exp, sum and product: 2e-7 absolute; and rows add up to 1.
 */
static void check_softmax(const ic_kernels *kernels, int32_t classes, float range)
{
    const size_t count = (size_t)(ROWS * classes);
    float *x = floats(count), *y = floats(count);
    double *p = calloc((size_t)classes, sizeof(double));
    assert_non_null(p);
    fill_reals(x, count, range, 1);
    kernels->softmax(ROWS, classes, x, y);
    for (int32_t row = 0; row < ROWS; row++) {
        double sum = 0.0;
        reference_row(classes, x + row * classes, 0, 0.0, p);
        for (int32_t i = 0; i < classes; i++) {
            assert_near(y[row * classes + i], p[i], 2e-7, "softmax", kernels->name, i);
            sum += (double)y[row * classes + i];
        }
        assert_near(sum, 1.0, 1e-6, "sum of a row", kernels->name, row);
    }
    free(p);
    release_floats(x, count);
    release_floats(y, count);
}

static void test_softmax(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < COUNTS; i++)
        for (int32_t j = 0; j < RANGES; j++)
            check_softmax(kernels, class_counts[i], ranges[j]);
}

static void check_cross_entropy(const ic_kernels *kernels, int32_t classes, float range,
                                float smoothing, bool weighted)
{
    const size_t count = (size_t)(ROWS * classes);
    const float scale = 0.25f;
    float *x = floats(count), *d_x = floats(count), *loss = floats(ROWS), *alone = floats(ROWS);
    float *weight = floats((size_t)classes);
    double *p = calloc((size_t)classes, sizeof(double));
    assert_non_null(p);
    int32_t labels[ROWS];
    fill_reals(x, count, range, 2);
    fill_reals(weight, (size_t)classes, 1.0f, 3);
    for (int32_t row = 0; row < ROWS; row++)
        labels[row] = (7 * row + classes / 2) % classes;
    const float *given = weighted ? weight : NULL;
    const ic_targets targets = {.labels = labels};
    kernels->cross_entropy(ROWS, classes, x, &targets, smoothing, given, scale, loss, d_x);
    kernels->cross_entropy(ROWS, classes, x, &targets, smoothing, given, scale, alone, NULL);
    assert_same_bits(loss, alone, ROWS);
    for (int32_t row = 0; row < ROWS; row++) {
        const double w = weighted ? (double)weight[labels[row]] : 1.0;
        const double expected =
            reference_row(classes, x + row * classes, labels[row], (double)smoothing, p);
        assert_near(loss[row], w * expected, 2e-7 * fabs(w) * (1.0 + expected), "loss",
                    kernels->name, row);
        for (int32_t i = 0; i < classes; i++) {
            const double target =
                (i == labels[row] ? 1.0 - (double)smoothing : 0.0) + (double)smoothing / classes;
            assert_near(d_x[row * classes + i], w * (double)scale * (p[i] - target),
                        4e-7 * fabs(w) * (double)scale, "d_logits", kernels->name, i);
        }
    }
    free(p);
    release_floats(x, count);
    release_floats(d_x, count);
    release_floats(loss, ROWS);
    release_floats(alone, ROWS);
    release_floats(weight, (size_t)classes);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < COUNTS; i++) {
        for (int32_t j = 0; j < RANGES; j++) {
            check_cross_entropy(kernels, class_counts[i], ranges[j], 0.0f, false);
            check_cross_entropy(kernels, class_counts[i], ranges[j], 0.1f, false);
            check_cross_entropy(kernels, class_counts[i], ranges[j], 0.2f, true);
        }
    }
}

/*
 * Partners at every level: by rows without them, as the loss and its gradient are linear in the
 * shares. A share of all, or a partner of the same class, gives the very bits of a row without.
 */
static void test_partners(void **state)
{
    (void)state;
    enum { CLASSES = 21 };
    float x[ROWS * CLASSES], weight[CLASSES], shares[ROWS];
    int32_t labels[ROWS], partners[ROWS];
    fill_reals(x, ROWS * CLASSES, 4.0f, 4);
    fill_reals(weight, CLASSES, 1.0f, 5);
    for (int32_t row = 0; row < ROWS; row++) {
        labels[row] = row % CLASSES;
        partners[row] = row % 4 == 1 ? labels[row] : (5 * row + 3) % CLASSES;
        shares[row] = row % 4 < 2 ? 1.0f : (float)(row % 9) / 8.0f;
    }
    FOR_EACH_LEVEL(kernels)
    {
        float loss[3][ROWS], d[3][ROWS * CLASSES];
        const ic_targets targets[3] = {{labels}, {partners}, {labels, partners, shares}};
        for (int32_t i = 0; i < 3; i++)
            kernels->cross_entropy(ROWS, CLASSES, x, &targets[i], 0.1f, weight, 0.5f, loss[i],
                                   d[i]);
        for (int32_t row = 0; row < ROWS; row++) {
            const double share = (double)shares[row];
            if (row % 4 < 2)
                assert_same_bits(&d[0][row * CLASSES], &d[2][row * CLASSES], CLASSES);
            assert_near(loss[2][row],
                        share * (double)loss[0][row] + (1 - share) * (double)loss[1][row], 1e-5,
                        "loss", kernels->name, row);
            for (int32_t i = row * CLASSES; i < (row + 1) * CLASSES; i++)
                assert_near(d[2][i], share * (double)d[0][i] + (1 - share) * (double)d[1][i], 1e-6,
                            "d_logits", kernels->name, i);
        }
    }
}

/* A certain and right row loses nothing, a certain and wrong one the distance. */
static void test_extremes(void **state)
{
    (void)state;
    const float x[9] = {1e4f, -1e4f, 0.0f, 1e4f, -1e4f, 0.0f, 3e38f, -3e38f, 0.0f};
    const int32_t labels[3] = {0, 1, 0};
    float loss[3], d_x[9];
    FOR_EACH_LEVEL(kernels)
    {
        kernels->cross_entropy(3, 3, x, &(ic_targets){labels}, 0.0f, NULL, 1.0f, loss, d_x);
        assert_true(loss[0] == 0.0f && loss[1] == 2e4f && loss[2] == 0.0f);
        assert_true(d_x[0] == 0.0f && d_x[1] == 0.0f && d_x[2] == 0.0f);
        assert_true(d_x[3] == 1.0f && d_x[4] == -1.0f && d_x[5] == 0.0f);
    }
}

/* NaN and infinity make their row's loss NaN, and no other row's. */
static void test_bad_logits(void **state)
{
    (void)state;
    enum { CLASSES = 19 };
    const int32_t labels[3] = {4, 5, 6};
    const float bad[2] = {NAN, INFINITY};
    float x[3 * CLASSES], p[3 * CLASSES], loss[3];
    FOR_EACH_LEVEL(kernels)
    for (int32_t at = 0; at < 2 * CLASSES; at++) {
        fill_reals(x, 3 * CLASSES, 3.0f, 4);
        x[CLASSES + at / 2] = bad[at % 2];
        kernels->cross_entropy(3, CLASSES, x, &(ic_targets){labels}, 0.0f, NULL, 1.0f, loss, p);
        assert_true(!isnan(loss[0]) && isnan(loss[1]) && !isnan(loss[2]));
        kernels->softmax(3, CLASSES, x, p);
        assert_true(!isnan(p[0]) && isnan(p[CLASSES + at / 2]) && !isnan(p[2 * CLASSES]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),    cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_partners),   cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_bad_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
