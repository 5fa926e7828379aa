/* preprocess/normalise.c: from samples to what the network takes. SPDX-License-Identifier: MIT */
#include "preprocess/normalise.h"

void ic_normaliser_init(ic_normaliser *normaliser, const ic_pipeline *pipeline, int32_t depth)
{
    const double most = depth == 8 ? 255 : 65535;
    for (int32_t i = 0; i < IC_LANES; i++) {
        double mean = pipeline->mean[i % pipeline->channels];
        double deviation = pipeline->deviation[i % pipeline->channels];
        normaliser->scale[i] = (float)(1 / (most * deviation));
        normaliser->shift[i] = (float)(-mean / deviation);
    }
}

/* The same loop for each kind of sample. */
#define NORMALISE(samples, count, out)                                                             \
    do {                                                                                           \
        const float *scale = normaliser->scale, *shift = normaliser->shift;                        \
        size_t i = 0;                                                                              \
        for (; i + IC_LANES <= (count); i += IC_LANES)                                             \
            for (size_t k = 0; k < IC_LANES; k++)                                                  \
                (out)[i + k] = (float)(samples)[i + k] * scale[k] + shift[k];                      \
        for (size_t k = 0; i + k < (count); k++)                                                   \
            (out)[i + k] = (float)(samples)[i + k] * scale[k] + shift[k];                          \
    } while (0)

void ic_normalise_8(const ic_normaliser *restrict normaliser, const uint8_t *restrict samples,
                    size_t count, float *restrict out)
{
    NORMALISE(samples, count, out);
}

void ic_normalise_16(const ic_normaliser *restrict normaliser, const uint16_t *restrict samples,
                     size_t count, float *restrict out)
{
    NORMALISE(samples, count, out);
}

void ic_normalise_float(const ic_normaliser *restrict normaliser, float *restrict samples,
                        size_t count)
{
    NORMALISE(samples, count, samples);
}
