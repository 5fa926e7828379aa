/* train/record.c: the training record of a model file. SPDX-License-Identifier: MIT */
#include "train/record.h"

#include "base/status.h"

static ic_status set_data(json_t *record, const ic_train_data *data,
                          const ic_training_recipe *recipe)
{
    IC_TRY(ic_json_set(record, "data", json_object()));
    json_t *object = json_object_get(record, "data");
    char digest[IC_SHA256_TEXT];
    ic_sha256_text(data->digest, digest);
    IC_TRY(ic_json_set(object, "digest", json_string(digest)));
    IC_TRY(ic_json_set(object, "split", json_string(data->declared ? "declared" : "seed")));
    IC_TRY(ic_json_set(object, "seed", json_integer((json_int_t)recipe->seed)));
    return ic_json_set(object, "share", json_real(recipe->validation_share));
}

static ic_status append_epoch(json_t *epochs, int64_t number, const ic_epoch *epoch)
{
    IC_TRY(ic_json_append(epochs, json_object()));
    json_t *object = json_array_get(epochs, json_array_size(epochs) - 1);
    IC_TRY(ic_json_set(object, "epoch", json_integer(number)));
    IC_TRY(ic_json_set(object, "train_loss", json_real(epoch->train_loss)));
    IC_TRY(ic_json_set(object, "train_accuracy", json_real(epoch->train_accuracy)));
    IC_TRY(ic_json_set(object, "validation_loss", json_real(epoch->validation_loss)));
    IC_TRY(ic_json_set(object, "validation_accuracy", json_real(epoch->validation_accuracy)));
    return ic_json_set(object, "learning_rate", json_real(epoch->learning_rate));
}

static ic_status fill(json_t *json, const ic_record *record)
{
    json_t *options = NULL;
    IC_TRY(ic_training_recipe_to_json(record->recipe, &options));
    IC_TRY(ic_json_set(json, "options", options));
    if (record->bf16)
        IC_TRY(ic_json_set(options, "precision", json_string("bfloat16")));
    IC_TRY(ic_json_set(json, "pictures", json_integer(record->data->pictures)));
    IC_TRY(
        ic_json_set(json, "validation_pictures", json_integer(record->data->validation_pictures)));
    IC_TRY(set_data(json, record->data, record->recipe));
    IC_TRY(ic_json_set(json, "epochs", json_array()));
    json_t *epochs = json_object_get(json, "epochs");
    for (int64_t i = 0; i < record->epoch_count; i++)
        IC_TRY(append_epoch(epochs, i + 1, &record->epochs[i]));
    IC_TRY(ic_json_set(json, "best_epoch", json_integer(record->best_epoch + 1)));
    int64_t steps = (record->best_epoch + 1) * record->steps;
    return ic_json_set(json, "steps", json_integer(steps));
}

ic_status ic_record_to_json(const ic_record *record, json_t **out)
{
    ic_status status = IC_OK;
    json_t *json = json_object();
    if (!json)
        return ic_fail(IC_ERROR_MEMORY, "no memory for the record of the training");
    IC_TRY_CLEAN(fill(json, record));
    *out = json;
    json = NULL;
cleanup:
    json_decref(json);
    return status;
}
