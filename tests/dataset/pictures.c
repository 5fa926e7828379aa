/* dataset/pictures.c: small data sets made by tests. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dataset/pictures.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *make_folder(const char *root, const char *name)
{
    const char *path = test_path(root, name);
    char part[1024];
    for (size_t i = strlen(root) + 1; i <= strlen(path); i++)
        if (path[i] == '/' || path[i] == '\0') {
            memcpy(part, path, i);
            part[i] = '\0';
            mkdir(part, 0777);
        }
    return path;
}

ic_image *make_image(ic_context *context, int32_t width, int32_t height, uint32_t seed)
{
    ic_image *image;
    assert_ok(ic_image_create(context, width, height, 3, 8, &image));
    uint32_t state = seed * 2654435761u + 12345;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width * 3; x++) {
            state = state * 1664525u + 1013904223u;
            ic_image_row(image, y)[x] = (unsigned char)(state >> 24);
        }
    return image;
}

void make_picture(const char *root, const char *name, uint32_t seed)
{
    char folder[512];
    const char *slash = strrchr(name, '/');
    if (slash != NULL) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
        make_folder(root, folder);
    }
    ic_context *context = test_context(1);
    ic_image *image = make_image(context, 8, 6, seed);
    assert_ok(ic_image_save_png(image, test_path(root, name)));
    ic_image_free(image);
    ic_context_free(context);
}

void make_classes(const char *root, int32_t classes, int32_t count)
{
    for (int32_t c = 0; c < classes; c++)
        for (int32_t i = 0; i < count; i++) {
            char name[64];
            snprintf(name, sizeof name, "class%d/%03d.png", c, i);
            make_picture(root, name, (uint32_t)(c * 1000 + i));
        }
}

const char *origin_of(const ic_dataset *dataset, int64_t index)
{
    const char *origin;
    assert_ok(ic_dataset_item(dataset, index, &origin, NULL));
    return origin;
}

const char *class_of(const ic_dataset *dataset, int64_t index)
{
    int32_t class_index;
    const char *name;
    assert_ok(ic_dataset_item(dataset, index, NULL, &class_index));
    assert_ok(ic_dataset_class(dataset, class_index, &name, NULL));
    return name;
}

int64_t count_of(const ic_dataset *dataset, const char *class_name)
{
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        const char *name;
        int64_t count;
        assert_ok(ic_dataset_class(dataset, i, &name, &count));
        if (strcmp(name, class_name) == 0)
            return count;
    }
    return -1;
}

int64_t count_in_part(const ic_dataset *dataset, const char *name)
{
    ic_dataset *part;
    if (ic_dataset_part(dataset, name, &part) != IC_OK)
        return 0;
    const int64_t count = ic_dataset_count(part);
    ic_dataset_free(part);
    return count;
}
