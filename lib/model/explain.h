/* model/explain.h: the inside of an explanation, and the ways to find one. SPDX-License-Identifier:
 * MIT
 */
#ifndef MODEL_EXPLAIN_H
#define MODEL_EXPLAIN_H

#include "model/model.h"

#include <imgcls/explanation.h>

/* Values over a rectangle, which its pixels fill side by side. */
typedef struct ic_heat {
    float *values; /* [height][width] */
    int32_t width, height;
} ic_heat;

struct ic_explanation {
    ic_context *context;
    const char *method;
    int32_t class_index;
    float probability;
    ic_image *image;
    ic_box seen;    /* of the picture, by the network */
    ic_heat tensor; /* of what the network sees, in [0, 1] */
    float *map;     /* of the picture; NULL: nobody has asked for it yet */
};

/* What there is to work with when a class is to be explained. */
typedef struct ic_explaining {
    ic_context *context;
    const ic_graph *graph;
    ic_weights *weights;
    ic_executor *executor; /* of one picture: that has gone through, and what it left of `map` */
    ic_node map;
    ic_shape shape; /* of the tensor */
    const float *tensor;
    int32_t class_index;
} ic_explaining;

/* The map of the network as Grad-CAM weighs it, in its own pixels; its values from ic_allocate. */
ic_status ic_explain_gradcam(const ic_explaining *e, ic_heat *cam);

/* Fill [shape.h][shape.w] with how much each pixel speaks for the class, on any scale; what speaks
 * against it is below 0. */
ic_status ic_explain_by_gradient(const ic_explaining *e, float *heat);
ic_status ic_explain_by_occlusion(const ic_explaining *e, float *heat);

/* How many pictures an explanation by occlusion predicts: the corners and the middles of 8 x 8
 * cells, each covered once, and the picture itself. */
enum { IC_OCCLUSION_CELLS = 8 };
enum {
    IC_OCCLUSION_POINTS = (IC_OCCLUSION_CELLS + 1) * (IC_OCCLUSION_CELLS + 1) +
                          IC_OCCLUSION_CELLS * IC_OCCLUSION_CELLS,
    IC_OCCLUSION_PREDICTIONS = IC_OCCLUSION_POINTS + 1
};

/* The value at a point, between the centres of pixels bilinear, beyond the outer ones as they are.
 */
float ic_heat_at(const ic_heat *heat, double x, double y);

/* The same rectangle in other pixels. */
void ic_heat_enlarge(const ic_heat *heat, int32_t width, int32_t height, float *out);

/* Row y of the map of the picture: [image->width]; false: the network has seen nothing of it. */
bool ic_explanation_row(const ic_explanation *explanation, int32_t y, float *row);

#endif
