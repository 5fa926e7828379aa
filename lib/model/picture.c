/* model/picture.c: pictures, decoded as the training of a model decoded them.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "dataset/dataset.h"
#include "model/model.h"

ic_status ic_model_load_image(const ic_model *model, const char *path, ic_image **out)
{
    if (!model || !path || !out)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_model_load_image: model, path and out must not be NULL");
    const ic_decode_options options = ic_pipeline_decoding(&model->pipeline);
    return ic_image_read(model->context, path, &options, out);
}

ic_status ic_model_decode_image(const ic_model *model, const void *bytes, size_t size,
                                ic_image **out)
{
    if (!model || !bytes || !out)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_model_decode_image: model, bytes and out must not be NULL");
    const ic_decode_options options = ic_pipeline_decoding(&model->pipeline);
    return ic_image_decode_with(model->context, bytes, size, &options, NULL, out);
}

ic_status ic_model_read_image(const ic_model *model, const ic_dataset *dataset, int64_t index,
                              ic_image **out)
{
    if (!model || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_read_image: model and out must not be NULL");
    const ic_decode_options options = ic_pipeline_decoding(&model->pipeline);
    return ic_dataset_give(dataset, index, &options, "ic_model_read_image", out);
}
