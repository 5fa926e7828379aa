/* base/context.c: contexts, their options and messages. SPDX-License-Identifier: MIT */
#include "base/context.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *allocate_by_default(void *block, size_t size, void *payload)
{
    if (size > 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

/* What "cpu_level" asks for, if this CPU has it. */
static ic_status choose_cpu_level(const char *wish, ic_cpu_level *out)
{
    ic_cpu_level best = ic_cpu_detect(), chosen = best;
    for (int32_t level = IC_CPU_C; level < IC_CPU_LEVELS; level++)
        if (strcmp(wish, ic_cpu_level_name((ic_cpu_level)level)) == 0)
            chosen = (ic_cpu_level)level;
    if (!ic_cpu_has(chosen))
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "option \"cpu_level\" is %s, but the best of this CPU is %s: use auto", wish,
                       ic_cpu_level_name(best));
    *out = chosen;
    return IC_OK;
}

/* Goes on from *level to one of bfloat16 that is faster, or has been asked for by name. */
static void choose_bf16(ic_context *context, const char *wish, ic_cpu_level *level)
{
    ic_cpu_level best = ic_cpu_detect_bf16();
    bool any = strcmp(wish, "auto") == 0;
    if (any && (best == IC_CPU_AMX_BF16 || (best == IC_CPU_AVX512_BF16 && ic_cpu_bf16_is_fast())))
        *level = best;
    else if (*level == IC_CPU_AVX512 && best >= IC_CPU_AVX512_BF16 && !any)
        *level = IC_CPU_AVX512_BF16;
    else
        ic_log(context, IC_LOG_WARNING,
               "precision bfloat16: %s has no fast instructions for it, so float32 it is",
               any ? "this CPU" : "the cpu_level");
}

static ic_status apply_options(ic_context *context, const ic_options *options)
{
    const char *cpu_level = ic_option_text(options, "cpu_level");
    IC_TRY(choose_cpu_level(cpu_level, &context->cpu_level));
    if (strcmp(ic_option_text(options, "precision"), "bfloat16") == 0)
        choose_bf16(context, cpu_level, &context->cpu_level);
    int32_t threads = (int32_t)ic_option_int(options, "threads");
    context->threads = threads > 0 ? threads : ic_cpu_count();
    context->limits.file_bytes = ic_option_int(options, "max_file_mb") << 20;
    context->limits.side = (int32_t)ic_option_int(options, "max_side");
    context->limits.pixels = ic_option_int(options, "max_megapixels") * 1000000;
    return IC_OK;
}

ic_status ic_context_create(ic_context **out)
{
    return ic_context_create_with_allocator(allocate_by_default, NULL, out);
}

ic_status ic_context_create_with_allocator(ic_allocate_fn allocate, void *payload, ic_context **out)
{
    if (allocate == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_context_create: %s is NULL",
                       out == NULL ? "out" : "allocate");
    ic_context source = {.allocate = allocate, .allocate_payload = payload};
    ic_context *context;
    IC_TRY(ic_allocate_zero(&source, sizeof *context, &context));
    ic_status status = IC_OK;
    atomic_init(&context->references, 1);
    atomic_init(&context->pool, NULL);
    context->allocate = allocate;
    context->allocate_payload = payload;
    context->huge_pages = allocate == allocate_by_default;
    IC_TRY_CLEAN(ic_lock_create(context, &context->pool_lock));
    IC_TRY_CLEAN(apply_options(context, NULL));
    *out = context;
cleanup:
    if (status < 0)
        ic_context_free(context);
    return status;
}

ic_status ic_context_configure(ic_context *context, const ic_options *options)
{
    if (context == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_context_configure: context is NULL");
    ic_lock_take(context->pool_lock);
    ic_status status;
    if (atomic_load(&context->pool) != NULL)
        status = ic_fail(IC_ERROR_STATE, "the context is already at work: configure it before the "
                                         "first data set, model or prediction");
    else
        status = apply_options(context, options);
    ic_lock_give(context->pool_lock);
    return status;
}

ic_status ic_context_set_log(ic_context *context, ic_log_fn log, void *payload)
{
    if (context == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_context_set_log: context is NULL");
    context->log = log;
    context->log_payload = payload;
    return IC_OK;
}

ic_status ic_context_set_progress(ic_context *context, ic_progress_fn progress, void *payload)
{
    if (context == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_context_set_progress: context is NULL");
    context->progress = progress;
    context->progress_payload = payload;
    return IC_OK;
}

ic_context *ic_context_retain(ic_context *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

void ic_context_free(ic_context *context)
{
    if (context == NULL || atomic_fetch_sub(&context->references, 1) > 1)
        return;
    ic_pool_free(context, atomic_load(&context->pool));
    ic_lock_free(context, context->pool_lock);
    ic_free(context, context);
}

ic_status ic_context_pool(ic_context *context, ic_pool **out)
{
    ic_status status = IC_OK;
    ic_pool *pool = atomic_load(&context->pool);
    if (pool == NULL) {
        ic_lock_take(context->pool_lock);
        pool = atomic_load(&context->pool);
        if (pool == NULL) {
            status = ic_pool_create(context, context->threads, &pool);
            if (status == IC_OK)
                atomic_store(&context->pool, pool);
        }
        ic_lock_give(context->pool_lock);
    }
    if (status == IC_OK)
        *out = pool;
    return status;
}

void ic_log(ic_context *context, int32_t level, const char *format, ...)
{
    if (context->log == NULL)
        return;
    char message[IC_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    ic_text_format(message, sizeof message, format, arguments);
    va_end(arguments);
    context->log(level, message, context->log_payload);
}
