/*
 * dataset/idx.c: the format of MNIST and its followers: a big-endian header, then samples. Pictures
 * and labels are two files, plain or gzipped (http://yann.lecun.com/exdb/mnist).
 * SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <stdio.h>
#include <string.h>

/* Of one file, inflated. */
#define IDX_LIMIT ((int64_t)2 << 30)

/* Pictures between two looks at the host's wish to cancel. */
enum { CHUNK = 8192, UNIT = 64 };

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

ic_status ic_idx_parse(const void *bytes, size_t size, int32_t dimensions, const char *name,
                       ic_idx *out)
{
    const unsigned char *at = bytes;
    size_t header = 4 + 4 * (size_t)dimensions;
    if (size < header || at[0] != 0 || at[1] != 0)
        return ic_fail(IC_ERROR_FORMAT, "%s is not an IDX file: it does not begin as one", name);
    if (at[2] != 8)
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "%s holds IDX samples of type 0x%02x: only bytes (0x08) are read", name,
                       at[2]);
    if (at[3] != dimensions)
        return ic_fail(IC_ERROR_FORMAT, "%s has %d dimensions: %s have %d", name, at[3],
                       dimensions == 1 ? "IDX labels" : "IDX pictures", dimensions);
    ic_idx idx = {big_endian(at + 4), 1, 1, at + header};
    if (dimensions == 3) {
        idx.height = big_endian(at + 8);
        idx.width = big_endian(at + 12);
    }
    uint64_t picture = (uint64_t)idx.height * idx.width, held = size - header;
    if (picture == 0 || held / picture < idx.count || held != picture * idx.count)
        return ic_fail(
            IC_ERROR_FORMAT,
            "%s claims %lu items of %lu x %lu, but %llu bytes follow its header: it is cut "
            "short or damaged; get it anew",
            name, (unsigned long)idx.count, (unsigned long)idx.width, (unsigned long)idx.height,
            (unsigned long long)held);
    *out = idx;
    return IC_OK;
}

static bool is_gzip(const ic_buffer *bytes)
{
    return bytes->size >= 2 && bytes->bytes[0] == 0x1f && bytes->bytes[1] == 0x8b;
}

bool ic_idx_sniff(const ic_buffer *bytes)
{
    static const unsigned char pictures[4] = {0, 0, 8, 3};
    return is_gzip(bytes) || (bytes->size >= 4 && memcmp(bytes->bytes, pictures, 4) == 0);
}

bool ic_idx_is_images_name(const char *name)
{
    const char *images = strstr(name, "images");
    return images != NULL && strstr(images, "idx3") != NULL;
}

/* Reads a file, inflated if it is gzip. */
static ic_status read_idx(ic_context *context, const char *path, ic_buffer *out)
{
    ic_buffer packed = {.context = context};
    ic_status status = IC_OK;
    IC_TRY(ic_file_read(context, path, IDX_LIMIT, &packed));
    if (!is_gzip(&packed)) {
        *out = packed;
        return IC_OK;
    }
    status = ic_gunzip(packed.bytes, packed.size, IDX_LIMIT, out);
    if (status < 0)
        ic_fail_prefix(status, "%s: ", path);
    ic_buffer_free(&packed);
    return status;
}

