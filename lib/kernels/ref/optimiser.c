/* kernels/ref/optimiser.c: one step of the optimisers. SPDX-License-Identifier: MIT */
#include "kernels/ref/level.h"

#include <math.h>

/*
 * The decay joins the gradient's sum: p (1 - lr decay) - lr u = p - lr (decay p + u), which does
 * not round 1 - lr decay (5e-7 below 1 is eight steps of float).
 */
void IC_AT_LEVEL(ic_sgd)(int64_t count, float lr, float momentum, float decay,
                         const float *gradient, float *velocity, float *parameters)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        const float g = gradient[i], p = parameters[i];
        const float v = IC_FMA(momentum, velocity[i], g);
        velocity[i] = v;
        parameters[i] = IC_FMA(-lr, IC_FMA(decay, p, IC_FMA(momentum, v, g)), p);
    }
}

void IC_AT_LEVEL(ic_adamw)(int64_t count, float lr, float beta1, float beta2, float epsilon,
                           float decay, float correction1, float correction2, const float *gradient,
                           float *first, float *second, float *parameters)
{
    const float rest1 = 1.0f - beta1, rest2 = 1.0f - beta2;
    const float inverse1 = 1.0f / correction1, inverse2 = 1.0f / correction2;
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        const float g = gradient[i], p = parameters[i];
        const float m = IC_FMA(beta1, first[i], rest1 * g);
        const float v = IC_FMA(beta2, second[i], rest2 * g * g);
        first[i] = m;
        second[i] = v;
        const float step = m * inverse1 / (sqrtf(v * inverse2) + epsilon);
        parameters[i] = IC_FMA(-lr, IC_FMA(decay, p, step), p);
    }
}
