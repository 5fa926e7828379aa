/* test_memory.c: blocks, growing arrays, buffers, and running out. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "support/support.h"

#include <string.h>

static void test_sizes_are_checked(void **state)
{
    (void)state;
    size_t size = 5;
    assert_true(ic_multiply_size(SIZE_MAX / 2, 2, &size));
    assert_true(size == SIZE_MAX - 1);
    assert_true(ic_multiply_size(7, 0, &size));
    assert_int_equal(size, 0);
    assert_false(ic_multiply_size(SIZE_MAX / 2 + 1, 2, &size));
    assert_int_equal(size, 0);
    assert_true(ic_add_size(SIZE_MAX - 1, 1, &size));
    assert_false(ic_add_size(SIZE_MAX, 1, &size));
    assert_true(size == SIZE_MAX);
}

/* A host allocator whose blocks move on every growth, to another offset from 64. */
static void *allocate_shifting(void *block, size_t size, void *payload)
{
    static size_t offset;
    unsigned char *old = block;
    (void)payload;
    size_t *header = old != NULL ? (size_t *)(void *)(old - 16) : NULL;
    void *result = NULL;
    if (size > 0) {
        offset = (offset + 16) % 64;
        unsigned char *origin = test_allocate(NULL, size + 96, payload);
        unsigned char *place = origin + 16 + offset;
        ((size_t *)(void *)(place - 16))[0] = 16 + offset;
        ((size_t *)(void *)(place - 16))[1] = size;
        if (old != NULL)
            memcpy(place, old, header[1] < size ? header[1] : size);
        result = place;
    }
    if (old != NULL)
        test_allocate(old - header[0], 0, payload);
    return result;
}

static void test_blocks_are_aligned_and_keep_their_bytes(void **state)
{
    (void)state;
    test_allocator allocator = {0};
    ic_context *context;
    assert_ok(ic_context_create_with_allocator(allocate_shifting, &allocator, &context));
    unsigned char *block = NULL;
    for (size_t size = 0; size < 700; size += 13) {
        assert_ok(ic_reallocate(context, size, &block));
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t i = 0; size > 0 && i < size - 13; i++)
            assert_int_equal(block[i], (unsigned char)(i * 7));
        for (size_t i = 0; i < size; i++)
            block[i] = (unsigned char)(i * 7);
    }
    assert_ok(ic_reallocate(context, 100, &block));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(block[i], (unsigned char)(i * 7));
    ic_free(context, block);
    ic_free(context, NULL);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

/* From the C library, large blocks begin at huge pages; growing and shrinking keep the bytes. */
static void test_large_blocks_keep_their_bytes(void **state)
{
    (void)state;
    const size_t huge = (size_t)2 << 20,
                 sizes[] = {1000, 3 * huge, 40, huge + 7, 9 * huge, huge, 1};
    ic_context *context;
    assert_ok(ic_context_create(&context));
    unsigned char *block = NULL;
    for (size_t i = 0, kept = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_ok(ic_reallocate(context, sizes[i], &block));
        assert_int_equal((uintptr_t)block % (sizes[i] < huge ? 64 : huge), 0);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (size_t j = 0; j < kept; j++)
            if (block[j] != (unsigned char)(j * 7 + i - 1))
                fail_msg("byte %zu of %zu was lost", j, sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++)
            block[j] = (unsigned char)(j * 7 + i);
        kept = sizes[i];
    }
    ic_free(context, block);
    ic_context_free(context);
}

static void test_allocate_forms(void **state)
{
    ic_context *context = *state;
    int *zeros;
    char *text, *part;
    assert_ok(ic_allocate_zero(context, 100 * sizeof *zeros, &zeros));
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    assert_ok(ic_copy_text(context, "caf\xC3\xA9", &text));
    assert_string_equal(text, "caf\xC3\xA9");
    assert_ok(ic_copy_text_part(context, "resnet18", 6, &part));
    assert_string_equal(part, "resnet");
    ic_free(context, zeros);
    ic_free(context, text);
    ic_free(context, part);
}

