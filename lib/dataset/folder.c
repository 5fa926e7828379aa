/*
 * dataset/folder.c: folders of class folders, and folders that hold such folders as train, test and
 * validation. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <stdio.h>
#include <string.h>

/* Folders in class folders. */
enum { MOST_NESTED = 8 };

/* A folder that is being walked, and the one that it was found in. */
typedef struct walk {
    const char *path;
    const struct walk *above;
} walk;

/* What lies in a folder, as far as its shape tells. */
typedef struct folder_shape {
    size_t folders, files, idx_files;
    size_t part_folders;
    bool train, measuring; /* part folders of both kinds */
} folder_shape;

/* Path of an entry, for the time until the next call. */
static ic_status entry_path(ic_buffer *buffer, const char *folder, const char *name,
                            const char **out)
{
    buffer->size = 0;
    IC_TRY(ic_buffer_print(buffer, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                           name));
    *out = (const char *)buffer->bytes;
    return IC_OK;
}

static ic_status look_at_shape(ic_context *context, const char *path, const ic_listing *listing,
                               folder_shape *out)
{
    folder_shape shape = {0};
    ic_buffer buffer = {.context = context};
    ic_status status = IC_OK;
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->names[i], *entry;
        IC_TRY_CLEAN(entry_path(&buffer, path, name, &entry));
        if (ic_path_kind_of(entry) != IC_PATH_FOLDER) {
            shape.files++;
            shape.idx_files += ic_idx_is_images_name(name);
            continue;
        }
        shape.folders++;
        const ic_part part = ic_part_of_name(name);
        shape.part_folders += part != IC_PART_NONE;
        shape.train |= part == IC_PART_TRAIN;
        shape.measuring |= part > IC_PART_TRAIN;
    }
    *out = shape;
cleanup:
    ic_buffer_free(&buffer);
    return status;
}

/* The group of a candidate below a class folder: what the first folder below that is called, or as
 * its name says. */
static uint64_t group_of(const ic_source *source, const ic_candidate *folder, const char *path,
                         int32_t depth)
{
    if (source->grouping.kind != IC_GROUP_FOLDER)
        return ic_group_of_file(source, path);
    const char *name = ic_path_name(path);
    return depth == 0 && ic_path_kind_of(path) == IC_PATH_FOLDER
               ? ic_group_number(name, strlen(name))
               : folder->group;
}

/* Whether a folder is one of those being walked, which a link led back to: its pictures would come
 * again, and as those of other classes. Says so. */
static bool leads_back(ic_context *context, const walk *above, const char *path)
{
    while (above != NULL && !ic_path_same(above->path, path))
        above = above->above;
    if (above != NULL)
        ic_log(context, IC_LOG_WARNING, "%s is passed over: it is a link back to %s", path,
               above->path);
    return above != NULL;
}

/* All files below a class folder are candidates of its class; `like`: the folder as one. */
static ic_status scan_class(ic_scan *scan, const ic_candidate *like, int32_t depth,
                            const walk *above)
{
    ic_candidate candidate = *like;
    const char *folder = like->path;
    const walk here = {folder, above};
    if (depth > MOST_NESTED) {
        candidate.problem = "folders lie too deep in one another";
        return ic_scan_add(scan, &candidate);
    }
    ic_listing listing;
    IC_TRY(ic_folder_list(scan->source->context, folder, &listing));
    ic_status status = IC_OK;
    for (size_t i = 0; i < listing.count; i++) {
        IC_TRY_CLEAN(
            ic_source_text_join(scan->source, folder, "/", listing.names[i], &candidate.path));
        candidate.group = group_of(scan->source, like, candidate.path, depth);
        if (ic_path_kind_of(candidate.path) != IC_PATH_FOLDER)
            IC_TRY_CLEAN(ic_scan_add(scan, &candidate));
        else if (!leads_back(scan->source->context, &here, candidate.path))
            IC_TRY_CLEAN(scan_class(scan, &candidate, depth + 1, &here));
        IC_TRY_CLEAN(ic_scan_progress(scan, scan->count, 0));
    }
cleanup:
    ic_listing_free(&listing);
    return status;
}

