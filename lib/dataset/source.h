/*
 * dataset/source.h: what all parts of a data set share: texts, classes, pictures, raw samples.
 * Inside of this folder only. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_SOURCE_H
#define DATASET_SOURCE_H

#include "dataset/dataset.h"

/* A sound picture and where its samples are: in a file (item.origin), or in memory. */
typedef struct ic_record {
    ic_item item;
    const unsigned char *samples; /* 8-bit grey rows without gaps, in one of the source's blobs */
    ic_image *image;              /* added from memory */
} ic_record;

/* Classes are sorted by rank, then by name: labels that are numbers keep their order. */
typedef struct ic_class {
    const char *name;
    int64_t rank;
} ic_class;

typedef struct ic_broken {
    const char *path, *reason;
    ic_part part;
} ic_broken;

/* How pictures are put into groups (group.c). */
typedef struct ic_grouping {
    enum {
        IC_GROUP_NONE,
        IC_GROUP_AUTO,
        IC_GROUP_FOLDER,
        IC_GROUP_NAME,
        IC_GROUP_COLUMN,
        IC_GROUP_GIVEN
    } kind;
    /* The option (NULL: nothing belongs together), and what stands behind its colon; texts of the
     * source. */
    const char *text, *rest;
} ic_grouping;

typedef struct ic_source {
    atomic_int references;
    ic_context *context;
    bool header_only; /* option verify */
    ic_grouping grouping;
    struct text_block *texts;
    ic_class *classes;
    int32_t *by_name; /* indices of classes, sorted by name */
    size_t class_count, class_capacity, by_name_capacity;
    const char **empty_classes; /* names of those that ic_source_sort_classes let go */
    size_t empty_count, empty_capacity;
    ic_record *records;
    size_t count, capacity;
    ic_broken *broken;
    size_t broken_count, broken_capacity;
    unsigned char **blobs;
    size_t blob_count, blob_capacity;
} ic_source;

/* A view on a source: the pictures of some of its records. */
struct ic_dataset {
    atomic_int references;
    ic_source *source;
    int64_t *records; /* ascending indices of the source's records */
    size_t count, capacity;
    int64_t *class_counts;
    size_t class_capacity;
    size_t broken_first, broken_count; /* which of the source's belong here */
};

/* Takes the options verify and group. */
ic_status ic_source_create(ic_context *context, const ic_options *options, ic_source **out);
void ic_source_release(ic_source *source);

/* Texts that live as long as the source, packed into large blocks. */
ic_status ic_source_text(ic_source *source, const char *text, size_t length, const char **out);
/* a, between and b in a row: "photos" "/" "cat.jpg". */
ic_status ic_source_text_join(ic_source *source, const char *a, const char *between, const char *b,
                              const char **out);

/* The index of the class with this name, made with this rank when it is new. */
ic_status ic_source_class(ic_source *source, const char *name, int64_t rank, int32_t *out);

/* Adds a record as it is (the origin must be one of the source's texts). */
ic_status ic_source_add(ic_source *source, const ic_record *record);
ic_status ic_source_add_broken(ic_source *source, const char *path, const char *reason,
                               ic_part part);

/* Gives memory of the context's allocator to the source, to be freed with it (not on an error). */
ic_status ic_source_keep(ic_source *source, unsigned char *blob);

/*
 * Ends the building of an opened source: classes without a sound picture go (with a warning), the
 * others are sorted and the records' indices renewed.
 */
ic_status ic_source_sort_classes(ic_source *source);

/* dataset.c: what a part is called in the data and in calls; "" for none. */
extern const char *const ic_part_names[IC_PART_TEST + 1];

/* Whether a name in the data is this word, whatever the case of its (ASCII) letters. */
bool ic_name_is(const char *name, const char *word);

/* The part that a folder, or a word of a manifest, is named after; IC_PART_NONE: none. */
ic_part ic_part_of_name(const char *name);
#define IC_PART_WORDS "train, training, val, valid, validation, dev, test, testing or eval"

/* How many pictures of a view lie in each part. */
void ic_dataset_count_parts(const ic_dataset *dataset, int64_t counts[IC_PART_TEST + 1]);

/* dataset.c: a view on all records; takes over the caller's reference of the source in any case. */
ic_status ic_dataset_of_source(ic_source *source, ic_dataset **out);

/* group.c: reads the option group. */
ic_status ic_grouping_set(ic_source *source, const ic_options *options);
/* The number of a group by its name; 0 for an empty one, which is none. */
uint64_t ic_group_number(const char *name, size_t length);
/* The group of a file as its path alone tells: by the pattern, or the folder that it lies in. */
uint64_t ic_group_of_file(const ic_source *source, const char *path);
/*
 * Ends the grouping of an opened source. One that was asked for groups and found none was asked for
 * the wrong ones; auto looks for series in the names of all files, and becomes none without them.
 */
ic_status ic_grouping_settle(ic_source *source);

/* A file that is to be looked at. */
typedef struct ic_candidate {
    const char *path; /* one of the source's texts */
    int32_t class_index;
    ic_part part;
    uint64_t group;
    const char *problem; /* why it is broken without being looked at, static; else NULL */
} ic_candidate;

/* The state of an opening: what was found, and when progress was last reported. */
typedef struct ic_scan {
    ic_source *source;
    ic_candidate *candidates;
    size_t count, capacity;
    double started, last;
} ic_scan;

ic_status ic_scan_add(ic_scan *scan, const ic_candidate *candidate);

/* Reports how far the scan has come; IC_ERROR_CANCELLED when the host wants no more of it. */
ic_status ic_scan_progress(ic_scan *scan, size_t done, size_t total);

/* Looks at all candidates, on the pool; adds the sound ones as records, the others as broken. */
ic_status ic_scan_verify(ic_scan *scan);

/* Looks at one file (item->origin): sets size, depth and digest. Any error says why it is no sound
 * picture. */
ic_status ic_look_at_file(const ic_source *source, ic_item *item);

/* The digest of raw samples: of width, height, channels, depth and the rows without gaps. */
void ic_digest_samples(const ic_image *image, unsigned char digest[IC_SHA256_BYTES]);

/* A picture on samples that another object owns; for reading, while those live. */
void ic_record_view(const ic_record *record, ic_image *view);

/* folder.c, idx.c, manifest.c: find candidates, or add raw pictures. */
ic_status ic_scan_folder(ic_scan *scan, const char *path);
ic_status ic_scan_manifest(ic_scan *scan, const char *path, const ic_buffer *bytes);

/* Whether a file name has the form of IDX pictures: train-images-idx3-ubyte, plain or .gz. */
bool ic_idx_is_images_name(const char *name);
/* Whether bytes begin as an IDX file of pictures does, or as gzip. */
bool ic_idx_sniff(const ic_buffer *bytes);
/* Reads the pictures at path and the labels beside it. */
ic_status ic_scan_idx(ic_scan *scan, const char *path, ic_part part);

/* IDX as parsed from bytes, for tests and fuzzing: pictures (dimensions 3) or labels (1). */
typedef struct ic_idx {
    uint32_t count, height, width;
    const unsigned char *samples; /* borrowed from the bytes */
} ic_idx;
ic_status ic_idx_parse(const void *bytes, size_t size, int32_t dimensions, const char *name,
                       ic_idx *out);

#endif
