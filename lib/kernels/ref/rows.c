/* kernels/ref/rows.c: narrow rows as wide ones, the same for every level. SPDX-License-Identifier:
 * MIT */
#include "kernels/ref/rows.h"

#include <string.h>

int32_t ic_rows_joined(int64_t rows, int32_t c)
{
    int32_t joined = 1;
    while (2 * joined <= rows && 2 * joined <= IC_WIDE_ROW / c)
        joined *= 2;
    return joined;
}

const float *ic_repeat(const float *values, int32_t c, int32_t joined, float *room)
{
    if (joined == 1)
        return values;
    for (int32_t i = 0; i < joined; i++)
        memcpy(room + i * c, values, (size_t)c * sizeof *room);
    return room;
}

void ic_fold_rows(const float *wide, int32_t c, int32_t joined, float *sum)
{
    for (int32_t k = 0; joined > 1 && k < c; k++) {
        float total = wide[k];
        for (int32_t i = 1; i < joined; i++)
            total += wide[i * c + k];
        sum[k] = total;
    }
}
