/*
 * dataset/verify.c: looks at every picture file once, on the pool, so that broken ones are set
 * aside before any work is done with them. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/pool.h"
#include "base/status.h"
#include "dataset/source.h"

#include <string.h>

/* Files between two looks at the clock and the host's wish to cancel. */
enum { CHUNK = 64 };

/* What looking at one file gave. */
typedef struct finding {
    ic_status status;
    ic_item item;
    char reason[IC_ERROR_TEXT_MAX];
} finding;

typedef struct verify_work {
    const ic_source *source;
    const ic_candidate *candidates; /* of this chunk */
    finding *findings;
} verify_work;

ic_status ic_scan_add(ic_scan *scan, const ic_candidate *candidate)
{
    IC_TRY(ic_grow(scan->source->context, &scan->candidates, &scan->capacity, scan->count + 1,
                   sizeof *scan->candidates));
    scan->candidates[scan->count++] = *candidate;
    return IC_OK;
}

ic_status ic_scan_progress(ic_scan *scan, size_t done, size_t total)
{
    return ic_progress_step(scan->source->context, "scan", (int64_t)done, (int64_t)total,
                            scan->started, &scan->last);
}

ic_status ic_look_at_file(const ic_source *source, ic_item *item)
{
    ic_context *context = source->context;
    ic_buffer bytes = {.context = context};
    ic_image_facts facts = {0};
    ic_status status = IC_OK;
    ic_decode_options options = {.header_only = source->header_only,
                                 .check_only = !source->header_only};
    IC_TRY_CLEAN(ic_file_read(context, item->origin, context->limits.file_bytes, &bytes));
    IC_TRY_CLEAN(ic_image_decode_with(context, bytes.bytes, bytes.size, &options, &facts, NULL));
    ic_sha256_of(bytes.bytes, bytes.size, item->digest);
    item->width = facts.width;
    item->height = facts.height;
    item->channels = facts.channels;
    item->depth = facts.depth;
    item->format = facts.format;
cleanup:
    ic_buffer_free(&bytes);
    return status;
}

/* A broken file is a finding; running out of memory is a failure of the whole. */
static ic_status verify_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    const verify_work *work = arguments;
    const ic_candidate *candidate = &work->candidates[unit];
    finding *found = &work->findings[unit];
    found->item = (ic_item){.origin = candidate->path,
                            .class_index = candidate->class_index,
                            .part = candidate->part,
                            .group = candidate->group};
    found->status = candidate->problem == NULL ? ic_look_at_file(work->source, &found->item)
                                               : ic_fail(IC_ERROR_DATA, "%s", candidate->problem);
    if (found->status == IC_ERROR_MEMORY || found->status == IC_ERROR_INTERNAL)
        return found->status;
    if (found->status < 0)
        ic_error_copy(found->reason, sizeof found->reason);
    return IC_OK;
}

static ic_status add_finding(ic_source *source, const finding *found)
{
    if (found->status < 0)
        return ic_source_add_broken(source, found->item.origin, found->reason, found->item.part);
    ic_record record = {.item = found->item};
    return ic_source_add(source, &record);
}

/* In a manifest the parts stand among one another; what was set aside of each has to stand in a row
 * (ic_dataset_part). */
static ic_status sort_broken(ic_source *source)
{
    ic_broken *sorted;
    size_t count = 0;
    IC_TRY(ic_allocate_array(source->context, source->broken_count, sizeof *sorted, &sorted));
    for (ic_part part = IC_PART_NONE; part <= IC_PART_TEST; part++)
        for (size_t i = 0; i < source->broken_count; i++)
            if (source->broken[i].part == part)
                sorted[count++] = source->broken[i];
    if (count > 0)
        memcpy(source->broken, sorted, count * sizeof *sorted);
    ic_free(source->context, sorted);
    return IC_OK;
}

ic_status ic_scan_verify(ic_scan *scan)
{
    ic_source *source = scan->source;
    ic_pool *pool;
    finding *findings = NULL;
    ic_status status = IC_OK;
    char before[IC_ERROR_TEXT_MAX]; /* what is set aside here is no error of the caller's */
    ic_error_copy(before, sizeof before);
    IC_TRY_CLEAN(ic_context_pool(source->context, &pool));
    IC_TRY_CLEAN(ic_allocate_array(source->context, CHUNK, sizeof *findings, &findings));
    for (size_t first = 0; first < scan->count; first += CHUNK) {
        size_t count = scan->count - first < CHUNK ? scan->count - first : CHUNK;
        verify_work work = {source, scan->candidates + first, findings};
        IC_TRY_CLEAN(ic_pool_run(pool, (int64_t)count, verify_unit, &work));
        for (size_t i = 0; i < count; i++)
            IC_TRY_CLEAN(add_finding(source, &findings[i]));
        IC_TRY_CLEAN(ic_scan_progress(scan, first + count, scan->count));
    }
    IC_TRY_CLEAN(sort_broken(source));
    ic_error_set(before);
cleanup:
    ic_free(source->context, findings);
    return status;
}

void ic_digest_samples(const ic_image *image, unsigned char digest[IC_SHA256_BYTES])
{
    ic_sha256 hash;
    unsigned char shape[16];
    const int32_t numbers[4] = {image->width, image->height, image->channels, image->depth};
    for (int32_t i = 0; i < 16; i++)
        shape[i] = (unsigned char)((uint32_t)numbers[i / 4] >> (8 * (i % 4)));
    ic_sha256_begin(&hash);
    ic_sha256_add(&hash, shape, sizeof shape);
    size_t row = (size_t)image->width * (size_t)image->channels * (size_t)(image->depth / 8);
    for (int32_t y = 0; y < image->height; y++)
        ic_sha256_add(&hash, ic_image_row(image, y), row);
    ic_sha256_end(&hash, digest);
}
