/* cli/heat_maps.h: where imgcls explain draws. SPDX-License-Identifier: MIT */
#ifndef CLI_HEAT_MAPS_H
#define CLI_HEAT_MAPS_H

#include "arguments.h"
#include "pictures.h"

/*
 * Whether heat maps of these pictures can go to `out` (NULL: none are wanted): one file, or a
 * folder, which is made. Says why not; returns the exit code.
 */
int cli_heat_maps_begin(const cli_command *command, const char *out, const cli_pictures *pictures);

/*
 * The place of one picture's heat map, to be freed: out, or in the folder of that name as
 * NAME.heat.png, in folders like those that the picture was found in, which are made. NULL: it
 * cannot be, and is told.
 */
char *cli_heat_map_path(const char *out, const cli_picture *picture);

#endif
