/*
 * imgcls/explanation.h: where in a picture a model found what it says. SPDX-License-Identifier: MIT
 */
#ifndef IMGCLS_EXPLANATION_H
#define IMGCLS_EXPLANATION_H

#include <imgcls/image.h>
#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One decision about one picture, explained. Belongs to one thread at a time. */
typedef struct ic_explanation ic_explanation;

/*
 * Finds out which parts of a picture speak for a class. Takes options of owner "explanation".
 * method: occlusion (what the odds of the class lose as parts of the picture are blurred, one after
 * the other, after Zeiler and Fergus 2013: it asks the network itself, once for the whole and 145
 * times; a part is a square of a quarter of the input's sides), gradcam (Selvaraju et al. 2017: the last map of the
 * network, its channels weighed by the mean gradient of the class's logit; a few times the cost of
 * a prediction, and as coarse as that map), auto: occlusion. class: by name; empty: the most
 * probable one. Many threads may explain with one model; one view of the picture is looked at.
 * Occlusion reports progress ("explain") and can be cancelled. Keeps a reference on the picture;
 * the result has the same bits with any number of threads; release it with ic_explanation_free.
 * IC_ERROR_NOT_FOUND: the model has no such class; IC_ERROR_DIVERGED: the network's output is not
 * finite.
 */
IC_API ic_status ic_explain(const ic_model *model, const ic_image *image, const ic_options *options,
                            ic_explanation **out);

/* Frees it; NULL does nothing. */
IC_API void ic_explanation_free(ic_explanation *explanation);

/* The class that is explained, and its probability (0..1), the very bits of ic_predict. Any output
 * may be NULL. */
IC_API ic_status ic_explanation_class(const ic_explanation *explanation, int32_t *class_index,
                                      float *probability);

/* How it was found: "gradcam" or "occlusion". Static; "" for NULL. */
IC_API const char *ic_explanation_method(const ic_explanation *explanation);

/*
 * Borrows the map of the picture as it was given (upright, as ic_image_info has its sides):
 * values[y * width + x] in [0, 1], how much pixel (x, y) speaks for the class. The strongest part
 * has 1 in ic_explanation_tensor_map, of which these are samples, bilinear; all are 0 if nothing
 * speaks for the class. What the pixel pipeline cuts off, so that the network never saw it, is 0.
 * Made at the first call that asks for values, four bytes a pixel, it lives as long as the
 * explanation. Any output may be NULL.
 */
IC_API ic_status ic_explanation_map(ic_explanation *explanation, const float **values,
                                    int32_t *width, int32_t *height);

/* The same of what the network sees, after the pixel pipeline, with its sides (ic_model_input). */
IC_API ic_status ic_explanation_tensor_map(const ic_explanation *explanation, const float **values,
                                           int32_t *width, int32_t *height);

/*
 * A picture of it, to be looked at: the picture in dim grey, and the heat over it in colours that
 * run from dark violet over red and orange to pale yellow and grow lighter all the way, so that
 * grey print and colour-blind eyes see the same order. What the network has not seen is darker
 * still. 8-bit RGB, as large as the picture; release it with ic_image_free.
 */
IC_API ic_status ic_explanation_image(const ic_explanation *explanation, ic_image **out);

#ifdef __cplusplus
}
#endif

#endif
