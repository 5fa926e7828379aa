/* evaluate/part.c: which pictures of a data set are measured. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "dataset/dataset.h"
#include "evaluate/evaluation.h"

#include <string.h>

/* ---- The training's own split, found again ---- */

static bool not_for_testing(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part != IC_PART_TEST;
}

static bool for_training(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part == IC_PART_TRAIN;
}

static bool for_validation(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part == IC_PART_VALIDATION;
}

static bool not_for_validation(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part != IC_PART_VALIDATION;
}

typedef struct two_parts {
    ic_dataset *train, *validation; /* NULL: this is not the data that the model was trained on */
} two_parts;

static void free_parts(two_parts *parts)
{
    ic_dataset_free(parts->train);
    ic_dataset_free(parts->validation);
    *parts = (two_parts){NULL, NULL};
}

static bool has_digest(const ic_dataset *dataset, const char *wanted)
{
    unsigned char digest[IC_SHA256_BYTES];
    char text[IC_SHA256_TEXT];
    ic_dataset_digest(dataset, digest);
    ic_sha256_text(digest, text);
    return strcmp(text, wanted) == 0;
}

/* The held-out pictures can only be found again where the same ones belong together. */
static ic_status check_groups(const ic_dataset *dataset, const json_t *data)
{
    const char *then = json_string_value(json_object_get(data, "group"));
    const char *now = ic_dataset_grouping(dataset);
    then = then == NULL ? "none" : then;
    now = now == NULL ? "none" : now;
    if (strcmp(then, now) == 0)
        return IC_OK;
    return ic_fail(
        IC_ERROR_DATA,
        "the model was trained with the option group = %s, but the data was opened with "
        "%s: open it with the same, so that the pictures that were held out can be found",
        then, now);
}

/* Splits as the record ("data" of model.h) says that the training did. */
static ic_status split_again(ic_dataset *dataset, const json_t *data, two_parts *out)
{
    static const char what[] = "the model's training record";
    const char *kind;
    int64_t seed;
    double held_out;
    two_parts parts = {NULL, NULL};
    ic_status status;
    IC_TRY(ic_json_text(data, "split", what, &kind));
    if (strcmp(kind, "declared") == 0) {
        IC_TRY_CLEAN(ic_dataset_select(dataset, for_validation, dataset, &parts.validation));
        IC_TRY_CLEAN(ic_dataset_select(dataset, not_for_validation, dataset, &parts.train));
    } else {
        IC_TRY(ic_json_int(data, "seed", 0, UINT32_MAX, what, &seed));
        IC_TRY(ic_json_float(data, "share", what, &held_out));
        IC_TRY(check_groups(dataset, data));
        IC_TRY(ic_dataset_split_by(dataset, (uint64_t)seed, held_out, &parts.train,
                                   &parts.validation));
    }
    if (ic_dataset_count(parts.validation) > 0) {
        *out = parts;
        return IC_OK;
    }
    status = IC_OK;
cleanup:
    free_parts(&parts);
    return status;
}

/*
 * The training may have been given all of this but its test part, or the declared training part
 * alone.
 */
static ic_status find_training_split(const ic_model *model, const ic_dataset *dataset,
                                     two_parts *out)
{
    bool (*const guesses[])(void *, int64_t) = {not_for_testing, for_training};
    json_t *record;
    ic_status status = IC_OK;
    IC_TRY(ic_model_record(model, &record));
    const json_t *data = json_object_get(record, "data");
    const char *digest = json_string_value(json_object_get(data, "digest"));
    for (int i = 0; i < 2 && digest != NULL && out->validation == NULL; i++) {
        ic_dataset *base;
        IC_TRY_CLEAN(ic_dataset_select(dataset, guesses[i], (void *)dataset, &base));
        if (has_digest(base, digest))
            status = split_again(base, data, out);
        ic_dataset_free(base);
        if (status < 0)
            goto cleanup;
    }
cleanup:
    json_decref(record);
    return status;
}

/* ---- Choosing ---- */

/* A part that the data itself declares; *part stays NULL when it does not, which is no error. */
static ic_status find_declared(const ic_dataset *dataset, const char *name, ic_dataset **part)
{
    char earlier[IC_ERROR_TEXT_MAX];
    ic_error_copy(earlier, sizeof earlier);
    ic_status status = ic_dataset_part(dataset, name, part);
    if (status != IC_ERROR_NOT_FOUND)
        return status;
    ic_error_set(earlier);
    return IC_OK;
}

/* What the training held out; *part stays NULL when this is other data. */
static ic_status find_held_out(const ic_model *model, const ic_dataset *dataset, ic_dataset **part)
{
    two_parts parts = {NULL, NULL};
    IC_TRY(find_training_split(model, dataset, &parts));
    *part = parts.validation;
    ic_dataset_free(parts.train);
    return IC_OK;
}

static bool has_part(const ic_dataset *dataset, bool (*is_of)(void *, int64_t))
{
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++)
        if (is_of((void *)dataset, i))
            return true;
    return false;
}

/* Where the data declares no training part, the training had some of its validation part. */
static ic_status find_validation(const ic_model *model, const ic_dataset *dataset,
                                 ic_dataset **part)
{
    bool apart = has_part(dataset, for_training);
    if (apart)
        IC_TRY(find_declared(dataset, "validation", part));
    if (*part == NULL)
        IC_TRY(find_held_out(model, dataset, part));
    return *part == NULL && !apart ? find_declared(dataset, "validation", part) : IC_OK;
}

/* What was trained on, without the held-out part, if that can be told. */
static ic_status find_train(const ic_model *model, const ic_dataset *dataset, ic_dataset **part)
{
    two_parts parts = {NULL, NULL};
    IC_TRY(find_training_split(model, dataset, &parts));
    *part = parts.train;
    ic_dataset_free(parts.validation);
    return *part == NULL ? find_declared(dataset, "train", part) : IC_OK;
}

static ic_status find_by_itself(const ic_model *model, const ic_dataset *dataset, ic_dataset **part,
                                const char **name)
{
    *name = "test";
    IC_TRY(find_declared(dataset, "test", part));
    if (*part != NULL)
        return IC_OK;
    *name = "validation";
    IC_TRY(find_held_out(model, dataset, part));
    if (*part != NULL)
        return IC_OK;
    *name = "all";
    *part = ic_dataset_retain((ic_dataset *)dataset);
    return IC_OK;
}

ic_status ic_evaluation_part(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                             ic_dataset **part, const char **name)
{
    ic_dataset *found = NULL;
    const char *found_name = "all";
    if (strcmp(wanted, "auto") == 0) {
        IC_TRY(find_by_itself(model, dataset, &found, &found_name));
    } else if (strcmp(wanted, "test") == 0) {
        found_name = "test";
        IC_TRY(find_declared(dataset, found_name, &found));
    } else if (strcmp(wanted, "validation") == 0) {
        found_name = "validation";
        IC_TRY(find_validation(model, dataset, &found));
    } else if (strcmp(wanted, "train") == 0) {
        found_name = "train";
        IC_TRY(find_train(model, dataset, &found));
    } else {
        found = ic_dataset_retain((ic_dataset *)dataset);
    }
    if (found == NULL)
        return ic_fail(
            IC_ERROR_NOT_FOUND,
            "the data set has no %s part%s: set the option split to auto or all", wanted,
            strcmp(wanted, "test") == 0 ? "" : ", and it is not what the model was trained on");
    *part = found;
    *name = found_name;
    return IC_OK;
}
