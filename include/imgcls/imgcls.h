/* imgcls.h: train, check, save and run image classifiers. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_IMGCLS_H
#define IMGCLS_IMGCLS_H

#include <imgcls/context.h>
#include <imgcls/dataset.h>
#include <imgcls/explanation.h>
#include <imgcls/image.h>
#include <imgcls/inspection.h>
#include <imgcls/model.h>
#include <imgcls/neighbours.h>
#include <imgcls/options.h>
#include <imgcls/prediction.h>
#include <imgcls/report.h>
#include <imgcls/status.h>
#include <imgcls/trainer.h>

#endif
