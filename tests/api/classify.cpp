// classify.cpp: the library from C++: handles in unique_ptr, errors as exceptions. SPDX-License-Identifier: MIT
#include <imgcls/imgcls.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace
{

template <typename T> using handle = std::unique_ptr<T, void (*)(T *)>;

void check(ic_status status)
{
    if (status < 0)
        throw std::runtime_error(ic_last_error());
}

void classify(const char *model_path, const char *picture)
{
    ic_context *context_pointer = nullptr;
    check(ic_context_create(&context_pointer));
    handle<ic_context> context(context_pointer, ic_context_free);
    ic_model *model_pointer = nullptr;
    check(ic_model_load(context.get(), model_path, &model_pointer));
    handle<ic_model> model(model_pointer, ic_model_free);
    ic_image *image_pointer = nullptr;
    check(ic_image_load(context.get(), picture, &image_pointer));
    handle<ic_image> image(image_pointer, ic_image_free);
    ic_prediction *prediction_pointer = nullptr;
    check(ic_prediction_create(context.get(), &prediction_pointer));
    handle<ic_prediction> prediction(prediction_pointer, ic_prediction_free);
    check(ic_predict(model.get(), image.get(), prediction.get()));
    int32_t index = 0;
    check(ic_prediction_class(prediction.get(), 0, &index, nullptr));
    std::puts(ic_model_class_name(model.get(), index));
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 3) {
        std::fputs("usage: classify MODEL PICTURE\n", stderr);
        return 2;
    }
    try {
        classify(arguments[1], arguments[2]);
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "classify: %s\n", error.what());
        return 1;
    }
}
