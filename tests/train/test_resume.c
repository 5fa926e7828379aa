/* train/test_resume.c: trainings that are interrupted, written down and continued.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "model/file.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

/* The pictures, in a context of so many threads. */
typedef struct room {
    ic_context *context;
    ic_dataset *data;
} room;

static const char *const sgd[] = {"network", "small", "epochs", "3", "batch_size", "32",
                                  "seed",    "5",     "shift",  "2", NULL,         NULL};
static const char *const adamw[] = {
    "network",  "plain", "epochs",    "2",     "batch_size",    "32",       "seed",     "6",
    "flip",     "on",    "optimizer", "adamw", "class_weights", "balanced", "schedule", "cosine",
    "patience", "1",     NULL,        NULL};

/* Several batches a step, averages of weights, pictures mixed, each class as often. */
static const char *const averaged[] = {
    "network", "plain",          "epochs",     "2",        "batch_size", "16",     "accumulate",
    "3",       "average",        "ema",        "mixup",    "0.4",        "cutmix", "1",
    "policy",  "trivial",        "sampling",   "balanced", "clip_norm",  "1",      "schedule",
    "step",    "freeze",         "blocks.0.*", "noise",    "0.1",        "blur",   "1",
    "rates",   "blocks.1.*=1@1", NULL,         NULL};
static const char *const replanned[] = {"network", "small",  "epochs",   "2.4", "batch_size",
                                        "32",      "replan", "3:11,6:9", NULL,  NULL};
static const char *const muon[] = {
    "network",    "plain",       "epochs",   "2",
    "batch_size", "32",          "average",  "lookahead",
    "flip",       "alternating", "schedule", "triangle",
    "optimizer",  "muon",        "rates",    "fc.*=2,blocks.1.*=0.5@1",
    NULL,         NULL};

/* Pictures of 12, 12, 16 and 20 pixels. */
static const char *const growing[] = {
    "network",     "plain",   "epochs",     "4",   "batch_size", "48",
    "resize_from", "0.5",     "crop_scale", "0.5", "cutmix",     "1",
    "policy",      "trivial", "blur",       "1",   "rates",      "blocks.0.*=1@2",
    NULL,          NULL};

/* Enough validation pictures for a temperature and a score for unknown pictures behind the end. */
static const char *const trusted[] = {"network",          "small", "epochs", "1",
                                      "batch_size",       "32",    "seed",   "4",
                                      "validation_share", "0.4",   NULL,     NULL};

/* Numbers that no short decimal gives back, and what the network's recipe would fill in. */
static const char *const exact[] = {"network",    "small", "epochs",     "1",
                                    "batch_size", "32",    "brightness", "0.05263157894736842",
                                    "noise",      "1e-8",  "turns",      "quarter",
                                    NULL,         NULL};
static const char *const plain_rates[] = {"network", "airbench94", "epochs", "1",  "batch_size",
                                          "64",      "rates",      "none",   NULL, NULL};

static room enter(int32_t threads)
{
    room made = {.context = test_context(threads)};
    assert_ok(shapes_dataset(made.context, 0, 60, &made.data));
    return made;
}

static void leave(room *made)
{
    ic_dataset_free(made->data);
    ic_context_free(made->context);
}

static void begin(const room *in, const char *const *pairs, ic_model **model, ic_trainer **trainer)
{
    ic_options *options = shapes_options(in->context, pairs);
    assert_ok(ic_model_create(in->context, in->data, options, model));
    assert_ok(ic_trainer_create(*model, in->data, NULL, options, trainer));
    ic_options_free(options);
}

static bytes saved(const ic_model *model)
{
    bytes file = {0};
    assert_ok(ic_model_save_memory(model, NULL, 0, &file.size));
    file.data = malloc(file.size);
    assert_ok(ic_model_save_memory(model, file.data, file.size, &file.size));
    return file;
}