/* Each folder in this one is a class. */
static ic_status scan_classes(ic_scan *scan, const walk *here, const ic_listing *listing,
                              ic_part part)
{
    for (size_t i = 0; i < listing->count; i++) {
        ic_candidate class = {.part = part};
        IC_TRY(ic_source_text_join(scan->source, here->path, "/", listing->names[i], &class.path));
        if (ic_path_kind_of(class.path) != IC_PATH_FOLDER ||
            leads_back(scan->source->context, here, class.path))
            continue;
        if (!ic_utf8_valid(listing->names[i], strlen(listing->names[i])))
            return ic_fail(IC_ERROR_DATA, "the name of the class folder %s is not UTF-8: rename it",
                           class.path);
        IC_TRY(ic_source_class(scan->source, listing->names[i], 0, &class.class_index));
        IC_TRY(scan_class(scan, &class, 0, here));
    }
    return IC_OK;
}

/* Which part a word in the usual names of IDX files declares: "emnist-test-images-idx3-ubyte". */
static ic_part idx_part(const char *name)
{
    char word[16];
    for (size_t length; *name != '\0'; name += length + (name[length] != '\0')) {
        length = strcspn(name, "-_.0123456789");
        snprintf(word, sizeof word, "%.*s", (int)length, name);
        const ic_part part = strncmp(name, "t10k", 4) == 0 ? IC_PART_TEST : ic_part_of_name(word);
        if (part != IC_PART_NONE)
            return part;
    }
    return IC_PART_NONE;
}

/*
 * All IDX pictures in the folder. A file and its .gz beside it are the same pictures: the plain
 * one, which comes first in the order of names, is read.
 */
static ic_status scan_idx_files(ic_scan *scan, const char *path, const ic_listing *listing,
                                ic_part part)
{
    const char *last = "";
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->names[i], *file;
        size_t length = strlen(last);
        if (!ic_idx_is_images_name(name))
            continue;
        if (length > 0 && strncmp(name, last, length) == 0 && strcmp(name + length, ".gz") == 0)
            continue;
        last = name;
        IC_TRY(ic_source_text_join(scan->source, path, "/", name, &file));
        IC_TRY(ic_scan_idx(scan, file, part == IC_PART_NONE ? idx_part(name) : part));
    }
    return IC_OK;
}

/* One folder train/, test/ …; *found tells whether it had classes or IDX files in it. */
static ic_status scan_part(ic_scan *scan, const walk *here, ic_part part, bool *found)
{
    const char *path = here->path;
    ic_context *context = scan->source->context;
    ic_listing listing;
    folder_shape shape;
    IC_TRY(ic_folder_list(context, path, &listing));
    ic_status status = IC_OK;
    IC_TRY_CLEAN(look_at_shape(context, path, &listing, &shape));
    if (shape.idx_files > 0)
        IC_TRY_CLEAN(scan_idx_files(scan, path, &listing, part));
    else if (shape.folders > 0)
        IC_TRY_CLEAN(scan_classes(scan, here, &listing, part));
    else
        ic_log(context, IC_LOG_WARNING, "%s is passed over: it holds no class folders", path);
    *found |= shape.idx_files > 0 || shape.folders > 0;
cleanup:
    ic_listing_free(&listing);
    return status;
}

/* Part by part, as what is set aside in one of them has to stand in a row. */
static ic_status scan_parts(ic_scan *scan, const walk *here, const ic_listing *listing)
{
    const char *path = here->path;
    ic_context *context = scan->source->context;
    bool found = false;
    for (size_t i = 0; i < listing->count; i++)
        if (ic_part_of_name(listing->names[i]) == IC_PART_NONE)
            ic_log(context, IC_LOG_WARNING,
                   "%s/%s is passed over: it is neither train, test nor validation", path,
                   listing->names[i]);
    for (ic_part part = IC_PART_TRAIN; part <= IC_PART_TEST; part++)
        for (size_t i = 0; i < listing->count; i++) {
            const char *name = listing->names[i], *folder;
            if (ic_part_of_name(name) != part)
                continue;
            IC_TRY(ic_source_text_join(scan->source, path, "/", name, &folder));
            if (ic_path_kind_of(folder) == IC_PATH_FOLDER)
                IC_TRY(scan_part(scan, &(walk){folder, here}, part, &found));
        }
    if (!found)
        return ic_fail(IC_ERROR_DATA,
                       "%s has no class folders in its train, test and validation folders; put one "
                       "folder of pictures per class into each",
                       path);
    return IC_OK;
}

