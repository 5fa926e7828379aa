/*
 * imgcls/report.h: how good a model is, as numbers, JSON and pictures. SPDX-License-Identifier: MIT
 */
#ifndef IMGCLS_REPORT_H
#define IMGCLS_REPORT_H

#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The result of one evaluation. Belongs to one thread at a time. It keeps the model, and the data
 * set that was measured, which takes no more pictures as long as the report lives.
 */
typedef struct ic_report ic_report;

/* Two models on the same pictures. Belongs to one thread at a time. */
typedef struct ic_comparison ic_comparison;

/*
 * Classifies the pictures of a data set and counts. Takes options of owner "evaluation", and
 * command, a text that the report keeps for its readers; split says which part: train, validation,
 * test, all, or auto: the declared test part; else, where this is the data that the model was
 * trained on (by digest), the pictures held out then; else all of it. Classes are matched by name;
 * pictures of classes that the model does not know, and those that cannot be read, are left out,
 * named in the log and in the JSON. Reports progress ("evaluate") and can be cancelled. The report
 * does not change when the model is trained further; release it with ic_report_free.
 * IC_ERROR_NOT_FOUND: there is no such part; IC_ERROR_DATA: no picture can be measured;
 * IC_ERROR_DIVERGED: the network's output is not finite.
 */
IC_API ic_status ic_evaluate(const ic_model *model, const ic_dataset *dataset,
                             const ic_options *options, ic_report **out);

/* Frees it; NULL does nothing. */
IC_API void ic_report_free(ic_report *report);

/*
 * One number:
 * "accuracy", "top5_accuracy" (with fewer classes: among all of them), "loss" (mean cross-entropy,
 *     nats), "count" (pictures);
 * "auc" (area under the ROC curve) and "average_precision" (as scikit-learn's
 *     average_precision_score): binary: of class 1; else the mean of one-vs-rest over the classes
 *     where it is defined;
 * "precision", "recall", "f1" (means over classes with pictures), "weighted_precision",
 *     "weighted_recall", "weighted_f1", "balanced_accuracy" (the mean recall);
 * "mcc" (Matthews' correlation of label and prediction; 0 where it is not defined) and "kappa"
 *     (Cohen's): 0: no better than chance, 1: perfect;
 * "ece" (expected calibration error: pictures sorted by the probability of the predicted class, in
 *     15 bins of equal mass, |mean probability - accuracy|, weighted by mass) and "ece_limit" (the
 *     95th percentile of the ECE that labels drawn from the model's own probabilities give, 5,000
 *     draws: as much shows in a perfectly calibrated model of so many pictures, too);
 * "brier" (mean over the pictures of the squares of probability - truth, summed over the classes;
 *     binary: of class 1 alone);
 * "interval" (the level of confidence of the intervals, 0.95 say);
 * "decision_accuracy", "decision_cost" (see ic_report_decision);
 * "fold_accuracy_mean", "fold_accuracy_deviation" (of a cross-validation: over its models, each on
 *     the pictures that were held out from it; the deviation with one degree of freedom less).
 * "ece_limit" is made when first asked for, and kept. IC_ERROR_NOT_FOUND: no such name, or it is
 * undefined here (an AUC with one class present).
 */
IC_API ic_status ic_report_value(const ic_report *report, const char *name, double *out);

/*
 * One number of one class (by the model's order): "precision", "recall" (sensitivity), "f1", "auc",
 * "average_precision", "specificity", "support" (pictures). The errors are ic_report_value's;
 * IC_ERROR_ARGUMENT: no such class.
 */
IC_API ic_status ic_report_class_value(const ic_report *report, int32_t class_index,
                                       const char *name, double *out);

/*
 * The confidence interval of a number of ic_report_value; "count", "ece_limit", "interval" and
 * those of decisions and folds have none. Its level is the option interval of the evaluation, 0.95
 * by default. "accuracy" and "top5_accuracy": Wilson's. All others: the percentile bootstrap over
 * the pictures, with the options resamples and seed: the same for any number of threads. Resampling
 * is done when first asked for, for all figures at once, as many an evaluation is made for its
 * accuracy alone; it reports progress ("resample") and can be cancelled. An ECE grows when pictures
 * repeat, so that its interval may lie above it. IC_ERROR_NOT_FOUND: it has none: no such name,
 * undefined, or resamples is 0.
 */