/* The file that an uninterrupted training ends with; *steps receives its calls of ic_train_step. */
static bytes uninterrupted(const char *const *pairs, int32_t *steps)
{
    room in = enter(2);
    ic_model *model;
    ic_trainer *trainer;
    begin(&in, pairs, &model, &trainer);
    for (*steps = 1; ic_train_step(trainer) == IC_OK;)
        ++*steps;
    bytes file = saved(model);
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&in);
    return file;
}

/* Goes `calls` steps with one number of threads, and on from a checkpoint with another. */
static void interrupt_after(int32_t calls, const char *const *pairs, const bytes *wanted,
                            const char *path)
{
    room before = enter(1 + calls % 3), after = enter(1 + calls % 2);
    ic_model *model;
    ic_trainer *trainer;
    begin(&before, pairs, &model, &trainer);
    for (int32_t i = 0; i < calls; i++)
        assert_ok(ic_train_step(trainer));
    assert_ok(ic_trainer_save(trainer, path));
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&before);

    assert_ok(ic_trainer_resume(after.context, path, after.data, NULL, NULL, &model, &trainer));
    assert_ok(ic_trainer_run(trainer));
    bytes file = saved(model);
    assert_int_equal(file.size, wanted->size);
    assert_memory_equal(file.data, wanted->data, file.size);
    free(file.data);
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&after);
}

static void from_every_step(const char *const *pairs)
{
    const char *folder = test_folder();
    int32_t steps;
    bytes wanted = uninterrupted(pairs, &steps);
    assert_true(steps >= 10);
    for (int32_t calls = 0; calls < steps; calls++)
        interrupt_after(calls, pairs, &wanted, test_path(folder, "checkpoint"));
    free(wanted.data);
    test_folder_remove(folder);
}

static void goes_on_to_the_same_bytes_from_every_step(void **state)
{
    from_every_step(sgd);
    from_every_step(trusted);
}

static void so_with_other_settings(void **state)
{
    from_every_step(adamw);
    from_every_step(averaged);
    from_every_step(muon);
    from_every_step(growing);
    from_every_step(replanned);
}

static void settings_are_kept_exactly(void **state)
{
    const char *folder = test_folder();
    const char *const *const trainings[] = {exact, plain_rates};
    for (size_t i = 0; i < 2; i++) {
        int32_t steps;
        bytes wanted = uninterrupted(trainings[i], &steps);
        interrupt_after(1, trainings[i], &wanted, test_path(folder, "checkpoint"));
        free(wanted.data);
    }
    test_folder_remove(folder);
}

/* A training that is done can be written down and taken up: there is nothing more to do. */
static void one_that_is_done_is_done(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    const char *const *const trainings[] = {sgd, trusted};
    for (size_t i = 0; i < 2; i++) {
        room in = enter(1);
        ic_model *model, *again;
        ic_trainer *trainer, *resumed;
        begin(&in, trainings[i], &model, &trainer);
        assert_ok(ic_trainer_run(trainer));
        assert_ok(ic_trainer_save(trainer, path));
        assert_ok(ic_trainer_resume(in.context, path, in.data, NULL, NULL, &again, &resumed));
        assert_int_equal(ic_train_step(resumed), IC_DONE);
        bytes before = saved(model), after = saved(again);
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.data, after.data, before.size);
        free(before.data);
        free(after.data);
        ic_trainer_free(resumed);
        ic_model_free(again);
        ic_trainer_free(trainer);
        ic_model_free(model);
        leave(&in);
    }
    test_folder_remove(folder);
}

static void keep_warning(int32_t level, const char *message, void *payload)
{
    if (level == IC_LOG_WARNING)
        snprintf(payload, 400, "%s", message);
}

/* A checkpoint of the first training that has seen an epoch and half of the next. */
static void checkpoint_at(const char *path)
{
    room in = enter(1);
    ic_model *model;
    ic_trainer *trainer;
    begin(&in, sgd, &model, &trainer);
    for (int32_t i = 0; i < 8; i++)
        assert_ok(ic_train_step(trainer));
    assert_ok(ic_trainer_save(trainer, path));
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&in);
}

