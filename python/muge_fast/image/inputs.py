"""Rules for what callers pass as images and as features: recognized by type, dtype and shape, never by values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.dlpack import as_array
from muge_fast._internal.labelled import labelled_kind

Pixels = npt.NDArray[np.uint8]
"""An image: uint8, of shape ``(height, width, 3)``, RGB."""

CHANNELS = 3
# Dimensions of one image, of a batch, and of features.
IMAGE_NDIM, BATCH_NDIM, FEATURES_NDIM = 3, 4, 2
# Keys of a mapping that an error lists.
LISTED_KEYS = 5

# What to do about images where features are meant.
MASK_FIX = "leave masked rows out, and pass the others as a plain array"
FEATURES_HINT = "pass an extractor's output, such as that of muge_fast.image.extractors.InceptionExtractor"


@runtime_checkable
class _HasConvert(Protocol):
    """An image of Pillow, recognized without importing Pillow."""

    def convert(self, mode: str, /) -> npt.ArrayLike: ...


def is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    """Return whether a value is a path.

    Args:
        value: Any object.

    Example:
        >>> from muge_fast.image.inputs import is_path
        >>> is_path("a.png"), is_path(b"a.png")
        (True, False)

    """
    return isinstance(value, (str, os.PathLike))


def is_one_image(value: object) -> bool:
    """Return whether a value is a single image: a Pillow image, or an array or tensor of three dimensions.

    Args:
        value: Any object.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import is_one_image
        >>> is_one_image(np.zeros((8, 8, 3))), is_one_image([np.zeros((8, 8, 3))])
        (True, False)

    """
    return isinstance(value, _HasConvert) or (is_array(value) and len(shape_of(value)) == IMAGE_NDIM)


def is_array(value: object) -> bool:
    """Return whether a value is an array or tensor of any library.

    Args:
        value: Any object.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import is_array
        >>> is_array(np.zeros(3)), is_array([0.0])
        (True, False)

    """
    return hasattr(value, "shape") and hasattr(value, "dtype")


def is_data_frame(value: object) -> bool:
    """Return whether a value is an object of pandas or polars, whose rows have an index or names of columns.

    Args:
        value: Any object.

    Example:
        >>> from muge_fast.image.inputs import is_data_frame
        >>> is_data_frame([0.0])
        False

    """
    return type(value).__module__.partition(".")[0] in ("pandas", "polars")


def shape_of(value: object) -> tuple[int, ...]:
    """Return the shape of an array or tensor; an empty one for anything else.

    Args:
        value: Any object.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import shape_of
        >>> shape_of(np.zeros((2, 3))), shape_of(None)
        ((2, 3), ())

    """
    return tuple(getattr(value, "shape", ()))


def dtype_name(value: object) -> str:
    """Return the name of an array's data type, the same for every library.

    Args:
        value: An array or tensor.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import dtype_name
        >>> dtype_name(np.zeros(2, dtype="float32"))
        'float32'

    """
    dtype = getattr(value, "dtype", None)
    return str(getattr(dtype, "name", dtype)).removeprefix("torch.")


def describe(value: object) -> str:
    """Return what a value is, for an error: its type, and for an array its dtype and shape.

    Args:
        value: Any object.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import describe
        >>> describe(np.zeros((2, 3))), describe("a.png"), describe({"image": 1})
        ('an array of dtype float64 and shape (2, 3)', "the string 'a.png'", 'a dict with the keys image')

    """
    name = type(value).__name__
    if value is None or isinstance(value, (bytes, bytearray, memoryview)):
        return "None" if value is None else name
    if isinstance(value, str):
        return f"the string {format_argument(value)}"
    details = ""
    if is_data_frame(value):
        details = f" of {type(value).__module__.partition('.')[0]}"
    elif is_array(value):
        name = {"ndarray": "array", "Tensor": "tensor"}.get(name, name)
        details = f" of dtype {dtype_name(value)} and shape {shape_of(value)}"
    elif isinstance(value, Mapping):
        keys = [format_id(key, 20) for key, _ in zip(value, range(LISTED_KEYS), strict=False)]
        details = f" with the keys {', '.join(keys)}"
    elif isinstance(value, _HasConvert):
        name = "Pillow image"
    return f"{_article(name)} {name}{details}"


def check_image_array(images: object) -> None:
    """Check that an array or tensor is one image or a batch of images, by its dtype and shape.

    Args:
        images: An array or tensor.

    Raises:
        ValueError: Not uint8, or a wrong shape; the message says how to convert it.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import check_image_array
        >>> check_image_array(np.zeros((2, 3, 8, 8), dtype="uint8"))
        >>> check_image_array(np.zeros((2, 3, 8, 8)))
        Traceback (most recent call last):
        ...
        ValueError: images have shape (2, 3, 8, 8) and dtype float64, need uint8 (n, 3, h, w): for example ...

    """
    shape, dtype = shape_of(images), dtype_name(images)
    is_stack = len(shape) in (IMAGE_NDIM, BATCH_NDIM)
    if isinstance(images, np.ma.MaskedArray):
        raise TypeError(f"images are a masked array of shape {shape}: {MASK_FIX}")
    if dtype == "uint8" and is_stack and CHANNELS in (shape[-3], shape[-1]) and 0 not in shape[-3:]:
        return
    # Messages say how to convert the values: guessing their range would give a wrong score without an error.
    fix = _shape_fix(shape, torch=hasattr(images, "detach")) if dtype == "uint8" else dtype_fix(images)
    raise ValueError(f"images have shape {shape} and dtype {dtype}, need uint8 (n, 3, h, w): {fix}")


def to_pixels(images: object) -> Pixels:
    """Return one image or a batch as a uint8 array with channels last.

    Args:
        images: A Pillow image, or an array or tensor of one image or a batch, with channels first or last.

    Returns:
        An array of shape ``(height, width, 3)`` or ``(images, height, width, 3)``.

    Raises:
        TypeError: Not images.
        ValueError: An array that is not uint8, or of a wrong shape; a Pillow image of floats, or with values outside 0
            to 255.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import to_pixels
        >>> to_pixels(np.zeros((2, 3, 8, 9), dtype="uint8")).shape
        (2, 8, 9, 3)

    """
    if isinstance(images, _HasConvert):
        if str(getattr(images, "mode", "")).startswith(("I", "F")):
            _refuse_clipping(images)
        return np.array(images.convert("RGB"))
    if not is_array(images):
        raise TypeError(_not_images(images))
    check_image_array(images)
    array = _in_host_memory(images)
    return array if array.shape[-1] == CHANNELS else np.moveaxis(array, -3, -1)


def images_of_batch(batch: object) -> Iterator[Pixels]:
    """Yield the images of a batch.

    Args:
        batch: An array or tensor of images, one image, or a list of images of different sizes; or a tuple or list with
            one of these, such as a batch of a ``DataLoader`` with labels.

    Yields:
        uint8 arrays of shape ``(height, width, 3)``.

    Raises:
        TypeError: Not images.
        ValueError: Arrays that are not uint8, or of a wrong shape; two batches of images.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import images_of_batch
        >>> batch = np.zeros((2, 3, 8, 9), dtype="uint8"), ["skirt", "shoes"]
        >>> [image.shape for image in images_of_batch(batch)]
        [(8, 9, 3), (8, 9, 3)]

    """
    if isinstance(batch, (tuple, list)):
        stacks = [element for element in batch if len(shape_of(element)) > IMAGE_NDIM]
        singles = [element for element in batch if is_one_image(element)]
        if 1 < len(singles) < len(batch):
            other = next(element for element in batch if not is_one_image(element))
            raise ValueError(f"a batch has {len(singles)} images and {describe(other)}: pass the images alone")
        if singles and not stacks:
            yield from map(image_of_item, singles)
            return
        batch = _only(stacks, "batch") if stacks else _first_or_self(batch)
    array = to_pixels(batch)
    yield from array if array.ndim > IMAGE_NDIM else array[None]


def image_of_item(item: object) -> Pixels:
    """Return the image of a dataset's item.

    Args:
        item: An image, or a tuple or list with one image, such as an image and its label.

    Returns:
        uint8 array of shape ``(height, width, 3)``.

    Raises:
        TypeError: Not an image.
        ValueError: An array that is not uint8, or of a wrong shape; two images.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import image_of_item
        >>> image_of_item((np.zeros((8, 9, 3), dtype="uint8"), "skirt")).shape
        (8, 9, 3)

    """
    if isinstance(item, (tuple, list)) and item:
        images = [element for element in item if is_one_image(element)]
        item = _only(images, "item") if images else item[0]
    pixels = to_pixels(item)
    if pixels.ndim != IMAGE_NDIM:
        raise ValueError(f"an image has shape {pixels.shape}, needs (3, height, width)")
    return pixels


def dtype_fix(images: object) -> str:
    """Return how to convert images that are not uint8.

    Args:
        images: An array or tensor.

    Returns:
        The part of a message.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import dtype_fix
        >>> dtype_fix(np.zeros(2, dtype="int64"))
        'for example x.astype("uint8") if values are from 0 to 255'

    """
    dtype = dtype_name(images)
    is_tensor = hasattr(images, "detach")
    convert = ".to(torch.uint8)" if is_tensor else '.astype("uint8")'
    if dtype == "bool":
        return f"for example x{convert} * 255"
    if dtype.startswith(("float", "bfloat")):
        rest = f"x.round(){convert} if they reach 255"
        return f"for example (x * 255).round(){convert} if values are from 0 to 1, {rest}"
    if dtype.startswith(("int", "uint")):
        return f"for example x{convert} if values are from 0 to 255"
    if dtype.startswith(("str", "object")) and len(shape_of(images)) == 1:
        return "pass paths as a list, such as x.tolist()"
    return "pass pixels from 0 to 255"


def refuse_masked(state: Mapping[str, object]) -> None:
    """Raise ``TypeError`` if an array of a state is masked.

    Args:
        state: Arrays by name.

    Raises:
        TypeError: The message names the first masked array.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import refuse_masked
        >>> refuse_masked({"mu": np.zeros(2)})

    """
    for name, array in state.items():
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError(f"the array {name} must not be a masked array: pass {name}.data, if nothing is masked")


def checked_features(name: str, features: object, *, hint: str = FEATURES_HINT) -> Any:  # noqa: ANN401 - arrays of any library
    """Return features after checking that they are numbers in rows, not images; nested lists as an array.

    Args:
        name: Name of the argument, for errors.
        features: Array or tensor of shape ``(images, features)``, nested lists, or a column of vectors.
        hint: What to do about images.

    Returns:
        The array or tensor.

    Raises:
        TypeError: Not an array, a masked array, or not of numbers.
        ValueError: Images, or a wrong number of dimensions.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.inputs import checked_features
        >>> checked_features("features", [[0.5, 1.0]]).shape
        (1, 2)
        >>> checked_features("features", np.zeros((2, 3, 8, 8)))
        Traceback (most recent call last):
        ...
        ValueError: features have shape (2, 3, 8, 8) and dtype float64, need floats of shape (n, dims): pass ...

    """
    if labelled_kind(features) in ("series", "column"):
        from muge_fast._internal.vectors import vectors_of_column  # noqa: PLC0415 - few callers have columns of vectors

        features = vectors_of_column(features, name)
    if is_data_frame(features):
        raise TypeError(
            f"{name} must be an array, got {describe(features)}: rows are matched by position, pass {name}.to_numpy()"
        )
    if isinstance(features, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: {MASK_FIX}")
    if isinstance(features, (list, tuple)):
        features = _array_of_lists(name, features)
    if not is_array(features):
        raise TypeError(f"{name} must be an array or tensor of shape (n, dims), got {describe(features)}")
    shape, dtype = shape_of(features), dtype_name(features)
    if not dtype.startswith(("float", "bfloat", "int", "uint")):
        raise TypeError(f"{name} must be floats, got dtype {dtype}")
    if len(shape) != FEATURES_NDIM or dtype == "uint8":
        verb = "have" if name in ("features", "logits") else "has"
        what = f": {hint}" if len(shape) > FEATURES_NDIM or dtype == "uint8" else ""
        raise ValueError(f"{name} {verb} shape {shape} and dtype {dtype}, need floats of shape (n, dims){what}")
    return features if hasattr(features, "detach") else _in_host_memory(features)


def _array_of_lists(name: str, features: list[Any] | tuple[Any, ...]) -> npt.NDArray[Any]:
    try:
        array = np.asarray(features)
    except ValueError as error:
        raise ValueError(f"{name}: rows differ in length: {error}") from None
    # An empty list has no numbers that it could be an array of.
    return array if array.size else array.astype(np.float64)


def _refuse_clipping(image: Any) -> None:  # noqa: ANN401 - of Pillow, which may not be installed
    """Raise for a Pillow image of floats, or of integers outside 0 to 255, which "RGB" would clip without an error."""
    mode = image.mode
    if mode == "F":
        fix = "convert its values to 0 to 255 as for an array, then Image.fromarray(values.astype('uint8'))"
        raise ValueError(f"an image has mode F, floats, needs 8 bits: {fix}")
    # getextrema lacks modes such as I;16B.
    values = np.asarray(image)
    least, largest = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if least < 0 or largest > 255:  # noqa: PLR2004
        fix = "for 16 bits, Image.fromarray((np.asarray(image) // 257).astype('uint8'))"
        raise ValueError(f"an image has mode {mode} and values from {least} to {largest}, needs 0 to 255: {fix}")


def _only(images: list[object], holder: str) -> object:
    """Return the only image or batch among the elements of a batch or item; a mask is not an image."""
    fitting = [image for image in images if isinstance(image, _HasConvert) or _is_image_array(image)]
    if len(fitting) > 1:
        found = " and ".join(map(describe, fitting[:2]))
        raise ValueError(f"a {holder} has {len(fitting)} images or batches of images, {found}: pass one of them")
    return (fitting or images)[0]


def _is_image_array(images: object) -> bool:
    shape = shape_of(images)
    return dtype_name(images) == "uint8" and CHANNELS in (shape[-3], shape[-1])


def _first_or_self(batch: tuple[object, ...] | list[object]) -> object:
    """Return nested lists as an array, for its error; else the first element, for its error."""
    if not batch:
        raise ValueError("a batch has no images")
    first = batch[0]
    return np.asarray(batch) if isinstance(first, list) and _is_nested_numbers(first) else first


def _is_nested_numbers(value: object) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float))


def _not_images(value: object) -> str:
    found = f"expected images, got {describe(value)}"
    if is_path(value):
        return f"{found}: pass paths as a list, such as list(paths)"
    if isinstance(value, (bytes, bytearray)):
        return f"{found}: pass bytes of image files as a mapping from ids, such as dict(enumerate(files))"
    if isinstance(value, Mapping):
        return f"{found}: pass the images alone, such as (batch['image'] for batch in loader)"
    return f"{found}: pass uint8 arrays or tensors, or Pillow images"


def _shape_fix(shape: tuple[int, ...], *, torch: bool) -> str:
    channels = shape[-3::2] if len(shape) in (IMAGE_NDIM, BATCH_NDIM) else ()
    if 1 in channels:
        repeat = "x.repeat(1, 3, 1, 1)" if torch else "np.repeat(x, 3, axis=1)"
        return f"repeat the grey channel, for example {repeat}"
    if 4 in channels:  # noqa: PLR2004
        return "drop the alpha channel, for example x[:, :3]"
    if len(shape) == IMAGE_NDIM:
        return "add the channels of grey images, for example x[:, None].repeat(1, 3, 1, 1) of torch"
    return "pass arrays of images with three channels"


def _in_host_memory(array: object) -> npt.NDArray[Any]:
    """Return an array or tensor of any library as an array of NumPy."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
    if hasattr(array, "__array__"):
        return np.asarray(array)
    return as_array("images or features", array, ("uint8", "float32", "float64"))


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"
