/* dataset/build.c: data sets that the host fills, picture by picture. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <stdio.h>
#include <string.h>

ic_status ic_dataset_create(ic_context *context, const ic_options *options, ic_dataset **out)
{
    if (context == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_create: context and out must be given");
    ic_source *source;
    IC_TRY(ic_source_create(context, options, &source));
    return ic_dataset_of_source(source, out);
}

/* Records may move when one is added, so nobody else may be using the set. */
static ic_status check_unused(const ic_dataset *dataset, const char *function)
{
    if (atomic_load(&dataset->references) != 1 || atomic_load(&dataset->source->references) != 1)
        return ic_fail(
            IC_ERROR_STATE,
            "%s: the data set is in use by a part of it, a trainer, a report or the like: add all "
            "pictures before",
            function);
    return IC_OK;
}

static ic_status check_added(const ic_dataset *dataset, const void *added, const char *class_name,
                             const char *function)
{
    if (dataset == NULL || added == NULL || class_name == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: data set, picture and class name must be given",
                       function);
    if (*class_name == '\0' || !ic_utf8_valid(class_name, strlen(class_name)))
        return ic_fail(IC_ERROR_ARGUMENT, "%s: the class name is empty or not UTF-8", function);
    return check_unused(dataset, function);
}

/* Room for one record and one class more, so that adding them cannot fail half way. */
static ic_status reserve(ic_dataset *dataset)
{
    ic_source *source = dataset->source;
    size_t known = dataset->class_capacity;
    IC_TRY(ic_grow(source->context, &source->records, &source->capacity, source->count + 1,
                   sizeof *source->records));
    IC_TRY(ic_grow(source->context, &dataset->records, &dataset->capacity, dataset->count + 1,
                   sizeof *dataset->records));
    IC_TRY(ic_grow(source->context, &dataset->class_counts, &dataset->class_capacity,
                   source->class_count + 1, sizeof *dataset->class_counts));
    for (size_t i = known; i < dataset->class_capacity; i++)
        dataset->class_counts[i] = 0;
    return IC_OK;
}

/* Adds a record, complete but for its class. */
static ic_status add_record(ic_dataset *dataset, ic_record *record, const char *class_name)
{
    ic_source *source = dataset->source;
    IC_TRY(reserve(dataset));
    IC_TRY(ic_source_class(source, class_name, 0, &record->item.class_index));
    dataset->records[dataset->count++] = (int64_t)source->count;
    source->records[source->count++] = *record;
    dataset->class_counts[record->item.class_index]++;
    return IC_OK;
}

ic_status ic_dataset_add_image(ic_dataset *dataset, const ic_image *image, const char *class_name)
{
    IC_TRY(check_added(dataset, image, class_name, "ic_dataset_add_image"));
    ic_source *source = dataset->source;
    char number[32];
    ic_record record = {.item = {.width = image->width,
                                 .height = image->height,
                                 .channels = image->channels,
                                 .depth = image->depth}};
    snprintf(number, sizeof number, "%zu", source->count + 1);
    IC_TRY(ic_source_text_join(source, "memory", "#", number, &record.item.origin));
    ic_digest_samples(image, record.item.digest);
    record.image = ic_image_retain((ic_image *)image);
    ic_status status = add_record(dataset, &record, class_name);
    if (status < 0)
        ic_image_free(record.image);
    return status;
}

ic_status ic_dataset_add_file(ic_dataset *dataset, const char *path, const char *class_name)
{
    IC_TRY(check_added(dataset, path, class_name, "ic_dataset_add_file"));
    ic_source *source = dataset->source;
    char before[IC_ERROR_TEXT_MAX], reason[IC_ERROR_TEXT_MAX];
    ic_record record = {.item = {.group = ic_group_of_file(source, path)}};
    IC_TRY(ic_source_text(source, path, strlen(path), &record.item.origin));
    ic_error_copy(before, sizeof before);
    ic_status status = ic_look_at_file(source, &record.item);
    if (status == IC_ERROR_MEMORY || status == IC_ERROR_INTERNAL)
        return status;
    if (status == IC_OK)
        return add_record(dataset, &record, class_name);
    ic_error_copy(reason, sizeof reason);
    IC_TRY(ic_source_add_broken(source, record.item.origin, reason, IC_PART_NONE));
    dataset->broken_count++;
    ic_error_set(before);
    return IC_OK;
}

ic_status ic_dataset_set_group(ic_dataset *dataset, int64_t index, const char *group)
{
    static const char given[] = "given";
    if (dataset == NULL || group == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_dataset_set_group: data set and group must be given (\"\": no group)");
    IC_TRY(check_unused(dataset, "ic_dataset_set_group"));
    if (index < 0 || index >= ic_dataset_count(dataset))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no picture %lld: the data set has %lld",
                       (long long)index, (long long)ic_dataset_count(dataset));
    ic_source *source = dataset->source;
    source->grouping = (ic_grouping){IC_GROUP_GIVEN, given, given};
    source->records[dataset->records[index]].item.group = ic_group_number(group, strlen(group));
    return IC_OK;
}
