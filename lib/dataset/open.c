/* dataset/open.c: from a path to a data set. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/status.h"
#include "dataset/source.h"

#include <string.h>

/* Of a CSV manifest: some twenty million lines. */
#define MANIFEST_LIMIT ((int64_t)2 << 30)

static ic_status scan_file(ic_scan *scan, const char *path)
{
    ic_context *context = scan->source->context;
    ic_buffer bytes = {.context = context};
    ic_status status = IC_OK;
    if (ic_idx_is_images_name(ic_path_name(path)))
        return ic_scan_idx(scan, path, IC_PART_NONE);
    IC_TRY_CLEAN(ic_file_read(context, path, MANIFEST_LIMIT, &bytes));
    if (ic_idx_sniff(&bytes)) {
        ic_buffer_free(&bytes);
        return ic_scan_idx(scan, path, IC_PART_NONE);
    }
    const char *format = ic_image_format_name(bytes.bytes, bytes.size);
    if (format != NULL || ic_image_sniff(bytes.bytes, bytes.size) != IC_FORMAT_UNKNOWN)
        status = ic_fail(IC_ERROR_DATA,
                         "%s is one picture: give the folder that holds the class folders", path);
    else
        status = ic_scan_manifest(scan, path, &bytes);
cleanup:
    ic_buffer_free(&bytes);
    return status;
}

static bool all_are_missing(const ic_source *source)
{
    for (size_t i = 0; i < source->broken_count; i++)
        if (ic_path_kind_of(source->broken[i].path) != IC_PATH_NONE)
            return false;
    return true;
}

static ic_status fail_no_pictures(const ic_source *source, const char *path)
{
    if (source->broken_count == 0)
        return ic_fail(IC_ERROR_DATA,
                       "%s holds no pictures: its class folders are empty, put pictures into them",
                       path);
    if (ic_path_kind_of(path) == IC_PATH_FILE && all_are_missing(source))
        return ic_fail(IC_ERROR_DATA,
                       "none of the %zu pictures that %s lists is there; the first: %s; write "
                       "paths as they go on from the folder of the CSV file, or absolute ones",
                       source->broken_count, path, source->broken[0].path);
    return ic_fail(IC_ERROR_DATA,
                   "none of the %zu files of %s can be read as a picture; the first: %s: %s",
                   source->broken_count, path, source->broken[0].path, source->broken[0].reason);
}

/* Finds and looks at everything that lies at path. */
static ic_status scan_path(ic_scan *scan, const char *path)
{
    switch (ic_path_kind_of(path)) {
    case IC_PATH_FOLDER:
        IC_TRY(ic_scan_folder(scan, path));
        break;
    case IC_PATH_FILE:
        IC_TRY(scan_file(scan, path));
        break;
    case IC_PATH_NONE:
        return ic_fail(IC_ERROR_NOT_FOUND, "there is no file or folder %s: check the path", path);
    case IC_PATH_OTHER:
        return ic_fail(IC_ERROR_IO,
                       "cannot read %s: it is a device or pipe; give a folder of class folders, a "
                       "CSV file or an IDX file",
                       path);
    }
    IC_TRY(ic_scan_verify(scan));
    return scan->source->count > 0 ? IC_OK : fail_no_pictures(scan->source, path);
}

/* Says in the log what was found and what was set aside. */
static void log_outcome(const ic_source *source, const char *path)
{
    if (source->broken_count > 0)
        ic_log(source->context, IC_LOG_WARNING,
               "%s: %zu of %zu files were set aside, as they cannot be read; the first: %s: %s",
               path, source->broken_count, source->broken_count + source->count,
               source->broken[0].path, source->broken[0].reason);
    ic_log(source->context, IC_LOG_INFO, "%s: %zu pictures in %zu classes", path, source->count,
           source->class_count);
}

ic_status ic_dataset_open(ic_context *context, const char *path, const ic_options *options,
                          ic_dataset **out)
{
    if (context == NULL || path == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_open: context, path and out must be given");
    if (*path == '\0')
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_open: the path is empty");
    ic_scan scan = {.started = ic_clock_seconds()};
    scan.last = scan.started;
    char *trimmed = NULL;
    ic_source *source = NULL;
    ic_status status = IC_OK;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    IC_TRY_CLEAN(ic_copy_text_part(context, path, length, &trimmed));
    IC_TRY_CLEAN(ic_source_create(context, options, &source));
    scan.source = source;
    IC_TRY_CLEAN(scan_path(&scan, trimmed));
    IC_TRY_CLEAN(ic_grouping_settle(source));
    IC_TRY_CLEAN(ic_source_sort_classes(source));
    log_outcome(source, trimmed);
    status = ic_dataset_of_source(source, out);
    source = NULL; /* the data set's now */
cleanup:
    ic_source_release(source);
    ic_free(context, scan.candidates);
    ic_free(context, trimmed);
    return status;
}
