/*
 * kernels/winograd_filters.c: the transforms of filters, see kernels/winograd.h, with the channels
 * out in vectors; compiled once per CPU level. SPDX-License-Identifier: MIT
 */
#include "kernels/ref/level.h"
#include "kernels/vector.h"
#include "kernels/winograd.h"

enum { IN_MAX = IC_WINOGRAD_IN_MAX, FILTER = 3, LINE = FILTER * IC_LANES };

static const float near_share = -1.0f / 3, far_share = 1.0f / 6;

/*
 * Two of the six values of G g, which differ in the sign of one of their terms; twice + twice is
 * exact, and adds where multiply-adds are busy.
 */
IC_VECTOR_INLINE void filter_pair(float share, ic_vector twice, ic_vector once, ic_vector middle,
                                  ic_vector *plus, ic_vector *minus)
{
    const ic_vector root = ic_constant(IC_WINOGRAD_ROOT), factor = ic_constant(share);
    const ic_vector even = (twice + twice) + once;
    *plus = factor * ic_fused(root, middle, even);
    *minus = factor * ic_fused(-root, middle, even);
}

/* G g of tiles of 4x4: six values out of three. */
IC_VECTOR_INLINE void filter_line_of_4(ic_vector g0, ic_vector g1, ic_vector g2, ic_vector *out)
{
    out[0] = g0;
    filter_pair(near_share, g0, g2, g1, &out[1], &out[2]);
    filter_pair(far_share, g2, g0, g1, &out[3], &out[4]);
    out[5] = g2;
}

/* Of tiles of 3x3, s and t of kernels/winograd.h: 1 / (2p (p^2 - q^2)), and the other way round. */
#define SHARE(p, q) (0.5f / ((p) * ((p) * (p) - (q) * (q))))
static const float points[] = {IC_WINOGRAD_P, IC_WINOGRAD_Q};
static const float shares[] = {SHARE(IC_WINOGRAD_P, IC_WINOGRAD_Q),
                               SHARE(IC_WINOGRAD_Q, IC_WINOGRAD_P)};

/* G g of tiles of 3x3: five values out of three. */
IC_VECTOR_INLINE void filter_line_of_3(ic_vector g0, ic_vector g1, ic_vector g2, ic_vector *out)
{
    IC_UNROLL
    for (int i = 0; i < 2; ++i) {
        const float point = points[i], share = shares[i];
        const ic_vector even = ic_fused(ic_constant(point * point), g2, g0);
        const ic_vector odd = ic_constant(point) * g1;
        out[2 * i] = ic_constant(share) * (odd + even);
        out[2 * i + 1] = ic_constant(share) * (odd - even);
    }
    out[4] = g2;
}

IC_VECTOR_INLINE void filter_line(const int size, ic_vector g0, ic_vector g1, ic_vector g2,
                                  ic_vector *out)
{
    if (size == 4)
        filter_line_of_4(g0, g1, g2, out);
    else
        filter_line_of_3(g0, g1, g2, out);
}

IC_VECTOR_INLINE void half(const int size, int64_t first, int64_t count, int64_t depth,
                           int32_t width, const float *g, float *t)
{
    const int64_t across = width, row = FILTER * depth * across;
    for (int64_t d = first; d < first + count; ++d, g += FILTER * FILTER * across)
        for (int64_t k = 0; k < FILTER * across; k += IC_LANES) {
            const int64_t at = (k % across * depth + d * IC_LANES) * FILTER + k / across * IC_LANES;
            ic_vector out[IN_MAX];
            filter_line(size, ic_load(g + k), ic_load(g + FILTER * across + k),
                        ic_load(g + 2 * FILTER * across + k), out);
            IC_UNROLL
            for (int i = 0; i < size + 2; ++i)
                ic_store(t + i * row + at, out[i]);
        }
}

