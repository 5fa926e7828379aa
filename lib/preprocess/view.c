/* preprocess/view.c: a prepared picture, mirrored or shifted. SPDX-License-Identifier: MIT */
#include "preprocess/pipeline.h"

#include "preprocess/reflect.h"

#include <string.h>

void ic_tensor_view(int32_t width, int32_t height, int32_t channels, const float *tensor,
                    const ic_view *view, float *out)
{
    const size_t pixel = (size_t)channels, row = (size_t)width * pixel;
    for (int32_t y = 0; y < height; y++) {
        const float *from = tensor + (size_t)ic_reflect((int64_t)y + view->shift, height) * row;
        for (int32_t x = 0; x < width; x++, out += pixel) {
            int64_t at = (int64_t)(view->mirrored ? width - 1 - x : x) + view->shift;
            memcpy(out, from + (size_t)ic_reflect(at, width) * pixel, pixel * sizeof *out);
        }
    }
}
