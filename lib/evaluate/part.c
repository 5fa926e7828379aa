/* evaluate/part.c: which pictures of a data set are measured. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "dataset/dataset.h"
#include "evaluate/evaluation.h"

#include <string.h>

/* ---- The training's own split, found again ---- */

static bool for_training(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part == IC_PART_TRAIN;
}

static bool for_validation(void *dataset, int64_t index)
{
    return ic_dataset_at(dataset, index)->part == IC_PART_VALIDATION;
}

typedef struct two_parts {
    ic_dataset *train, *validation; /* NULL: nothing was, or this is other data */
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
        IC_TRY_CLEAN(ic_dataset_without(dataset, IC_PART_VALIDATION, &parts.train));
    } else {
        IC_TRY(ic_json_int(data, "seed", 0, UINT32_MAX, what, &seed));
        IC_TRY(ic_json_float(data, "share", what, &held_out));
        IC_TRY(check_groups(dataset, data));
        status =
            ic_dataset_split_by(dataset, (uint64_t)seed, held_out, &parts.train, &parts.validation);
        if (status == IC_ERROR_DATA) { /* nor could the training hold anything out */
            out->train = ic_dataset_retain(dataset);
            return IC_OK;
        }
        IC_TRY_CLEAN(status);
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
 * What the training was given of this: all but its test part, or the declared training part alone;
 * *base stays NULL where it was other data. data: of the model's record.
 */
static ic_status find_base(const ic_dataset *dataset, const json_t *data, ic_dataset **base)
{
    const char *digest = json_string_value(json_object_get(data, "digest"));
    for (int i = 0; i < 2 && digest != NULL; i++) {
        ic_dataset *guess;
        IC_TRY(i == 0 ? ic_dataset_without(dataset, IC_PART_TEST, &guess)
                      : ic_dataset_select(dataset, for_training, (void *)dataset, &guess));
        if (has_digest(guess, digest)) {
            *base = guess;
            return IC_OK;
        }
        ic_dataset_free(guess);
    }
    return IC_OK;
}

/* What was trained on and held out; both stay NULL where it was other data. */
static ic_status find_training_split(const ic_dataset *dataset, const json_t *data, two_parts *out)
{
    ic_dataset *base = NULL;
    IC_TRY(find_base(dataset, data, &base));
    ic_status status = base != NULL ? split_again(base, data, out) : IC_OK;
    ic_dataset_free(base);
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

/* Of the data of a model's training; *known: that this is it is proved by its digest. */
typedef struct choice {
    const ic_dataset *dataset;
    const json_t *data; /* of the record */
    ic_dataset *part;   /* NULL: not found yet */
    bool known;
} choice;

/* Whether the training was given what this is a part of; with its validation part, if `held_out`.
 */
static ic_status find_out(choice *c, bool held_out)
{
    ic_dataset *base = NULL;
    if (c->part == NULL)
        return IC_OK;
    IC_TRY(find_base(c->dataset, c->data, &base));
    c->known = base != NULL && (!held_out || ic_dataset_declares(base, IC_PART_VALIDATION));
    ic_dataset_free(base);
    return IC_OK;
}

static ic_status find_test(choice *c)
{
    IC_TRY(find_declared(c->dataset, "test", &c->part));
    return find_out(c, false);
}

/* What the training held out. */
static ic_status find_held_out(choice *c)
{
    two_parts parts = {NULL, NULL};
    IC_TRY(find_training_split(c->dataset, c->data, &parts));
    c->part = parts.validation;
    c->known = parts.validation != NULL;
    ic_dataset_free(parts.train);
    return IC_OK;
}

/* Where the data declares no training part, the training may have had some of its validation part.
 */
static ic_status find_validation(choice *c)
{
    if (ic_dataset_declares(c->dataset, IC_PART_TRAIN)) {
        IC_TRY(find_declared(c->dataset, "validation", &c->part));
        IC_TRY(find_out(c, true));
    }
    if (c->part == NULL)
        IC_TRY(find_held_out(c));
    return c->part == NULL ? find_declared(c->dataset, "validation", &c->part) : IC_OK;
}

/* What was trained on, without the held-out part, if that can be told. */
static ic_status find_train(choice *c)
{
    two_parts parts = {NULL, NULL};
    IC_TRY(find_training_split(c->dataset, c->data, &parts));
    c->part = parts.train;
    c->known = parts.train != NULL;
    ic_dataset_free(parts.validation);
    return c->part == NULL ? find_declared(c->dataset, "train", &c->part) : IC_OK;
}

/* The test part, else what was held out, else all. */
static ic_status find_by_itself(choice *c, const char **name)
{
    *name = "test";
    IC_TRY(find_test(c));
    if (c->part != NULL)
        return IC_OK;
    *name = "validation";
    IC_TRY(find_held_out(c));
    if (c->part != NULL)
        return IC_OK;
    *name = "all";
    c->part = ic_dataset_retain((ic_dataset *)c->dataset);
    return IC_OK;
}

/* *name: the value of the option split, and then of the part. */
static ic_status find(choice *c, const char **name)
{
    static const struct {
        const char *name;
        ic_status (*find)(choice *);
    } parts[] = {{"test", find_test}, {"validation", find_validation}, {"train", find_train}};
    if (strcmp(*name, "auto") == 0)
        return find_by_itself(c, name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(*name, parts[i].name) == 0) {
            *name = parts[i].name;
            return parts[i].find(c);
        }
    *name = "all";
    c->part = ic_dataset_retain((ic_dataset *)c->dataset);
    return IC_OK;
}

ic_status ic_evaluation_part(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                             ic_dataset **part, const char **name, bool *known)
{
    json_t *record;
    IC_TRY(ic_model_record(model, &record));
    choice c = {.dataset = dataset, .data = json_object_get(record, "data")};
    const char *found = wanted;
    ic_status status = find(&c, &found);
    json_decref(record);
    IC_TRY(status);
    if (c.part == NULL)
        return ic_fail(
            IC_ERROR_NOT_FOUND,
            "the data set has no %s part%s: set the option split to auto or all", wanted,
            strcmp(wanted, "test") == 0
                ? ""
                : ", and it is not what the model was trained on, or nothing of it was held out");
    *part = c.part;
    *name = found;
    *known = c.known;
    return IC_OK;
}