IC_VECTOR_INLINE void whole(const int size, int64_t depth, int32_t width, const float *t,
                            int64_t tap_stride, float *u)
{
    const int64_t across = width;
    for (int64_t k = 0; k < across; k += IC_LANES)
        for (int64_t d = 0; d < depth; ++d, t += LINE) {
            ic_vector out[IN_MAX];
            filter_line(size, ic_load(t), ic_load(t + IC_LANES), ic_load(t + 2 * IC_LANES), out);
            IC_UNROLL
            for (int j = 0; j < size + 2; ++j)
                ic_store(u + j * tap_stride + d * across + k, out[j]);
        }
}

/* ---- Products of few tiles ---- */

/*
 * Three places of U at a time, those of one side of the line: an end of T, which is of U as it is,
 * and the pair beside it. Times four tiles, which are a picture's of 7x7: twelve sums, for one
 * vector of channels out, or for two where there are 32 registers. Sums are named, not an array,
 * which compilers would keep on the stack.
 */
#if defined(__AVX512F__) || defined(IC_NEON)
enum { IN_PAIRS = 1 };
#else
enum { IN_PAIRS = 0 };
#endif
enum { TILES = 4 };

#define EACH_TILE(X) X(0) X(1) X(2) X(3)

typedef struct line_side {
    int32_t twice, once; /* values of T */
    int32_t end, pair;   /* places of U */
    float share;
    int32_t asked[2]; /* values of T whose next ones are asked for meanwhile */
} line_side;

static const line_side sides[] = {
    {.twice = 0, .once = 2, .end = 0, .pair = 1, .share = near_share, .asked = {0, 1}},
    {.twice = 2, .once = 0, .end = 5, .pair = 3, .share = far_share, .asked = {2, 2}}};

#define DECLARE(i)                                                                                 \
    ic_vector end##i = ic_zero(), plus##i = ic_zero(), minus##i = ic_zero();                       \
    ic_vector right_end##i = ic_zero(), right_plus##i = ic_zero(), right_minus##i = ic_zero();

#define LOAD(i)                                                                                    \
    if (tiles > i) {                                                                               \
        end##i = ic_load(m_end + i * m_pitch);                                                     \
        plus##i = ic_load(m_plus + i * m_pitch);                                                   \
        minus##i = ic_load(m_minus + i * m_pitch);                                                 \
        if (vectors > 1) {                                                                         \
            right_end##i = ic_load(m_end + i * m_pitch + IC_LANES);                                \
            right_plus##i = ic_load(m_plus + i * m_pitch + IC_LANES);                              \
            right_minus##i = ic_load(m_minus + i * m_pitch + IC_LANES);                            \
        }                                                                                          \
    }