static void test_too_large_is_an_error(void **state)
{
    ic_context *context = *state;
    void *block = &block;
    assert_fails(IC_ERROR_MEMORY, "bytes were asked for", ic_allocate(context, SIZE_MAX, &block));
    assert_fails(IC_ERROR_MEMORY, "bytes were asked for",
                 ic_allocate(context, PTRDIFF_MAX - 8, &block));
    assert_fails(IC_ERROR_MEMORY, "4 items", ic_allocate_array(context, 4, SIZE_MAX / 2, &block));
    size_t capacity = 0;
    assert_fails(IC_ERROR_MEMORY, "items of 16 bytes",
                 ic_grow(context, &block, &capacity, SIZE_MAX / 8, 16));
    assert_ptr_equal(block, &block);
    ic_buffer buffer = {.context = context};
    assert_ok(ic_buffer_append(&buffer, "ab", 2));
    assert_fails(IC_ERROR_MEMORY, "", ic_buffer_append(&buffer, "", SIZE_MAX - 1));
    assert_int_equal(buffer.size, 2);
    ic_buffer_free(&buffer);
}

static void test_grow_doubles(void **state)
{
    ic_context *context = *state;
    int64_t *items = NULL;
    size_t capacity = 0, changes = 0, before = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_ok(ic_grow(context, &items, &capacity, i + 1, sizeof *items));
        assert_true(capacity > i);
        changes += capacity != before;
        before = capacity;
        items[i] = (int64_t)i;
    }
    assert_true(changes < 12);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    ic_free(context, items);
}

static void test_buffer(void **state)
{
    ic_context *context = *state;
    ic_buffer buffer = {.context = context};
    assert_ok(ic_buffer_append(&buffer, NULL, 0));
    assert_ok(ic_buffer_append(&buffer, "abc", 3));
    assert_ok(ic_buffer_print(&buffer, "%d-%s", 42, "xyz"));
    assert_int_equal(buffer.size, 9);
    assert_string_equal((char *)buffer.bytes, "abc42-xyz");
    for (int i = 0; i < 500; i++)
        assert_ok(ic_buffer_print(&buffer, "%04d", i));
    assert_int_equal(buffer.size, 9 + 2000);
    assert_string_equal((char *)buffer.bytes + 9 + 1996, "0499");
    ic_buffer_free(&buffer);
    assert_null(buffer.bytes);
    ic_buffer_free(&buffer);
}

static void test_give_bytes(void **state)
{
    (void)state;
    char buffer[4] = "zzz";
    size_t size = 0;
    assert_ok(ic_give_bytes("abcd", 4, NULL, 0, &size));
    assert_int_equal(size, 4);
    size = 0;
    assert_fails(IC_ERROR_LIMIT, "buffer of 3 bytes is too small: 4",
                 ic_give_bytes("abcd", 4, buffer, 3, &size));
    assert_int_equal(size, 4);
    assert_string_equal(buffer, "zzz");
    assert_ok(ic_give_bytes("abc", 4, buffer, 4, NULL));
    assert_string_equal(buffer, "abc");
}

static ic_status build_something(ic_context *context, void *payload)
{
    (void)payload;
    ic_status status = IC_OK;
    ic_buffer buffer = {.context = context};
    char *text = NULL;
    IC_TRY_CLEAN(ic_copy_text(context, "text", &text));
    for (int i = 0; i < 100; i++)
        IC_TRY_CLEAN(ic_buffer_print(&buffer, "%d %s", i, text));
cleanup:
    ic_free(context, text);
    ic_buffer_free(&buffer);
    return status;
}

static ic_status take_and_give_back(ic_context *context)
{
    void *block;
    IC_TRY(ic_allocate(context, 10, &block));
    ic_free(context, block);
    return IC_OK;
}

static void test_running_out(void **state)
{
    (void)state;
    assert_true(test_fail_each_allocation(build_something, NULL) > 5);

    /* The context itself: three attempts at most, then it stands. */
    for (int64_t fail_at = 1; fail_at < 10; fail_at++) {
        test_allocator allocator = {.fail_at = fail_at, .once = 1};
        ic_context *context = NULL;
        ic_status status = ic_context_create_with_allocator(test_allocate, &allocator, &context);
        if (allocator.failed > 0) {
            assert_int_equal(status, IC_ERROR_MEMORY);
            assert_null(context);
        } else {
            allocator.fail_at = 0;
            assert_ok(take_and_give_back(context));
        }
        ic_context_free(context);
        assert_int_equal(allocator.live, 0);
    }
}

static int set_up(void **state)
{
    *state = test_context(1);
    return 0;
}

static int tear_down(void **state)
{
    ic_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_checked),
        cmocka_unit_test(test_blocks_are_aligned_and_keep_their_bytes),
        cmocka_unit_test(test_large_blocks_keep_their_bytes),
        cmocka_unit_test(test_allocate_forms),
        cmocka_unit_test(test_too_large_is_an_error),
        cmocka_unit_test(test_grow_doubles),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_give_bytes),
        cmocka_unit_test(test_running_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