/* Copies text with the first `from` in it replaced. False: `from` is not in it. */
static bool replace_text(char *out, size_t capacity, const char *text, const char *from,
                         const char *to)
{
    const char *found = strstr(text, from);
    if (found == NULL)
        return false;
    int length =
        snprintf(out, capacity, "%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
    return length >= 0 && (size_t)length < capacity;
}

/* The path of the labels beside the pictures: the usual name, plain or .gz. */
static ic_status find_labels(ic_context *context, const char *path, ic_buffer *out)
{
    char name[512], labels[512];
    const char *file = ic_path_name(path);
    if (!replace_text(name, sizeof name, file, "images", "labels") ||
        !replace_text(labels, sizeof labels, name, "idx3", "idx1"))
        return ic_fail(
            IC_ERROR_DATA,
            "%s: the labels of IDX pictures are looked for under the usual names "
            "(train-images-idx3-ubyte with train-labels-idx1-ubyte); rename the files so",
            path);
    bool packed = ic_text_ends(labels, ".gz");
    if (packed)
        labels[strlen(labels) - 3] = '\0';
    for (int32_t attempt = 0; attempt < 2; attempt++) {
        out->size = 0;
        IC_TRY(ic_buffer_print(out, "%.*s%s%s", (int)(file - path), path, labels,
                               packed == (attempt == 0) ? ".gz" : ""));
        if (ic_path_kind_of((const char *)out->bytes) == IC_PATH_FILE)
            return IC_OK;
    }
    return ic_fail(IC_ERROR_NOT_FOUND, "%s: its labels %s (or %s.gz) are not beside it", path,
                   labels, labels);
}

/* Names for labels from classes.txt beside the pictures, one a line, where there is one. */
static ic_status read_names(ic_context *context, const char *path, ic_buffer *out)
{
    ic_buffer name = {.context = context};
    ic_status status = IC_OK;
    IC_TRY_CLEAN(ic_buffer_print(&name, "%.*sclasses.txt", (int)(ic_path_name(path) - path), path));
    const char *file = (const char *)name.bytes;
    if (ic_path_kind_of(file) != IC_PATH_FILE)
        goto cleanup;
    IC_TRY_CLEAN(ic_file_read(context, file, 1 << 20, out));
    if (!ic_utf8_valid((const char *)out->bytes, out->size) ||
        memchr(out->bytes, 0, out->size) != NULL)
        status =
            ic_fail(IC_ERROR_FORMAT, "%s is not UTF-8 text: write one class name a line", file);
cleanup:
    ic_buffer_free(&name);
    return status;
}

/* Line `index` of the text, without spaces around it; false, and nothing set, when it is empty or
 * missing. */
static bool name_of_label(const ic_buffer *names, int32_t index, const char **out, size_t *length)
{
    const char *at = (const char *)names->bytes;
    const char *end = at == NULL ? NULL : at + names->size;
    for (int32_t i = 0; at < end; i++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end == NULL ? end : line_end;
        if (i == index) {
            while (line_end > at && (unsigned char)line_end[-1] <= ' ')
                line_end--;
            while (at < line_end && (unsigned char)*at <= ' ')
                at++;
            if (at == line_end)
                return false;
            *out = at;
            *length = (size_t)(line_end - at);
            return true;
        }
        at = line_end + 1;
    }
    return false;
}

/* The class of each label that occurs. */
static ic_status make_classes(ic_source *source, const ic_idx *labels, const ic_buffer *names,
                              int32_t classes[256])
{
    for (int32_t i = 0; i < 256; i++)
        classes[i] = -1;
    for (uint32_t i = 0; i < labels->count; i++) {
        int32_t label = labels->samples[i];
        if (classes[label] >= 0)
            continue;
        char digits[16];
        const char *name = digits;
        size_t length;
        snprintf(digits, sizeof digits, "%d", label);
        if (name_of_label(names, label, &name, &length))
            IC_TRY(ic_source_text(source, name, length, &name));
        IC_TRY(ic_source_class(source, name, label, &classes[label]));
    }
    return IC_OK;
}

static ic_status add_pictures(ic_source *source, const char *path, const ic_idx *pictures,
                              const ic_idx *labels, const int32_t classes[256], ic_part part)
{
    size_t picture = (size_t)pictures->width * pictures->height;
    IC_TRY(ic_grow(source->context, &source->records, &source->capacity,
                   source->count + pictures->count, sizeof *source->records));
    for (uint32_t i = 0; i < pictures->count; i++) {
        char number[16];
        ic_record record = {.item = {.class_index = classes[labels->samples[i]],
                                     .part = part,
                                     .width = (int32_t)pictures->width,
                                     .height = (int32_t)pictures->height,
                                     .channels = 1,
                                     .depth = 8},
                            .samples = pictures->samples + i * picture};
        snprintf(number, sizeof number, "%lu", (unsigned long)i + 1);
        IC_TRY(ic_source_text_join(source, path, "#", number, &record.item.origin));
        IC_TRY(ic_source_add(source, &record));
    }
    return IC_OK;
}

typedef struct digest_work {
    ic_record *records; /* of this chunk */
    size_t count;
} digest_work;

static ic_status digest_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    const digest_work *work = arguments;
    size_t end = (size_t)(unit + 1) * UNIT < work->count ? (size_t)(unit + 1) * UNIT : work->count;
    for (size_t i = (size_t)unit * UNIT; i < end; i++) {
        ic_image view = {0};
        ic_record_view(&work->records[i], &view);
        ic_digest_samples(&view, work->records[i].item.digest);
    }
    return IC_OK;
}

