/*
 * kernels/conv_reference.c: with y[n,i,j,k] = sum over r, s, c of x[n, i*stride + r*dilation - pad,
 * ..., c] * w[k,c,r,s] each pass gathers the products that hold its output's index.
 * SPDX-License-Identifier: MIT
 */
#include "conv_reference.h"

static int64_t weight_index(const ic_conv_shape *p, int32_t k, int32_t c, int32_t r, int32_t s)
{
    return (((int64_t)k * (p->c / p->groups) + c) * p->r + r) * p->s + s;
}

/* The input pixel that tap (r, s) of output pixel (i, j) reads; -1: outside. */
static int64_t input_pixel(const ic_conv_shape *p, int32_t n, int32_t i, int32_t j, int32_t r,
                           int32_t s)
{
    int32_t y = i * p->stride_h + r * p->dilation_h - p->pad_h;
    int32_t x = j * p->stride_w + s * p->dilation_w - p->pad_w;
    if (y < 0 || y >= p->h || x < 0 || x >= p->w)
        return -1;
    return ((int64_t)n * p->h + y) * p->w + x;
}

static float forward_one(const ic_conv_shape *p, const float *x, const float *weights, int32_t n,
                         int32_t i, int32_t j, int32_t k)
{
    int32_t depth = p->c / p->groups;
    int32_t first = k / (p->k / p->groups) * depth;
    double sum = 0;
    for (int32_t r = 0; r < p->r; ++r)
        for (int32_t s = 0; s < p->s; ++s) {
            int64_t pixel = input_pixel(p, n, i, j, r, s);
            for (int32_t c = 0; pixel >= 0 && c < depth; ++c)
                sum += (double)x[pixel * p->c + first + c] * weights[weight_index(p, k, c, r, s)];
        }
    return (float)sum;
}

void conv_reference_forward(const ic_conv_shape *p, const float *x, const float *weights, float *y)
{
    for (int32_t n = 0; n < p->n; ++n)
        for (int32_t i = 0; i < p->oh; ++i)
            for (int32_t j = 0; j < p->ow; ++j)
                for (int32_t k = 0; k < p->k; ++k)
                    *y++ = forward_one(p, x, weights, n, i, j, k);
}

/* The output row or column that reads input `at` through a tap; -1: none. */
static int32_t output_at(int32_t at, int32_t tap, int32_t stride, int32_t pad, int32_t dilation,
                         int32_t count)
{
    int32_t scaled = at + pad - tap * dilation;
    if (scaled < 0 || scaled % stride != 0 || scaled / stride >= count)
        return -1;
    return scaled / stride;
}

static float backward_data_one(const ic_conv_shape *p, const float *d_y, const float *weights,
                               int32_t n, int32_t y, int32_t x, int32_t c)
{
    int32_t depth = p->c / p->groups;
    int32_t columns = p->k / p->groups;
    int32_t first = c / depth * columns;
    double sum = 0;
    for (int32_t r = 0; r < p->r; ++r)
        for (int32_t s = 0; s < p->s; ++s) {
            int32_t i = output_at(y, r, p->stride_h, p->pad_h, p->dilation_h, p->oh);
            int32_t j = output_at(x, s, p->stride_w, p->pad_w, p->dilation_w, p->ow);
            if (i < 0 || j < 0)
                continue;
            const float *from = d_y + (((int64_t)n * p->oh + i) * p->ow + j) * p->k;
            for (int32_t k = first; k < first + columns; ++k)
                sum += (double)from[k] * weights[weight_index(p, k, c % depth, r, s)];
        }
    return (float)sum;
}

void conv_reference_backward_data(const ic_conv_shape *p, const float *d_y, const float *weights,
                                  float *d_x)
{
    for (int32_t n = 0; n < p->n; ++n)
        for (int32_t y = 0; y < p->h; ++y)
            for (int32_t x = 0; x < p->w; ++x)
                for (int32_t c = 0; c < p->c; ++c)
                    *d_x++ = backward_data_one(p, d_y, weights, n, y, x, c);
}

static float backward_weights_one(const ic_conv_shape *p, const float *x, const float *d_y,
                                  int32_t k, int32_t c, int32_t r, int32_t s)
{
    int32_t channel = k / (p->k / p->groups) * (p->c / p->groups) + c;
    double sum = 0;
    for (int32_t n = 0; n < p->n; ++n)
        for (int32_t i = 0; i < p->oh; ++i)
            for (int32_t j = 0; j < p->ow; ++j) {
                int64_t pixel = input_pixel(p, n, i, j, r, s);
                if (pixel >= 0)
                    sum += (double)x[pixel * p->c + channel] *
                           d_y[(((int64_t)n * p->oh + i) * p->ow + j) * p->k + k];
            }
    return (float)sum;
}

void conv_reference_backward_weights(const ic_conv_shape *p, const float *x, const float *d_y,
                                     float *d_w)
{
    for (int32_t k = 0; k < p->k; ++k)
        for (int32_t c = 0; c < p->c / p->groups; ++c)
            for (int32_t r = 0; r < p->r; ++r)
                for (int32_t s = 0; s < p->s; ++s)
                    d_w[weight_index(p, k, c, r, s)] = backward_weights_one(p, x, d_y, k, c, r, s);
}
