/* preprocess/colours.c: changes of colours, in place. SPDX-License-Identifier: MIT */
#include "preprocess/effects.h"
#include "preprocess/normalise.h"

#include <string.h>

/* Luma by ITU-R 601, of one pixel or of sums. */
static inline float luma(float red, float green, float blue)
{
    return 0.299f * red + 0.587f * green + 0.114f * blue;
}

/* x = clamp(x factor); the mean luma is summed lane by lane, row by row. */
float ic_brighten(const ic_samples *s, float factor)
{
    const size_t row = ic_samples_row(s);
    const float most = s->most;
    float *restrict x = s->at;
    double sums[IC_LANES] = {0};
    for (int32_t y = 0; y < s->height; y++, x += row) {
        float lanes[IC_LANES] = {0};
        size_t i = 0;
        for (; i + IC_LANES <= row; i += IC_LANES)
            for (size_t k = 0; k < IC_LANES; k++) {
                x[i + k] = ic_clamp(x[i + k] * factor, most);
                lanes[k] += x[i + k];
            }
        for (size_t k = 0; i + k < row; k++) {
            x[i + k] = ic_clamp(x[i + k] * factor, most);
            lanes[k] += x[i + k];
        }
        for (size_t k = 0; k < IC_LANES; k++)
            sums[k] += lanes[k];
    }
    double totals[3] = {0}, pixels = (double)s->width * s->height;
    for (size_t k = 0; k < IC_LANES; k++)
        totals[k % (size_t)s->channels] += sums[k];
    if (s->channels == 1)
        return (float)(totals[0] / pixels);
    return luma((float)(totals[0] / pixels), (float)(totals[1] / pixels),
                (float)(totals[2] / pixels));
}

/* x = clamp(mean + (x - mean) factor) */
void ic_change_contrast(const ic_samples *s, float factor, float mean)
{
    const float rest = (1 - factor) * mean, most = s->most;
    const size_t count = ic_samples_count(s);
    float *x = s->at;
    for (size_t i = 0; i < count; i++)
        x[i] = ic_clamp(x[i] * factor + rest, most);
}

/* x = clamp(grey + (x - grey) factor), grey being the pixel's own luma; a few pixels, by lanes. */
static inline void saturate(float *restrict x, const int32_t pixels, float factor, float most)
{
    float rest[IC_LANES];
    for (int32_t i = 0; i < pixels; i++) {
        float grey = (1 - factor) * luma(x[3 * i], x[3 * i + 1], x[3 * i + 2]);
        rest[3 * i] = rest[3 * i + 1] = rest[3 * i + 2] = grey;
    }
    for (int32_t k = 0; k < 3 * pixels; k++)
        x[k] = ic_clamp(x[k] * factor + rest[k], most);
}

void ic_change_saturation(const ic_samples *s, float factor)
{
    if (s->channels != 3)
        return;
    const size_t pixels = (size_t)s->width * (size_t)s->height;
    size_t i = 0;
    for (; i + IC_LANES / 3 <= pixels; i += IC_LANES / 3)
        saturate(s->at + 3 * i, IC_LANES / 3, factor, s->most);
    for (; i < pixels; i++)
        saturate(s->at + 3 * i, 1, factor, s->most);
}

/*
 * x = clamp(smooth + (x - smooth) factor), where smooth weighs the pixel by 5 and its neighbours by
 * 1; the outermost pixels stay.
 */
void ic_sharpen(const ic_samples *s, float factor)
{
    const size_t row = ic_samples_row(s), channels = (size_t)s->channels;
    const float most = s->most, rest = (1 - factor) / 13;
    float above[IC_PIPELINE_SIDE_MAX * 3], sums[IC_PIPELINE_SIDE_MAX * 3];
    memcpy(above, s->at, row * sizeof *above);
    for (int32_t y = 1; y + 1 < s->height; y++) {
        float *restrict x = s->at + (size_t)y * row;
        const float *below = x + row;
        for (size_t i = 0; i < row; i++) {
            sums[i] = above[i] + x[i] + below[i];
            above[i] = x[i];
        }
        for (size_t i = channels; i + channels < row; i++) {
            float smooth = sums[i - channels] + sums[i] + sums[i + channels] + 4 * x[i];
            x[i] = ic_clamp(x[i] * factor + smooth * rest, most);
        }
    }
}

void ic_posterise(const ic_samples *s, int32_t bits)
{
    const float step = (s->most + 1) / (float)(1 << bits), inverse = 1 / step;
    const size_t count = ic_samples_count(s);
    float *x = s->at;
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(int32_t)(x[i] * inverse) * step;
}

void ic_solarise(const ic_samples *s, float threshold)
{
    const size_t count = ic_samples_count(s);
    const float most = s->most;
    float *x = s->at;
    for (size_t i = 0; i < count; i++)
        x[i] = x[i] < threshold ? x[i] : most - x[i];
}

void ic_autocontrast(const ic_samples *s)
{
    const size_t count = ic_samples_count(s), channels = (size_t)s->channels;
    for (size_t c = 0; c < channels; c++) {
        float *x = s->at;
        float low = x[c], high = x[c];
        for (size_t i = c; i < count; i += channels) {
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }
        const float factor = high > low ? s->most / (high - low) : 1, off = high > low ? low : 0;
        for (size_t i = c; i < count; i += channels)
            x[i] = (x[i] - off) * factor;
    }
}

/* Where each of 256 levels goes, by Pillow's rule; false: they stay, as the picture is too plain.
 */
static bool even_out(const int32_t counts[256], int32_t pixels, float unit, float to[256])
{
    int32_t last = 255;
    while (counts[last] == 0)
        last--;
    int32_t step = (pixels - counts[last]) / 255, below = step / 2;
    for (int32_t level = 0; level < 256 && step > 0; level++) {
        int32_t value = below / step;
        to[level] = (float)(value < 255 ? value : 255) * unit;
        below += counts[level];
    }
    return step > 0;
}

void ic_equalise(const ic_samples *s)
{
    const size_t count = ic_samples_count(s), channels = (size_t)s->channels;
    const float unit = s->most / 255, inverse = 255 / s->most;
    float *x = s->at;
    for (size_t c = 0; c < channels; c++) {
        int32_t counts[256] = {0};
        float to[256];
        for (size_t i = c; i < count; i += channels)
            counts[(uint8_t)(x[i] * inverse + 0.5f)]++;
        if (!even_out(counts, s->width * s->height, unit, to))
            continue;
        for (size_t i = c; i < count; i += channels)
            x[i] = to[(uint8_t)(x[i] * inverse + 0.5f)];
    }
}
