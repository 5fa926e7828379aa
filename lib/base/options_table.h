/*
 * base/options_table.h: every option, once. The command line's flags, Python's keywords and Lua's tables come from this list.
 * OPTION(name, owner, type, default, low, high, choices, help): low and high for int and float; choices for choice.
 * SPDX-License-Identifier: MIT
 */
/* clang-format off */
OPTION("threads", "context", INT, "0", 0, 1024, "", "threads to work with, the caller's included; 0: all cores")
OPTION("cpu_level", "context", CHOICE, "auto", 0, 0, "auto|c|sse41|avx2|avx512|neon", "instruction set of the kernels; auto: the best of this CPU")
OPTION("precision", "context", CHOICE, "float32", 0, 0, "float32|bfloat16", "what convolutions multiply; bfloat16 is faster on CPUs that have it, others stay with float32")
OPTION("max_file_mb", "context", INT, "64", 1, 1048576, "", "largest picture file to read, MiB")
OPTION("max_side", "context", INT, "32768", 1, 65500, "", "largest width or height of a picture, pixels")
OPTION("max_megapixels", "context", INT, "64", 1, 65536, "", "largest picture, million pixels")

OPTION("seed", "dataset,model,trainer", INT, "1", 0, 4294967295, "", "seed of every random choice: split, weights, order, augmentation")
OPTION("validation_share", "dataset,trainer", FLOAT, "0.15", 0.01, 0.9, "", "share of each class that is held out for validation")
OPTION("verify", "dataset", CHOICE, "full", 0, 0, "full|header", "how pictures are checked on opening: decode them, or read their headers only")

OPTION("network", "model", CHOICE, "auto", 0, 0, "auto|lenet5|plain|small|resnet9|resnet18|mobilenet_v2|mobilenet_v3_large|efficientnet_b0", "the network; auto: by the number and size of the pictures")
OPTION("input_size", "model", INT, "0", 0, 1024, "", "side of the square that the network sees, pixels; 0: by the pictures")
OPTION("channels", "model", CHOICE, "auto", 0, 0, "auto|grey|colour", "what the network sees; auto: grey if all looked-at pictures are")
OPTION("resize", "model", CHOICE, "auto", 0, 0, "auto|stretch|crop", "fit pictures by stretching, or by keeping their shape and cropping the centre")
OPTION("filter", "model", CHOICE, "bilinear", 0, 0, "bilinear|bicubic", "interpolation of the resize; both antialias")
OPTION("denoise", "model", CHOICE, "none", 0, 0, "none|median|gaussian|bilateral", "noise removal: median for salt and pepper, gaussian for sensor noise, bilateral to keep edges")
OPTION("denoise_strength", "model", FLOAT, "1", 0.1, 10, "", "strength of the noise removal; 1: usual")
OPTION("mean", "model", TEXT, "auto", 0, 0, "", "mean to subtract, one number a channel in 0..1, as 0.485,0.456,0.406; auto: measured")
OPTION("deviation", "model", TEXT, "auto", 0, 0, "", "deviation to divide by, one number a channel in 0..1; auto: measured")

