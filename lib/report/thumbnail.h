/* report/thumbnail.h: small pictures of pictures. SPDX-License-Identifier: MIT */
#ifndef REPORT_THUMBNAIL_H
#define REPORT_THUMBNAIL_H

#include "dataset/dataset.h"
#include "preprocess/pipeline.h"

/* Neither side longer than `side` pixels, as 8-bit RGB over white; never enlarged. */
ic_status ic_image_thumbnail(ic_image *image, int32_t side, ic_image **out);

/* The same of a picture of a data set, read no larger than need be. */
ic_status ic_dataset_thumbnail(const ic_dataset *dataset, int64_t index, int32_t side,
                               ic_image **out);

/* The picture behind a tensor of the pipeline, by its mean and deviation, as 8-bit RGB; a larger
 * one becomes side x side. */
ic_status ic_tensor_thumbnail(ic_context *context, const ic_pipeline *pipeline, const float *tensor,
                              int32_t side, ic_image **out);

#endif
