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
 * Opens labelled pictures; path is one of
 * - a folder of class folders;
 * - a folder holding train/ and test/ or val/, each of class folders or IDX files: all of it is
 *   opened, and ic_dataset_part gives the parts. In capitals or not, train is also called training;
 *   val valid, validation or dev; test testing or eval;
 * - a CSV manifest with the columns path,label. A first line that names them lets them stand
 *   anywhere among others: the path as path, filepath, file_path, image_path, file, filename,
 *   file_name, image, img or image_id; the label as label, class, class_name, category or target.
 *   A column split, part, set or subset gives the part by one of the names of folders above (empty:
 *   none). Capitals do not matter; the log names the columns that are not used. Paths begin at the
 *   folder that the manifest lies in, unless they are absolute;
 * - an IDX file of pictures, plain or .gz, whose labels lie beside it under the usual name
 *   (train-images-idx3-ubyte and train-labels-idx1-ubyte), or a folder of the usual four files;
 *   a file classes.txt beside them, one name a line, names the labels 0, 1, 2 ….
 * Every picture is read once (option verify) so that broken ones are set aside with their
 * reasons; they stay untouched on the disk. Classes are sorted by name, those of IDX files by
 * label; a class without a sound picture is left out. Names that begin with a dot are passed over;
 * symbolic links are followed, but for those that lead back to a folder that they lie in, which the
 * log names.
 *
 * The option group says which pictures belong together (of one patient, plant or film) and must
 * not be parted by a split. A group is its name: the same name in two classes or parts is one.
 * - auto: files whose names differ only in the number at their end, which follows one of "_-. " and
 *   has another number before it: person23_bacteria_101.jpeg and person23_bacteria_102.jpeg. Only
 *   where that binds a tenth of the pictures or more, and no such series is more than a tenth of a
 *   class, as it is where classes, not patients, have numbers; else none.
 * - folder: the folder below the class folder (class/PATIENT/…/picture.png: the topmost one); in
 *   a manifest the folder that the picture lies in. Pictures right in the class folder have none.
 * - name:PATTERN: the part in parentheses of a pattern for the whole name of the file, with * for
 *   any text (the shortest that will do) and ? for one character: name:(person*)_*. Of several
 *   patterns with commas between them the first that fits counts; where none does there is no
 *   group.
 * - column:NAME: the text in that column of a CSV manifest, whose first line names it; may be
 *   empty.
 *
 * Reports progress ("scan") and can be cancelled. Takes the options verify and group.
 * IC_ERROR_NOT_FOUND: nothing lies there; IC_ERROR_DATA: no pictures, or none that is sound, or
 * group finds no group at all; IC_ERROR_FORMAT: a manifest or an IDX file is damaged; IC_ERROR_IO:
 * it is a device or pipe, or cannot be read. Release the set, as every other that these functions
 * give, with ic_dataset_free.
 */
IC_API ic_status ic_dataset_open(ic_context *context, const char *path, const ic_options *options,
                                 ic_dataset **out);

/*
 * An empty set, to be filled by ic_dataset_add_image and ic_dataset_add_file; its classes are in
 * the order of their first pictures. Takes the options verify and group (of files that are added:
 * folder is the one that they lie in, and auto is none).
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
 * Puts a picture of a set that is being built into the group of this name; "": into none. The
 * errors are those of ic_dataset_add_image; IC_ERROR_ARGUMENT: no such picture.
 */
IC_API ic_status ic_dataset_set_group(ic_dataset *dataset, int64_t index, const char *group);

/*
 * The part that the data itself declares: "train", "validation" or "test". IC_ERROR_NOT_FOUND:
 * the data has no such part.
 */
IC_API ic_status ic_dataset_part(const ic_dataset *dataset, const char *part, ic_dataset **out);

/*
 * Splits into a training and a validation part, stratified by class, by the content of the
 * pictures: identical ones stay on one side, as do those of one group (and what the two bind
 * together), and names and order do not matter. Units of pictures that cannot be parted are held
 * out in a random order as long as each brings its classes nearer to their shares. Takes
 * validation_share and seed. Where the data declares a validation part it is used, and a
 * declared test part stays out of both (unless there is nothing else to split). A class with one
 * picture keeps it in training, as does a picture that lies in two classes. IC_ERROR_DATA: no class
 * has two different pictures that could be parted. What was set aside is listed by both parts.
 */
IC_API ic_status ic_dataset_split(const ic_dataset *dataset, const ic_options *options,
                                  ic_dataset **train, ic_dataset **validation);

/*
 * Fold `index` (0 … folds - 1) of k-fold cross-validation: validation is the pictures of that fold,
 * train those of all others, so that each picture is held out once. Identical pictures and groups
 * stay in one fold. Of each class the folds have the same number of pictures, give or take one,
 * unless copies or groups bind them: units go, the large ones first, to the fold that has the
 * fewest pictures of their classes. A class of fewer pictures than folds is in as many folds as it
 * has pictures. The folds are a function of the pictures' contents, groups and the option seed.
 * folds 0 is repeated hold-out instead: split `index` (any, from 0) of as many as one likes, each
 * drawn anew with validation_share; the first is that of ic_dataset_split. Declared validation
 * parts are pictures as others here; a declared test part stays out (unless there is nothing else).
 * IC_ERROR_ARGUMENT: no such fold; IC_ERROR_DATA: fewer different pictures or groups than folds.
 */
IC_API ic_status ic_dataset_fold(const ic_dataset *dataset, const ic_options *options,
                                 int32_t folds, int32_t index, ic_dataset **train,
                                 ic_dataset **validation);

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

/* A number of the picture's group, the same for all pictures of the group and for no others; 0: it
 * belongs to none. */
IC_API ic_status ic_dataset_group(const ic_dataset *dataset, int64_t index, int64_t *out);

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
