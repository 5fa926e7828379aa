/*
 * bench/work.c: the work that a network is: its convolutions and linear layers, from their shapes.
 *
 *     work NETWORK SIZE CHANNELS
 *
 * Prints a JSON list, for one picture: of each layer the multiplications of its forward pass, those
 * that Winograd's tiles leave of them, and the floats of its input, output and weights.
 * compare.py puts a floor under the times with it. SPDX-License-Identifier: MIT
 */
#include "graph/node.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 10 };

static double floats_of(ic_shape shape)
{
    return (double)shape.h * shape.w * shape.c;
}

/* In tiles of out x out outputs; those at the lower and right edge are whole ones. */
static double winograd_products(ic_shape shape, int32_t out)
{
    double tiles = (double)((shape.h + out - 1) / out) * ((shape.w + out - 1) / out);
    return tiles * (out + 2) * (out + 2);
}

/* A tile of 4x4 outputs takes 6x6 multiplications a channel instead of 16 * 9, one of 3x3 5x5. */
static double winograd_share(const ic_graph_node *node)
{
    const ic_attributes *a = &node->attributes;
    if (a->size != 3 || a->stride > 1 || a->dilation > 1 || a->groups > 1)
        return 1;
    double products = fmin(winograd_products(node->shape, 4), winograd_products(node->shape, 3));
    return products / (9.0 * node->shape.h * node->shape.w);
}

static void print_layer(const ic_graph *graph, const ic_graph_node *node)
{
    static int printed;
    const ic_parameter *weights = ic_graph_parameter(graph, node->first_parameter);
    double products = (double)weights->count * node->shape.h * node->shape.w;
    double share = node->op == &ic_operator_conv ? winograd_share(node) : 1;
    printf("%s\n{\"name\": \"%s\", \"products\": %.0f, \"winograd\": %.0f, \"x\": %.0f, "
           "\"y\": %.0f, \"w\": %lld, \"first\": %s}",
           printed++ ? "," : "[", node->name, products, products * share,
           floats_of(ic_graph_input_of(graph, node, 0)), floats_of(node->shape),
           (long long)weights->count, node->inputs[0] == 0 ? "true" : "false");
}

int main(int argc, char **argv)
{
    ic_context *context = NULL;
    ic_graph *graph = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: work NETWORK SIZE CHANNELS\n");
        return 2;
    }
    int32_t side = atoi(argv[2]);
    ic_shape input = {.h = side, .w = side, .c = atoi(argv[3])};
    if (ic_context_create(&context) < 0 ||
        ic_zoo_build(context, argv[1], input, CLASSES, &graph) < 0) {
        fprintf(stderr, "work: %s\n", ic_last_error());
        return 1;
    }
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].op == &ic_operator_conv || graph->nodes[i].op == &ic_operator_linear)
            print_layer(graph, &graph->nodes[i]);
    printf("]\n");
    ic_graph_free(graph);
    ic_context_free(context);
    return 0;
}
