"""Finding libimgcls and declaring its functions: the only place that knows them."""

import ctypes
import ctypes.util
import glob
import operator
import os
from ctypes import (CFUNCTYPE, POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t,
                    c_ssize_t, c_void_p)

SONAME = "libimgcls.so.0"

LOG_FUNCTION = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
PROGRESS_FUNCTION = CFUNCTYPE(c_int32, c_void_p, c_void_p)

_handle = c_void_p
_out = POINTER(c_void_p)
_text_out = [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]
_status = c_int32

# name: (result, arguments); tests/tools compares this table with the headers.
FUNCTIONS = {
    "ic_last_error": (c_char_p, []),
    "ic_status_name": (c_char_p, [_status]),
    "ic_version": (c_char_p, []),
    "ic_context_create": (_status, [_out]),
    "ic_context_configure": (_status, [_handle, _handle]),
    "ic_context_set_log": (_status, [_handle, LOG_FUNCTION, c_void_p]),
    "ic_context_set_progress": (_status, [_handle, PROGRESS_FUNCTION, c_void_p]),
    "ic_context_free": (None, [_handle]),
    "ic_progress_phase": (c_char_p, [_handle]),
    "ic_progress_value": (_status, [_handle, c_char_p, POINTER(c_double)]),
    "ic_options_create": (_status, [_handle, _out]),
    "ic_options_free": (None, [_handle]),
    "ic_options_set_int": (_status, [_handle, c_char_p, c_int64]),
    "ic_options_set_float": (_status, [_handle, c_char_p, c_double]),
    "ic_options_set_text": (_status, [_handle, c_char_p, c_char_p]),
    "ic_option_count": (c_int32, []),
    "ic_option_info": (_status, [c_int32] + [POINTER(c_char_p)] * 6),
    "ic_image_load": (_status, [_handle, c_char_p, _out]),
    "ic_image_decode": (_status, [_handle, c_void_p, c_size_t, _out]),
    "ic_image_from_pixels": (_status, [_handle, c_void_p, c_int32, c_int32, c_ssize_t, c_int32,
                                       _out]),
    "ic_image_free": (None, [_handle]),
    "ic_image_info": (_status, [_handle] + [POINTER(c_int32)] * 4),
    "ic_image_pixels": (_status, [_handle, POINTER(c_void_p), POINTER(c_size_t)]),
    "ic_image_resize": (_status, [_handle, c_int32, c_int32, c_int32, _out]),
    "ic_image_save_png": (_status, [_handle, c_char_p]),
    "ic_image_encode_png": (_status, [_handle, c_void_p, c_size_t, POINTER(c_size_t)]),
    "ic_dataset_open": (_status, [_handle, c_char_p, _handle, _out]),
    "ic_dataset_create": (_status, [_handle, _handle, _out]),
    "ic_dataset_add_image": (_status, [_handle, _handle, c_char_p]),
    "ic_dataset_add_file": (_status, [_handle, c_char_p, c_char_p]),
    "ic_dataset_part": (_status, [_handle, c_char_p, _out]),
    "ic_dataset_split": (_status, [_handle, _handle, _out, _out]),
    "ic_dataset_fold": (_status, [_handle, _handle, c_int32, c_int32, _out, _out]),
    "ic_dataset_set_group": (_status, [_handle, c_int64, c_char_p]),
    "ic_dataset_group": (_status, [_handle, c_int64, POINTER(c_int64)]),
    "ic_dataset_free": (None, [_handle]),
    "ic_dataset_count": (c_int64, [_handle]),
    "ic_dataset_class_count": (c_int32, [_handle]),
    "ic_dataset_class": (_status, [_handle, c_int32, POINTER(c_char_p), POINTER(c_int64)]),
    "ic_dataset_item": (_status, [_handle, c_int64, POINTER(c_char_p), POINTER(c_int32)]),
    "ic_dataset_inspect": (_status, [_handle, _handle, _out]),
    "ic_inspection_free": (None, [_handle]),
    "ic_inspection_pair_count": (c_int64, [_handle]),
    "ic_inspection_pair": (_status, [_handle, c_int64, POINTER(c_int64), POINTER(c_int64), POINTER(c_int32),
                                     POINTER(c_double)]),
    "ic_inspection_finding_count": (c_int32, [_handle]),
    "ic_inspection_finding": (_status, [_handle, c_int32] + [POINTER(c_char_p)] * 4),
    "ic_inspection_json": (_status, _text_out),
    "ic_inspection_plot": (_status, [_handle, _handle, c_char_p, c_char_p]),
    "ic_dataset_image": (_status, [_handle, c_int64, _out]),
    "ic_dataset_broken_count": (c_int64, [_handle]),
    "ic_dataset_broken": (_status, [_handle, c_int64, POINTER(c_char_p), POINTER(c_char_p)]),
    "ic_dataset_json": (_status, _text_out),
    "ic_model_create": (_status, [_handle, _handle, _handle, _out]),
    "ic_model_create_from": (_status, [_handle, _handle, _handle, _out]),
    "ic_model_load": (_status, [_handle, c_char_p, _out]),
    "ic_model_load_memory": (_status, [_handle, c_void_p, c_size_t, _out]),
    "ic_model_save": (_status, [_handle, c_char_p]),
    "ic_model_save_memory": (_status, [_handle, c_void_p, c_size_t, POINTER(c_size_t)]),
    "ic_model_free": (None, [_handle]),
    "ic_model_class_count": (c_int32, [_handle]),
    "ic_model_class_name": (c_char_p, [_handle, c_int32]),
    "ic_model_load_image": (_status, [_handle, c_char_p, _out]),
    "ic_model_decode_image": (_status, [_handle, c_void_p, c_size_t, _out]),
    "ic_model_read_image": (_status, [_handle, _handle, c_int64, _out]),
    "ic_model_input": (_status, [_handle] + [POINTER(c_int32)] * 3),
    "ic_model_json": (_status, _text_out),
    "ic_model_flags": (_status, _text_out),
    "ic_model_set_costs": (_status, [_handle, POINTER(c_double)]),
    "ic_model_set_threshold": (_status, [_handle, c_int32, c_double]),
    "ic_model_costs": (_status, [_handle, POINTER(c_double)]),
    "ic_model_decide": (_status, [_handle, POINTER(c_float), POINTER(c_int32)]),
    "ic_model_plot_history": (_status, [_handle, c_char_p]),
    "ic_prediction_create": (_status, [_handle, _out]),
    "ic_prediction_free": (None, [_handle]),
    "ic_prediction_set_views": (_status, [_handle, c_int32]),
    "ic_predict": (_status, [_handle, _handle, _handle]),
    "ic_predict_batch": (_status, [_handle, POINTER(c_void_p), c_int32, _handle]),
    "ic_predict_ensemble": (_status, [POINTER(c_void_p), c_int32, POINTER(c_void_p), c_int32,
                                      _handle]),
    "ic_prediction_count": (c_int32, [_handle]),
    "ic_prediction_class": (_status, [_handle, c_int32, POINTER(c_int32), POINTER(c_float)]),
    "ic_prediction_batch_class": (_status, [_handle, c_int32, c_int32, POINTER(c_int32),
                                            POINTER(c_float)]),
    "ic_prediction_probabilities": (_status, [_handle, c_int32, POINTER(POINTER(c_float)),
                                              POINTER(c_int32)]),
    "ic_neighbours_create": (_status, [_handle, _handle, _out]),
    "ic_neighbours_free": (None, [_handle]),
    "ic_neighbours_find": (_status, [_handle, _handle, c_int32, POINTER(c_int64),
                                     POINTER(c_float), POINTER(c_int32)]),
    "ic_explain": (_status, [_handle, _handle, _handle, _out]),
    "ic_explanation_free": (None, [_handle]),
    "ic_explanation_class": (_status, [_handle, POINTER(c_int32), POINTER(c_float)]),
    "ic_explanation_method": (c_char_p, [_handle]),
    "ic_explanation_map": (_status, [_handle, POINTER(POINTER(c_float))] + [POINTER(c_int32)] * 2),
    "ic_explanation_tensor_map": (_status, [_handle, POINTER(POINTER(c_float))] +
                                  [POINTER(c_int32)] * 2),
    "ic_explanation_image": (_status, [_handle, _out]),
    "ic_prediction_unknown": (_status, [_handle, c_int32, POINTER(c_float), POINTER(c_float)]),
    "ic_prediction_spread": (_status, [_handle, c_int32, POINTER(c_float)]),
    "ic_trainer_create": (_status, [_handle, _handle, _handle, _handle, _out]),
    "ic_train_step": (_status, [_handle]),
    "ic_trainer_run": (_status, [_handle]),
    "ic_trainer_save": (_status, [_handle, c_char_p]),
    "ic_trainer_resume": (_status, [_handle, c_char_p] + [_handle] * 3 + [_out, _out]),
    "ic_trainer_value": (_status, [_handle, c_char_p, POINTER(c_double)]),
    "ic_trainer_find_rate": (_status, [_handle, POINTER(c_double)]),
    "ic_trainer_plot": (_status, [_handle, c_char_p]),
    "ic_trainer_free": (None, [_handle]),
    "ic_evaluate": (_status, [_handle, _handle, _handle, _out]),
    "ic_report_free": (None, [_handle]),
    "ic_report_value": (_status, [_handle, c_char_p, POINTER(c_double)]),
    "ic_report_class_value": (_status, [_handle, c_int32, c_char_p, POINTER(c_double)]),
    "ic_report_confusion": (_status, [_handle, c_int32, c_int32, POINTER(c_int64)]),
    "ic_report_decision": (_status, [_handle, c_int32, c_int32, POINTER(c_int64)]),
    "ic_report_decide": (_status, [_handle]),
    "ic_report_interval": (_status, [_handle, c_char_p] + [POINTER(c_double)] * 2),
    "ic_report_class_interval": (_status, [_handle, c_int32, c_char_p] + [POINTER(c_double)] * 2),
    "ic_report_class_count": (c_int32, [_handle]),
    "ic_report_class_name": (c_char_p, [_handle, c_int32]),
    "ic_report_picture": (_status, [_handle, c_int64, POINTER(c_char_p), POINTER(c_int32),
                                    POINTER(c_int32), POINTER(c_float)]),
    "ic_report_probabilities": (_status, [_handle, c_int64, POINTER(POINTER(c_float)),
                                          POINTER(c_int32)]),
    "ic_report_curve": (_status, [_handle, c_char_p, c_int32] + [POINTER(POINTER(c_double))] * 3
                        + [POINTER(c_int64)]),
    "ic_report_operating_point": (_status, [_handle, c_int32, c_char_p, c_double]
                                  + [POINTER(c_double)] * 3),
    "ic_cross_validate": (_status, [_handle, _handle, _out]),
    "ic_report_fold_count": (c_int32, [_handle]),
    "ic_report_fold_value": (_status, [_handle, c_int32, c_char_p, POINTER(c_double)]),
    "ic_report_label_error_count": (_status, [_handle, POINTER(c_int64)]),
    "ic_report_label_error": (_status, [_handle, c_int64, POINTER(c_char_p), POINTER(c_int32),
                                        POINTER(c_int32), POINTER(c_double)]),
    "ic_report_compare": (_status, [_handle, _handle, _out]),
    "ic_comparison_free": (None, [_handle]),
    "ic_comparison_value": (_status, [_handle, c_char_p, POINTER(c_double)]),
    "ic_comparison_change": (_status, [_handle, c_char_p, c_int64, POINTER(c_char_p),
                                       POINTER(c_char_p), POINTER(c_char_p), POINTER(c_double),
                                       POINTER(c_char_p), POINTER(c_double)]),
    "ic_comparison_json": (_status, _text_out),
    "ic_report_split": (c_char_p, [_handle]),
    "ic_report_split_meaning": (c_char_p, [_handle]),
    "ic_report_json": (_status, _text_out),
    "ic_dataset_plot_augmentation": (_status, [_handle, _handle, c_char_p]),
    "ic_report_plot_confusion": (_status, [_handle, c_char_p]),
    "ic_report_save_html": (_status, [_handle, _handle, c_char_p]),
}

