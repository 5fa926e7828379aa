/* cli/commands.h: one function a command; each returns the exit code. SPDX-License-Identifier: MIT
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "arguments.h"

int cli_train(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_evaluate(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_compare(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_cross_validate(ic_context *context, const cli_command *command, int count,
                       char **arguments);
int cli_decide(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_predict(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_explain(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_inspect(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_info(ic_context *context, const cli_command *command, int count, char **arguments);
int cli_options(ic_context *context, const cli_command *command, int count, char **arguments);

#endif
