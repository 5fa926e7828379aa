/*
 * preprocess/pipeline.h: from a picture to what the network sees. A fixed prefix (decode, grey or
 * colour, resize, denoise) gives the canvas, which is worth caching; a suffix (crop, or random
 * augmentation in training; normalise) gives the tensor. SPDX-License-Identifier: MIT
 */
#ifndef PREPROCESS_PIPELINE_H
#define PREPROCESS_PIPELINE_H

#include "base/json.h"
#include "base/random.h"
#include "image/image.h"

typedef enum ic_decode {
    IC_DECODE_FULL,
    IC_DECODE_SHRINK /* JPEGs by 1/2, 1/4, 1/8, as far as the canvas allows */
} ic_decode;

typedef enum ic_resize_mode {
    IC_RESIZE_STRETCH, /* to the canvas, shape given up */
    IC_RESIZE_CROP     /* shape kept, the centre cut out */
} ic_resize_mode;

typedef enum ic_denoise {
    IC_DENOISE_NONE,
    IC_DENOISE_MEDIAN,
    IC_DENOISE_GAUSSIAN,
    IC_DENOISE_BILATERAL
} ic_denoise;

typedef enum ic_normalise {
    IC_NORMALISE_DATASET, /* by mean and deviation of the training pictures */
    IC_NORMALISE_PICTURE  /* then by each tensor's own: exposure and contrast tell nothing */
} ic_normalise;

/* The longest side of canvas and tensor; so rows fit on the stack. */
enum { IC_PIPELINE_SIDE_MAX = 2048 };

/* Plain data. Written to and read from the model file. */
typedef struct ic_pipeline {
    ic_decode decode;
    int32_t width, height;               /* what the network sees */
    int32_t channels;                    /* 1 or 3 */
    int32_t canvas_width, canvas_height; /* what the prefix gives: at least width x height */
    ic_resize_mode resize;
    int32_t filter; /* IC_FILTER_… */
    ic_denoise denoise;
    float denoise_strength;
    ic_normalise normalise;
    float mean[3], deviation[3]; /* of samples in 0..1 */
} ic_pipeline;

/* The floats of a tensor. */
static inline size_t ic_pipeline_floats(const ic_pipeline *pipeline)
{
    return (size_t)pipeline->width * (size_t)pipeline->height * (size_t)pipeline->channels;
}

/*
 * The pipeline as the model file holds it. Reading trusts nothing: IC_ERROR_FORMAT for members that
 * are missing or out of range, IC_ERROR_UNSUPPORTED for names that this version does not know.
 */
ic_status ic_pipeline_to_json(const ic_pipeline *pipeline, json_t **out);
ic_status ic_pipeline_from_json(const json_t *json, ic_pipeline *out);

/* How files are to be decoded for it: whole pictures. */
ic_decode_options ic_pipeline_decoding(const ic_pipeline *pipeline);

/*
 * The prefix behind the decoding. The canvas keeps 16-bit depth. Release it with ic_image_free.
 */
ic_status ic_pipeline_canvas(const ic_pipeline *pipeline, const ic_image *image, ic_image **canvas);

/* The part of a picture of this size that gets into the tensor, in the picture's pixels. */
ic_box ic_pipeline_seen(const ic_pipeline *pipeline, int32_t width, int32_t height);

/* The fixed suffix: the centre of the canvas, normalised, to tensor[height][width][channels]. */
void ic_pipeline_tensor(const ic_pipeline *pipeline, const ic_image *canvas, float *tensor);

/*
 * Both in one go for prediction in a steady loop, without allocation where the workspace has grown
 * enough: the same bits as canvas + tensor.
 */
typedef struct ic_pipeline_workspace ic_pipeline_workspace;
ic_status ic_pipeline_workspace_create(ic_context *context, ic_pipeline_workspace **out);
void ic_pipeline_workspace_free(ic_pipeline_workspace *workspace);
ic_status ic_pipeline_apply(const ic_pipeline *pipeline, const ic_image *image,
                            ic_pipeline_workspace *workspace, float *tensor);

