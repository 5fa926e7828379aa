/* classify.c: trains on a folder of pictures, saves the model, names one picture: classify FOLDER
 * PICTURE. SPDX-License-Identifier: MIT */
#include <imgcls/imgcls.h>

#include <stdio.h>

/* Everything that the program holds; freeing NULL is fine, in any order. */
typedef struct program {
    ic_context *context;
    ic_dataset *all, *train, *validation;
    ic_model *model;
    ic_trainer *trainer;
    ic_image *image;
    ic_prediction *prediction;
} program;

/* What the library chose, and why. */
static void tell(int32_t level, const char *message, void *payload)
{
    (void)payload;
    if (level <= IC_LOG_INFO)
        fprintf(stderr, "%s\n", message);
}

/* A line an epoch; 1 would stop the training. */
static int32_t watch(const ic_progress *progress, void *payload)
{
    double epoch, epochs, unseen, done;
    (void)payload;
    if (ic_progress_value(progress, "epoch_done", &done) >= 0 &&
        ic_progress_value(progress, "epoch", &epoch) >= 0 &&
        ic_progress_value(progress, "epochs", &epochs) >= 0 &&
        ic_progress_value(progress, "validation_accuracy", &unseen) >= 0)
        fprintf(stderr, "epoch %.0f of %.0f: %.1f %% of unseen pictures right\n", epoch, epochs,
                100 * unseen);
    return 0;
}

static ic_status classify(program *p, const char *folder, const char *picture)
{
    ic_status status = ic_context_create(&p->context);
    if (status >= 0)
        status = ic_context_set_log(p->context, tell, NULL);
    if (status >= 0)
        status = ic_context_set_progress(p->context, watch, NULL);
    if (status >= 0)
        status = ic_dataset_open(p->context, folder, NULL, &p->all);
    if (status >= 0)
        status = ic_dataset_split(p->all, NULL, &p->train, &p->validation);
    if (status >= 0)
        status = ic_model_create(p->context, p->train, NULL, &p->model);
    if (status >= 0)
        status = ic_trainer_create(p->model, p->train, p->validation, NULL, &p->trainer);
    if (status >= 0)
        status = ic_trainer_run(p->trainer);
    if (status >= 0)
        status = ic_model_save(p->model, "classify.safetensors");
    if (status >= 0)
        status = ic_model_load_image(p->model, picture, &p->image);
    if (status >= 0)
        status = ic_prediction_create(p->context, &p->prediction);
    if (status >= 0)
        status = ic_predict(p->model, p->image, p->prediction);
    return status;
}

int main(int count, char **arguments)
{
    program p = {0};
    if (count != 3) {
        fprintf(stderr, "usage: classify FOLDER PICTURE\n");
        return 2;
    }
    ic_status status = classify(&p, arguments[1], arguments[2]);
    if (status < 0) {
        fprintf(stderr, "classify: %s\n", ic_last_error());
    } else {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_class(p.prediction, 0, &index, &probability);
        printf("%s (%.1f %%)\n", ic_model_class_name(p.model, index), 100 * (double)probability);
    }
    ic_prediction_free(p.prediction);
    ic_image_free(p.image);
    ic_trainer_free(p.trainer);
    ic_model_free(p.model);
    ic_dataset_free(p.validation);
    ic_dataset_free(p.train);
    ic_dataset_free(p.all);
    ic_context_free(p.context);
    return status < 0;
}