static void can_predict_before_the_end(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    room in = enter(1);
    ic_model *model;
    checkpoint_at(path);
    assert_ok(ic_model_load(in.context, path, &model));
    assert_int_equal(ic_model_class_count(model), SHAPE_CLASSES);
    ic_model_free(model);
    leave(&in);
    test_folder_remove(folder);
}

static void other_settings_are_said_to_be_passed_over(void **state)
{
    static const char *const same[] = {"seed", "5", "cache_mb", "10", "leaks", "off", NULL, NULL};
    static const char *const other[] = {"learning_rate", "0.5", NULL, NULL};
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    checkpoint_at(path);
    room in = enter(1);
    for (int i = 0; i < 2; i++) {
        char warning[400] = "";
        ic_model *model;
        ic_trainer *trainer;
        ic_options *options = shapes_options(in.context, i == 0 ? same : other);
        ic_context_set_log(in.context, keep_warning, warning);
        assert_ok(ic_trainer_resume(in.context, path, in.data, NULL, options, &model, &trainer));
        ic_context_set_log(in.context, NULL, NULL);
        if (i == 0)
            assert_string_equal(warning, "");
        else
            assert_non_null(strstr(warning, "\"learning_rate\" is passed over"));
        ic_options_free(options);
        ic_trainer_free(trainer);
        ic_model_free(model);
    }
    leave(&in);
    test_folder_remove(folder);
}

static void resume_fails(const room *in, ic_status code, const char *words, const char *path)
{
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    assert_fails(code, words,
                 ic_trainer_resume(in->context, path, in->data, NULL, NULL, &model, &trainer));
    assert_null(model);
    assert_null(trainer);
}

static void refuses_other_pictures(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    room in = {.context = test_context(1)};
    checkpoint_at(path);
    assert_ok(shapes_dataset(in.context, 1, 60, &in.data));
    resume_fails(&in, IC_ERROR_DATA, "not the pictures that the training began with", path);
    leave(&in);
    test_folder_remove(folder);
}

static void tells_a_model_from_a_checkpoint(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "model");
    room in = enter(1);
    ic_model *model;
    ic_trainer *trainer;
    begin(&in, sgd, &model, &trainer);
    assert_ok(ic_model_save(model, path));
    resume_fails(&in, IC_ERROR_DATA, "not a checkpoint", path);
    resume_fails(&in, IC_ERROR_NOT_FOUND, "nothing", test_path(folder, "nothing"));
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&in);
    test_folder_remove(folder);
}

/* Replaces the last of a text in a file by one of the same length, and the name of its hash by one
 * that is not looked for, as somebody with bad intentions would. */
static void forge(const char *path, const char *from, const char *to)
{
    size_t size, at = 0;
    char *file = test_read_file(path, &size);
    assert_int_equal(strlen(from), strlen(to));
    for (size_t i = 0; i + strlen(from) < size; i++) {
        if (memcmp(file + i, from, strlen(from)) == 0)
            at = i;
        if (memcmp(file + i, "imgcls.sha256", 13) == 0)
            memcpy(file + i, "imgcls.sha999", 13);
    }
    assert_true(at > 0);
    memcpy(file + at, to, strlen(to));
    test_write(path, file, size);
    free(file);
}

static void refuses_what_contradicts_itself(void **state)
{
    static const char *const forgeries[][3] = {
        {"\\\"step\\\":7", "\\\"step\\\":9", "contradicts itself"},
        {"\\\"phase\\\":0", "\\\"phase\\\":7", "contradicts itself"},
        {"\\\"phase\\\":0,\\\"epoch\\\":1", "\\\"phase\\\":0,\\\"epoch\\\":9",
         "contradicts itself"},
        {"\\\"best_epoch\\\":0,\\\"best_a", "\\\"best_epoch\\\":5,\\\"best_a", "contradicts"},
        {"\\\"batch\\\":3", "\\\"catch\\\":3", "\"batch\" is missing"},
        {"imgcls.trainer.first", "imgcls.trainer.worst", "imgcls.trainer.first is missing"},
        {"\\\"seed\\\":5,\\\"val", "\\\"sEEd\\\":5,\\\"val", "unknown option"},
    };
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    room in = enter(1);
    for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
        checkpoint_at(path);
        forge(path, forgeries[i][0], forgeries[i][1]);
        resume_fails(&in, IC_ERROR_FORMAT, forgeries[i][2], path);
    }
    leave(&in);
    test_folder_remove(folder);
}

