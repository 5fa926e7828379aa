/* train/resume.c: a training as a checkpoint left it. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "model/file.h"
#include "train/checkpoint.h"

#include <string.h>

static const char what[] = "the checkpoint";

static ic_status parse(const ic_safetensors *file, json_t **out)
{
    const char *text = ic_safetensors_metadata(file, IC_KEY_TRAINER);
    if (!text)
        return ic_fail(IC_ERROR_DATA, "not a checkpoint, but the model of a finished training: to "
                                      "train it further, create a model from it");
    return ic_json_parse(text, strlen(text), IC_KEY_TRAINER, out);
}

/* Settings that leave no trace in results are the caller's to choose anew. */
static const struct {
    const char *name;
    bool text;
} free_options[] = {{"cache_mb", false},
                    {"memory_limit", false},
                    {"checkpoint_minutes", false},
                    {"checkpoint", true},
                    {"leaks", true}};
enum { FREE_OPTIONS = sizeof free_options / sizeof *free_options };

static ic_status take_free_options(ic_options *options, const ic_options *callers)
{
    for (int32_t i = 0; i < FREE_OPTIONS; i++) {
        const char *name = free_options[i].name;
        IC_TRY(free_options[i].text
                   ? ic_options_set_text(options, name, ic_option_text(callers, name))
                   : ic_options_set_float(options, name, ic_option_float(callers, name)));
    }
    return IC_OK;
}

static bool is_free(const char *name)
{
    for (int32_t i = 0; i < FREE_OPTIONS; i++)
        if (strcmp(name, free_options[i].name) == 0)
            return true;
    return false;
}

static bool same_value(const ic_options *a, const ic_options *b, const char *name)
{
    return ic_option_float(a, name) == ic_option_float(b, name) &&
           strcmp(ic_option_text(a, name), ic_option_text(b, name)) == 0;
}

/* Another rate or other minutes would be another training: whoever asks for them should know. */
static void tell_passed_over(ic_context *context, const ic_options *options,
                             const ic_options *callers)
{
    const char *name, *owner;
    for (int32_t i = 0; i < ic_option_count(); i++)
        if (ic_option_info(i, &name, &owner, NULL, NULL, NULL, NULL) == IC_OK &&
            strstr(owner, "trainer") != NULL && !is_free(name) && ic_option_is_set(callers, name) &&
            !same_value(options, callers, name))
            ic_log(context, IC_LOG_WARNING,
                   "option \"%s\" is passed over: a training goes on with the settings that it "
                   "began with",
                   name);
}

static ic_status read_options(ic_context *context, const json_t *json, const ic_options *callers,
                              ic_options **out)
{
    ic_status status = IC_OK;
    ic_options *options = NULL;
    json_t *settings;
    IC_TRY(ic_json_object(json, "options", what, &settings));
    status = ic_training_recipe_options(context, settings, &options);
    if (status == IC_ERROR_OPTION)
        status = IC_ERROR_FORMAT;
    IC_TRY(status);
    IC_TRY_CLEAN(take_free_options(options, callers));
    tell_passed_over(context, options, callers);
    *out = options;
    return IC_OK;
cleanup:
    ic_options_free(options);
    return status;
}

/* The same pictures, in the same order: else the rest would be another training. */
static ic_status check_data(const ic_trainer *trainer, const json_t *json)
{
    char digest[IC_SHA256_TEXT];
    const char *wanted;
    IC_TRY(ic_json_text(json, "data", what, &wanted));
    ic_checkpoint_data(&trainer->data, digest);
    if (strcmp(digest, wanted) == 0)
        return IC_OK;
    return ic_fail(
        IC_ERROR_DATA,
        "these are not the pictures that the training began with: some were added, "
        "removed, changed or held out otherwise (another option group?); bring them back, "
        "or start anew");
}

static ic_status check_level(const ic_trainer *trainer, const json_t *json)
{
    int64_t level;
    IC_TRY(ic_json_int(json, "cpu_level", 0, IC_CPU_ALL_LEVELS - 1, what, &level));
    if (level != (int64_t)trainer->context->cpu_level)
        ic_log(trainer->context, IC_LOG_WARNING,
               "the checkpoint was written with other instructions of the CPU: the result will be "
               "as good, but not the same in every bit");
    return IC_OK;
}

