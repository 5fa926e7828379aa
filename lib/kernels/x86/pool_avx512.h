/*
 * kernels/x86/pool_avx512.h: maxima of 2x2 pixels side by side with AVX-512.
 * SPDX-License-Identifier: MIT
 *
 * A row of pixels is taken as one row of floats, whatever the channels, so that all lanes of a
 * vector have work. Forward the maximum is found in the lanes of a window's first pixel, and these
 * are moved together; backward gradients and winners are spread to the lanes of both pixels of
 * their window, and compared with the place of each lane.
 */
#ifndef KERNELS_X86_POOL_AVX512_H
#define KERNELS_X86_POOL_AVX512_H

#include "kernels/ref/level.h"

#include <immintrin.h>

enum { TILED_CHANNELS = 256, TILED_LANES = 16 };

/* Which lanes of the vectors of a row are second pixels; the vectors repeat after `period`. */
typedef struct pair_pattern {
    int32_t period;
    uint16_t second[2 * TILED_CHANNELS];
} pair_pattern;

static inline void find_pattern(int32_t c, pair_pattern *pattern)
{
    int32_t at = 0, count = 0; /* at: where in a pair of pixels a vector begins */
    do {
        uint32_t second = 0;
        for (int32_t lane = 0, run; lane < TILED_LANES; lane += run) {
            int32_t left = at < c ? c - at : 2 * c - at;
            run = left < TILED_LANES - lane ? left : TILED_LANES - lane;
            second |= at < c ? 0 : ((1u << run) - 1) << lane;
            at = at + run < 2 * c ? at + run : 0;
        }
        pattern->second[count++] = (uint16_t)second;
    } while (at != 0);
    pattern->period = count;
}

static IC_ALWAYS_INLINE __mmask16 lanes_below(int32_t count)
{
    return (__mmask16)(count < TILED_LANES ? (1u << count) - 1 : 0xffff);
}

typedef struct best_lanes {
    __m512 value;
    __m512i place;
} best_lanes;

/* A later value wins only when it is greater, so a tie goes to the first place; NaN always wins. */
static IC_ALWAYS_INLINE void challenge(best_lanes *best, __m512 value, int place)
{
    __mmask16 greater = _mm512_cmp_ps_mask(value, best->value, _CMP_GT_OQ);
    __mmask16 wins = _kor_mask16(greater, _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q));
    best->value = _mm512_mask_mov_ps(best->value, wins, value);
    best->place = _mm512_mask_mov_epi32(best->place, wins, _mm512_set1_epi32(place));
}

static inline void max_of_pairs(const pair_pattern *pattern, int32_t count, int32_t c,
                                const float *top, const float *bottom, float *y, uint8_t *index)
{
    for (int32_t j = 0, i = 0; j < count; j += TILED_LANES) {
        __mmask16 first = lanes_below(count - j) & ~pattern->second[i];
        i = i + 1 < pattern->period ? i + 1 : 0;
        if (first == 0)
            continue;
        best_lanes best = {_mm512_maskz_loadu_ps(first, top + j), _mm512_setzero_si512()};
        challenge(&best, _mm512_maskz_loadu_ps(first, top + j + c), 1);
        challenge(&best, _mm512_maskz_loadu_ps(first, bottom + j), 2);
        challenge(&best, _mm512_maskz_loadu_ps(first, bottom + j + c), 3);
        int32_t found = __builtin_popcount(first);
        __m512i place = _mm512_maskz_compress_epi32(first, best.place);
        _mm512_mask_storeu_ps(y, lanes_below(found), _mm512_maskz_compress_ps(first, best.value));
        _mm_mask_storeu_epi8(index, lanes_below(found), _mm512_cvtepi32_epi8(place));
        y += found;
        index += found;
    }
}

static inline void max_tiled(const ic_window *window, int32_t first, int32_t last, const float *x,
                             float *y, uint8_t *index)
{
    const int32_t c = window->c;
    const int64_t row = (int64_t)window->w * c, out = (int64_t)window->ow * c;
    pair_pattern pattern;
    find_pattern(c, &pattern);
    for (int64_t oh = first; oh < last; oh++)
        max_of_pairs(&pattern, 2 * window->ow * c, c, x + 2 * oh * row, x + (2 * oh + 1) * row,
                     y + oh * out, index + oh * out);
}

/* d_x of the lanes of both pixels whose place, counted from `row`, is the winner's. */
static IC_ALWAYS_INLINE void spread_row(__mmask16 lanes, __m512i won, __m512i place, __m512 d_y,
                                        float *d_x)
{
    __m512 value = _mm512_maskz_mov_ps(_mm512_cmpeq_epi32_mask(won, place), d_y);
    value = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, d_x), value);
    _mm512_mask_storeu_ps(d_x, lanes, value);
}

/* To the lanes of first and of second pixels the next values of each. */
static IC_ALWAYS_INLINE __m512i pair_up(__mmask16 first, __mmask16 second, __m512i of_first,
                                        __m512i of_second)
{
    return _mm512_mask_expand_epi32(_mm512_maskz_expand_epi32(first, of_first), second, of_second);
}

static IC_ALWAYS_INLINE void spread_pairs(const pair_pattern *pattern, int32_t count,
                                          const float *d_y, const uint8_t *index, float *top,
                                          float *bottom)
{
    int64_t a = 0, b = 0; /* what first and second pixels have used */
    for (int32_t j = 0, i = 0; j < count; j += TILED_LANES) {
        __mmask16 all = lanes_below(count - j), second = all & pattern->second[i];
        i = i + 1 < pattern->period ? i + 1 : 0;
        __mmask16 first = all & ~second;
        __mmask16 read_a = lanes_below(__builtin_popcount(first));
        __mmask16 read_b = lanes_below(__builtin_popcount(second));
        __m512i gradient = pair_up(first, second, _mm512_maskz_loadu_epi32(read_a, d_y + a),
                                   _mm512_maskz_loadu_epi32(read_b, d_y + b));
        __m512i won =
            pair_up(first, second, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(read_a, index + a)),
                    _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(read_b, index + b)));
        __m512i place = _mm512_maskz_set1_epi32(second, 1);
        __m512i below = _mm512_add_epi32(place, _mm512_set1_epi32(2));
        spread_row(all, won, place, _mm512_castsi512_ps(gradient), top + j);
        spread_row(all, won, below, _mm512_castsi512_ps(gradient), bottom + j);
        a += __builtin_popcount(first);
        b += __builtin_popcount(second);
    }
}

static inline void spread_windows(const ic_window *window, const float *d_y, const uint8_t *index,
                                  float *d_x)
{
    const int32_t c = window->c;
    const int64_t row = (int64_t)window->w * c, out = (int64_t)window->ow * c;
    pair_pattern pattern;
    find_pattern(c, &pattern);
    for (int64_t oh = 0; oh < window->oh; oh++)
        spread_pairs(&pattern, 2 * window->ow * c, d_y + oh * out, index + oh * out,
                     d_x + 2 * oh * row, d_x + (2 * oh + 1) * row);
}

#endif