/* Whether one of the first files is a picture, to word the error. Only memory can fail. */
static ic_status has_pictures(ic_context *context, const char *path, const ic_listing *listing,
                              bool *out)
{
    ic_buffer name = {.context = context}, bytes = {.context = context};
    ic_status status = IC_OK;
    *out = false;
    for (size_t i = 0; i < listing->count && i < 16 && !*out; i++) {
        const char *entry;
        IC_TRY_CLEAN(entry_path(&name, path, listing->names[i], &entry));
        status = ic_file_read(context, entry, context->limits.file_bytes, &bytes);
        if (status == IC_ERROR_MEMORY)
            goto cleanup;
        *out = status == IC_OK && ic_image_sniff(bytes.bytes, bytes.size) != IC_FORMAT_UNKNOWN;
        status = IC_OK;
        ic_buffer_free(&bytes);
    }
cleanup:
    ic_buffer_free(&name);
    return status;
}

static ic_status fail_no_classes(ic_context *context, const char *path, const ic_listing *listing)
{
    bool pictures;
    IC_TRY(has_pictures(context, path, listing, &pictures));
    if (pictures)
        return ic_fail(IC_ERROR_DATA,
                       "%s holds pictures but no class folders; move them into one folder per "
                       "class in it (%s/cats, %s/dogs), or list them in a CSV file with the "
                       "columns path,label",
                       path, path, path);
    return ic_fail(IC_ERROR_DATA,
                   "%s holds no class folders%s; put one folder of pictures per class in it", path,
                   listing->count == 0 ? ", it is empty" : "");
}

/*
 * A class may well be called "train" or "test": such folders declare parts only where nothing but
 * parts lies in the folder, or where train has one of the others beside it.
 */
static bool declares_parts(const folder_shape *shape)
{
    return shape->part_folders > 0 &&
           (shape->part_folders == shape->folders || (shape->train && shape->measuring));
}

/*
 * As archives unpack: one folder that holds one folder ... that holds the classes. Says where it
 * looks as if they were, as a class is what its first folder says.
 */
static ic_status warn_of_nesting(ic_scan *scan, const char *path)
{
    ic_context *context = scan->source->context;
    const char *classes = path, *inner = path;
    ic_status status = IC_OK;
    for (bool deeper = true; deeper && status >= 0;) {
        ic_listing listing;
        folder_shape shape = {0};
        IC_TRY(ic_folder_list(context, inner, &listing));
        status = look_at_shape(context, inner, &listing, &shape);
        classes = shape.folders > 1 && shape.files == 0 ? inner : classes;
        deeper = shape.folders == 1 && shape.files == 0;
        if (deeper && status >= 0)
            status = ic_source_text_join(scan->source, inner, "/", listing.names[0], &inner);
        ic_listing_free(&listing);
    }
    if (classes != path)
        ic_log(
            context, IC_LOG_WARNING,
            "all pictures of %s lie below %s: if the folders in that are the classes, or train and "
            "test, give that",
            path, classes);
    return status;
}

ic_status ic_scan_folder(ic_scan *scan, const char *path)
{
    ic_context *context = scan->source->context;
    const walk here = {path, NULL};
    ic_listing listing;
    folder_shape shape;
    IC_TRY(ic_folder_list(context, path, &listing));
    ic_status status = IC_OK;
    IC_TRY_CLEAN(look_at_shape(context, path, &listing, &shape));
    if (declares_parts(&shape)) {
        IC_TRY_CLEAN(scan_parts(scan, &here, &listing));
    } else if (shape.idx_files > 0) {
        IC_TRY_CLEAN(scan_idx_files(scan, path, &listing, IC_PART_NONE));
    } else if (shape.folders > 0) {
        if (shape.files > 0)
            ic_log(context, IC_LOG_WARNING,
                   "%s: %zu files beside the class folders are passed over", path, shape.files);
        else if (shape.folders == 1)
            IC_TRY_CLEAN(warn_of_nesting(scan, path));
        IC_TRY_CLEAN(scan_classes(scan, &here, &listing, IC_PART_NONE));
    } else {
        status = fail_no_classes(context, path, &listing);
    }
cleanup:
    ic_listing_free(&listing);
    return status;
}
