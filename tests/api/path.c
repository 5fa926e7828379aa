/* api/path.c: see path.h. SPDX-License-Identifier: MIT */
#include "path.h"

#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 28 };

ic_status path_picture(ic_context *context, int32_t light, uint32_t seed, ic_image **out)
{
    unsigned char pixels[SIDE * SIDE];
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (unsigned char)((light ? 170 : 20) + (i * 7 + seed * 13) % 60);
    return ic_image_from_pixels(context, pixels, SIDE, SIDE, 0, IC_PIXELS_GREY8, out);
}

void path_write_pictures(const char *folder, int32_t count)
{
    ic_context *context = test_context(1);
    mkdir(test_path(folder, "dark"), 0777);
    mkdir(test_path(folder, "light"), 0777);
    for (int32_t i = 0; i < count; i++) {
        char name[64];
        ic_image *image = NULL;
        snprintf(name, sizeof name, "%s/%d.png", i % 2 ? "light" : "dark", i);
        assert_ok(path_picture(context, i % 2, (uint32_t)i, &image));
        assert_ok(ic_image_save_png(image, test_path(folder, name)));
        ic_image_free(image);
    }
    test_write(test_path(folder, "dark/broken.jpg"), "\xff\xd8\xff\xe0 no more", 12);
    ic_context_free(context);
}

/* The options of all steps in one set. */
static ic_status settings(ic_context *context, ic_options **out)
{
    ic_options *options = NULL;
    ic_status status = ic_options_create(context, &options);
    if (status >= 0)
        status = ic_options_set_text(options, "network", "lenet5");
    if (status >= 0)
        status = ic_options_set_int(options, "epochs", 1);
    if (status >= 0)
        status = ic_options_set_int(options, "batch_size", 4);
    if (status < 0)
        ic_options_free(options);
    else
        *out = options;
    return status;
}

ic_status path_train(ic_context *context, const char *folder, ic_model **out)
{
    ic_options *options = NULL;
    ic_dataset *all = NULL, *train = NULL, *validation = NULL;
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    ic_status status = settings(context, &options);
    if (status >= 0)
        status = ic_dataset_open(context, folder, options, &all);
    if (status >= 0)
        status = ic_dataset_split(all, options, &train, &validation);
    if (status >= 0)
        status = ic_model_create(context, train, options, &model);
    if (status >= 0)
        status = ic_trainer_create(model, train, validation, options, &trainer);
    if (status >= 0)
        status = ic_trainer_run(trainer);
    ic_trainer_free(trainer);
    ic_dataset_free(validation);
    ic_dataset_free(train);
    ic_dataset_free(all);
    ic_options_free(options);
    if (status < 0)
        ic_model_free(model);
    else
        *out = model;
    return status;
}

static ic_status evaluate(ic_context *context, const ic_model *model, const char *folder)
{
    ic_dataset *all = NULL;
    ic_report *report = NULL;
    size_t size = 0;
    ic_status status = ic_dataset_open(context, folder, NULL, &all);
    if (status >= 0)
        status = ic_evaluate(model, all, NULL, &report);
    if (status >= 0)
        status = ic_report_json(report, NULL, 0, &size);
    if (status >= 0)
        status = ic_report_plot_confusion(report, test_path(folder, "confusion.svg"));
    if (status >= 0)
        status = ic_model_plot_history(model, test_path(folder, "history.png"));
    ic_report_free(report);
    ic_dataset_free(all);
    return status;
}

static ic_status predict(ic_context *context, const char *file, const char *picture)
{
    ic_model *model = NULL;
    ic_image *image = NULL;
    ic_prediction *prediction = NULL;
    ic_status status = ic_model_load(context, file, &model);
    if (status >= 0)
        status = ic_image_load(context, picture, &image);
    if (status >= 0)
        status = ic_prediction_create(context, &prediction);
    if (status >= 0)
        status = ic_predict(model, image, prediction);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    return status;
}

ic_status path_whole(ic_context *context, const char *folder)
{
    ic_model *model = NULL;
    const char *file = test_path(folder, "model.safetensors");
    ic_status status = path_train(context, folder, &model);
    if (status >= 0)
        status = evaluate(context, model, folder);
    if (status >= 0)
        status = ic_model_save(model, file);
    ic_model_free(model);
    if (status >= 0)
        status = predict(context, file, test_path(folder, "dark/0.png"));
    return status;
}
