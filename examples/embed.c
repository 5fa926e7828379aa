/*
 * embed.c: a host with a loop of its own, as a game has: it draws frames, learns a little in each,
 * and asks the model what it sees, all on one thread and without files. SPDX-License-Identifier:
 * MIT
 */
#define _POSIX_C_SOURCE 200809L
#include <imgcls/imgcls.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIDE = 32, PICTURES = 600, SHAPES = 3 };

static const char *const shape_names[SHAPES] = {"disc", "frame", "cross"};

/* The frame buffer of the pretended game: BGRA, as graphics cards like it. */
typedef struct frame {
    unsigned char pixels[SIDE * SIDE * 4];
} frame;

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int inside(int shape, int x, int y, int radius)
{
    int ax = abs(x), ay = abs(y);
    if (shape == 0)
        return x * x + y * y <= radius * radius;
    if (shape == 1)
        return (ax > ay ? ax : ay) <= radius && (ax > ay ? ax : ay) > radius - 3;
    return (ax <= 1 || ay <= 1) && ax <= radius && ay <= radius;
}

/* A shape somewhere on noise. */
static void draw(frame *f, int shape)
{
    int radius = 5 + rand() % 6;
    int cx = radius + rand() % (SIDE - 2 * radius), cy = radius + rand() % (SIDE - 2 * radius);
    for (int i = 0; i < SIDE * SIDE; i++) {
        int lit = inside(shape, i % SIDE - cx, i / SIDE - cy, radius);
        for (int c = 0; c < 3; c++)
            f->pixels[4 * i + c] = (unsigned char)(rand() % 90 + (lit ? 140 : 0));
        f->pixels[4 * i + 3] = 255;
    }
}

static ic_status image_of(ic_context *context, int shape, ic_image **out)
{
    frame f;
    draw(&f, shape);
    return ic_image_from_pixels(context, f.pixels, SIDE, SIDE, 0, IC_PIXELS_BGRA8, out);
}

static ic_status collect(ic_context *context, ic_dataset *pictures)
{
    for (int i = 0; i < PICTURES; i++) {
        ic_image *image = NULL;
        ic_status status = image_of(context, i % SHAPES, &image);
        if (status >= 0)
            status = ic_dataset_add_image(pictures, image, shape_names[i % SHAPES]);
        ic_image_free(image);
        if (status < 0)
            return status;
    }
    return IC_OK;
}

/* The game's loop: IC_DONE when the training is. */
static ic_status play(ic_trainer *trainer)
{
    double longest = 0;
    long frames = 0;
    ic_status status;
    do {
        double began = milliseconds();
        status = ic_train_step(trainer); /* at most one batch */
        double took = milliseconds() - began;
        longest = took > longest ? took : longest;
        frames++; /* here the game would draw */
    } while (status == IC_OK);
    printf("learned in %ld frames, the longest took %.1f ms\n", frames, longest);
    return status;
}

static ic_status look(ic_context *context, const ic_model *model, ic_prediction *prediction)
{
    int right = 0;
    for (int i = 0; i < 100; i++) {
        ic_image *image = NULL;
        int32_t index = 0;
        ic_status status = image_of(context, i % SHAPES, &image);
        if (status >= 0)
            status = ic_predict(model, image, prediction);
        ic_image_free(image);
        if (status < 0)
            return status;
        ic_prediction_class(prediction, 0, &index, NULL);
        const char *name = ic_model_class_name(model, index);
        right += name != NULL && name[0] == shape_names[i % SHAPES][0];
    }
    printf("%d of 100 new frames recognised\n", right);
    return right >= 90 ? IC_OK : IC_DONE;
}

int main(void)
{
    ic_context *context = NULL;
    ic_options *options = NULL;
    ic_dataset *pictures = NULL;
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    ic_prediction *prediction = NULL;
    ic_status status = ic_context_create(&context);
    if (status >= 0)
        status = ic_options_create(context, &options);
    if (status >= 0)
        status = ic_options_set_text(options, "network", "plain");
    if (status >= 0)
        status = ic_options_set_int(options, "epochs", 6);
    if (status >= 0)
        status = ic_options_set_int(options, "batch_size", 16); /* small steps keep frames short */
    if (status >= 0)
        status = ic_dataset_create(context, options, &pictures);
    if (status >= 0)
        status = collect(context, pictures);
    if (status >= 0)
        status = ic_model_create(context, pictures, options, &model);
    if (status >= 0)
        status = ic_trainer_create(model, pictures, NULL, options, &trainer);
    if (status >= 0)
        status = play(trainer);
    if (status >= 0)
        status = ic_prediction_create(context, &prediction);
    if (status >= 0)
        status = look(context, model, prediction);
    if (status < 0)
        fprintf(stderr, "embed: %s\n", ic_last_error());
    ic_prediction_free(prediction);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(pictures);
    ic_options_free(options);
    ic_context_free(context);
    return status == IC_OK ? 0 : 1;
}