IC_API ic_status ic_report_interval(const ic_report *report, const char *name, double *low,
                                    double *high);

/*
 * The same for a number of ic_report_class_value but "support": "precision", "recall" and
 * "specificity" are Wilson's.
 */
IC_API ic_status ic_report_class_interval(const ic_report *report, int32_t class_index,
                                          const char *name, double *low, double *high);

/* The number of classes; 0 for NULL. */
IC_API int32_t ic_report_class_count(const ic_report *report);

/* The name of a class, borrowed; NULL when there is no such class. */
IC_API const char *ic_report_class_name(const ic_report *report, int32_t index);

/* How many pictures of class actual were called predicted. IC_ERROR_ARGUMENT: no such class. */
IC_API ic_status ic_report_confusion(const ic_report *report, int32_t actual, int32_t predicted,
                                     int64_t *out);

/*
 * How many pictures of class actual are called `called` by the costs of mistakes that the model
 * keeps (ic_model_set_threshold, ic_model_set_costs; ic_model_decide); ic_report_value has
 * "decision_accuracy" and "decision_cost", the mean of a picture. An evaluation decides by the
 * costs that it finds. IC_ERROR_NOT_FOUND: the model kept none.
 */
IC_API ic_status ic_report_decision(const ic_report *report, int32_t actual, int32_t called,
                                    int64_t *out);

/* Decides anew, by the costs that the model keeps now; without any there are no decisions then. */
IC_API ic_status ic_report_decide(ic_report *report);

/*
 * One measured picture, 0..count-1 in the order of the data set: where it comes from (as
 * ic_dataset_item says it; borrowed), its class, the predicted class, and the probability of that.
 * Any output may be NULL. IC_ERROR_ARGUMENT, here and below: no such index.
 */
IC_API ic_status ic_report_picture(const ic_report *report, int64_t index, const char **origin,
                                   int32_t *actual, int32_t *predicted, float *probability);

/* The probabilities of all classes for one measured picture, borrowed. Either may be NULL. */
IC_API ic_status ic_report_probabilities(const ic_report *report, int64_t index,
                                         const float **probabilities, int32_t *count);

/*
 * A curve as three arrays of *count numbers, borrowed from the report; x, y and third may be NULL.
 * "roc": x false positive rate, y true positive rate (sensitivity), third threshold, falling: what
 *     is called positive has at least this probability of the class. Begins at infinity.
 * "precision_recall": x recall, y precision, third threshold, rising; ends with recall 0, precision
 *     1 at infinity.
 * "calibration": the bins of the ECE that have pictures: x mean probability of the predicted class,
 *     y accuracy, third the bin's share of the pictures. class_index is not looked at.
 * The first two are what scikit-learn gives with drop_intermediate=True: points on a straight line
 * between two others are left out. IC_ERROR_NOT_FOUND: no such kind; or all pictures are of the
 * class, or none.
 */
IC_API ic_status ic_report_curve(const ic_report *report, const char *kind, int32_t class_index,
                                 const double **x, const double **y, const double **third,
                                 int64_t *count);

/*
 * Where to cut the probability of a class, by what is wanted, 0..1, of "sensitivity" (the highest
 * threshold that has it, so as to be as specific as can be), "specificity" or "precision" (the
 * lowest threshold that has it, so as to be as sensitive as can be). A picture is called positive
 * when its probability is at least *threshold (infinity: none is); also what that reaches on the
 * pictures of the report. Any output may be NULL. IC_ERROR_NOT_FOUND: no such kind; all pictures
 * are of the class, or none; or no threshold has that precision.
 */
IC_API ic_status ic_report_operating_point(const ic_report *report, int32_t class_index,
                                           const char *kind, double wanted, double *threshold,
                                           double *sensitivity, double *specificity);