OPTION("epochs", "trainer", INT, "0", 0, 100000, "", "passes over the training pictures; 0: by the recipe")
OPTION("batch_size", "trainer", INT, "0", 0, 65536, "", "pictures a step; 0: by the recipe")
OPTION("optimizer", "trainer", CHOICE, "auto", 0, 0, "auto|sgd|adamw", "sgd (Nesterov momentum) or adamw")
OPTION("learning_rate", "trainer", FLOAT, "0", 0, 100, "", "peak learning rate; 0: by the recipe")
OPTION("momentum", "trainer", FLOAT, "0.9", 0, 0.9999, "", "momentum of sgd, first-moment decay of adamw")
OPTION("weight_decay", "trainer", FLOAT, "-1", -1, 10, "", "decoupled weight decay, not on biases and norms; -1: by the recipe")
OPTION("schedule", "trainer", CHOICE, "auto", 0, 0, "auto|one-cycle|cosine|constant", "learning rate over time; cosine after a linear warm-up")
OPTION("warmup_epochs", "trainer", FLOAT, "1", 0, 1000, "", "linear warm-up of the cosine and constant schedules, epochs")
OPTION("label_smoothing", "trainer", FLOAT, "0.1", 0, 0.9, "", "share of the target spread evenly over all classes")
OPTION("class_weights", "trainer", CHOICE, "none", 0, 0, "none|balanced", "weigh the loss by class; balanced: inverse frequency")
OPTION("sampling", "trainer", CHOICE, "none", 0, 0, "none|balanced", "pictures an epoch shows: each once, or all classes equally often (then leave class_weights)")
OPTION("patience", "trainer", INT, "0", 0, 100000, "", "epochs without a better validation before stopping early; 0: never")
OPTION("flip", "trainer", CHOICE, "auto", 0, 0, "auto|on|alternating|off", "mirror half of the training pictures left to right; alternating: the other half in the next epoch")
OPTION("shift", "trainer", INT, "-1", -1, 256, "", "random shift of up to this many pixels; -1: by the recipe")
OPTION("crop_scale", "trainer", FLOAT, "0", 0, 1, "", "random resized crop of at least this share of the area; 1: none; 0: by the recipe")
OPTION("rotation", "trainer", FLOAT, "-1", -1, 180, "", "random rotation of up to this many degrees; -1: by the recipe")
OPTION("brightness", "trainer", FLOAT, "-1", -1, 1, "", "random change of brightness of up to this share; -1: by the recipe")
OPTION("contrast", "trainer", FLOAT, "-1", -1, 1, "", "random change of contrast of up to this share; -1: by the recipe")
OPTION("saturation", "trainer", FLOAT, "-1", -1, 1, "", "random change of saturation of up to this share; -1: by the recipe")
OPTION("erasing", "trainer", FLOAT, "-1", -1, 1, "", "share of training pictures of which a random rectangle is blanked; -1: by the recipe")
OPTION("policy", "trainer", CHOICE, "auto", 0, 0, "auto|none|trivial", "trivial: each picture gets one of 14 changes of shape or colours, at any strength; by the recipe: none")
OPTION("blur", "trainer", FLOAT, "-1", -1, 10, "", "blur half of the training pictures by a Gaussian of up to this many pixels; -1: by the recipe")
OPTION("noise", "trainer", FLOAT, "-1", -1, 1, "", "random noise of a deviation up to this share of the range of samples; -1: by the recipe")
OPTION("mixup", "trainer", FLOAT, "-1", -1, 100, "", "blend pictures in pairs, their labels too; the share is drawn from Beta(mixup, mixup); 0: off; -1: by the recipe")
OPTION("cutmix", "trainer", FLOAT, "-1", -1, 100, "", "put a rectangle of one picture into another; its area is drawn from Beta(cutmix, cutmix); 0: off; -1: by the recipe")
OPTION("mix_probability", "trainer", FLOAT, "1", 0, 1, "", "share of the batches that mixup and cutmix change; with both on, each batch gets one of the two")
OPTION("cache_mb", "trainer", INT, "2048", 0, 1048576, "", "memory for decoded pictures, MiB; beyond it they are decoded again every epoch")
OPTION("memory_limit", "trainer", INT, "0", 0, 1048576, "", "memory for the activations of a training step, MiB: it computes some again to keep within; slower, the same result; 0: no limit")

OPTION("split", "evaluation", CHOICE, "auto", 0, 0, "auto|train|validation|test|all", "the part to measure; auto: test, else what training held out, else all")
OPTION("evaluation_batch", "evaluation", INT, "64", 1, 4096, "", "pictures a step of an evaluation; the results do not depend on it")
/* clang-format on */
