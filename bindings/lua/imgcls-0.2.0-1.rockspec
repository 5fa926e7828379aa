rockspec_format = "3.0"
package = "imgcls"
version = "0.2.0-1"
source = { url = "git+file://." }
description = {
   summary = "Train, check and run image classifiers",
   license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.5" }
external_dependencies = { IMGCLS = { header = "imgcls/imgcls.h", library = "imgcls" } }
build = {
   type = "builtin",
   modules = {
      imgcls = {
         sources = {
            "imgcls.c", "object.c", "context.c", "image.c", "dataset.c", "inspection.c", "model.c", "prediction.c",
            "explanation.c", "neighbours.c", "trainer.c", "report.c",
         },
         libraries = { "imgcls" },
         incdirs = { "$(IMGCLS_INCDIR)" },
         libdirs = { "$(IMGCLS_LIBDIR)" },
      },
   },
}