/*
 * Cross-validation: trains models, each on all pictures but those of one fold (ic_dataset_fold,
 * with the options folds and repeats of owner "cross-validation"), and measures each on the
 * pictures that it has not seen. *out is one report over all of these: every picture once (with
 * repeats, as often: its intervals then take them for different pictures, and are too narrow),
 * judged by a model that did not know it. Takes options of the owners "dataset", "model", "trainer"
 * and "evaluation" besides; "minutes" is for each model. What validation a training needs is split
 * off its own pictures. Declared test parts stay out, as ic_dataset_fold has it. Progress is that
 * of trainings and evaluations, and can cancel. IC_ERROR_DATA: fewer pictures than folds.
 */
IC_API ic_status ic_cross_validate(const ic_dataset *dataset, const ic_options *options,
                                   ic_report **out);

/* The number of models that a cross-validation has measured; 0 for other reports and for NULL. */
IC_API int32_t ic_report_fold_count(const ic_report *report);

/*
 * A number of ic_report_value over the pictures of one fold (of repeated ones in the order of
 * training). IC_ERROR_ARGUMENT: no such fold; IC_ERROR_NOT_FOUND: no such name, or undefined there.
 */
IC_API ic_status ic_report_fold_value(const ic_report *report, int32_t fold, const char *name,
                                      double *out);

/*
 * The number of pictures whose label is likely wrong, by confident learning (Northcutt, Jiang,
 * Chuang 2021, arXiv:1911.00068) from the probabilities of the report: of each pair of classes as
 * many as the share of wrong labels among the pictures that are surely of a class suggests. The
 * model must not have trained on the pictures: those of a cross-validation, or of a test or
 * validation part, may be judged so; a model is no witness for a label that it has learnt.
 */
IC_API ic_status ic_report_label_error_count(const ic_report *report, int64_t *out);

/*
 * One of those, the surest first: its origin (borrowed), the class that it is filed under, the one
 * that it likely belongs to, and how much more probable that is (-1..1, mostly above 0: each class
 * is held to what is usual for it; with repeats, of the mean probabilities). Any output may be
 * NULL. IC_ERROR_ARGUMENT: there are not so many.
 */
IC_API ic_status ic_report_label_error(const ic_report *report, int64_t index, const char **origin,
                                       int32_t *label, int32_t *suggested, double *margin);

/* The part that was measured: "train", "validation", "test", "all" or "folds" (of a
 * cross-validation). Static; "" for NULL. */
IC_API const char *ic_report_split(const ic_report *report);

/*
 * What is known of that part, for people: "held out from training" where the model's record proves
 * it, "the data's own validation part" where another model may have been given any of these.
 * Static; "" for NULL.
 */
IC_API const char *ic_report_split_meaning(const ic_report *report);

/*
 * Everything as JSON: count, split, the numbers of ic_report_value by their names, version (of the
 * library), command (the option), data (as ic_dataset_json has it, of what was measured), model (as
 * ic_model_json has it; of a cross-validation the first one), unknown{threshold,share,refused
 * (pictures)} (null: the model has no score for unknown pictures), intervals{name:[low,high]},
 * interval (their level), resamples, seed, calibration{confidence,accuracy,share}, classes,
 * confusion, decisions{accuracy,cost,confusion} (null: the model keeps no costs of mistakes),
 * per_class[{class,support, numbers, intervals,
 * roc{false_positive_rate,true_positive_rate,threshold},
 * precision_recall{recall,precision,threshold}}], folds[{count, numbers}] (of a cross-validation),
 * label_errors[{file,label,suggested,margin}] (of a cross-validation),
 * pictures[{file,actual,predicted (by the order of classes),probability,loss, unknown (the
 * score)}], skipped[{file,reason}]. Curves have 200 points at most. What is undefined is null, and
 * so is an infinite threshold. Resamples as ic_report_interval does. *size receives the bytes
 * needed, the final zero included; a buffer that is too small is left alone and IC_ERROR_LIMIT
 * returned; buffer NULL asks for the size only.
 */
IC_API ic_status ic_report_json(const ic_report *report, char *buffer, size_t capacity,
                                size_t *size);