/* Numbers that lead to places in memory or in the data must make sense. */
static ic_status check_state(const ic_trainer *trainer, const ic_train_state *state)
{
    bool training = state->phase == IC_PHASE_TRAIN, validating = state->phase == IC_PHASE_VALIDATE;
    bool trusting = state->phase == IC_PHASE_TRUST && trainer->trust.batches > 0;
    bool trained = (trusting || state->phase == IC_PHASE_DONE) && state->best_epoch >= 0;
    /* The last one of an epoch's validation may be done, and the epoch's end have failed. */
    int64_t batches = training     ? trainer->batches - 1
                      : validating ? trainer->validation_batches
                                   : trainer->trust.batches;
    int64_t each = trainer->epoch_steps, most = trainer->schedule.steps;
    bool in_time = state->epoch >= 0 && state->epoch - trained <= (most - 1) / each;
    int64_t steps = in_time ? (state->epoch + validating) * each : -1;
    steps += training ? state->batch / trainer->recipe.accumulate : 0;
    if (!(training || validating || trained) || !in_time || state->batch < 0 ||
        state->batch > batches || state->step != (steps < most ? steps : most) ||
        (training && state->step == most) || state->best_epoch >= state->epoch ||
        state->epochs_since_best < 0)
        return ic_fail(IC_ERROR_FORMAT, "the state of the training contradicts itself");
    return IC_OK;
}

static ic_status restore_state(ic_trainer *trainer, const json_t *json)
{
    json_t *object;
    ic_train_state state;
    IC_TRY(ic_json_object(json, "state", what, &object));
    IC_TRY(ic_train_state_from_json(object, &state));
    IC_TRY(check_state(trainer, &state));
    IC_TRY(ic_grow(trainer->context, &trainer->epochs, &trainer->epoch_capacity,
                   (size_t)state.epoch + 1, sizeof *trainer->epochs));
    IC_TRY(ic_epochs_get(json, trainer->epochs, state.epoch));
    trainer->state = state;
    if (state.phase == IC_PHASE_TRUST)
        trainer->state.batch = 0; /* what was fitted is not kept */
    if (state.best_epoch >= 0)
        trainer->best = ic_model_weights(trainer->model);
    return IC_OK;
}

static ic_status restore_arrays(ic_trainer *trainer, const ic_safetensors *file)
{
    ic_optimiser_array arrays[IC_OPTIMISER_ARRAYS_MAX];
    int32_t count = ic_optimiser_arrays(trainer->optimiser, arrays);
    for (int32_t i = 0; i < count; i++) {
        char name[IC_CHECKPOINT_NAME_MAX];
        ic_checkpoint_name(arrays[i].name, name);
        const ic_tensor_entry *tensor = ic_safetensors_find(file, name);
        if (!tensor || tensor->dtype != IC_F32 || tensor->count != arrays[i].count)
            return ic_fail(IC_ERROR_FORMAT, "tensor %s is missing or of another size", name);
        IC_TRY(ic_tensor_floats(tensor, arrays[i].data));
    }
    return IC_OK;
}

typedef struct resumption {
    ic_model *model;
    ic_trainer *trainer;
    ic_options *options;
    json_t *json;
} resumption;

static ic_status resume(ic_context *context, const ic_safetensors *file, const ic_dataset *train,
                        const ic_dataset *validation, const ic_options *callers, resumption *made)
{
    IC_TRY(parse(file, &made->json));
    IC_TRY(ic_model_read(context, file, &made->model));
    IC_TRY(read_options(context, made->json, callers, &made->options));
    IC_TRY(ic_trainer_create(made->model, train, validation, made->options, &made->trainer));
    IC_TRY(check_data(made->trainer, made->json));
    IC_TRY(check_level(made->trainer, made->json));
    IC_TRY(restore_state(made->trainer, made->json));
    return restore_arrays(made->trainer, file);
}

ic_status ic_trainer_resume(ic_context *context, const char *path, const ic_dataset *train,
                            const ic_dataset *validation, const ic_options *options,
                            ic_model **model, ic_trainer **out)
{
    ic_status status = IC_OK;
    ic_buffer bytes = {.context = context};
    ic_safetensors *file = NULL;
    resumption made = {0};
    if (!context || !path || !train || !model || !out)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_trainer_resume: context, path, train, model or out is NULL");
    IC_TRY(ic_file_read(context, path, IC_MODEL_FILE_MAX, &bytes));
    IC_TRY_CLEAN(ic_safetensors_open(context, bytes.bytes, bytes.size, &file));
    IC_TRY_CLEAN(resume(context, file, train, validation, options, &made));
    *model = made.model;
    *out = made.trainer;
    made.model = NULL;
    made.trainer = NULL;
cleanup:
    if (status < 0)
        ic_fail_prefix(status, "%s: ", path);
    ic_trainer_free(made.trainer);
    ic_model_free(made.model);
    ic_options_free(made.options);
    json_decref(made.json);
    ic_safetensors_free(file);
    ic_buffer_free(&bytes);
    return status;
}