static ic_status digest_pictures(ic_scan *scan, size_t first)
{
    ic_source *source = scan->source;
    ic_pool *pool;
    IC_TRY(ic_context_pool(source->context, &pool));
    for (size_t at = first; at < source->count; at += CHUNK) {
        size_t count = source->count - at < CHUNK ? source->count - at : CHUNK;
        digest_work work = {source->records + at, count};
        IC_TRY(ic_pool_run(pool, (int64_t)((count + UNIT - 1) / UNIT), digest_unit, &work));
        IC_TRY(ic_scan_progress(scan, at + count, source->count));
    }
    return IC_OK;
}

/* Both files, checked against each other and against the limits of pictures. */
static ic_status read_pair(ic_context *context, const char *path, const char *labels_path,
                           ic_buffer bytes[2], ic_idx *pictures, ic_idx *labels)
{
    IC_TRY(read_idx(context, path, &bytes[0]));
    IC_TRY(ic_idx_parse(bytes[0].bytes, bytes[0].size, 3, path, pictures));
    IC_TRY(read_idx(context, labels_path, &bytes[1]));
    IC_TRY(ic_idx_parse(bytes[1].bytes, bytes[1].size, 1, labels_path, labels));
    const ic_limits *limits = &context->limits;
    if (pictures->width > (uint32_t)limits->side || pictures->height > (uint32_t)limits->side ||
        (int64_t)pictures->width * pictures->height > limits->pixels)
        return ic_fail(IC_ERROR_LIMIT,
                       "%s: pictures of %lu x %lu are larger than the options max_side and "
                       "max_megapixels allow",
                       path, (unsigned long)pictures->width, (unsigned long)pictures->height);
    if (pictures->count != labels->count)
        return ic_fail(IC_ERROR_FORMAT, "%s has %lu pictures, but %s has %lu labels", path,
                       (unsigned long)pictures->count, labels_path, (unsigned long)labels->count);
    return IC_OK;
}

ic_status ic_scan_idx(ic_scan *scan, const char *path, ic_part part)
{
    ic_source *source = scan->source;
    ic_context *context = source->context;
    ic_buffer bytes[2] = {{.context = context}, {.context = context}};
    ic_buffer names = {.context = context}, labels_path = {.context = context};
    ic_idx pictures, labels;
    int32_t classes[256];
    size_t first = source->count;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(find_labels(context, path, &labels_path));
    IC_TRY_CLEAN(
        read_pair(context, path, (const char *)labels_path.bytes, bytes, &pictures, &labels));
    IC_TRY_CLEAN(read_names(context, path, &names));
    IC_TRY_CLEAN(make_classes(source, &labels, &names, classes));
    IC_TRY_CLEAN(ic_source_keep(source, bytes[0].bytes));
    bytes[0] = (ic_buffer){.context = context}; /* the source's now */
    IC_TRY_CLEAN(add_pictures(source, path, &pictures, &labels, classes, part));
    IC_TRY_CLEAN(digest_pictures(scan, first));
cleanup:
    ic_buffer_free(&labels_path);
    ic_buffer_free(&names);
    ic_buffer_free(&bytes[1]);
    ic_buffer_free(&bytes[0]);
    return status;
}
