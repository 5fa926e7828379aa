/* imgcls/dataset.h: labelled pictures. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_DATASET_H
#define IMGCLS_DATASET_H

#include <imgcls/context.h>
#include <imgcls/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A set of labelled pictures, or a part of one (parts share what they have in common). A set
 * that is being built (ic_dataset_add_…) belongs to one thread; a finished one may be shared.
 */
typedef struct ic_dataset ic_dataset;

/*
 * Opens labelled pictures; path (UTF-8) is one of
 * - a folder of class folders;
 * - a folder holding train/ and test/ (also val/, valid/ or validation/), each of class folders
 *   or IDX files: all of it is opened, and ic_dataset_part gives the parts;
 * - a CSV manifest with the columns path,label (a first line naming them lets them stand anywhere
 *   among others; paths are relative to the manifest);
 * - an IDX file of pictures, plain or .gz, whose labels lie beside it under the usual name
 *   (train-images-idx3-ubyte and train-labels-idx1-ubyte), or a folder of the usual four files;
 *   a file classes.txt beside them, one name a line, names the labels 0, 1, 2 ….
 * Every picture is read once (option verify) so that broken ones are set aside with their
 * reasons; they stay untouched on the disk. Classes are sorted by name, those of IDX files by
 * label; a class without a sound picture is left out. Names that begin with a dot are passed over.
 * Reports progress ("scan") and can be cancelled. Takes the option verify. IC_ERROR_NOT_FOUND:
 * nothing lies there; IC_ERROR_DATA: no pictures, or none that is sound; IC_ERROR_FORMAT: a
 * manifest or an IDX file is damaged. Release the set, as every other that these functions give,
 * with ic_dataset_free.
 */
IC_API ic_status ic_dataset_open(ic_context *context, const char *path, const ic_options *options,
                                 ic_dataset **out);

/*
 * An empty set, to be filled by ic_dataset_add_image and ic_dataset_add_file; its classes are in
 * the order of their first pictures. Takes the option verify.
 */
IC_API ic_status ic_dataset_create(ic_context *context, const ic_options *options,
                                   ic_dataset **out);

/*
 * Adds a picture (a reference is kept) of the class with this name (UTF-8), made when it is new.
 * IC_ERROR_STATE once parts of the set, a trainer or the like use it: add before.
 */
IC_API ic_status ic_dataset_add_image(ic_dataset *dataset, const ic_image *image,
                                      const char *class_name);

/*
 * The same with a picture file, which is read again whenever it is needed; one that is missing or
 * broken is set aside (ic_dataset_broken) and IC_OK returned.
 */
IC_API ic_status ic_dataset_add_file(ic_dataset *dataset, const char *path, const char *class_name);

/*
 * The part that the data itself declares: "train", "validation" or "test". IC_ERROR_NOT_FOUND:
 * the data has no such part.
 */
IC_API ic_status ic_dataset_part(const ic_dataset *dataset, const char *part, ic_dataset **out);

/*
 * Splits into a training and a validation part, stratified by class, by the content of the
 * pictures: identical ones stay on one side, and names and order do not matter. Takes
 * validation_share and seed. Where the data declares a validation part it is used, and a
 * declared test part stays out of both (unless there is nothing else to split). A class with one
 * picture keeps it in training. IC_ERROR_DATA: no class has two different pictures. What was set
 * aside is listed by both parts.
 */
IC_API ic_status ic_dataset_split(const ic_dataset *dataset, const ic_options *options,
                                  ic_dataset **train, ic_dataset **validation);

/* Gives up the reference; NULL does nothing. */
IC_API void ic_dataset_free(ic_dataset *dataset);

/* The number of sound pictures; 0 for NULL. */
IC_API int64_t ic_dataset_count(const ic_dataset *dataset);

/* The number of classes; 0 for NULL. */
IC_API int32_t ic_dataset_class_count(const ic_dataset *dataset);

/*
 * The name of a class (borrowed) and the number of its pictures in this part. Either output may be
 * NULL. IC_ERROR_ARGUMENT, here and below: no such index.
 */
IC_API ic_status ic_dataset_class(const ic_dataset *dataset, int32_t index, const char **name,
                                  int64_t *count);

/*
 * One picture's origin (its path, byte for byte as the disk has it; "FILE#12" for the twelfth of an
 * IDX file, "memory#3" for one added from memory; borrowed) and its class. Either output may be
 * NULL.
 */
IC_API ic_status ic_dataset_item(const ic_dataset *dataset, int64_t index, const char **origin,
                                 int32_t *class_index);

/* Decodes one picture, in full; release it with ic_image_free. The errors are ic_image_load's. */
IC_API ic_status ic_dataset_image(const ic_dataset *dataset, int64_t index, ic_image **out);

/* The number of pictures that were set aside; 0 for NULL. */
IC_API int64_t ic_dataset_broken_count(const ic_dataset *dataset);

/* One picture that was set aside: its path and the reason, both borrowed. Either may be NULL. */
IC_API ic_status ic_dataset_broken(const ic_dataset *dataset, int64_t index, const char **path,
                                   const char **reason);

/*
 * A summary as JSON into the caller's buffer: classes[{class,count}], count,
 * broken[{file,reason}], parts{train,validation,test} (pictures; those that the data declares),
 * sizes{min_width,max_width,min_height,max_height (pixels), grey,sixteen_bit (pictures)} (empty
 * without pictures). *size receives the bytes needed, the final zero included, also where the
 * buffer is NULL (IC_OK) or too small (IC_ERROR_LIMIT; it is left alone). Bytes of paths that are
 * not UTF-8 become '?'.
 */
IC_API ic_status ic_dataset_json(const ic_dataset *dataset, char *buffer, size_t capacity,
                                 size_t *size);

#ifdef __cplusplus
}
#endif

#endif
