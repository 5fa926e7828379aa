/* train/test_mix.c: mixed batches: what is in them, how they are drawn. SPDX-License-Identifier:
 * MIT
 */
#include "support/support.h"

#include "train/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 10, CHANNELS = 2, FLOATS = SIDE * SIDE * CHANNELS, BATCH = 7, RUNS = 4000 };

typedef struct rig {
    ic_context *context;
    ic_mixer *mixer;
    float tensors[BATCH * FLOATS], mixed[BATCH * FLOATS];
    int32_t labels[BATCH];
    ic_batch batch;
} rig;

static rig *start(int32_t threads, double mixup, double cutmix, double probability)
{
    rig *r = calloc(1, sizeof *r);
    ic_training_recipe recipe = {.batch = BATCH,
                                 .seed = 9,
                                 .mixup = mixup,
                                 .cutmix = cutmix,
                                 .mix_probability = probability};
    ic_pipeline pipeline = {.width = SIDE, .height = SIDE, .channels = CHANNELS};
    ic_random random = ic_random_at(1, IC_USE_WEIGHTS, 0, 0);
    assert_non_null(r);
    r->context = test_context(threads);
    assert_ok(ic_mixer_create(r->context, &recipe, &pipeline, &r->mixer));
    for (int32_t i = 0; i < BATCH * FLOATS; i++)
        r->tensors[i] = (float)ic_random_range(&random, -2, 2);
    for (int32_t i = 0; i < BATCH; i++)
        r->labels[i] = 10 + i;
    r->batch = (ic_batch){.tensors = r->tensors, .labels = r->labels, .count = BATCH};
    return r;
}

static void stop(rig *r)
{
    ic_mixer_free(r->mixer);
    ic_context_free(r->context);
    free(r);
}

static ic_targets mix(rig *r, int64_t epoch, int64_t number)
{
    ic_targets targets;
    memset(r->mixed, 0x7f, sizeof r->mixed);
    assert_ok(ic_mixer_apply(r->mixer, &r->batch, epoch, number, r->mixed, &targets));
    assert_ptr_equal(targets.labels, r->labels);
    return targets;
}

/* Every picture is its own share and the rest of its partner, which the label names. */
static void check_blend(const rig *r, const ic_targets *targets)
{
    for (int32_t i = 0; i < BATCH * FLOATS; i++) {
        int32_t picture = i / FLOATS, partner = targets->partners[picture] - 10;
        double share = targets->shares[picture];
        double other = r->tensors[partner * FLOATS + i % FLOATS];
        assert_int_not_equal(picture, partner);
        assert_true(share >= 0 && share <= 1);
        assert_true(fabs(r->mixed[i] - (share * r->tensors[i] + (1 - share) * other)) < 1e-6);
    }
}

/* Every sample is one of the two; the partner's are a rectangle, and the share is what is left. */
static void check_cut(const rig *r, const ic_targets *targets)
{
    for (int32_t picture = 0; picture < BATCH; picture++) {
        int32_t partner = targets->partners[picture] - 10, others = 0;
        int32_t left = SIDE, right = -1, top = SIDE, bottom = -1;
        for (int32_t i = 0; i < FLOATS; i++) {
            float value = r->mixed[picture * FLOATS + i], own = r->tensors[picture * FLOATS + i];
            int32_t x = i / CHANNELS % SIDE, y = i / CHANNELS / SIDE;
            if (value == own)
                continue;
            assert_true(value == r->tensors[partner * FLOATS + i]);
            others++;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
        if (others > 0)
            assert_int_equal(others, (right - left + 1) * (bottom - top + 1) * CHANNELS);
        assert_true(fabs(1 - (double)others / FLOATS - targets->shares[picture]) < 1e-6);
    }
}

static bool is_cut(const rig *r)
{
    int32_t same = 0;
    for (int32_t i = 0; i < BATCH * FLOATS; i++)
        for (int32_t k = 0; k < BATCH; k++)
            same += r->mixed[i] == r->tensors[k * FLOATS + i % FLOATS];
    return same >= BATCH * FLOATS;
}

static void batches_are_what_their_labels_say(void **state)
{
    (void)state;
    rig *both = start(2, 0.4, 1, 1);
    int32_t cut = 0, seen[BATCH] = {0};
    for (int64_t run = 0; run < 400; run++) {
        ic_targets targets = mix(both, run / 20, run % 20);
        assert_non_null(targets.partners);
        cut += is_cut(both);
        (is_cut(both) ? check_cut : check_blend)(both, &targets);
        seen[targets.partners[0] - 10]++;
    }
    assert_in_range(cut, 160, 240);
    for (int32_t k = 1; k < BATCH; k++)
        assert_in_range(seen[k], 40, 95); /* 67 expected */
    stop(both);
}

/* Mean 1/2 and variance 1 / (4 (2 a + 1)) of Beta(a, a). */
static void shares_follow_beta(void **state)
{
    (void)state;
    static const double alphas[] = {0.05, 0.2, 1, 3};
    for (int32_t a = 0; a < 4; a++) {
        rig *r = start(1, alphas[a], 0, 1);
        double sum = 0, squares = 0, variance = 1 / (4 * (2 * alphas[a] + 1));
        for (int64_t run = 0; run < RUNS; run++) {
            double share = mix(r, 0, run).shares[0];
            sum += share;
            squares += (share - 0.5) * (share - 0.5);
        }
        assert_true(fabs(sum / RUNS - 0.5) < 4 * sqrt(variance / RUNS));
        assert_true(fabs(squares / RUNS - variance) < 0.08 * variance);
        stop(r);
    }
}

/* Left alone: batches that the probability spares, single pictures, and all when it is off. */
static void unmixed_batches_are_copies(void **state)
{
    (void)state;
    rig *off = start(2, 0, 0, 1), *half = start(2, 0.4, 0, 0.5);
    assert_null(mix(off, 0, 0).partners);
    assert_memory_equal(off->mixed, off->tensors, sizeof off->mixed);
    int32_t mixed = 0;
    for (int64_t run = 0; run < 400; run++) {
        bool spared = mix(half, 0, run).partners == NULL;
        assert_true(spared == (memcmp(half->mixed, half->tensors, sizeof half->mixed) == 0));
        mixed += !spared;
    }
    assert_in_range(mixed, 160, 240);
    half->batch.count = 1;
    for (int64_t run = 0; run < 20; run++)
        assert_null(mix(half, 0, run).partners);
    stop(off);
    stop(half);
}

static void threads_do_not_show(void **state)
{
    (void)state;
    rig *one = start(1, 0.4, 1, 0.9);
    static const int32_t counts[] = {2, 3, 7};
    for (int32_t i = 0; i < 3; i++) {
        rig *more = start(counts[i], 0.4, 1, 0.9);
        for (int64_t run = 40; run-- > 0;) { /* in another order, too */
            ic_targets a = mix(one, 1, run % 7), b = mix(more, 1, run % 7);
            assert_memory_equal(one->mixed, more->mixed, sizeof one->mixed);
            assert_true((a.partners == NULL) == (b.partners == NULL));
            if (a.partners != NULL) {
                assert_memory_equal(a.partners, b.partners, BATCH * sizeof *a.partners);
                assert_memory_equal(a.shares, b.shares, BATCH * sizeof *a.shares);
            }
        }
        stop(more);
    }
    stop(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_what_their_labels_say),
        cmocka_unit_test(shares_follow_beta),
        cmocka_unit_test(unmixed_batches_are_copies),
        cmocka_unit_test(threads_do_not_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