/*
 * Compares two models, each measured in a report, on the pictures that both have: matched by
 * origin, and by the name of their class. Pictures of one report alone, or of another class there,
 * are left out and counted, and a warning is logged. The comparison keeps neither report; release
 * it with ic_comparison_free. IC_ERROR_DATA: there is no picture in common.
 */
IC_API ic_status ic_report_compare(const ic_report *before, const ic_report *after,
                                   ic_comparison **out);

/* Frees it; NULL does nothing. */
IC_API void ic_comparison_free(ic_comparison *comparison);

/*
 * One number of a comparison: "count" (pictures compared), "both_right", "only_before_right",
 * "only_after_right", "both_wrong"; "accuracy_before", "accuracy_after" (on these pictures);
 * McNemar's test of whether the two are equally good: "p_value" (exact, two-sided, binomial),
 * "chi_square" (with continuity correction) and "chi_square_p_value"; "unmatched_before",
 * "unmatched_after" (pictures that only one report has), "relabelled" (of another class in the
 * other). IC_ERROR_NOT_FOUND: no such name.
 */
IC_API ic_status ic_comparison_value(const ic_comparison *comparison, const char *name,
                                     double *out);

/*
 * One picture of a list: "regressions" (right before, wrong after: as many as "only_before_right"),
 * or "gains" (the other way round); what the second model is surest of comes first. Its file as in
 * the JSON, the names of its class and of the predicted ones, all borrowed, and the probabilities
 * of those; any output may be NULL. IC_ERROR_NOT_FOUND: no such list; IC_ERROR_ARGUMENT: it is not
 * so long.
 */
IC_API ic_status ic_comparison_change(const ic_comparison *comparison, const char *list,
                                      int64_t index, const char **file, const char **actual,
                                      const char **before, double *before_probability,
                                      const char **after, double *after_probability);

/*
 * All of it as JSON: the numbers by their names, regressions and gains as
 * [{file,class,before,before_probability,after,after_probability}]. Sizes as in ic_report_json.
 */
IC_API ic_status ic_comparison_json(const ic_comparison *comparison, char *buffer, size_t capacity,
                                    size_t *size);

/*
 * Draws the confusion matrix; the ending of path says how: .png or .svg (else IC_ERROR_ARGUMENT).
 * In a .png accented Latin letters lose their accents, and other scripts become boxes.
 */
IC_API ic_status ic_report_plot_confusion(const ic_report *report, const char *path);

/*
 * Writes the report as one HTML page that needs nothing else: figures with their intervals, the
 * confusion matrix, whose mistakes lead to their pictures, figures and curves of the classes,
 * calibration, scores for unknown pictures, the surest mistakes with what speaks for them as a heat
 * map, what was measured, and the training with what repeats it; of a cross-validation also its
 * models and labels that are likely wrong. Pictures are read again; those that cannot be any more
 * are said to be so. Of many mistakes as many are shown as make a page of some megabytes at most,
 * the surest of each pair of classes, and others are named. Model and heat maps are the model's as
 * it is now. Takes the option method (see ic_explain); auto: occlusion, or gradcam for networks and
 * pictures for which that would take long. NULL: all default. All or nothing: an older file of that
 * name stays until the end. Reports progress ("report", and "resample", "explain") and can be
 * cancelled. The page is the same for any number of threads.
 */
IC_API ic_status ic_report_save_html(const ic_report *report, const ic_options *options,
                                     const char *path);

/*
 * Draws the learning curves of a model's training: loss and accuracy by epoch; .png or .svg.
 * IC_ERROR_STATE: the model has not been trained.
 */
IC_API ic_status ic_model_plot_history(const ic_model *model, const char *path);

/*
 * Draws what augmentation does to the pictures of a data set: a row for each kind, beginning with
 * the picture as it is, and below them all that a training with these options does to a picture
 * at once. Kinds that such a training leaves off are shown at a usual strength, in grey letters.
 * Takes options of the owners "model" and "trainer" (NULL: all is by the recipe); .png or .svg.
 * IC_ERROR_DATA: the data set has no pictures.
 */
IC_API ic_status ic_dataset_plot_augmentation(const ic_dataset *dataset, const ic_options *options,
                                              const char *path);

#ifdef __cplusplus
}
#endif

#endif
