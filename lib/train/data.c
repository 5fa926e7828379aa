/* train/data.c: splitting, matching of classes and caches for a training. SPDX-License-Identifier:
 * MIT */
#include "train/data.h"

#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"
#include "dataset/leaks.h"

#include <string.h>

/* Whether the data itself says what is held out; of a validation part alone, some is trained on. */
static bool is_declared(const ic_train_data *data)
{
    return ic_dataset_declares(data->validation, IC_PART_VALIDATION) &&
           !ic_dataset_declares(data->train, IC_PART_VALIDATION);
}

/* Where nothing can be held out (one picture a class, say), the training pictures stand in. */
static ic_status split(ic_train_data *data, const ic_dataset *given, const ic_options *options)
{
    char earlier[IC_ERROR_TEXT_MAX], reason[IC_ERROR_TEXT_MAX];
    ic_error_copy(earlier, sizeof earlier);
    ic_status status = ic_dataset_split(given, options, &data->train, &data->validation);
    if (status == IC_OK)
        data->declared = is_declared(data);
    if (status != IC_ERROR_DATA)
        return status;
    ic_error_copy(reason, sizeof reason);
    IC_TRY(ic_dataset_without(given, IC_PART_TEST, &data->train));
    if (ic_dataset_count(data->train) == 0)
        return status;
    data->validation = ic_dataset_retain(data->train);
    ic_error_set(earlier);
    ic_log(data->context, IC_LOG_WARNING,
           "%s; until then validation shows how well the training pictures themselves are learnt, "
           "not how well others will be recognised",
           reason);
    return IC_OK;
}

static bool same_digest(const ic_dataset *a, const ic_dataset *b)
{
    unsigned char digest_a[IC_SHA256_BYTES], digest_b[IC_SHA256_BYTES];
    ic_dataset_digest(a, digest_a);
    ic_dataset_digest(b, digest_b);
    return memcmp(digest_a, digest_b, sizeof digest_a) == 0;
}

/*
 * Whether the caller's two sets are what ic_dataset_split gives for these options: then the record
 * says how to find the held-out part again.
 */
static ic_status is_our_split(const ic_train_data *data, const ic_options *options, bool *out)
{
    ic_status status = IC_OK;
    ic_dataset *whole = NULL, *train = NULL, *validation = NULL;
    *out = false;
    if (!ic_dataset_is_kin(data->train, data->validation) || is_declared(data))
        return IC_OK;
    IC_TRY_CLEAN(ic_dataset_join(data->train, data->validation, &whole));
    status = ic_dataset_split_by(whole, (uint64_t)ic_option_int(options, "seed"),
                                 ic_option_float(options, "validation_share"), &train, &validation);
    if (status == IC_ERROR_DATA) /* nothing to hold out */
        status = IC_OK;
    else if (status == IC_OK)
        *out = same_digest(validation, data->validation) && same_digest(train, data->train);
cleanup:
    ic_dataset_free(train);
    ic_dataset_free(validation);
    ic_dataset_free(whole);
    return status;
}

static ic_status take_both(ic_train_data *data, const ic_dataset *train,
                           const ic_dataset *validation, const ic_options *options)
{
    bool ours = false;
    if (ic_dataset_count(validation) == 0)
        return ic_fail(IC_ERROR_DATA, "the validation set has no readable picture: give some, or "
                                      "NULL to split a part off the training set");
    data->train = ic_dataset_retain((ic_dataset *)train);
    data->validation = ic_dataset_retain((ic_dataset *)validation);
    IC_TRY(is_our_split(data, options, &ours));
    data->declared = !ours;
    return IC_OK;
}

/* Sets the map of one set; a class that the model lacks matters once it has a picture. */
static ic_status match(const ic_model *model, const ic_dataset *dataset, const char *what,
                       int32_t **map)
{
    IC_TRY(ic_model_class_map(model, dataset, map));
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        const char *name = NULL;
        int64_t count = 0;
        IC_TRY(ic_dataset_class(dataset, i, &name, &count));
        if ((*map)[i] < 0 && count > 0)
            return ic_fail(IC_ERROR_DATA,
                           "the %s set has %lld pictures of class \"%s\", which the model does not "
                           "know: create the model from a set that has all classes",
                           what, (long long)count, name);
    }
    return IC_OK;
}

/* Training needs two classes with pictures; one without is worth a word. */
static ic_status count_classes(ic_train_data *data, const ic_model *model)
{
    int32_t present = 0;
    IC_TRY(ic_allocate_zero(data->context, (size_t)model->class_count * sizeof(int64_t),
                            &data->class_counts));
    for (int64_t i = 0; i < data->pictures; i++)
        data->class_counts[data->train_map[ic_dataset_at(data->train, i)->class_index]]++;
    for (int32_t k = 0; k < model->class_count; k++) {
        present += data->class_counts[k] > 0;
        if (data->class_counts[k] == 0)
            ic_log(data->context, IC_LOG_WARNING,
                   "class \"%s\" has no training picture: it will hardly be recognised",
                   model->classes[k]);
    }
    if (present < 2)
        return ic_fail(IC_ERROR_DATA,
                       "the training set has pictures of %d classes: at least 2 are needed",
                       (int)present);
    return IC_OK;
}

ic_status ic_train_data_prepare(const ic_model *model, const ic_dataset *train,
                                const ic_dataset *validation, const ic_options *options,
                                ic_train_data *out)
{
    ic_status status = IC_OK;
    ic_train_data data = {.context = model->context};

    if (ic_dataset_count(train) == 0) {
        status = ic_fail(IC_ERROR_DATA, "the training set has no readable picture");
        goto cleanup;
    }
    if (validation)
        IC_TRY_CLEAN(take_both(&data, train, validation, options));
    else
        IC_TRY_CLEAN(split(&data, train, options));
    data.pictures = ic_dataset_count(data.train);
    if (data.validation != data.train)
        data.validation_pictures = ic_dataset_count(data.validation);
    IC_TRY_CLEAN(match(model, data.train, "training", &data.train_map));
    IC_TRY_CLEAN(match(model, data.validation, "validation", &data.validation_map));
    IC_TRY_CLEAN(count_classes(&data, model));
    if (data.validation_pictures > 0)
        ic_dataset_digest_both(data.train, data.validation, data.digest);
    else
        ic_dataset_digest(data.train, data.digest);
    /* Our own split keeps copies together: there only the data's test part can leak. */
    if (!ic_option_is(options, "leaks", "off"))
        IC_TRY_CLEAN(ic_leaks_warn(data.train, data.declared ? data.validation : NULL, true));
    *out = data;
    data = (ic_train_data){.context = model->context};
cleanup:
    ic_train_data_free(&data);
    return status;
}

ic_status ic_train_data_cache(ic_train_data *data, int64_t bytes)
{
    int64_t all = data->pictures + data->validation_pictures;
    /* In doubles: bytes * pictures may pass 2^63. */
    int64_t share = (int64_t)((double)bytes * ((double)data->pictures / (double)all));
    IC_TRY(ic_cache_create(data->context, share, &data->train_cache));
    return ic_cache_create(data->context, bytes - share, &data->validation_cache);
}

void ic_train_data_free(ic_train_data *data)
{
    ic_cache_free(data->train_cache);
    ic_cache_free(data->validation_cache);
    ic_free(data->context, data->train_map);
    ic_free(data->context, data->validation_map);
    ic_free(data->context, data->class_counts);
    ic_dataset_free(data->train);
    ic_dataset_free(data->validation);
    *data = (ic_train_data){.context = data->context};
}
