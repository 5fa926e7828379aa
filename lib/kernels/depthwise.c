/*
 * kernels/depthwise.c: depthwise sums with the channels in vectors and up to eight outputs, or
 * nine taps, in registers. SPDX-License-Identifier: MIT
 */
#include "kernels/depthwise.h"
#include "kernels/ref/level.h"
#include "kernels/vector.h"

#define EACH_OUTPUT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define DECLARE(i) ic_vector sum##i = ic_zero();

#define LOAD_OUTPUT(i)                                                                             \
    if (outputs > i)                                                                               \
        sum##i = part ? ic_load_part(y + i * p->y_step + c, mask) : ic_load(y + i * p->y_step + c);

#define ADD_TAP(i)                                                                                 \
    if (outputs > i) {                                                                             \
        const float *from = taps + i * p->x_step;                                                  \
        ic_vector value = part ? ic_load_part(from, mask) : ic_load(from);                         \
        ic_multiply_add(sum##i, value, weight);                                                    \
    }

#define STORE_OUTPUT(i)                                                                            \
    if (outputs > i) {                                                                             \
        if (part)                                                                                  \
            ic_store_part(y + i * p->y_step + c, mask, sum##i);                                    \
        else                                                                                       \
            ic_store(y + i * p->y_step + c, sum##i);                                               \
    }

/* The channels that are taken by whole vectors; where masks are free, one copy of the code does. */
static inline int64_t whole_vectors(int64_t c)
{
    return IC_MASKS_ARE_FREE ? 0 : c / IC_LANES * IC_LANES;
}

/* One vector of channels, from c on, of `outputs` outputs; `part`: only the channels of the mask.
 */
IC_VECTOR_INLINE void convolve_vector(const int outputs, const bool part, const ic_depthwise_sum *p,
                                      int64_t c, ic_mask mask, const float *x, const float *w,
                                      float *y)
{
    EACH_OUTPUT(DECLARE)
    if (p->accumulate) {
        EACH_OUTPUT(LOAD_OUTPUT)
    }
    for (int32_t r = 0; r < p->rows; ++r) {
        const float *taps = x + r * p->x_row + c;
        const float *weights = w + r * p->w_row + c;
        for (int32_t s = p->taps; s > 0; --s) {
            ic_vector weight = part ? ic_load_part(weights, mask) : ic_load(weights);
            EACH_OUTPUT(ADD_TAP)
            taps += p->x_tap;
            weights += p->w_tap;
        }
    }
    EACH_OUTPUT(STORE_OUTPUT)
}

IC_VECTOR_INLINE void convolve_outputs(const int outputs, const ic_depthwise_sum *p, const float *x,
                                       const float *w, float *y)
{
    int64_t c = 0;
    for (; c < whole_vectors(p->c); c += IC_LANES)
        convolve_vector(outputs, false, p, c, ic_mask_of(IC_LANES), x, w, y);
    for (; c < p->c; c += IC_LANES)
        convolve_vector(outputs, true, p, c, ic_mask_of(p->c - c), x, w, y);
}

static void convolve(const ic_depthwise_sum *p, int64_t count, const float *x, const float *w,
                     float *y)
{
    while (count > 0) {
        int64_t done = count >= 8 ? 8 : count >= 4 ? 4 : count >= 2 ? 2 : 1;
        if (done == 8)
            convolve_outputs(8, p, x, w, y);
        else if (done == 4)
            convolve_outputs(4, p, x, w, y);
        else if (done == 2)
            convolve_outputs(2, p, x, w, y);
        else
            convolve_outputs(1, p, x, w, y);
        x += done * p->x_step;
        y += done * p->y_step;
        count -= done;
    }
}

#define EACH_TAP(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)

#define LOAD_TAP(i)                                                                                \
    if (taps > i)                                                                                  \
        sum##i = part ? ic_load_part(d_w + i * p->c + c, mask) : ic_load(d_w + i * p->c + c);

#define TAP_OFFSET(i) const int64_t offset##i = taps > i ? p->offset[i] : 0;

#define ADD_PRODUCT(i)                                                                             \
    if (taps > i) {                                                                                \
        ic_vector value = part ? ic_load_part(from + offset##i, mask) : ic_load(from + offset##i); \
        ic_multiply_add(sum##i, value, gradient);                                                  \
    }

#define STORE_TAP(i)                                                                               \
    if (taps > i) {                                                                                \
        if (part)                                                                                  \
            ic_store_part(d_w + i * p->c + c, mask, sum##i);                                       \
        else                                                                                       \
            ic_store(d_w + i * p->c + c, sum##i);                                                  \
    }

IC_VECTOR_INLINE void correlate_vector(const int taps, const bool part,
                                       const ic_depthwise_correlation *p, int64_t c, ic_mask mask,
                                       const float *x, const float *d_y, float *d_w)
{
    EACH_TAP(DECLARE)
    EACH_TAP(TAP_OFFSET)
    if (p->accumulate) {
        EACH_TAP(LOAD_TAP)
    }
    for (int32_t i = 0; i < p->rows; ++i) {
        const float *from = x + i * p->x_row + c, *with = d_y + i * p->y_row + c;
        for (int32_t j = p->columns; j > 0; --j) {
            ic_vector gradient = part ? ic_load_part(with, mask) : ic_load(with);
            EACH_TAP(ADD_PRODUCT)
            from += p->x_step;
            with += p->y_step;
        }
    }
    EACH_TAP(STORE_TAP)
}

IC_VECTOR_INLINE void correlate_taps(const int taps, const ic_depthwise_correlation *p,
                                     const float *x, const float *d_y, float *d_w)
{
    int64_t c = 0;
    for (; c < whole_vectors(p->c); c += IC_LANES)
        correlate_vector(taps, false, p, c, ic_mask_of(IC_LANES), x, d_y, d_w);
    for (; c < p->c; c += IC_LANES)
        correlate_vector(taps, true, p, c, ic_mask_of(p->c - c), x, d_y, d_w);
}

static void correlate(const ic_depthwise_correlation *p, const float *x, const float *d_y,
                      float *d_w)
{
    if (p->taps == 9)
        correlate_taps(9, p, x, d_y, d_w);
    else if (p->taps == 8)
        correlate_taps(8, p, x, d_y, d_w);
    else if (p->taps == 3)
        correlate_taps(3, p, x, d_y, d_w);
    else
        correlate_taps(1, p, x, d_y, d_w);
}

const ic_depthwise_kernels IC_AT_LEVEL(ic_depthwise) = {.convolve = convolve,
                                                        .correlate = correlate};
