/* test_context.c: contexts, their options, messages, progress, and the CPU.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "base/pool.h"
#include "base/status.h"
#include "support/support.h"

#include <string.h>

static ic_status configure(ic_context *context, const char *name, const char *value)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, name, value));
    ic_status status = ic_context_configure(context, options);
    ic_options_free(options);
    return status;
}

static void test_defaults(void **state)
{
    (void)state;
    ic_context *context;
    assert_ok(ic_context_create(&context));
    assert_int_equal(context->threads, ic_cpu_count());
    assert_int_equal(context->cpu_level, ic_cpu_detect());
    assert_true(context->limits.file_bytes == 64 << 20);
    assert_int_equal(context->limits.side, 32768);
    assert_true(context->limits.pixels == 64000000);
    ic_context_free(context);
    ic_context_free(NULL);
    assert_fails(IC_ERROR_ARGUMENT, "out", ic_context_create(NULL));
    assert_fails(IC_ERROR_ARGUMENT, "allocate",
                 ic_context_create_with_allocator(NULL, NULL, &context));
    assert_fails(IC_ERROR_ARGUMENT, "context", ic_context_configure(NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "context", ic_context_set_log(NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "context", ic_context_set_progress(NULL, NULL, NULL));
}

static void test_configure(void **state)
{
    (void)state;
    ic_context *context = test_context(3);
    assert_int_equal(context->threads, 3);
    assert_ok(configure(context, "threads", "0"));
    assert_int_equal(context->threads, ic_cpu_count());
    assert_ok(configure(context, "cpu_level", "c"));
    assert_int_equal(context->cpu_level, IC_CPU_C);
    assert_ok(configure(context, "max_megapixels", "3"));
    assert_true(context->limits.pixels == 3000000);
    assert_int_equal(context->cpu_level, ic_cpu_detect()); /* NULL and unset: defaults again */
    assert_ok(configure(context, "max_file_mb", "1048576"));
    assert_true(context->limits.file_bytes == (int64_t)1048576 << 20);
    assert_ok(configure(context, "max_side", "77"));
    assert_int_equal(context->limits.side, 77);
    assert_ok(ic_context_configure(context, NULL));
    assert_int_equal(context->limits.side, 32768);

    int had = 0;
    for (int level = 0; level < IC_CPU_LEVELS; level++) {
        const char *name = ic_cpu_level_name((ic_cpu_level)level);
        ic_status status = configure(context, "cpu_level", name);
        if (ic_cpu_has((ic_cpu_level)level)) {
            assert_ok(status);
            assert_int_equal(context->cpu_level, level);
            had++;
        } else {
            assert_fails(IC_ERROR_UNSUPPORTED, name, status);
        }
    }
    assert_true(had >= 1 && had < IC_CPU_LEVELS); /* no CPU has those of x86 and of ARM */

    ic_pool *pool, *again;
    assert_ok(ic_context_pool(context, &pool));
    assert_ok(ic_context_pool(context, &again));
    assert_ptr_equal(pool, again);
    assert_fails(IC_ERROR_STATE, "already at work", configure(context, "threads", "1"));
    ic_context_free(context);
}

typedef struct heard {
    int32_t level;
    char message[2000];
    double done;
    int calls, cancel_at;
} heard;

static void hear(int32_t level, const char *message, void *payload)
{
    heard *it = payload;
    it->level = level;
    strcpy(it->message, message);
}

static ic_status configure_bfloat16(ic_context *context, const char *cpu_level)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "precision", "bfloat16"));
    assert_ok(ic_options_set_text(options, "cpu_level", cpu_level));
    ic_status status = ic_context_configure(context, options);
    ic_options_free(options);
    return status;
}

/* Either a level of bfloat16, or that of float32 and a warning. */
static void test_precision(void **state)
{
    (void)state;
    ic_cpu_level best = ic_cpu_detect_bf16();
    static const char *const levels[] = {"auto", "avx512", "avx2", "c"};
    for (int i = 0; i < 4; i++) {
        ic_context *context = test_context(1);
        heard it = {.level = -1};
        assert_ok(ic_context_set_log(context, hear, &it));
        bool there = ic_cpu_detect() >= (i == 1 ? IC_CPU_AVX512 : i == 2 ? IC_CPU_AVX2 : IC_CPU_C);
        assert_int_equal(configure_bfloat16(context, levels[i]),
                         there ? IC_OK : IC_ERROR_UNSUPPORTED);
        bool bf16 = context->cpu_level >= IC_CPU_AVX512_BF16;
        if (i == 0 && best == IC_CPU_AMX_BF16)
            assert_int_equal(context->cpu_level, IC_CPU_AMX_BF16);
        if (i == 1 && best >= IC_CPU_AVX512_BF16)
            assert_int_equal(context->cpu_level, IC_CPU_AVX512_BF16);
        if (i > 1)
            assert_false(bf16);
        assert_int_equal(it.level, bf16 || !there ? -1 : IC_LOG_WARNING);
        if (it.level == IC_LOG_WARNING)
            assert_non_null(strstr(it.message, "float32"));
        assert_ok(ic_context_configure(context, NULL));
        assert_int_equal(context->cpu_level, ic_cpu_detect());
        ic_context_free(context);
    }
}