/* Adds the products of one place of a tile. */
#define MULTIPLY(place, i)                                                                         \
    if (tiles > i) {                                                                               \
        ic_factor factor = ic_load_factor(v_##place + (i < 3 ? i * pitch : pitch3));               \
        ic_multiply_add_factor(place##i, factor, u_##place);                                       \
        if (vectors > 1)                                                                           \
            ic_multiply_add_factor(right_##place##i, factor, u_right_##place);                     \
    }
#define MULTIPLY_END(i)  MULTIPLY(end, i)
#define MULTIPLY_PAIR(i) MULTIPLY(plus, i) MULTIPLY(minus, i)

#define STORE(i)                                                                                   \
    if (tiles > i) {                                                                               \
        ic_store(m_end + i * m_pitch, end##i);                                                     \
        ic_store(m_plus + i * m_pitch, plus##i);                                                   \
        ic_store(m_minus + i * m_pitch, minus##i);                                                 \
        if (vectors > 1) {                                                                         \
            ic_store(m_end + i * m_pitch + IC_LANES, right_end##i);                                \
            ic_store(m_plus + i * m_pitch + IC_LANES, right_plus##i);                              \
            ic_store(m_minus + i * m_pitch + IC_LANES, right_minus##i);                            \
        }                                                                                          \
    }

/* Keeps a number in its register, or a pointer one that moves on. */
#define KEEP(number) __asm__ volatile("" : "+r"(number))

IC_VECTOR_INLINE void multiply_side(const int vectors, const int tiles, const ic_winograd_row *p,
                                    const line_side *side, const float *t, const float *next,
                                    const float *v, float *m)
{
    const int64_t right = p->depth * LINE, m_pitch = p->m_pitch;
    int64_t pitch = p->v_pitch, pitch3 = 3 * pitch;
    const float *v_end = v + side->end * p->v_tap, *v_plus = v + side->pair * p->v_tap,
                *v_minus = v_plus + p->v_tap;
    const float *twice = t + side->twice * IC_LANES, *once = t + side->once * IC_LANES,
                *middle = t + IC_LANES;
    const float *first_asked = next + side->asked[0] * IC_LANES,
                *last_asked = next + side->asked[1] * IC_LANES;
    float *m_end = m + side->end * p->m_tap, *m_plus = m + side->pair * p->m_tap,
          *m_minus = m_plus + p->m_tap;
    KEEP(pitch3);
    EACH_TILE(DECLARE)
    if (p->accumulate) {
        EACH_TILE(LOAD)
    }
    for (int64_t d = 0; d < p->depth * LINE; d += LINE) {
        const ic_vector u_end = ic_load(twice + d);
        ic_vector u_plus, u_minus, u_right_end = u_end, u_right_plus = u_end, u_right_minus = u_end;
        filter_pair(side->share, u_end, ic_load(once + d), ic_load(middle + d), &u_plus, &u_minus);
        __builtin_prefetch(first_asked + d, 0, 2);
        __builtin_prefetch(last_asked + d, 0, 2);
        if (vectors > 1) {
            u_right_end = ic_load(twice + right + d);
            filter_pair(side->share, u_right_end, ic_load(once + right + d),
                        ic_load(middle + right + d), &u_right_plus, &u_right_minus);
            __builtin_prefetch(first_asked + right + d, 0, 2);
            __builtin_prefetch(last_asked + right + d, 0, 2);
        }
        EACH_TILE(MULTIPLY_END)
        EACH_TILE(MULTIPLY_PAIR)
        ++v_end, ++v_plus, ++v_minus;
        KEEP(v_end);
        KEEP(v_plus);
        KEEP(v_minus);
    }
    EACH_TILE(STORE)
}

typedef void (*side_fn)(const ic_winograd_row *p, const line_side *side, const float *t,
                        const float *next, const float *v, float *m);

#define SIDE_FUNCTION(name, vectors, tiles)                                                        \
    static void name(const ic_winograd_row *p, const line_side *side, const float *t,              \
                     const float *next, const float *v, float *m)                                  \
    {                                                                                              \
        multiply_side(vectors, tiles, p, side, t, next, v, m);                                     \
    }

SIDE_FUNCTION(one_by_one, 1, 1)
SIDE_FUNCTION(one_by_four, 1, TILES)
SIDE_FUNCTION(two_by_four, 2, TILES)

static void multiply(const ic_winograd_row *p, const float *t, const float *v, float *m)
{
    const int64_t floats = p->depth * LINE; /* of a vector of channels out */
    for (int32_t side = 0; side < 2; ++side)
        for (int32_t i = 0; i < p->tiles;) {
            const bool four = p->tiles - i >= TILES;
            const float *next = i == 0 ? p->next : t;
            for (int32_t k = 0; k * IC_LANES < p->width;) {
                const bool pair = IN_PAIRS && four && (k + 2) * IC_LANES <= p->width;
                const side_fn run = pair ? two_by_four : four ? one_by_four : one_by_one;
                run(p, &sides[side], t + k * floats, next + k * floats, v + i * p->v_pitch,
                    m + i * p->m_pitch + k * IC_LANES);
                k += pair ? 2 : 1;
            }
            i += four ? TILES : 1;
        }
}

/* ---- Gradient ---- */

/* G^T u of tiles of 4x4: three values out of six. */
IC_VECTOR_INLINE void gradient_line_of_4(const ic_vector *u, ic_vector *out)
{
    const ic_vector third = ic_constant(1.0f / 3), third_root = ic_constant(IC_WINOGRAD_ROOT / 3);
    const ic_vector one_half = ic_constant(0.5f), two = ic_constant(-2);
    ic_vector even = u[1] + u[2], odd = u[1] - u[2], far_even = u[3] + u[4], far_odd = u[3] - u[4];
    out[0] = ic_fused(third, ic_fused(one_half, far_even, two * even), u[0]);
    out[1] = third_root * ic_fused(one_half, far_odd, -odd);
    out[2] = ic_fused(third, far_even - even, u[5]);
}

/* The same of tiles of 3x3: three values out of five. */
IC_VECTOR_INLINE void gradient_line_of_3(const ic_vector *u, ic_vector *out)
{
    out[0] = out[1] = ic_zero();
    out[2] = u[4];
    IC_UNROLL
    for (int i = 0; i < 2; ++i) {
        const float point = points[i], share = shares[i];
        const ic_vector odd = u[2 * i] - u[2 * i + 1], even = u[2 * i] + u[2 * i + 1];
        out[0] = ic_fused(ic_constant(share), odd, out[0]);
        out[1] = ic_fused(ic_constant(share * point), even, out[1]);
        out[2] = ic_fused(ic_constant(share * point * point), odd, out[2]);
    }
}

IC_VECTOR_INLINE void gradient_line(const int size, const ic_vector *u, ic_vector *out)
{
    if (size == 4)
        gradient_line_of_4(u, out);
    else
        gradient_line_of_3(u, out);
}

/* Once a step: its lines are loops, for which no time was lost. */
IC_VECTOR_INLINE void gradient(const int size, int32_t count, const float *u, int64_t tap_stride,
                               float *d_g)
{
    const int in = size + 2;
    for (int64_t k = 0; k < count; k += IC_LANES) {
        ic_vector t[FILTER][IN_MAX];
        for (int j = 0; j < in; ++j) {
            ic_vector d[IN_MAX], out[FILTER];
            IC_UNROLL
            for (int i = 0; i < in; ++i)
                d[i] = ic_load(u + (i * in + j) * tap_stride + k);
            gradient_line(size, d, out);
            IC_UNROLL
            for (int i = 0; i < FILTER; ++i)
                t[i][j] = out[i];
        }
        for (int i = 0; i < FILTER; ++i) {
            ic_vector out[FILTER];
            gradient_line(size, t[i], out);
            IC_UNROLL
            for (int j = 0; j < FILTER; ++j)
                ic_store(d_g + (i * FILTER + j) * (int64_t)count + k, out[j]);
        }
    }
}

/* ---- The two sizes ---- */

#define SIZE_FUNCTIONS(size)                                                                       \
    static void half_##size(int64_t first, int64_t count, int64_t depth, int32_t width,            \
                            const float *g, float *t)                                              \
    {                                                                                              \
        half(size, first, count, depth, width, g, t);                                              \
    }                                                                                              \
    static void whole_##size(int64_t depth, int32_t width, const float *t, int64_t tap_stride,     \
                             float *u)                                                             \
    {                                                                                              \
        whole(size, depth, width, t, tap_stride, u);                                               \
    }                                                                                              \
    static void gradient_##size(int32_t count, const float *u, int64_t tap_stride, float *d_g)     \
    {                                                                                              \
        gradient(size, count, u, tap_stride, d_g);                                                 \
    }

SIZE_FUNCTIONS(4)
#if !defined(IC_SMALL)
SIZE_FUNCTIONS(3)
#endif

const ic_winograd_filters IC_AT_LEVEL(ic_winograd_filters)[IC_WINOGRAD_SIZES] = {
    [IC_WINOGRAD_4] = {.half = half_4,
                       .whole = whole_4,
                       .multiply = multiply,
                       .gradient = gradient_4},
#if !defined(IC_SMALL)
    [IC_WINOGRAD_3] = {.half = half_3, .whole = whole_3, .gradient = gradient_3},
#endif
};
