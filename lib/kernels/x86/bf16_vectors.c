/*
 * kernels/x86/bf16_vectors.c: bfloat16 with AVX512_BF16: conversions, and tiles of 14 rows of two
 * vectors. SPDX-License-Identifier: MIT
 */
#include "kernels/bf16.h"

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

/* ---- Products ---- */

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* c += the products of pairs; in place, see kernels/vector.h. */
#define multiply_add(c, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b))

#define DECLARE(i) __m512 left##i = _mm512_setzero_ps(), right##i = left##i;

#define NEXT_ROW(p)                                                                                \
    p += ldc;                                                                                      \
    __asm__("" : "+r"(p));

#define LOAD_ROW(i)                                                                                \
    if (rows > i) {                                                                                \
        left##i = _mm512_maskz_loadu_ps(first_mask, from);                                         \
        if (vectors > 1)                                                                           \
            right##i = _mm512_maskz_loadu_ps(second_mask, from + 16);                              \
        NEXT_ROW(from)                                                                             \
    }

/* A NaN is the second operand, and comes through. */
#define FINISHED(value, bias) _mm512_min_ps(high, _mm512_max_ps(low, _mm512_add_ps(value, bias)))

#define STORE_ROW(i)                                                                               \
    if (rows > i) {                                                                                \
        _mm512_mask_storeu_ps(c, first_mask, FINISHED(left##i, bias_left));                        \
        if (vectors > 1)                                                                           \
            _mm512_mask_storeu_ps(c + 16, second_mask, FINISHED(right##i, bias_right));            \
        NEXT_ROW(c)                                                                                \
    }

/* A pair of bfloat16 in every lane. */
static inline __m512 broadcast_pair(const uint16_t *p)
{
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return _mm512_castsi512_ps(_mm512_set1_epi32(pair));
}

#define MULTIPLY(i, address)                                                                       \
    if (rows > i) {                                                                                \
        __m512 value = broadcast_pair(address);                                                    \
        multiply_add(left##i, value, b_left);                                                      \
        if (vectors > 1)                                                                           \
            multiply_add(right##i, value, b_right);                                                \
    }

static inline __attribute__((always_inline)) void multiply_tile(const int rows, const int vectors,
                                                                const ic_bf16_sum *sum,
                                                                const uint16_t *a,
                                                                const uint16_t *b, float *c)
{
    const int64_t ldc = sum->ldc, lda = sum->lda;
    const __mmask16 first_mask = (__mmask16)(sum->columns >= 16 ? 0xffff : (1 << sum->columns) - 1);
    const __mmask16 second_mask =
        (__mmask16)(sum->columns > 16 ? (1 << (sum->columns - 16)) - 1 : 0);
    const uint16_t *b_first = b;
    EACH_ROW(DECLARE)
    if (sum->accumulate) {
        const float *from = c;
        EACH_ROW(LOAD_ROW)
    }
    for (int64_t i = sum->segments; i > 0; --i) {
        const uint16_t *a0 = a, *a3 = a + 3 * lda, *a6 = a + 6 * lda, *a9 = a + 9 * lda,
                       *a12 = a + 12 * lda;
        b = b_first;
        for (int64_t j = sum->depth; j > 0; j -= 2) {
            __m512 b_left = _mm512_loadu_ps(b), b_right = b_left;
            if (vectors > 1)
                b_right = _mm512_loadu_ps(b + IC_BF16_WIDTH);
            MULTIPLY(0, a0)
            MULTIPLY(1, a0 + lda)
            MULTIPLY(2, a0 + 2 * lda)
            MULTIPLY(3, a3)
            MULTIPLY(4, a3 + lda)
            MULTIPLY(5, a3 + 2 * lda)
            MULTIPLY(6, a6)
            MULTIPLY(7, a6 + lda)
            MULTIPLY(8, a6 + 2 * lda)
            MULTIPLY(9, a9)
            MULTIPLY(10, a9 + lda)
            MULTIPLY(11, a9 + 2 * lda)
            MULTIPLY(12, a12)
            MULTIPLY(13, a12 + lda)
            a0 += 2, a3 += 2, a6 += 2, a9 += 2, a12 += 2;
            b += 2 * IC_BF16_WIDTH;
            /* So that these stay five pointers, and do not become fourteen on the stack. */
            __asm__ volatile("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(a12));
        }
        a += sum->a_segment;
        b_first += sum->b_segment;
    }
    __m512 bias_left = _mm512_setzero_ps(), bias_right = bias_left;
    if (sum->bias != NULL) {
        bias_left = _mm512_maskz_loadu_ps(first_mask, sum->bias);
        bias_right = _mm512_maskz_loadu_ps(second_mask, sum->bias + 16);
    }
    const __m512 low = _mm512_set1_ps(sum->low), high = _mm512_set1_ps(sum->high);
    EACH_ROW(STORE_ROW)
}

/* The heights that there is code for; others are put together of them, the highest first. */
#define EACH_HEIGHT(X) X(14) X(11) X(8) X(7) X(4) X(2) X(1)

typedef void (*tile_fn)(const ic_bf16_sum *sum, const uint16_t *a, const uint16_t *b, float *c);

#define HEIGHT_FUNCTION(height, vectors)                                                           \
    static void multiply_##height##x##vectors(const ic_bf16_sum *sum, const uint16_t *a,           \
                                              const uint16_t *b, float *c)                         \
    {                                                                                              \
        multiply_tile(height, vectors, sum, a, b, c);                                              \
    }
#define HEIGHT_FUNCTIONS(height) HEIGHT_FUNCTION(height, 1) HEIGHT_FUNCTION(height, 2)

EACH_HEIGHT(HEIGHT_FUNCTIONS)

#define HEIGHT_ENTRY(height) {height, {multiply_##height##x1, multiply_##height##x2}},

static void multiply(const ic_bf16_sum *sum, int64_t count, const ic_bf16_tile *tiles,
                     const uint16_t *b)
{
    static const struct {
        int32_t height;
        tile_fn multiply[2]; /* one vector of columns, and two */
    } heights[] = {EACH_HEIGHT(HEIGHT_ENTRY)};
    const bool wide = sum->columns > IC_BF16_WIDTH / 2;
    for (; count > 0; --count, ++tiles) {
        const uint16_t *a = tiles->a;
        float *c = tiles->c;
        for (int32_t i = 0, left = tiles->height; left > 0;) {
            int32_t height = heights[i].height;
            if (height > left) {
                ++i;
                continue;
            }
            heights[i].multiply[wide](sum, a, b, c);
            a += height * sum->lda;
            c += height * sum->ldc;
            left -= height;
        }
    }
}

static void begin(int32_t step)
{
}

static void end(void)
{
}

/* ---- Conversions ---- */

/* The bfloat16 of first in the lower half, of second in the upper. */
static inline __m512i convert_two(__m512 first, __m512 second)
{
    return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}

static inline __mmask16 mask_of(int64_t count)
{
    return (__mmask16)(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

static void convert_row(int64_t count, int64_t padded, const float *x, uint16_t *y)
{
    int64_t i = 0;
    for (; i + 32 <= count; i += 32)
        _mm512_storeu_si512(y + i,
                            convert_two(_mm512_loadu_ps(x + i), _mm512_loadu_ps(x + i + 16)));
    if (i >= padded)
        return;
    __m512i last = convert_two(_mm512_maskz_loadu_ps(mask_of(count - i), x + i),
                               _mm512_maskz_loadu_ps(mask_of(count - i - 16), x + i + 16));
    _mm512_mask_storeu_epi16(y + i, (__mmask32)((1ull << (padded - i)) - 1), last);
}

/* Pixels so narrow that a vector holds whole ones: zeros go between them. */
static int64_t convert_narrow(int64_t rows, int32_t c, int32_t depth, const float *x, uint16_t *y)
{
    const int32_t pixels = 16 / depth;
    uint32_t places = 0;
    for (int32_t i = 0; i < pixels; ++i)
        places |= ((1u << c) - 1) << i * depth;
    const __mmask16 there = mask_of(pixels * c);
    int64_t i = 0;
    for (; i + pixels <= rows; i += pixels) {
        __m512 packed = _mm512_maskz_loadu_ps(there, x + i * c);
        __m512 spread = _mm512_maskz_expand_ps((__mmask16)places, packed);
        _mm256_storeu_si256((__m256i *)(void *)(y + i * depth),
                            (__m256i)_mm512_cvtneps_pbh(spread));
    }
    return i;
}

void ic_bf16_convert(int64_t rows, int32_t c, int32_t depth, const float *x, uint16_t *y)
{
    if (c == depth) {
        convert_row(rows * c, rows * c, x, y);
        return;
    }
    if (16 % depth == 0) {
        int64_t done = convert_narrow(rows, c, depth, x, y);
        rows -= done, x += done * c, y += done * depth;
    }
    for (int64_t i = 0; i < rows; ++i, x += c, y += depth)
        convert_row(c, depth, x, y);
}

/* Words 0 16 1 17 ...: the halves of a register, zipped. */
static inline __m512i zip_index(void)
{
    __m512i low = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i high = _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(16)), 16);
    return _mm512_or_si512(low, high);
}

void ic_bf16_pair(int64_t pairs, int32_t columns, const float *const *rows, int64_t first,
                  uint16_t *y)
{
    const __m512i zip = zip_index();
    const __mmask16 left = mask_of(columns), right = mask_of(columns - 16);
    for (int64_t i = 0; i < pairs; ++i, y += 2 * IC_BF16_WIDTH) {
        const float *even = rows[2 * i], *odd = rows[2 * i + 1];
        __m512 a0 = _mm512_setzero_ps(), a1 = a0, b0 = a0, b1 = a0;
        if (even != NULL) {
            a0 = _mm512_maskz_loadu_ps(left, even + first);
            a1 = _mm512_maskz_loadu_ps(right, even + first + 16);
        }
        if (odd != NULL) {
            b0 = _mm512_maskz_loadu_ps(left, odd + first);
            b1 = _mm512_maskz_loadu_ps(right, odd + first + 16);
        }
        _mm512_storeu_si512(y, _mm512_permutexvar_epi16(zip, convert_two(a0, b0)));
        _mm512_storeu_si512(y + 32, _mm512_permutexvar_epi16(zip, convert_two(a1, b1)));
    }
}

/* r[i] lane j = r[j] lane i, for 32-bit lanes: pairs, fours, then blocks of four by index. */
static inline __attribute__((always_inline)) void transpose_lanes(__m512i *r)
{
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* r[4g + k], block b of 128 bits: column 4b + k of rows 4g..4g+3. */
    for (int k = 0; k < 4; ++k) {
        __m512i low = _mm512_shuffle_i32x4(r[k], r[4 + k], 0x88);
        __m512i high = _mm512_shuffle_i32x4(r[k], r[4 + k], 0xdd);
        __m512i low2 = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0x88);
        __m512i high2 = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0xdd);
        t[k] = _mm512_shuffle_i32x4(low, low2, 0x88);
        t[4 + k] = _mm512_shuffle_i32x4(high, high2, 0x88);
        t[8 + k] = _mm512_shuffle_i32x4(low, low2, 0xdd);
        t[12 + k] = _mm512_shuffle_i32x4(high, high2, 0xdd);
    }
    for (int i = 0; i < 16; ++i)
        r[i] = t[i];
}

void ic_bf16_transpose(int64_t c, const float *const *rows, int64_t first, uint16_t *y, int64_t ldy)
{
    const __m512i zip = zip_index();
    const __mmask16 channels = mask_of(c - first);
    __m512i r[16];
    for (int32_t i = 0; i < 16; ++i) {
        const float *even = rows[2 * i], *odd = rows[2 * i + 1];
        __m512 a = _mm512_setzero_ps(), b = a;
        if (even != NULL)
            a = _mm512_maskz_loadu_ps(channels, even + first);
        if (odd != NULL)
            b = _mm512_maskz_loadu_ps(channels, odd + first);
        r[i] = _mm512_permutexvar_epi16(zip, convert_two(a, b));
    }
    transpose_lanes(r);
    for (int32_t i = 0; i < 16; ++i)
        _mm512_storeu_si512(y + i * ldy, r[i]);
}

/* Low tiles wait for their own sums: one row takes as long as three. */
static const uint8_t first_heights[IC_BF16_HEIGHTS] = {
    0, 1, 2, 2, 4, 4, 4, 7, 8, 7, 8, 11, 8, 11, 14, 8, 8, 11, 14, 11, 8, 14, 14, 8, 8, 14, 14, 11};

const ic_bf16_kernels ic_bf16_vectors = {.rows = 14,
                                         .heights = first_heights,
                                         .finishes = true,
                                         .cost = 0.6F,
                                         .begin = begin,
                                         .multiply = multiply,
                                         .end = end,
                                         .convert = ic_bf16_convert,
                                         .pair = ic_bf16_pair,
                                         .transpose = ic_bf16_transpose};
