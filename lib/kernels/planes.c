/*
 * kernels/planes.c: tiles of few channels out over vectors of pixels, compiled once per CPU level.
 * SPDX-License-Identifier: MIT
 *
 * Six columns of two vectors are twelve accumulators, two of x and the broadcast of w: what sixteen
 * registers hold, and enough to hide the multiplier's latency. Fewer columns take more vectors.
 */
#include "kernels/planes.h"
#include "kernels/ref/level.h"
#include "kernels/vector.h"

#define EACH_COLUMN(X) X(0) X(1) X(2) X(3) X(4) X(5)

#define DECLARE(n) ic_vector p##n = ic_zero(), q##n = ic_zero(), r##n = ic_zero(), s##n = ic_zero();

#define MULTIPLY(n)                                                                                \
    if (columns > n) {                                                                             \
        ic_vector value = ic_broadcast(w + n);                                                     \
        ic_multiply_add(p##n, x_p, value);                                                         \
        ic_multiply_add(q##n, x_q, value);                                                         \
        if (vectors > 2)                                                                           \
            ic_multiply_add(r##n, x_r, value);                                                     \
        if (vectors > 3)                                                                           \
            ic_multiply_add(s##n, x_s, value);                                                     \
    }

#define STORE(n)                                                                                   \
    if (columns > n) {                                                                             \
        ic_store(y + n * IC_LANES, p##n);                                                          \
        ic_store(y + (columns + n) * IC_LANES, q##n);                                              \
        if (vectors > 2)                                                                           \
            ic_store(y + (2 * columns + n) * IC_LANES, r##n);                                      \
        if (vectors > 3)                                                                           \
            ic_store(y + (3 * columns + n) * IC_LANES, s##n);                                      \
    }

IC_VECTOR_INLINE void planes_tile(const int columns, const int vectors, int64_t steps,
                                  const int32_t *offset, const float *w, int64_t w_step,
                                  const float *const *x, float *y)
{
    const float *x0 = x[0], *x1 = x[1];
    const float *x2 = vectors > 2 ? x[2] : x0, *x3 = vectors > 3 ? x[3] : x0;
    EACH_COLUMN(DECLARE)
    for (int64_t i = 0; i < steps; ++i, w += w_step) {
        const int64_t at = offset[i];
        ic_vector x_p = ic_load(x0 + at), x_q = ic_load(x1 + at), x_r = x_p, x_s = x_p;
        if (vectors > 2)
            x_r = ic_load(x2 + at);
        if (vectors > 3)
            x_s = ic_load(x3 + at);
        EACH_COLUMN(MULTIPLY)
    }
    EACH_COLUMN(STORE)
}

#define EACH_TILE(X) X(1, 4) X(2, 4) X(3, 3) X(4, 2) X(5, 2) X(6, 2)

#define TILE_FUNCTION(columns, vectors)                                                            \
    static void tile_##columns(int64_t steps, const int32_t *offset, const float *w,               \
                               int64_t w_step, const float *const *x, float *y)                    \
    {                                                                                              \
        planes_tile(columns, vectors, steps, offset, w, w_step, x, y);                             \
    }

EACH_TILE(TILE_FUNCTION)

#define TILE_VECTORS(columns, vectors) vectors,
#define TILE_NAME(columns, vectors)    tile_##columns,

const ic_planes_kernels IC_AT_LEVEL(ic_planes) = {.lanes = IC_LANES,
                                                  .vectors = {0, EACH_TILE(TILE_VECTORS)},
                                                  .tile = {NULL, EACH_TILE(TILE_NAME)}};