# Python has its own memory and needs no allocator of ours.
LEFT_OUT = {"ic_context_create_with_allocator"}


def _candidates():
    """Where the library may be, best first."""
    named = os.environ.get("IMGCLS_LIBRARY")
    if named:
        yield named
    here = os.path.dirname(os.path.abspath(__file__))
    yield from sorted(glob.glob(os.path.join(here, "libimgcls.so*")))
    yield SONAME
    found = ctypes.util.find_library("imgcls")
    if found:
        yield found


# Integers of Python have no end, and ctypes takes their last bits only.
_ends = {c_int32: 2**31, c_int64: 2**63}


def _checked(function, arguments):
    """The function, or one that refuses integers which it cannot take."""
    ends = [(place, _ends[kind]) for place, kind in enumerate(arguments) if kind in _ends]
    if not ends:
        return function

    def call(*given):
        for place, end in ends:
            if not -end <= operator.index(given[place]) < end:
                raise ValueError(f"{given[place]} is not a number of {-end}..{end - 1}")
        return function(*given)

    return call


def load():
    """Loads the library and declares its functions."""
    tried = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            tried.append(f"  {path}: {error}")
            continue
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
            setattr(library, name, _checked(function, arguments))
        return library
    raise ImportError("libimgcls was not found; install it, or name it in IMGCLS_LIBRARY. Tried:\n"
                      + "\n".join(tried))
