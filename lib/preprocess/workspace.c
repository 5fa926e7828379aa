/*
 * preprocess/workspace.c: the pipeline in a steady loop without allocation. The pictures between
 * the steps are made by the very functions that make canvases, so the bits are the same; only their
 * memory comes from a context of the workspace's own, which hands out the same blocks again and
 * again. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "preprocess/pipeline.h"

#include <string.h>

/* Blocks that are kept. The steps need about ten at a time; beyond that, the parent serves. */
enum { BLOCKS = 32 };

typedef struct kept_block {
    void *memory;
    size_t size;
    bool used;
} kept_block;

struct ic_pipeline_workspace {
    ic_context *parent;
    ic_context context; /* allocates from the blocks */
    kept_block blocks[BLOCKS];
};

static void *parent_allocate(ic_pipeline_workspace *workspace, void *block, size_t size)
{
    ic_context *parent = workspace->parent;
    return parent->allocate(block, size, parent->allocate_payload);
}

static kept_block *find_block(ic_pipeline_workspace *workspace, const void *memory)
{
    for (int32_t i = 0; i < BLOCKS; i++)
        if (workspace->blocks[i].memory == memory)
            return &workspace->blocks[i];
    return NULL;
}

/* The smallest free block that is large enough; else the largest free one, to grow. */
static kept_block *best_block(ic_pipeline_workspace *workspace, size_t size)
{
    kept_block *best = NULL;
    for (int32_t i = 0; i < BLOCKS; i++) {
        kept_block *block = &workspace->blocks[i];
        if (block->used)
            continue;
        bool fits = block->size >= size, best_fits = best != NULL && best->size >= size;
        if (best == NULL || (fits && !best_fits) ||
            (fits == best_fits && (fits ? block->size < best->size : block->size > best->size)))
            best = block;
    }
    return best;
}

static void *take_block(ic_pipeline_workspace *workspace, size_t size)
{
    kept_block *block = best_block(workspace, size);
    if (block == NULL)
        return parent_allocate(workspace, NULL, size);
    if (block->size < size) {
        void *memory = parent_allocate(workspace, NULL, size);
        if (memory == NULL)
            return NULL;
        if (block->memory != NULL)
            parent_allocate(workspace, block->memory, 0);
        block->memory = memory;
        block->size = size;
    }
    block->used = true;
    return block->memory;
}

/* The ic_allocate_fn of the workspace's context. */
static void *allocate(void *memory, size_t size, void *payload)
{
    ic_pipeline_workspace *workspace = payload;
    if (memory == NULL)
        return size == 0 ? NULL : take_block(workspace, size);
    kept_block *block = find_block(workspace, memory);
    if (block == NULL)
        return parent_allocate(workspace, memory, size);
    if (size == 0) {
        block->used = false;
        return NULL;
    }
    if (size <= block->size)
        return memory;
    void *larger = take_block(workspace, size);
    if (larger == NULL)
        return NULL;
    memcpy(larger, memory, block->size);
    block->used = false;
    return larger;
}

ic_status ic_pipeline_workspace_create(ic_context *context, ic_pipeline_workspace **out)
{
    ic_pipeline_workspace *workspace;
    IC_TRY(ic_allocate_zero(context, sizeof *workspace, &workspace));
    workspace->parent = ic_context_retain(context);
    atomic_init(&workspace->context.references, 1);
    workspace->context.allocate = allocate;
    workspace->context.allocate_payload = workspace;
    workspace->context.limits = context->limits;
    workspace->context.threads = 1;
    workspace->context.cpu_level = context->cpu_level;
    *out = workspace;
    return IC_OK;
}

void ic_pipeline_workspace_free(ic_pipeline_workspace *workspace)
{
    if (workspace == NULL)
        return;
    ic_context *parent = workspace->parent;
    for (int32_t i = 0; i < BLOCKS; i++)
        if (workspace->blocks[i].memory != NULL)
            parent_allocate(workspace, workspace->blocks[i].memory, 0);
    ic_free(parent, workspace);
    ic_context_free(parent);
}

ic_status ic_pipeline_apply(const ic_pipeline *pipeline, const ic_image *image,
                            ic_pipeline_workspace *workspace, float *tensor)
{
    /* The same samples, as a picture of the workspace's context. It may come back as the canvas. */
    ic_image view = {.context = &workspace->context,
                     .width = image->width,
                     .height = image->height,
                     .channels = image->channels,
                     .depth = image->depth,
                     .stride = image->stride,
                     .pixels = image->pixels};
    atomic_init(&view.references, 1);
    ic_image *canvas;
    IC_TRY(ic_pipeline_canvas(pipeline, &view, &canvas));
    ic_pipeline_tensor(pipeline, canvas, tensor);
    if (canvas != &view)
        ic_image_free(canvas);
    return IC_OK;
}
