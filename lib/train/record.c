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
    IC_TRY(ic_json_set(object, "share", json_real(recipe->validation_share)));
    const char *grouping = ic_dataset_grouping(data->train);
    return grouping == NULL ? IC_OK : ic_json_set(object, "group", json_string(grouping));
}

/* The members of an epoch. */
static const struct {
    const char *name;
    size_t offset;
} members[] = {
    {"train_loss", offsetof(ic_epoch, train_loss)},
    {"train_accuracy", offsetof(ic_epoch, train_accuracy)},
    {"validation_loss", offsetof(ic_epoch, validation_loss)},
    {"validation_accuracy", offsetof(ic_epoch, validation_accuracy)},
    {"learning_rate", offsetof(ic_epoch, learning_rate)},
};

enum { MEMBERS = sizeof members / sizeof members[0] };

ic_status ic_epochs_set(json_t *object, const ic_epoch *epochs, int64_t count)
{
    json_t *array = json_array();
    IC_TRY(ic_json_set(object, "epochs", array));
    for (int64_t i = 0; i < count; i++) {
        json_t *epoch = json_object();
        IC_TRY(ic_json_append(array, epoch));
        IC_TRY(ic_json_set(epoch, "epoch", json_integer(i + 1)));
        for (size_t m = 0; m < MEMBERS; m++) {
            const void *at = (const char *)&epochs[i] + members[m].offset;
            IC_TRY(ic_json_set(epoch, members[m].name, json_real(*(const double *)at)));
        }
    }
    return IC_OK;
}

ic_status ic_epochs_get(const json_t *object, ic_epoch *epochs, int64_t count)
{
    static const char what[] = "the epochs of the training";
    json_t *array;
    IC_TRY(ic_json_array(object, "epochs", what, &array));
    if (json_array_size(array) != (size_t)count)
        return ic_fail(IC_ERROR_FORMAT, "%s are %zu, not %lld", what, json_array_size(array),
                       (long long)count);
    for (int64_t i = 0; i < count; i++)
        for (size_t m = 0; m < MEMBERS; m++) {
            void *at = (char *)&epochs[i] + members[m].offset;
            IC_TRY(ic_json_float(json_array_get(array, (size_t)i), members[m].name, what, at));
        }
    return IC_OK;
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
    IC_TRY(ic_epochs_set(json, record->epochs, record->epoch_count));
    IC_TRY(ic_json_set(json, "best_epoch", json_integer(record->best_epoch + 1)));
    return ic_json_set(json, "steps", json_integer(record->steps));
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
