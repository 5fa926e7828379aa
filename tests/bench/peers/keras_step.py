"""A training step in Keras on TensorFlow: keras_step.py NETWORK keras|keras_xla THREADS SIDE CHANNELS BATCH.
SPDX-License-Identifier: MIT
"""
import sys

import answers

try:
    import tensorflow as tf
    import keras
    from keras import layers
except ImportError as error:
    answers.missing(error)


def lenet5(shape):
    return keras.Sequential([
        layers.Input(shape), layers.Conv2D(6, 5, padding="same", activation="relu"), layers.MaxPool2D(),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPool2D(), layers.Flatten(),
        layers.Dense(120, activation="relu"), layers.Dense(84, activation="relu"), layers.Dense(10)])


def block(x, channels):
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def plain(shape):
    picture = layers.Input(shape)
    x = layers.MaxPool2D()(block(block(picture, 32), 32))
    x = block(layers.MaxPool2D()(block(block(x, 64), 64)), 128)
    return keras.Model(picture, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def resnet9(shape):
    picture = layers.Input(shape)
    x = layers.MaxPool2D()(block(block(picture, 64), 128))
    x = layers.Add()([x, block(block(x, 128), 128)])
    x = layers.MaxPool2D()(block(layers.MaxPool2D()(block(x, 256)), 512))
    x = layers.Add()([x, block(block(x, 512), 512)])
    return keras.Model(picture, layers.Dense(10)(layers.GlobalMaxPooling2D()(x)))


def application(name):
    return lambda shape: getattr(keras.applications, name)(
        weights=None, classes=10, input_shape=shape, classifier_activation=None)


NETWORKS = {"lenet5": lenet5, "plain": plain, "resnet9": resnet9, "mobilenet_v2": application("MobileNetV2"),
            "mobilenet_v3_large": application("MobileNetV3Large"), "efficientnet_b0": application("EfficientNetB0")}


def main():
    network, mode, threads, side, channels, batch = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
    if network not in NETWORKS:
        answers.missing(f"Keras has no {network}")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    model = NETWORKS[network]((side, side, channels))
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True, weight_decay=5e-4),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=mode == "keras_xla")
    x, y = tf.random.normal((batch, side, side, channels)), tf.range(batch) % 10
    answers.serve(lambda: model.train_on_batch(x, y), f"keras {keras.__version__}, tensorflow {tf.__version__}")


main()