/* What the end of a training has not planned cannot be going on. */
static void refuses_an_end_that_is_not_planned(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    room in = enter(1);
    ic_model *model;
    ic_trainer *trainer;
    begin(&in, sgd, &model, &trainer); /* too few validation pictures for a temperature */
    assert_ok(ic_trainer_run(trainer));
    assert_ok(ic_trainer_save(trainer, path));
    forge(path, "\\\"phase\\\":2", "\\\"phase\\\":3");
    resume_fails(&in, IC_ERROR_FORMAT, "contradicts itself", path);
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&in);
    test_folder_remove(folder);
}

static void refuses_damage(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    room in = enter(1);
    size_t size;
    checkpoint_at(path);
    char *file = test_read_file(path, &size);
    file[size / 2] ^= 4;
    test_write(path, file, size);
    resume_fails(&in, IC_ERROR_FORMAT, "altered or damaged", path);
    test_write(path, file, size / 2);
    resume_fails(&in, IC_ERROR_FORMAT, "", path);
    free(file);
    leave(&in);
    test_folder_remove(folder);
}

static void count_warnings(int32_t level, const char *message, void *payload)
{
    *(int *)payload += level == IC_LOG_WARNING && strstr(message, "checkpoint was not written");
}

/* By itself, after every step if asked; one that cannot be written does not end the training. */
static void keeps_checkpoints_by_itself(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "kept");
    room in = enter(1);
    ic_model *model;
    ic_trainer *trainer;
    int warnings = 0;
    const char *pairs[] = {"network",    "lenet5",     "epochs",
                           "1",          "batch_size", "32",
                           "checkpoint", path,         "checkpoint_minutes",
                           "0",          NULL,         NULL};
    begin(&in, pairs, &model, &trainer);
    assert_ok(ic_train_step(trainer));
    ic_model *kept;
    assert_ok(ic_model_load(in.context, path, &kept));
    ic_model_free(kept);
    ic_trainer_free(trainer);
    ic_model_free(model);

    pairs[7] = test_path(folder, "missing/kept");
    begin(&in, pairs, &model, &trainer);
    ic_context_set_log(in.context, count_warnings, &warnings);
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_run(NULL));
    assert_ok(ic_trainer_run(trainer));
    assert_true(warnings > 0);
    assert_non_null(strstr(ic_last_error(), "is NULL")); /* success leaves it alone */
    ic_trainer_free(trainer);
    ic_model_free(model);
    leave(&in);
    test_folder_remove(folder);
}

static ic_status resume_flow(ic_context *context, void *payload)
{
    ic_dataset *data = NULL;
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    ic_status status = shapes_dataset(context, 0, 60, &data);
    if (status >= 0)
        status = ic_trainer_resume(context, payload, data, NULL, NULL, &model, &trainer);
    if (status >= 0)
        status = ic_trainer_save(trainer, payload);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    return status;
}

static void survives_lack_of_memory(void **state)
{
    const char *folder = test_folder(), *path = test_path(folder, "checkpoint");
    checkpoint_at(path);
    assert_true(test_fail_each_allocation(resume_flow, (void *)path) > 100);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_to_the_same_bytes_from_every_step),
        cmocka_unit_test(so_with_other_settings),
        cmocka_unit_test(settings_are_kept_exactly),
        cmocka_unit_test(one_that_is_done_is_done),
        cmocka_unit_test(other_settings_are_said_to_be_passed_over),
        cmocka_unit_test(can_predict_before_the_end),
        cmocka_unit_test(refuses_other_pictures),
        cmocka_unit_test(tells_a_model_from_a_checkpoint),
        cmocka_unit_test(refuses_what_contradicts_itself),
        cmocka_unit_test(refuses_an_end_that_is_not_planned),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(keeps_checkpoints_by_itself),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("train/resume", tests, NULL, NULL);
}
