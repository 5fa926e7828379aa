/* imgcls/inspection.h: what is wrong with labelled pictures. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_INSPECTION_H
#define IMGCLS_INSPECTION_H

#include <imgcls/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was found in a data set. Never changes; may be shared by threads. */
typedef struct ic_inspection ic_inspection;

/*
 * Looks for what would spoil a training or its test: broken files, pictures that are there twice,
 * leaks between parts, classes that are too small, and more. Takes the option duplicates of owner
 * "inspection":
 * - exact: pictures of the same bytes;
 * - near: also those of the same pixels in other bytes, and the same picture re-encoded, resized,
 *   cropped by up to 7 % a side or mirrored. Every picture is decoded once more (as small as its
 *   format allows), and what looks alike is compared pixel by pixel: pictures that merely show the
 *   same kind of thing are not reported. Of a picture with many duplicates the nearest few are.
 *   Needs some 400 bytes a picture, whatever its size.
 * Reports progress ("duplicates", "search", "compare") and can be cancelled. The results are a
 * function of the pictures alone. Keeps a reference on the data set; release it with
 * ic_inspection_free.
 */
IC_API ic_status ic_dataset_inspect(const ic_dataset *dataset, const ic_options *options,
                                    ic_inspection **out);

/* Frees it; NULL does nothing. */
IC_API void ic_inspection_free(ic_inspection *inspection);

/* What two pictures are to each other, as bits. */
enum {
    IC_PAIR_NEAR = 1,     /* one picture in two forms; else the same bytes or pixels */
    IC_PAIR_MIRRORED = 2, /* left to right */
    IC_PAIR_PARTS = 4,    /* in two of train, validation and test */
    IC_PAIR_CLASSES = 8   /* filed under two classes */
};

/* The number of pairs of duplicates; 0 for NULL. */
IC_API int64_t ic_inspection_pair_count(const ic_inspection *inspection);

/*
 * One pair, in ascending order: indices into the data set (first < second), bits (IC_PAIR_…) and
 * the agreement of their details, 0..1. Of pictures with the same bytes each is paired with the
 * first. Any output may be NULL. IC_ERROR_ARGUMENT, here and below: no such index.
 */
IC_API ic_status ic_inspection_pair(const ic_inspection *inspection, int64_t index, int64_t *first,
                                    int64_t *second, int32_t *bits, double *score);

/* The number of findings; 0 for NULL: nothing is wrong, as far as can be seen. */
IC_API int32_t ic_inspection_finding_count(const ic_inspection *inspection);

/*
 * One finding, the gravest first. kind: a word for programs ("leak", "group", "contradiction",
 * "broken", "empty", "duplicate", "single", "missing", "tiny", "imbalance", "size", "mixed"); text:
 * a sentence for people; advice: what to do about it; examples: the first few files or classes
 * concerned, a line each ("" for none). All are UTF-8 (other bytes of paths become '?') and
 * borrowed. Any output may be NULL.
 */
IC_API ic_status ic_inspection_finding(const ic_inspection *inspection, int32_t index,
                                       const char **kind, const char **text, const char **advice,
                                       const char **examples);

/*
 * Everything as JSON: what ic_dataset_json gives, and groups (their number), formats{jpeg,png,raw}
 * (pictures), pairs[{first,second (origins),kind (exact or near),mirrored,across_parts,
 * across_classes,score}], findings[{kind,text,advice,examples[]}]. The buffer is treated as by
 * ic_dataset_json.
 */
IC_API ic_status ic_inspection_json(const ic_inspection *inspection, char *buffer, size_t capacity,
                                    size_t *size);

/*
 * Draws for people who would rather look than read; .png or .svg by the ending of path. what:
 * - "classes": of each class the mean of its pictures, and some of them as a network trained with
 *   these options sees them (options of owner "model"; NULL: all by the recipe);
 * - "duplicates": the pairs side by side, leaks first.
 * Of many classes or pairs the first 40 are drawn. IC_ERROR_ARGUMENT: no such drawing, or another
 * ending; IC_ERROR_DATA: there is nothing to draw.
 */
IC_API ic_status ic_inspection_plot(const ic_inspection *inspection, const ic_options *options,
                                    const char *what, const char *path);

#ifdef __cplusplus
}
#endif

#endif
