/* extract.c: writes one picture of a data set as PNG: extract DATA PART INDEX FILE.png.
 * SPDX-License-Identifier: MIT */
#include <imgcls/imgcls.h>

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    ic_context *context = NULL;
    ic_dataset *all = NULL, *part = NULL;
    ic_image *image = NULL;
    ic_status status;
    if (count != 5) {
        fprintf(stderr, "usage: extract DATA train|validation|test INDEX FILE.png\n");
        return 2;
    }
    status = ic_context_create(&context);
    if (status >= 0)
        status = ic_dataset_open(context, arguments[1], NULL, &all);
    if (status >= 0)
        status = ic_dataset_part(all, arguments[2], &part);
    if (status >= 0)
        status = ic_dataset_image(part, strtoll(arguments[3], NULL, 10), &image);
    if (status >= 0)
        status = ic_image_save_png(image, arguments[4]);
    if (status < 0)
        fprintf(stderr, "extract: %s\n", ic_last_error());
    ic_image_free(image);
    ic_dataset_free(part);
    ic_dataset_free(all);
    ic_context_free(context);
    return status < 0;
}
