/* imgcls/trainer.h: training a model. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_TRAINER_H
#define IMGCLS_TRAINER_H

#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A training under way. Belongs to one thread at a time. */
typedef struct ic_trainer ic_trainer;

/*
 * Prepares the training of a model. Takes options of owner "trainer"; what is left on auto comes
 * from the recipe for this data, and the log says why. validation NULL: a part is split off
 * train (by validation_share and seed). Classes are matched by name; IC_ERROR_DATA names what
 * does not fit, also a set without a sound picture. Where training pictures or groups are in the
 * validation set or in the test part that the data declares, too, the log warns (option leaks).
 * References on all three are kept; release the trainer with ic_trainer_free.
 */
IC_API ic_status ic_trainer_create(ic_model *model, const ic_dataset *train,
                                   const ic_dataset *validation, const ic_options *options,
                                   ic_trainer **out);

/*
 * Does at most one batch of work (a training step, or one batch of the validation after an
 * epoch, or of what is learnt behind the last one about the model's own answers: a temperature for
 * its probabilities and a score for unknown pictures, the options "calibrate" and "unknown"), so
 * that a program with a loop of its own stays fluent. IC_OK: there is more to do;
 * IC_DONE: finished (all epochs, or stopped early), and the model holds the best weights.
 * After every validated epoch that is the best so far, its weights are published to the model; of
 * epochs that the validation pictures are too few to tell apart (within a standard error) a later
 * one with a lower loss counts as the best.
 * IC_ERROR_DIVERGED: the loss is not finite; the model keeps the last good weights, and every
 * further step fails in the same way. IC_ERROR_CANCELLED: the progress callback asked to stop; the
 * next step goes on.
 */
IC_API ic_status ic_train_step(ic_trainer *trainer);

/*
 * Steps until done (IC_OK); progress ("train", "validate", "calibrate") goes to the callback of the
 * context, which can cancel.
 */
IC_API ic_status ic_trainer_run(ic_trainer *trainer);

/*
 * Writes the training as it stands, all or nothing: a checkpoint. It is a model file too, with the
 * best weights so far. The option "checkpoint" has the trainer do so by itself now and then;
 * where that fails, the training goes on, and a warning in the log says why. IC_ERROR_NOT_FOUND: no
 * such folder; IC_ERROR_IO: it cannot be written; IC_ERROR_STATE: ic_trainer_find_rate is at work.
 */
IC_API ic_status ic_trainer_save(const ic_trainer *trainer, const char *path);

/*
 * Continues the training of a checkpoint with the same pictures: what follows, and the model file
 * in the end, are the same in every bit as without the interruption, for any number of threads, on
 * CPUs of the same level (the log warns of another). The settings come from the checkpoint; of the
 * options count those of memory and checkpoints, and "leaks"; the log warns of others. validation
 * NULL: as for ic_trainer_create. Of a training that is done, the next step says IC_DONE. *model is
 * the model under training; release both. IC_ERROR_NOT_FOUND or IC_ERROR_IO: the file cannot be
 * read; IC_ERROR_DATA: other pictures, or no checkpoint but a finished model; IC_ERROR_FORMAT: a damaged file.
 */
IC_API ic_status ic_trainer_resume(ic_context *context, const char *path, const ic_dataset *train,
                                   const ic_dataset *validation, const ic_options *options,
                                   ic_model **model, ic_trainer **out);

/* One number of the training so far, by the names of ic_progress_value; its errors, too. */
IC_API ic_status ic_trainer_value(const ic_trainer *trainer, const char *name, double *out);

/*
 * Looks for a learning rate (its peak) by trying (Smith 2017, "Cyclical Learning Rates for Training
 * Neural Networks"): about a hundred steps, each with a higher rate, until the loss explodes. *out
 * is the rate at which the smoothed loss falls fastest, or a tenth of the one at which it explodes
 * if that is lower; it is for the option learning_rate of another trainer. This one stands where it
 * stood, and goes on as if it had not been asked. Between two training steps only: IC_ERROR_STATE
 * while an epoch is being validated and when all is done. Progress is told as phase "rate", and can
 * cancel; until the end this trainer's steps and saves fail with IC_ERROR_STATE.
 */
IC_API ic_status ic_trainer_find_rate(ic_trainer *trainer, double *out);

/*
 * Draws the learning curves of the epochs done so far, as ic_model_plot_history does for a whole
 * training; .png or .svg. The file is replaced at once, so a viewer never sees half of one; it may
 * be drawn from the progress callback, after each epoch say. IC_ERROR_STATE: no epoch is over yet.
 */
IC_API ic_status ic_trainer_plot(const ic_trainer *trainer, const char *path);

/* Frees it; the model keeps what was published. NULL does nothing. */
IC_API void ic_trainer_free(ic_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