static void test_references(void **state)
{
    (void)state;
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ptr_equal(ic_context_retain(context), context);
    ic_context_free(context);
    ic_context_free(context);
    assert_true(allocator.live > 0);
    assert_ok(ic_options_set_text(options, "mean", "0.5")); /* still has its context */
    ic_options_free(options);
    assert_int_equal(allocator.live, 0);
}

static void test_log(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    heard it = {0};
    ic_log(context, IC_LOG_INFO, "to nobody");
    assert_ok(ic_context_set_log(context, hear, &it));
    ic_log(context, IC_LOG_WARNING, "%s has %d pictures", "cats", 3);
    assert_int_equal(it.level, IC_LOG_WARNING);
    assert_string_equal(it.message, "cats has 3 pictures");
    char text[3000];
    memset(text, 'x', sizeof text);
    text[2999] = '\0';
    ic_log(context, IC_LOG_DEBUG, "%s", text);
    assert_int_equal(strlen(it.message), IC_ERROR_TEXT_MAX - 1);
    memcpy(text + IC_ERROR_TEXT_MAX - 2, "\xe2\x82\xac", 3); /* cut between characters */
    text[0] = '\xff';
    ic_log(context, IC_LOG_DEBUG, "%s", text);
    assert_int_equal(strlen(it.message), IC_ERROR_TEXT_MAX - 2);
    assert_int_equal(it.message[0], '?');
    ic_context_free(context);
}

static int32_t follow(const ic_progress *progress, void *payload)
{
    heard *it = payload;
    strcpy(it->message, ic_progress_phase(progress));
    assert_ok(ic_progress_value(progress, "done", &it->done));
    return ++it->calls == it->cancel_at;
}

static void test_progress(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    heard it = {.cancel_at = 3};
    double started = ic_clock_seconds(), last = started;
    assert_ok(ic_progress_step(context, "scan", 10, 10, started, &last));
    assert_ok(ic_context_set_progress(context, follow, &it));
    assert_ok(ic_progress_step(context, "scan", 1, 10, started, &last));
    assert_int_equal(it.calls, 0); /* too early */
    assert_ok(ic_progress_step(context, "scan", 10, 10, started, &last));
    assert_int_equal(it.calls, 1);
    last -= 1;
    assert_ok(ic_progress_step(context, "train", 5, 10, started, &last));
    assert_string_equal(it.message, "train");
    assert_true(it.done == 5 && last >= started);
    last -= 1;
    assert_fails(IC_ERROR_CANCELLED, "cancelled by the progress callback in phase \"train\"",
                 ic_progress_step(context, "train", 6, 10, started, &last));
    ic_context_free(context);
}

static void test_progress_values(void **state)
{
    (void)state;
    static char names[IC_PROGRESS_VALUES + 1][8];
    ic_progress progress;
    double value = -1;
    ic_progress_begin(&progress, "train");
    for (int i = 0; i <= IC_PROGRESS_VALUES; i++) {
        names[i][0] = (char)('a' + i);
        ic_progress_set(&progress, names[i], i);
    }
    ic_progress_set(&progress, "c", 99);
    assert_int_equal(progress.count, IC_PROGRESS_VALUES);
    assert_ok(ic_progress_value(&progress, "c", &value));
    assert_true(value == 99);
    assert_fails(IC_ERROR_NOT_FOUND, "\"nothing\"",
                 ic_progress_value(&progress, "nothing", &value));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_progress_value(NULL, "c", &value));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_progress_value(&progress, NULL, &value));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_progress_value(&progress, "c", NULL));
    assert_true(value == 99);
    assert_string_equal(ic_progress_phase(NULL), "");
}

/* The compiler's own view of the CPU and of what the system saves. */
static void test_cpu(void **state)
{
    (void)state;
    assert_true(ic_cpu_count() >= 1);
#if defined(__x86_64__)
    ic_cpu_level level = IC_CPU_C;
    if (__builtin_cpu_supports("sse4.1"))
        level = IC_CPU_SSE41;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        level = IC_CPU_AVX2;
    if (level == IC_CPU_AVX2 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        level = IC_CPU_AVX512;
    assert_int_equal(ic_cpu_detect(), level);
#elif defined(__aarch64__)
    assert_int_equal(ic_cpu_detect(), IC_CPU_NEON);
#else
    assert_int_equal(ic_cpu_detect(), IC_CPU_C);
#endif
    double before = ic_clock_seconds();
    assert_true(ic_clock_seconds() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_configure),
        cmocka_unit_test(test_precision),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_progress_values),
        cmocka_unit_test(test_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
