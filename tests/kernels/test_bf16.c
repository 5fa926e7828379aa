/*
 * kernels/test_bf16.c: the conversions to bfloat16 against their definition. Products are in
 * test_conv.c. SPDX-License-Identifier: MIT
 */
#include "kernel_test.h"
#include "kernels/bf16.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const ic_bf16_kernels *kernels_at(int32_t level)
{
    if (level > (int32_t)ic_cpu_detect_bf16())
        return NULL;
    return ic_kernels_at((ic_cpu_level)level)->bf16;
}

static uint16_t rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000u) == 0)
        return (uint16_t)(bits >> 16 & 0x8000u);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

enum { COUNT = 4096 };

/* Numbers of any exponent, and the ones that round in a special way. */
static void fill(float *x)
{
    static const uint32_t special[] = {0x00000000, 0x80000000, 0x3f808000, 0x3f818000, 0x3f808001,
                                       0x3f807fff, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f7fffff,
                                       0x00000001, 0x807fffff, 0x00800000, 0xbf818000};
    ic_random random = ic_random_at(1, IC_USE_WEIGHTS, 0, 0);
    for (size_t i = 0; i < COUNT; ++i) {
        uint32_t bits = (uint32_t)ic_random_below(&random, 0x7f800000u);
        if (i % 5 == 0)
            bits = special[i / 5 % (sizeof special / sizeof *special)];
        memcpy(&x[i], &bits, sizeof bits);
    }
}

static void convert_rounds_to_even_and_pads_with_zeros(void **state)
{
    static const int32_t cases[][3] = {{1, 1, 2},   {9, 3, 4},     {5, 16, 16}, {3, 33, 48},
                                       {7, 64, 64}, {2, 100, 112}, {4, 5, 6},   {17, 7, 8},
                                       {3, 15, 16}, {1, 31, 32}};
    static float x[COUNT];
    fill(x);
    for (int32_t level = IC_CPU_AVX512_BF16; level <= IC_CPU_AMX_BF16; ++level) {
        const ic_bf16_kernels *kernels = kernels_at(level);
        for (size_t i = 0; kernels != NULL && i < sizeof cases / sizeof *cases; ++i) {
            int32_t rows = cases[i][0], c = cases[i][1], depth = cases[i][2];
            size_t count = (size_t)rows * (size_t)depth;
            uint16_t *y = guarded(count, sizeof *y);
            kernels->convert(rows, c, depth, x + 1, y);
            for (int32_t row = 0; row < rows; ++row)
                for (int32_t n = 0; n < depth; ++n)
                    assert_int_equal(y[row * depth + n], n < c ? rounded(x[1 + row * c + n]) : 0);
            release(y, count, sizeof *y);
        }
    }
}

static void pair_and_transpose_put_everything_in_its_place(void **state)
{
    static float x[COUNT];
    fill(x);
    for (int32_t level = IC_CPU_AVX512_BF16; level <= IC_CPU_AMX_BF16; ++level) {
        const ic_bf16_kernels *kernels = kernels_at(level);
        for (int32_t columns = 1; kernels != NULL && columns <= 32; columns += 3) {
            const float *rows[32];
            for (int32_t i = 0; i < 32; ++i)
                rows[i] = i % 7 == 3 ? NULL : x + 40 * i;
            uint16_t *y = guarded(16 * 64, sizeof *y);
            kernels->pair(16, columns, rows, 5, y);
            for (int32_t i = 0; i < 16 * 64; ++i) {
                const float *row = rows[i / 64 * 2 + i % 2];
                int32_t n = i % 64 / 2;
                assert_int_equal(y[i], row != NULL && n < columns ? rounded(row[5 + n]) : 0);
            }
            kernels->transpose(16 + columns, rows, 16, y, 64);
            for (int32_t i = 0; i < 16 * 32; ++i) {
                const float *row = rows[i % 32];
                int32_t n = i / 32;
                assert_int_equal(y[n * 64 + i % 32],
                                 row != NULL && n < columns ? rounded(row[16 + n]) : 0);
            }
            release(y, 16 * 64, sizeof *y);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convert_rounds_to_even_and_pads_with_zeros),
        cmocka_unit_test(pair_and_transpose_put_everything_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
