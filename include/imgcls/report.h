/* imgcls/report.h: how good a model is, as numbers, JSON and pictures. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_REPORT_H
#define IMGCLS_REPORT_H

#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The result of one evaluation. Belongs to one thread at a time. */
typedef struct ic_report ic_report;

/*
 * Classifies the pictures of a data set and counts. Takes options of owner "evaluation"; split
 * says which part: train, validation, test, all, or auto: the declared test part; else, where
 * this is the data that the model was trained on (by digest), the pictures held out then; else
 * all of it. Classes are matched by name; pictures of classes that the model does not know, and
 * those that cannot be read, are left out, named in the log and in the JSON. Reports progress
 * ("evaluate") and can be cancelled. The report does not change when the model is trained further;
 * release it with ic_report_free. IC_ERROR_NOT_FOUND: there is no such part; IC_ERROR_DATA: no
 * picture can be measured; IC_ERROR_DIVERGED: the network's output is not finite.
 */
IC_API ic_status ic_evaluate(const ic_model *model, const ic_dataset *dataset,
                             const ic_options *options, ic_report **out);

/* Frees it; NULL does nothing. */
IC_API void ic_report_free(ic_report *report);

/*
 * One number: "accuracy", "top5_accuracy" (with fewer classes: among all of them), "loss" (mean
 * cross-entropy, nats), "auc" (area under the ROC curve; binary: of class 1; else the mean of
 * one-vs-rest over the classes where it is defined), "count", "precision", "recall", "f1"
 * (means over classes with pictures), "weighted_precision", "weighted_recall", "weighted_f1".
 * IC_ERROR_NOT_FOUND: no such name, or it is undefined here (an AUC with one class present).
 */
IC_API ic_status ic_report_value(const ic_report *report, const char *name, double *out);

/*
 * One number of one class (by the model's order): "precision", "recall", "f1", "auc", "support"
 * (pictures). The errors are ic_report_value's; IC_ERROR_ARGUMENT: no such class.
 */
IC_API ic_status ic_report_class_value(const ic_report *report, int32_t class_index,
                                       const char *name, double *out);

/* How many pictures of class actual were called predicted. IC_ERROR_ARGUMENT: no such class. */
IC_API ic_status ic_report_confusion(const ic_report *report, int32_t actual, int32_t predicted,
                                     int64_t *out);

/* The part that was measured: "train", "validation", "test" or "all". Static; "" for NULL. */
IC_API const char *ic_report_split(const ic_report *report);

/*
 * Everything as JSON: accuracy, top5_accuracy, loss, auc, count, split, classes, confusion,
 * per_class[{class,precision,recall,f1,auc,support}], skipped[{file,reason}], and the means over
 * the classes: precision, recall, f1, weighted_precision, weighted_recall, weighted_f1. What is
 * undefined is null. *size receives the bytes needed, the final zero included; a buffer that is too
 * small is left alone and IC_ERROR_LIMIT returned; buffer NULL asks for the size only.
 */
IC_API ic_status ic_report_json(const ic_report *report, char *buffer, size_t capacity,
                                size_t *size);

/*
 * Draws the confusion matrix; the ending of path says how: .png or .svg (else IC_ERROR_ARGUMENT).
 * In a .png accented Latin letters lose their accents, and other scripts become boxes.
 */
IC_API ic_status ic_report_plot_confusion(const ic_report *report, const char *path);

/*
 * Draws the learning curves of a model's training: loss and accuracy by epoch; .png or .svg.
 * IC_ERROR_STATE: the model has not been trained.
 */
IC_API ic_status ic_model_plot_history(const ic_model *model, const char *path);

/*
 * Draws what augmentation does to the pictures of a data set: a row for each kind, beginning with
 * the picture as it is, and below them all that a training with these options does to a picture
 * at once. Kinds that such a training leaves off are shown at a usual strength, in grey letters. Takes
 * options of the owners "model" and "trainer" (NULL: all is by the recipe); .png or .svg.
 * IC_ERROR_DATA: the data set has no pictures.
 */
IC_API ic_status ic_dataset_plot_augmentation(const ic_dataset *dataset, const ic_options *options,
                                              const char *path);

#ifdef __cplusplus
}
#endif

#endif
