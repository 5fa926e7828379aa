/* preprocess/normalise.c: from samples to what the network takes. SPDX-License-Identifier: MIT */
#include "preprocess/normalise.h"

#include <math.h>

/* What is divided by at least, as a share of the training pictures' deviation: a flat picture stays
 * flat, its noise small. */
static const double least_deviation = 0.05;

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

/* In lanes, so that vectors are used and the order of sums is the same everywhere. */
void ic_standardise(float *tensor, size_t count)
{
    double sums[IC_LANES] = {0}, squares[IC_LANES] = {0}, sum = 0, square = 0;
    size_t i = 0;
    for (; i + IC_LANES <= count; i += IC_LANES)
        for (size_t k = 0; k < IC_LANES; k++) {
            const double x = tensor[i + k];
            sums[k] += x;
            squares[k] += x * x;
        }
    for (size_t k = 0; k < IC_LANES; k++) {
        const double x = i + k < count ? tensor[i + k] : 0;
        sum += sums[k] + x;
        square += squares[k] + x * x;
    }
    const double mean = sum / (double)count, variance = square / (double)count - mean * mean;
    const double deviation =
        variance > least_deviation * least_deviation ? sqrt(variance) : least_deviation;
    const float scale = (float)(1 / deviation), shift = (float)(-mean / deviation);
    for (i = 0; i < count; i++)
        tensor[i] = tensor[i] * scale + shift;
}
