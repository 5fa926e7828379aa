"""imgcls: train, check and run image classifiers.

    import imgcls
    model = imgcls.Classifier().fit("photos/")      # one folder of pictures per class
    print(model.evaluate("photos/").accuracy)       # on the pictures held out
    print(model.predict("new.jpg"))
    model.save("photos.safetensors")
"""

from ._core import (Context, Error, FileError, InvalidError, NotFoundError, OutOfMemoryError,
                    options, version)
from ._data import Dataset, Inspection
from ._image import Image
from ._pictures import pictures
from ._prediction import Answer, Explanation, Neighbours
from ._report import LabelError, Report
from ._training import Training
from .classifier import Classifier

__all__ = ["Answer", "Classifier", "Context", "Dataset", "Error", "Explanation", "FileError",
           "Image", "Inspection", "InvalidError", "LabelError", "Neighbours", "NotFoundError",
           "OutOfMemoryError", "Report", "Training", "options", "pictures", "version"]
__version__ = version()
