/* train/test_loss.c: the loss of a batch against its definition in double. SPDX-License-Identifier:
 * MIT */
#include "support/support.h"

#include "base/random.h"
#include "train/loss.h"

#include <math.h>
#include <stdlib.h>

/* More rows than one piece of work holds. */
enum { ROWS = 2501, CLASSES = 7 };
static const double smoothing = 0.1;

typedef struct batch {
    float logits[ROWS * CLASSES], gradients[ROWS * CLASSES];
    int32_t labels[ROWS], partners[ROWS];
    float shares[ROWS];
} batch;

static batch *make_batch(void)
{
    batch *made = calloc(1, sizeof *made);
    ic_random random = ic_random_at(3, IC_USE_WEIGHTS, 0, 0);
    assert_non_null(made);
    for (int i = 0; i < ROWS * CLASSES; i++)
        made->logits[i] = (float)(3 * ic_random_normal(&random));
    for (int i = 0; i < ROWS; i++)
        made->labels[i] = (int32_t)ic_random_below(&random, CLASSES);
    for (int i = 0; i < ROWS; i++) {
        made->partners[i] = (int32_t)ic_random_below(&random, CLASSES);
        made->shares[i] = i % 10 == 0 ? (float)(i / 10 % 3) / 2 : (float)ic_random_unit(&random);
    }
    return made;
}

/* Sets probabilities; returns -sum of target * log probability. */
static double reference(const float *logits, int32_t label, double smooth, double *probability)
{
    double sum = 0, loss = 0;
    for (int k = 0; k < CLASSES; k++)
        sum += exp((double)logits[k]);
    for (int k = 0; k < CLASSES; k++) {
        double target = (k == label ? 1 - smooth : 0) + smooth / CLASSES;
        probability[k] = exp((double)logits[k]) / sum;
        loss -= target * log(probability[k]);
    }
    return loss;
}

static int64_t count_correct(const batch *given)
{
    int64_t correct = 0;
    for (int i = 0; i < ROWS; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            if (given->logits[i * CLASSES + k] > given->logits[i * CLASSES + best])
                best = k;
        correct += best == given->labels[i];
    }
    return correct;
}

static void check(const int64_t *counts, const double *weights, double smooth)
{
    ic_context *context = test_context(2);
    ic_loss *loss;
    ic_loss_sums sums;
    batch *given = make_batch();
    double total = 0, p[CLASSES];

    assert_ok(ic_loss_create(context, CLASSES, ROWS, smooth, counts, &loss));
    const ic_targets targets = {.labels = given->labels};
    assert_ok(ic_loss_train(loss, ROWS, given->logits, &targets, given->gradients, &sums));
    for (int i = 0; i < ROWS; i++) {
        int32_t label = given->labels[i];
        double weight = weights ? weights[label] : 1;
        total += weight * reference(given->logits + i * CLASSES, label, smooth, p);
        for (int k = 0; k < CLASSES; k++) {
            double target = (k == label ? 1 - smooth : 0) + smooth / CLASSES;
            double expected = weight * (p[k] - target) / ROWS;
            assert_true(fabs((double)given->gradients[i * CLASSES + k] - expected) < 1e-9);
        }
    }
    assert_true(fabs(sums.loss - total) < 1e-5 * total);
    assert_int_equal(sums.correct, count_correct(given));
    free(given);
    ic_loss_free(loss);
    ic_context_free(context);
}

static void is_smoothed_cross_entropy(void **state)
{
    check(NULL, NULL, 0);
    check(NULL, NULL, smoothing);
}

/* Five of seven classes present, 100 pictures: weight 100 / (5 n). */
static void class_weights_have_mean_one(void **state)
{
    const int64_t counts[CLASSES] = {10, 20, 0, 40, 5, 25, 0};
    const double weights[CLASSES] = {2, 1, 1, 0.5, 4, 0.8, 1};
    double sum = 0;
    for (int k = 0; k < CLASSES; k++)
        sum += weights[k] * (double)counts[k];
    assert_true(fabs(sum - 100) < 1e-12);
    check(counts, weights, smoothing);
}

/*
 * share CE(label) + (1 - share) CE(partner), each with the weight of its class, and its gradient;
 * what is right is the larger of the two.
 */
static void mixed_pictures_have_two_losses(void **state)
{
    const int64_t counts[CLASSES] = {10, 20, 0, 40, 5, 25, 0};
    const double weights[CLASSES] = {2, 1, 1, 0.5, 4, 0.8, 1};
    for (int weighted = 0; weighted < 2; weighted++) {
        ic_context *context = test_context(2);
        ic_loss *loss;
        ic_loss_sums sums;
        batch *given = make_batch();
        double total = 0;
        int64_t correct = 0;
        const ic_targets targets = {given->labels, given->partners, given->shares};
        assert_ok(
            ic_loss_create(context, CLASSES, ROWS, smoothing, weighted ? counts : NULL, &loss));
        assert_ok(ic_loss_train(loss, ROWS, given->logits, &targets, given->gradients, &sums));
        for (int i = 0; i < ROWS; i++) {
            double expected[CLASSES] = {0}, p[CLASSES], share = given->shares[i];
            int best = 0;
            for (int side = 0; side < 2; side++) {
                int32_t label = side == 0 ? given->labels[i] : given->partners[i];
                double weight = (side == 0 ? share : 1 - share) * (weighted ? weights[label] : 1);
                total += weight * reference(given->logits + i * CLASSES, label, smoothing, p);
                for (int k = 0; k < CLASSES; k++)
                    expected[k] += weight *
                                   (p[k] - (k == label ? 1 - smoothing : 0) - smoothing / CLASSES) /
                                   ROWS;
            }
            for (int k = 0; k < CLASSES; k++) {
                assert_true(fabs((double)given->gradients[i * CLASSES + k] - expected[k]) < 1e-9);
                best = p[k] > p[best] ? k : best;
            }
            correct += best == (share < 0.5 ? given->partners[i] : given->labels[i]);
        }
        assert_true(fabs(sums.loss - total) < 1e-5 * total);
        assert_int_equal(sums.correct, correct);
        free(given);
        ic_loss_free(loss);
        ic_context_free(context);
    }
}

/* What validation reports has neither smoothing nor weights. */
static void measure_is_plain(void **state)
{
    const int64_t counts[CLASSES] = {10, 20, 0, 40, 5, 25, 0};
    ic_context *context = test_context(1);
    ic_loss *loss;
    ic_loss_sums sums;
    batch *given = make_batch();
    double total = 0, p[CLASSES];
    assert_ok(ic_loss_create(context, CLASSES, ROWS, smoothing, counts, &loss));
    assert_ok(ic_loss_measure(loss, 100, given->logits, given->labels, &sums));
    for (int i = 0; i < 100; i++)
        total += reference(given->logits + i * CLASSES, given->labels[i], 0, p);
    assert_true(fabs(sums.loss - total) < 1e-5 * total);
    free(given);
    ic_loss_free(loss);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_smoothed_cross_entropy),
        cmocka_unit_test(class_weights_have_mean_one),
        cmocka_unit_test(mixed_pictures_have_two_losses),
        cmocka_unit_test(measure_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
