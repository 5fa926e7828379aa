/* model/file.h: what writers and readers of model files must agree on. SPDX-License-Identifier: MIT
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include "serialize/safetensors.h"

/* The version of what is in the metadata; a reader refuses higher ones. */
#define IC_MODEL_FILE_VERSION "1"

#define IC_KEY_VERSION "imgcls.version"
/* JSON: the names of what a reader must know, so as not to predict something else. */
#define IC_KEY_REQUIRES    "imgcls.requires"
#define IC_NEEDS_NORMALISE "normalise" /* pictures by their own mean and deviation; 0.1 cannot */
#define IC_KEY_NETWORK     "imgcls.network" /* plain text */
#define IC_KEY_GRAPH       "imgcls.graph"   /* JSON, as are the ones below */
#define IC_KEY_CLASSES     "imgcls.classes"
#define IC_KEY_PIPELINE    "imgcls.pipeline"
#define IC_KEY_TRAINING    "imgcls.training"
/* What is known of the answers (confidence.h). May be missing; not tensors, so that the file stays
 * the state dict of the network, and older readers pass it over. */
#define IC_KEY_CONFIDENCE "imgcls.confidence"

/* What mistakes cost (decision.h). May be missing. */
#define IC_KEY_COSTS "imgcls.costs"

/* A checkpoint's: the state of a training, and how the names of its tensors begin. */
#define IC_KEY_TRAINER  "imgcls.trainer"
#define IC_EXTRA_PREFIX "imgcls.trainer."

/* Endings of the names of a batch norm's tensors. */
#define IC_RUNNING_MEAN    "running_mean"
#define IC_RUNNING_VAR     "running_var"
#define IC_BATCHES_TRACKED "num_batches_tracked"

#endif
