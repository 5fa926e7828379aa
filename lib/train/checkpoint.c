/* train/checkpoint.c: writes a training down. SPDX-License-Identifier: MIT */
#include "train/checkpoint.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/file.h"

#include <stdio.h>

static void add_pictures(ic_sha256 *hash, const ic_dataset *dataset, const int32_t *map)
{
    int64_t count = ic_dataset_count(dataset);
    for (int64_t i = 0; i < count; i++) {
        const ic_item *item = ic_dataset_at(dataset, i);
        unsigned char label[4];
        for (int32_t byte = 0; byte < 4; byte++)
            label[byte] = (unsigned char)((uint32_t)map[item->class_index] >> 8 * byte);
        ic_sha256_add(hash, item->digest, sizeof item->digest);
        ic_sha256_add(hash, label, sizeof label);
    }
}

void ic_checkpoint_data(const ic_train_data *data, char text[IC_SHA256_TEXT])
{
    ic_sha256 hash;
    unsigned char digest[IC_SHA256_BYTES];
    ic_sha256_begin(&hash);
    add_pictures(&hash, data->train, data->train_map);
    ic_sha256_add(&hash, "/", 1);
    add_pictures(&hash, data->validation, data->validation_map);
    ic_sha256_end(&hash, digest);
    ic_sha256_text(digest, text);
}

static ic_status fill(json_t *json, const ic_trainer *trainer)
{
    json_t *options = NULL, *state = NULL;
    char digest[IC_SHA256_TEXT];
    ic_checkpoint_data(&trainer->data, digest);
    IC_TRY(ic_training_recipe_to_json(&trainer->recipe, &options));
    IC_TRY(ic_json_set(json, "options", options));
    IC_TRY(ic_json_set(json, "data", json_string(digest)));
    IC_TRY(ic_json_set(json, "cpu_level", json_integer(trainer->context->cpu_level)));
    IC_TRY(ic_train_state_to_json(&trainer->state, &state));
    IC_TRY(ic_json_set(json, "state", state));
    return ic_epochs_set(json, trainer->epochs, trainer->state.epoch);
}

/* The arrays as tensors of one dimension; names has room for all. */
static int32_t list_arrays(const ic_optimiser *optimiser, ic_tensor_entry *tensors,
                           char names[][IC_CHECKPOINT_NAME_MAX])
{
    ic_optimiser_array arrays[IC_OPTIMISER_ARRAYS_MAX];
    int32_t count = ic_optimiser_arrays(optimiser, arrays);
    for (int32_t i = 0; i < count; i++) {
        ic_checkpoint_name(arrays[i].name, names[i]);
        tensors[i] = (ic_tensor_entry){
            .name = names[i],
            .dtype = IC_F32,
            .rank = 1,
            .shape = {arrays[i].count},
            .count = arrays[i].count,
            .data = (const unsigned char *)arrays[i].data,
        };
    }
    return count;
}

void ic_checkpoint_name(const char *array, char name[IC_CHECKPOINT_NAME_MAX])
{
    snprintf(name, IC_CHECKPOINT_NAME_MAX, IC_EXTRA_PREFIX "%s", array);
}

static ic_status save(const ic_trainer *trainer, const char *path)
{
    ic_status status = IC_OK;
    ic_buffer bytes = {.context = trainer->context};
    ic_tensor_entry tensors[IC_OPTIMISER_ARRAYS_MAX];
    char names[IC_OPTIMISER_ARRAYS_MAX][IC_CHECKPOINT_NAME_MAX];
    json_t *json = json_object();
    ic_model_extra extra = {.json = json, .tensors = tensors};

    IC_TRY_CLEAN(fill(json, trainer));
    extra.count = list_arrays(trainer->optimiser, tensors, names);
    IC_TRY_CLEAN(ic_model_write(trainer->model, &extra, &bytes));
    status = ic_file_save(trainer->context, path, bytes.bytes, bytes.size);
cleanup:
    ic_buffer_free(&bytes);
    json_decref(json);
    return status;
}

ic_status ic_trainer_save(const ic_trainer *trainer, const char *path)
{
    if (!trainer || !path)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_trainer_save: trainer or path is NULL");
    IC_TRY(ic_training_check(trainer));
    return save(trainer, path);
}

void ic_checkpoint_when_due(ic_trainer *trainer)
{
    ic_train_clock *clock = &trainer->clock;
    double now = ic_clock_seconds();
    if (!trainer->checkpoint || trainer->state.phase == IC_PHASE_DONE ||
        now - clock->last_checkpoint < trainer->checkpoint_seconds)
        return;
    char earlier[IC_ERROR_TEXT_MAX];
    ic_error_copy(earlier, sizeof earlier);
    if (save(trainer, trainer->checkpoint) < 0) {
        ic_log(trainer->context, IC_LOG_WARNING,
               "the training goes on, but its checkpoint was not written: %s", ic_last_error());
        ic_error_set(earlier);
    }
    clock->last_checkpoint = ic_clock_seconds();
}
