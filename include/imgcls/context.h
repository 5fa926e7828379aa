/* imgcls/context.h: where memory, messages, threads and limits come from. SPDX-License-Identifier:
 * MIT */
#ifndef IMGCLS_CONTEXT_H
#define IMGCLS_CONTEXT_H

#include <imgcls/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A context carries the allocator, the callbacks, the limits and the thread pool. Nothing is
 * global: contexts in one process do not know of each other. A context may be shared between
 * threads once it is configured and its callbacks are set. All other objects hold a reference on
 * their context, so they may be freed in any order. A prediction works with models of its own
 * context only; pictures and data sets may be of another. Whoever wants to watch and cancel two
 * trainings apart gives each a context.
 *
 * After fork the child may go on with what it inherits, on one thread. The library is for POSIX
 * systems.
 */
typedef struct ic_context ic_context;
typedef struct ic_options ic_options;

/*
 * The allocator of a context, in the manner of realloc: block NULL allocates, size 0 frees (and
 * the result is ignored), otherwise the block grows or shrinks. Returns NULL when there is no
 * memory. Must be thread-safe and aligned as malloc's blocks are. libjpeg and jansson have
 * allocators of their own: decoding a JPEG takes a few hundred kilobytes for its time, and reading
 * or writing JSON about ten times the text, past this one.
 */
typedef void *(*ic_allocate_fn)(void *block, size_t size, void *payload);

/* A message for people, one line of UTF-8 without the newline. Comes on the thread that made the
 * call. */
typedef void (*ic_log_fn)(int32_t level, const char *message, void *payload);

enum {
    IC_LOG_WARNING = 1, /* something that a person should look at, such as a broken picture */
    IC_LOG_INFO = 2,    /* what was chosen and why */
    IC_LOG_DEBUG = 3
};

/*
 * How far long work has come: opening a data set, training, evaluating. The event lives for the
 * time of the callback.
 */
typedef struct ic_progress ic_progress;

/*
 * Called now and then during long work on the thread that made the call; non-zero cancels it with
 * IC_ERROR_CANCELLED. For ic_train_step and ic_trainer_run a cancelled training can be continued.
 * The callback may use the library, also what is at work (ic_trainer_save, ic_trainer_plot,
 * ic_predict with the model in training), but free nothing of it: cancel, and free when the call
 * has returned. No callback, of these three kinds, may leave by an exception or longjmp.
 */
typedef int32_t (*ic_progress_fn)(const ic_progress *progress, void *payload);

/*
 * Creates a context with the C library's allocator and the defaults of all options. Release it with
 * ic_context_free. No thread is started before there is work for it.
 */
IC_API ic_status ic_context_create(ic_context **out);

/* The same with an allocator of the host's. */
IC_API ic_status ic_context_create_with_allocator(ic_allocate_fn allocate, void *payload,
                                                  ic_context **out);

/*
 * Takes the options of owner "context": threads, cpu_level, precision, max_file_mb, max_side,
 * max_megapixels; those that are not set (options NULL: all) go back to their defaults.
 * IC_ERROR_STATE once the context has been at work on its threads: configure it before the first
 * data set, model or prediction. IC_ERROR_UNSUPPORTED: this CPU does not have that cpu_level.
 */
IC_API ic_status ic_context_configure(ic_context *context, const ic_options *options);

/* Sets where messages go; NULL: nowhere (the default; the library itself never prints). */
IC_API ic_status ic_context_set_log(ic_context *context, ic_log_fn log, void *payload);

/* Sets the callback of long work; NULL: none (the default). May be changed between calls. */
IC_API ic_status ic_context_set_progress(ic_context *context, ic_progress_fn progress,
                                         void *payload);

/* Gives up the caller's reference; the last object of the context takes it along. NULL does
 * nothing. */
IC_API void ic_context_free(ic_context *context);

/*
 * What is being done: "scan", "prepare", "rate", "train", "validate", "calibrate", "evaluate",
 * "resample", "report", "explain", "neighbours", "duplicates", "search", "compare"; "" for NULL.
 * Static.
 */
IC_API const char *ic_progress_phase(const ic_progress *progress);

/*
 * One number of an event. Always: "done", "total" (in pictures or steps; total 0: not known yet),
 * "seconds" (since the work began). While training also: "epoch" (from 1), "epochs", "step" (in
 * the epoch), "steps", "loss", "accuracy" (of the training so far in this epoch), "learning_rate",
 * "pictures_per_second", "waiting" (the share of the time in which pictures were not ready yet),
 * "seconds_left"; at the end of an epoch also "epoch_done" = 1,
 * "validation_loss", "validation_accuracy", "best_epoch". IC_ERROR_NOT_FOUND: not in this event.
 */
IC_API ic_status ic_progress_value(const ic_progress *progress, const char *name, double *out);

#ifdef __cplusplus
}
#endif

#endif
