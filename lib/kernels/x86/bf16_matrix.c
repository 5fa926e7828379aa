/*
 * kernels/x86/bf16_matrix.c: bfloat16 with AMX: two tiles of a by two of b, four accumulators. The
 * registers always hold 16 rows; what a lower tile has beyond its height, or a panel beyond its
 * columns, goes through a copy on the stack. SPDX-License-Identifier: MIT
 */
#include "kernels/bf16.h"

#include <immintrin.h>
#include <string.h>

/* Registers 0..3: c, rows by columns; 4 and 5: a; 6 and 7: b. */
#define ZERO(c) __asm__ volatile("tilezero %%tmm" #c ::)
#define LOAD(t, p, stride)                                                                         \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t ::"r"(p), "r"((int64_t)(stride)) : "memory")
#define STORE(t, p, stride)                                                                        \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" ::"r"(p), "r"((int64_t)(stride))          \
                     : "memory")
#define MULTIPLY(c, a, b) __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c ::)

enum { HALF = 16, B_STRIDE = IC_BF16_WIDTH * 2 * sizeof(uint16_t) };

typedef struct configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} configuration;

static void begin(int32_t step)
{
    configuration wanted = {.palette = 1};
    for (int i = 0; i < 8; ++i) {
        wanted.rows[i] = i < 6 ? IC_BF16_ROWS : (uint8_t)(step / 2);
        wanted.row_bytes[i] = i == 4 || i == 5 ? (uint16_t)(step * 2) : 64;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(wanted));
}

static void end(void)
{
    __asm__ volatile("tilerelease" ::);
}

/* Moves rows of `columns` floats between c and the copy. */
static inline void move_rows(int32_t rows, int32_t columns, const float *x, int64_t ldx, float *y,
                             int64_t ldy)
{
    const __mmask16 left = (__mmask16)(columns >= 16 ? 0xffff : (1 << columns) - 1);
    const __mmask16 right = (__mmask16)(columns > 16 ? (1 << (columns - 16)) - 1 : 0);
    for (int32_t i = 0; i < rows; ++i, x += ldx, y += ldy) {
        _mm512_mask_storeu_ps(y, left, _mm512_maskz_loadu_ps(left, x));
        _mm512_mask_storeu_ps(y + HALF, right, _mm512_maskz_loadu_ps(right, x + HALF));
    }
}

/* Asks for the memory of c before the products, which take as long as its way here. */
static inline void fetch_rows(int32_t rows, int32_t columns, const float *c, int64_t ldc)
{
    for (int32_t i = 0; i < rows; ++i, c += ldc) {
        _mm_prefetch((const char *)c, _MM_HINT_ET0);
        _mm_prefetch((const char *)(c + columns - 1), _MM_HINT_ET0);
    }
}

/* One or two tiles with the whole width or half of it; lower and wide are constants. */
static inline __attribute__((always_inline)) void multiply_tiles(const int lower, const int wide,
                                                                 const ic_bf16_sum *sum,
                                                                 const ic_bf16_tile *tiles,
                                                                 const uint16_t *b)
{
    _Alignas(64) float copy[2 * IC_BF16_ROWS * IC_BF16_WIDTH];
    const int64_t lda = sum->lda * (int64_t)sizeof(uint16_t);
    const uint16_t *a0 = tiles[0].a, *a1 = tiles[lower].a;
    float *c[2] = {tiles[0].c, tiles[lower].c};
    int64_t ldc[2];
    for (int i = 0; i <= lower; ++i) {
        fetch_rows(tiles[i].height, sum->columns, tiles[i].c, sum->ldc);
        bool whole = tiles[i].height == IC_BF16_ROWS && sum->columns == (wide ? 32 : 16);
        ldc[i] = sum->ldc;
        if (whole)
            continue;
        c[i] = copy + i * IC_BF16_ROWS * IC_BF16_WIDTH;
        ldc[i] = IC_BF16_WIDTH;
        if (sum->accumulate)
            move_rows(tiles[i].height, sum->columns, tiles[i].c, sum->ldc, c[i], IC_BF16_WIDTH);
    }
    if (sum->accumulate) {
        LOAD(0, c[0], ldc[0] * 4);
        if (wide)
            LOAD(1, c[0] + HALF, ldc[0] * 4);
        if (lower)
            LOAD(2, c[1], ldc[1] * 4);
        if (lower && wide)
            LOAD(3, c[1] + HALF, ldc[1] * 4);
    } else {
        ZERO(0);
        ZERO(1);
        ZERO(2);
        ZERO(3);
    }
    for (int64_t i = 0; i < sum->segments; ++i) {
        const uint16_t *from0 = a0, *from1 = a1, *from = b;
        for (int64_t j = 0; j < sum->depth; j += sum->step) {
            LOAD(4, from0, lda);
            LOAD(6, from, B_STRIDE);
            MULTIPLY(0, 4, 6);
            if (wide) {
                LOAD(7, from + IC_BF16_WIDTH, B_STRIDE);
                MULTIPLY(1, 4, 7);
            }
            if (lower) {
                LOAD(5, from1, lda);
                MULTIPLY(2, 5, 6);
                if (wide)
                    MULTIPLY(3, 5, 7);
            }
            from0 += sum->step;
            from1 += sum->step;
            from += (int64_t)sum->step * IC_BF16_WIDTH;
        }
        a0 += sum->a_segment;
        a1 += sum->a_segment;
        b += sum->b_segment;
    }
    STORE(0, c[0], ldc[0] * 4);
    if (wide)
        STORE(1, c[0] + HALF, ldc[0] * 4);
    if (lower)
        STORE(2, c[1], ldc[1] * 4);
    if (lower && wide)
        STORE(3, c[1] + HALF, ldc[1] * 4);
    for (int i = 0; i <= lower; ++i)
        if (c[i] != tiles[i].c)
            move_rows(tiles[i].height, sum->columns, c[i], IC_BF16_WIDTH, tiles[i].c, sum->ldc);
}

static void multiply(const ic_bf16_sum *sum, int64_t count, const ic_bf16_tile *tiles,
                     const uint16_t *b)
{
    bool wide = sum->columns > HALF;
    for (; count > 1; count -= 2, tiles += 2) {
        if (wide)
            multiply_tiles(1, 1, sum, tiles, b);
        else
            multiply_tiles(1, 0, sum, tiles, b);
    }
    if (count > 0 && wide)
        multiply_tiles(0, 1, sum, tiles, b);
    else if (count > 0)
        multiply_tiles(0, 0, sum, tiles, b);
}

const ic_bf16_kernels ic_bf16_matrix = {.rows = IC_BF16_ROWS,
                                        .begin = begin,
                                        .multiply = multiply,
                                        .end = end,
                                        .convert = ic_bf16_convert,
                                        .pair = ic_bf16_pair,
                                        .transpose = ic_bf16_transpose};
