/*
 * imgcls/model.h: a classifier: network, weights, pixel pipeline, class names.
 * SPDX-License-Identifier: MIT
 */
#ifndef IMGCLS_MODEL_H
#define IMGCLS_MODEL_H

#include <imgcls/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A model may be shared between threads: many may predict with it, also while a trainer trains it
 * (they see the last published weights, never a mixture).
 */
typedef struct ic_model ic_model;

/*
 * A new, untrained model for the classes of a data set. Takes options of owner "model"; what is
 * left on auto (network, input size, pipeline) is chosen from the data, and the log says why.
 * Mean and deviation are measured on these pictures, with progress ("prepare"). Release it with
 * ic_model_free. IC_ERROR_DATA: fewer than two classes with pictures, or a class whose name is not
 * UTF-8; IC_ERROR_ARGUMENT: the input is too small for the network.
 */
IC_API ic_status ic_model_create(ic_context *context, const ic_dataset *train,
                                 const ic_options *options, ic_model **out);

/*
 * A new model that begins with what an earlier one has learnt, for the classes of a data set:
 * classes of the same name keep what tells them apart, new ones start fresh, others are gone
 * (fine-tuning). Network and pixel pipeline are the earlier model's: IC_ERROR_OPTION for options
 * that ask for others (auto and the same are none); "seed" counts. Release it with ic_model_free.
 * IC_ERROR_DATA as above; IC_ERROR_UNSUPPORTED: the classes of this network cannot change.
 */
IC_API ic_status ic_model_create_from(const ic_model *earlier, const ic_dataset *train,
                                      const ic_options *options, ic_model **out);

/*
 * Reads a model file (.safetensors); release the model with ic_model_free. IC_ERROR_NOT_FOUND or
 * IC_ERROR_IO: the file cannot be read; IC_ERROR_FORMAT says what in it is wrong;
 * IC_ERROR_UNSUPPORTED: a newer version wrote it.
 */
IC_API ic_status ic_model_load(ic_context *context, const char *path, ic_model **out);

/* The same from memory; the bytes are copied. */
IC_API ic_status ic_model_load_memory(ic_context *context, const void *bytes, size_t size,
                                      ic_model **out);

/*
 * Writes the model file with the last published weights, all or nothing; an older file of that name
 * stays until the end, and hands on its permissions; a link goes on leading to its file.
 * IC_ERROR_NOT_FOUND: no such folder; IC_ERROR_IO says why it cannot be written.
 */
IC_API ic_status ic_model_save(const ic_model *model, const char *path);

/*
 * The same bytes into the caller's buffer. *size receives the bytes needed; a buffer that is too
 * small is left alone and IC_ERROR_LIMIT returned; buffer NULL asks for the size only.
 */
IC_API ic_status ic_model_save_memory(const ic_model *model, void *buffer, size_t capacity,
                                      size_t *size);

/* Gives up the reference; NULL does nothing. */
IC_API void ic_model_free(ic_model *model);

/* The number of classes; 0 for NULL. */
IC_API int32_t ic_model_class_count(const ic_model *model);

/* The name of a class, borrowed; NULL when there is no such class. */
IC_API const char *ic_model_class_name(const ic_model *model, int32_t index);

/* What the network takes, after the pixel pipeline, in pixels. Any output may be NULL. */
IC_API ic_status ic_model_input(const ic_model *model, int32_t *width, int32_t *height,
                                int32_t *channels);

/*
 * Reads a picture file as a data set is read for this model: as ic_image_load does, unless its
 * option "decode" was "shrink". Large JPEGs then come smaller, and sooner; so load pictures for
 * such a model with it, but those for an ensemble with ic_image_load, as each member may want
 * others. Release the picture with ic_image_free. The errors are those of ic_image_load.
 */
IC_API ic_status ic_model_load_image(const ic_model *model, const char *path, ic_image **out);

/* The same from the bytes of such a file in memory; they are not kept. */
IC_API ic_status ic_model_decode_image(const ic_model *model, const void *bytes, size_t size,
                                       ic_image **out);

/* The same of a picture of a data set. The errors are those of ic_dataset_image. */
IC_API ic_status ic_model_read_image(const ic_model *model, const ic_dataset *dataset,
                                     int64_t index, ic_image **out);

/*
 * What mistakes cost: costs[actual * classes + called], each 0 or more, 0 where both are the same;
 * copied, kept in the model file and used by ic_model_decide. NULL: the model has none any more.
 * IC_ERROR_ARGUMENT: such costs cannot be.
 */
IC_API ic_status ic_model_set_costs(ic_model *model, const double *costs);

/*
 * The same as a threshold: a picture is called this class when its probability of it is at least
 * (or within rounding of) threshold, 0 < threshold < 1, and else the most probable of the others.
 * ic_report_operating_point finds the threshold for a sensitivity or a specificity that is wanted.
 */
IC_API ic_status ic_model_set_threshold(ic_model *model, int32_t class_index, double threshold);

/* The costs, into a buffer of classes * classes. IC_ERROR_STATE: the model has none. */
IC_API ic_status ic_model_costs(const ic_model *model, double *costs);

/*
 * The class of the lowest expected cost for these probabilities (one for each class, as predictions
 * and reports give them): what to act on, where the most probable class is what to believe.
 * IC_ERROR_STATE: the model has no costs; IC_ERROR_ARGUMENT: a number that is not from 0 to 1.
 */
IC_API ic_status ic_model_decide(const ic_model *model, const float *probabilities,
                                 int32_t *class_index);

/*
 * A description as JSON: network, parameters (how many), input{width,height,channels}, classes
 * (names), costs (where the model has them, below), pipeline (what is done to pixels), training
 * (options, data, epochs and their figures; {} before), and behind a training confidence (pictures
 * of the validation, temperature, calibration_error of them with it and calibration_error_before,
 * unknown{threshold,share}) and flags (of ic_model_flags). *size receives the bytes needed, the
 * final zero included; a buffer that is too small is left alone and IC_ERROR_LIMIT returned; buffer
 * NULL asks for the size only.
 */
IC_API ic_status ic_model_json(const ic_model *model, char *buffer, size_t capacity, size_t *size);

/*
 * The options that repeat the training of a model on the same pictures exactly, whatever chose
 * them, as flags of the imgcls command: "--network resnet18 --input-size 128 --epochs 44 ...". Size
 * and buffer as above. IC_ERROR_STATE: it has not been trained.
 */
IC_API ic_status ic_model_flags(const ic_model *model, char *buffer, size_t capacity, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
