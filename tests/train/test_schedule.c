/* train/test_schedule.c: learning rates against torch's and by their definition.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "train/schedule.h"

#include <math.h>

/* torch.optim.lr_scheduler.OneCycleLR(max_lr=0.4, total_steps=20, pct_start=0.3). */
static const double torch_one_cycle[20] = {
    0.016000000000000014, 0.052668737080010131, 0.1486687370800101,   0.26733126291998988,
    0.36333126291998991,  0.40000000000000002,  0.39498560249403497,  0.38019385280538953,
    0.35636647102842001,  0.32469826157990522,  0.28677720071652035,  0.24450480877451572,
    0.20000080000000001,  0.15549679122548429,  0.11322439928347969,  0.075303338420094804,
    0.043635128971580013, 0.019807747194610516, 0.005015997505965022, 1.5999999999999999e-06,
};

static ic_training_recipe recipe(ic_schedule_kind kind, int32_t epochs, double warmup)
{
    return (ic_training_recipe){
        .epochs = epochs, .learning_rate = 0.4, .schedule = kind, .warmup_epochs = warmup};
}

static void one_cycle_is_torchs(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_ONE_CYCLE, 5, 0);
    ic_schedule schedule = ic_schedule_make(&training, 4);
    assert_int_equal(schedule.steps, 20);
    for (int64_t step = 0; step < 20; step++)
        assert_true(fabs(ic_schedule_rate(&schedule, step) - torch_one_cycle[step]) < 1e-15);
}

static void short_one_cycle_stays_in_bounds(void **state)
{
    for (int32_t steps = 1; steps <= 8; steps++) {
        ic_training_recipe training = recipe(IC_SCHEDULE_ONE_CYCLE, steps, 0);
        ic_schedule schedule = ic_schedule_make(&training, 1);
        for (int64_t step = 0; step < steps; step++) {
            double rate = ic_schedule_rate(&schedule, step);
            assert_true(rate > 0 && rate <= 0.4);
        }
    }
}

static void cosine_warms_up_and_falls(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_COSINE, 10, 1);
    ic_schedule schedule = ic_schedule_make(&training, 9);
    assert_true(fabs(ic_schedule_rate(&schedule, 0) - 0.04) < 1e-15);
    assert_true(fabs(ic_schedule_rate(&schedule, 8) - 0.36) < 1e-15);
    assert_true(ic_schedule_rate(&schedule, 9) == 0.4);
    for (int64_t step = 10; step < 90; step++) {
        double expected = 0.2 * (1 + cos(3.14159265358979323846 * (double)(step - 9) / 81));
        assert_true(fabs(ic_schedule_rate(&schedule, step) - expected) < 1e-15);
        assert_true(ic_schedule_rate(&schedule, step) < ic_schedule_rate(&schedule, step - 1));
    }
}

static void constant_stays_at_its_peak(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_CONSTANT, 3, 0.5);
    ic_schedule schedule = ic_schedule_make(&training, 10);
    assert_true(ic_schedule_rate(&schedule, 4) < 0.4);
    for (int64_t step = 5; step < 30; step++)
        assert_true(ic_schedule_rate(&schedule, step) == 0.4);
}

static void warmup_takes_at_most_half(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_COSINE, 2, 1000);
    ic_schedule schedule = ic_schedule_make(&training, 10);
    assert_true(ic_schedule_rate(&schedule, 10) == 0.4);
    assert_true(ic_schedule_rate(&schedule, 19) < 0.02);
}

/* Drops that would come faster come with each step. */
static void stairs_take_a_step_at_least(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_STEP, 3, 0);
    training.step_epochs = 1e-12;
    training.step_factor = 0.5;
    ic_schedule schedule = ic_schedule_make(&training, 4);
    for (int64_t step = 0; step < 12; step++)
        assert_true(ic_schedule_rate(&schedule, step) == ldexp(0.4, -(int)step));
}

/* What is left of the shape is stretched over the steps that are left. */
static void changes_of_plan_stretch_the_rest(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_ONE_CYCLE, 10, 0), changed = training;
    changed.changes[0] = (ic_change){40, 70};
    changed.changes[1] = (ic_change){60, 160};
    changed.change_count = 2;
    ic_schedule plain = ic_schedule_make(&training, 10), schedule = ic_schedule_make(&changed, 10);
    assert_int_equal(schedule.steps, 160);
    for (int64_t step = 0; step < 160; step++) {
        double place = step < 40   ? (double)step
                       : step < 60 ? 40 + (double)(step - 40) * 2 /* 60 of the shape in 30 steps */
                                   : 80 + (double)(step - 60) / 5;
        assert_true(fabs(ic_schedule_share(&schedule, step) - place / 100) < 1e-12);
        if (place == floor(place))
            assert_true(fabs(ic_schedule_rate(&schedule, step) -
                             ic_schedule_rate(&plain, (int64_t)place)) < 1e-12);
    }
}

/* 2.25 epochs of 10 steps: the last one is a part. */
static void epochs_may_be_parts(void **state)
{
    ic_training_recipe training = recipe(IC_SCHEDULE_COSINE, 1, 0);
    training.epochs = 2.25;
    assert_int_equal(ic_schedule_make(&training, 10).steps, 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cycle_is_torchs),
        cmocka_unit_test(short_one_cycle_stays_in_bounds),
        cmocka_unit_test(cosine_warms_up_and_falls),
        cmocka_unit_test(constant_stays_at_its_peak),
        cmocka_unit_test(stairs_take_a_step_at_least),
        cmocka_unit_test(warmup_takes_at_most_half),
        cmocka_unit_test(changes_of_plan_stretch_the_rest),
        cmocka_unit_test(epochs_may_be_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