/* A way to look at a prepared picture again. */
typedef struct ic_view {
    bool mirrored; /* left to right, after the shift */
    int32_t shift; /* pixels to the right and down that it looks at, edges repeated by reflection */
} ic_view;

/* A view of tensor[height][width][channels], in another tensor of that shape. */
void ic_tensor_view(int32_t width, int32_t height, int32_t channels, const float *tensor,
                    const ic_view *view, float *out);

typedef enum ic_flip {
    IC_FLIP_OFF,
    IC_FLIP_ON,         /* half of the pictures mirrored, drawn anew in each epoch */
    IC_FLIP_ALTERNATING /* one half in even epochs, the other in odd ones (Jordan 2024) */
} ic_flip;

/* Where up and down mean nothing: under a microscope, from above. */
typedef enum ic_turns {
    IC_TURNS_NONE,
    IC_TURNS_HALF,   /* half of the pictures upside down */
    IC_TURNS_QUARTER /* any of the four sides up */
} ic_turns;

/* TrivialAugment Wide (Müller and Hutter 2021): each picture gets one of these at any strength. */
typedef enum ic_policy {
    IC_POLICY_NONE,
    IC_POLICY_TRIVIAL,
    IC_POLICY_ONLY_SHEAR_X, /* from here: one of its changes alone, to be looked at */
    IC_POLICY_ONLY_SHEAR_Y,
    IC_POLICY_ONLY_TRANSLATE_X,
    IC_POLICY_ONLY_TRANSLATE_Y,
    IC_POLICY_ONLY_ROTATE,
    IC_POLICY_ONLY_BRIGHTNESS,
    IC_POLICY_ONLY_COLOUR,
    IC_POLICY_ONLY_CONTRAST,
    IC_POLICY_ONLY_SHARPNESS,
    IC_POLICY_ONLY_POSTERIZE,
    IC_POLICY_ONLY_SOLARIZE,
    IC_POLICY_ONLY_AUTOCONTRAST,
    IC_POLICY_ONLY_EQUALIZE,
    IC_POLICY_END
} ic_policy;

/* Random augmentation in training; all zero (crop_scale 1): none. */
typedef struct ic_augment {
    ic_flip flip;
    ic_turns turns;
    int32_t shift;     /* up to this many pixels each way, edges repeated by reflection */
    float crop_scale;  /* random resized crop of this share of the canvas at least; 1: none */
    float crop_aspect; /* width to height, or the reverse, at most; up to 1: squares */
    float rotation;    /* degrees each way */
    float brightness, contrast, saturation; /* factors in 1-x..1+x */
    float erasing; /* probability of blanking a rectangle of 2..33 % (Zhong et al. 2017) */
    ic_policy policy;
    float blur;  /* half of the pictures blurred by a Gaussian of up to this deviation, pixels */
    float noise; /* normal noise of a deviation up to this, samples in 0..1 */
    int32_t width, height; /* of the tensor: the same view in fewer pixels; 0: the pipeline's */
} ic_augment;

/* Whose changes are drawn: they are a function of these alone. */
typedef struct ic_augment_key {
    uint64_t seed, epoch, picture;
    uint64_t repeat; /* how often the epoch has shown the picture before; nearly always 0 */
} ic_augment_key;

/*
 * The random suffix: one bilinear sampling for all geometry, then colours, blur, noise, normalise,
 * erase. Allocates nothing.
 */
void ic_pipeline_augment(const ic_pipeline *pipeline, const ic_augment *augment,
                         const ic_image *canvas, const ic_augment_key *key, float *tensor);

/* preprocess/denoise.c: a new picture without noise of a kind. strength 1: usual. */
ic_status ic_image_denoise(const ic_image *image, ic_denoise kind, float strength, ic_image **out);

#endif
