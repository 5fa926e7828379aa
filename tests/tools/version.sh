#!/bin/sh
# Prints the version that include/imgcls/status.h states.
awk '/define IC_VERSION_(MAJOR|MINOR|PATCH)/ { printf "%s%s", sep, $3; sep = "." } END { print "" }' \
    "$(dirname "$0")/../../include/imgcls/status.h"
