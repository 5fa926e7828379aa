/* base/progress.c: events of long work, and the clock they go by. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "base/context.h"

#include "base/status.h"

#include <string.h>
#include <time.h>

/* Seconds between two events of one phase. */
#define EVENT_SECONDS 0.1

double ic_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void ic_progress_begin(ic_progress *progress, const char *phase)
{
    progress->phase = phase;
    progress->count = 0;
}

static int32_t find_value(const ic_progress *progress, const char *name)
{
    int32_t i = 0;
    while (i < progress->count && strcmp(progress->names[i], name) != 0)
        i++;
    return i;
}

void ic_progress_set(ic_progress *progress, const char *name, double value)
{
    int32_t i = find_value(progress, name);
    if (i == IC_PROGRESS_VALUES)
        return;
    progress->names[i] = name;
    progress->values[i] = value;
    if (i == progress->count)
        progress->count++;
}

const char *ic_progress_phase(const ic_progress *progress)
{
    return progress == NULL ? "" : progress->phase;
}

ic_status ic_progress_value(const ic_progress *progress, const char *name, double *out)
{
    if (progress == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_progress_value: an argument is NULL");
    int32_t i = find_value(progress, name);
    if (i == progress->count)
        return ic_fail(IC_ERROR_NOT_FOUND, "this event has no value \"%.80s\"", name);
    *out = progress->values[i];
    return IC_OK;
}

ic_status ic_progress_send(ic_context *context, const ic_progress *progress)
{
    if (context->progress != NULL && context->progress(progress, context->progress_payload) != 0)
        return ic_fail(IC_ERROR_CANCELLED, "cancelled by the progress callback in phase \"%s\"",
                       progress->phase);
    return IC_OK;
}

ic_status ic_progress_step(ic_context *context, const char *phase, int64_t done, int64_t total,
                           double started, double *last)
{
    double now = ic_clock_seconds();
    if (now - *last < EVENT_SECONDS && (done != total || total == 0))
        return IC_OK;
    *last = now;
    ic_progress progress;
    ic_progress_begin(&progress, phase);
    ic_progress_set(&progress, "done", (double)done);
    ic_progress_set(&progress, "total", (double)total);
    ic_progress_set(&progress, "seconds", now - started);
    return ic_progress_send(context, &progress);
}
