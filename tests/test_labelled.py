"""Objects of pandas, polars, Arrow, xarray, NumPy and torch are recognized, converted or refused with what to pass."""

import importlib
import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from muge_fast._internal.labelled import labelled_kind, plain_ids, plain_items


def fake(module, name, **methods):
    """Return an instance of a class of a package that the tests do not install."""
    return type(name, (), {"__module__": module, **methods})()


def polars_series(values):
    return fake("polars.series.series", "Series", to_list=lambda _: values)


KINDS = [
    (pd.Series([1]), "series"),
    (pd.DataFrame({"a": [1]}), "frame"),
    (pd.DataFrame({"a": [1]}).groupby("a"), "groups"),
    (pd.DataFrame({"a": [1], "b": [1]}).groupby("a")["b"], "groups"),
    (pd.Index([1]), "column"),
    (pd.RangeIndex(2), "column"),
    (pd.Categorical(["a"]), "column"),
    (pd.array([1, None]), "column"),
    (pa.array([1]), "column"),
    (pa.chunked_array([[1]]), "column"),
    (pa.table({"a": [1]}), "frame"),
    (pa.record_batch({"a": [1]}), "frame"),
    (polars_series([1]), "column"),
    (fake("polars.dataframe.frame", "DataFrame"), "frame"),
    (fake("polars.lazyframe.frame", "LazyFrame"), "frame"),
    (fake("datasets.arrow_dataset", "Dataset"), "frame"),
    (fake("vaex.dataframe", "Frame", __dataframe__=None), "frame"),
    (fake("modin.pandas.series", "Series", index=None), "other_series"),
    (fake("xarray.core.dataarray", "DataArray"), "xarray"),
    (np.ma.array([1, 2], mask=[0, 1]), "masked"),
    (np.ma.array([1, 2]), "masked"),
    (np.array([("a", 1)], dtype=[("id", "U1"), ("x", "i4")]), "records"),
    (np.rec.array([("a", 1)], dtype=[("id", "U1"), ("x", "i4")]), "records"),
    (np.arange(2), None),
    ({}.keys(), None),
    (range(2), None),
    (types.SimpleNamespace(index=0), None),
]


@pytest.mark.parametrize(("value", "kind"), KINDS)
def test_each_kind_is_recognized(value, kind):
    assert labelled_kind(value) == kind


def test_subclasses_are_recognized():
    class Mine(pd.Series):
        pass

    assert labelled_kind(Mine([1])) == "series"


def test_tensors_are_recognized_and_listed_as_ids():
    torch = pytest.importorskip("torch")
    assert labelled_kind(torch.arange(2)) == "tensor"
    for ids in (torch.arange(3), torch.arange(3, dtype=torch.int16), list(torch.arange(3)), tuple(torch.arange(3))):
        listed = plain_ids(ids, "ids")
        assert (listed, set(map(type, listed))) == ([0, 1, 2], {int})
    for ids in (torch.arange(3.0), torch.zeros(2, dtype=torch.bfloat16), list(torch.arange(3.0))):
        with pytest.raises(TypeError, match="float"):
            plain_ids(ids, "ids")
    with pytest.raises(TypeError, match=r"shape \(\)$"):
        plain_ids(torch.tensor(3), "ids")


def test_no_package_is_imported():
    code = (
        "import sys; from muge_fast._internal.labelled import labelled_kind, plain_ids, plain_items;"
        "plain_items([1], 'x'); plain_ids([1], 'x'); labelled_kind(object());"
        "assert not {'pandas', 'polars', 'pyarrow', 'torch', 'xarray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603


def test_plain_objects_are_returned_themselves():
    for value in ([1], (1,), {"a": 1}, np.arange(2), {}.values(), iter([])):
        assert plain_items(value, "predictions") is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.Series(["x", "y"]), ["x", "y"]),
        (pd.Series(["x", "y"]).iloc[::-1], {1: "y", 0: "x"}),
        (pd.Series(["x", "y", "z"])[lambda column: column != "y"], {0: "x", 2: "z"}),
        (pd.Series(["x", "y"]).head(1), ["x"]),
        (pd.Series(["x", "y"]).tail(1), {1: "y"}),
        (pd.Series(["x", "y"], index=[0, 1]), {0: "x", 1: "y"}),
        (pd.Series(["x", "y"]).rename_axis("image_id"), {0: "x", 1: "y"}),
        (pd.Series(["x", "y"], index=["b", "a"]), {"b": "x", "a": "y"}),
        (pd.Series([["x"], ["y", "z"]], index=pd.Index(["b", "a"], dtype="string")), {"b": ["x"], "a": ["y", "z"]}),
        (pd.Series(["x"], index=pd.Categorical(["a"])), {"a": "x"}),
        (pd.Index(["x", "y"]), ["x", "y"]),
        (pd.Categorical(["x", "y"]), ["x", "y"]),
        (pd.array(["x", "y"]), ["x", "y"]),
        (pa.array([["x"], ["y", "z"]]), [["x"], ["y", "z"]]),
        (pa.chunked_array([["x"], ["y"]]), ["x", "y"]),
        (polars_series([["x"], ["y"]]), [["x"], ["y"]]),
    ],
)
def test_columns_are_mappings_if_they_have_ids_and_lists_otherwise(value, expected):
    items = plain_items(value, "predictions")
    assert items == expected
    assert list(items) == list(expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pd.DataFrame({"a": [1]}), r'predictions is a pandas DataFrame; .* df\.set_index\("image_id"\)\["text"\]$'),
        (pd.DataFrame({"a": [1]}).groupby("a"), r"a pandas DataFrameGroupBy; pass .* df\.groupby\(.*\.agg\(list\)$"),
        (pa.table({"a": [1]}), r'a pyarrow Table; .*zip\(df\["image_id"\]\.to_pylist\(\), df\["text"\]\.to_pylist'),
        (fake("polars.dataframe.frame", "DataFrame"), r'a polars DataFrame; .*df\["image_id"\]\.to_list\(\), df'),
        (fake("datasets.arrow_dataset", "Dataset"), r'a datasets Dataset; .* dict\(zip\(df\["image_id"\], df\["'),
        (fake("modin.pandas.series", "Series", index=None), "a modin Series; convert it to pandas or to a dict"),
        (fake("xarray.core.dataarray", "DataArray"), "a xarray DataArray; pass a dict"),
        (np.ma.array([1, 2, 3], mask=[0, 1, 1]), "a masked array with 2 masked entries; fill or drop the masked"),
        (np.ma.array([1, 2, 3]), r"a masked array with 0 masked entries; pass predictions\.data$"),
        (np.array([("a", 1)], dtype=[("id", "U1"), ("x", "i4")]), "an array with named fields; pass a dict of two"),
        (pd.Series(["x"], index=[1.0]), "the ids in the index of predictions are float64, needs integers or strings"),
        (pd.Series(["x"], index=pd.MultiIndex.from_tuples([("a", 1)])), r"MultiIndex of 2 levels, .*\.agg\(list\)$"),
        (pd.Series(["x"], index=[True]), "the ids in the index of predictions are booleans"),
    ],
)  # fmt: skip
def test_objects_without_ids_are_refused_with_what_to_pass(value, message):
    with pytest.raises(TypeError, match=message):
        plain_items(value, "predictions")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (["a", "b", "b"], r"^the index of predictions has 'b' more than once; .*\.groupby\(level=0\)\.agg\(list\)"),
        (["a", None, "b"], "^the index of predictions lacks an id at position 1; drop that row$"),
        (pd.array([1, 2, None]), "^the index of predictions lacks an id at position 2"),
    ],
)
def test_an_index_with_repeated_or_missing_ids_is_refused(index, message):
    with pytest.raises(ValueError, match=message):
        plain_items(pd.Series(["x", "y", "z"], index=index), "predictions")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["a", 1], ["a", 1]),
        (("a", 1), ["a", 1]),
        (range(2), [0, 1]),
        ({"a": 1}.keys(), ["a"]),
        ((name for name in "ab"), ["a", "b"]),
        (np.arange(2, dtype="uint8"), [0, 1]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(["a", 1], dtype=object), ["a", 1]),
        ([np.int64(1), np.str_("a"), np.array(3)], [1, "a", 3]),
        (pd.Series([4, 5], index=["x", "y"]), [4, 5]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.Categorical(["a", "b"]), ["a", "b"]),
        (pa.array([1, 2]), [1, 2]),
        (polars_series([1, 2]), [1, 2]),
        ([("a", 1)], [("a", 1)]),
    ],
)
def test_ids_of_any_column_are_plain(ids, expected):
    listed = plain_ids(ids, "ids")
    assert listed == expected
    assert list(map(type, listed)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (np.array([1.0, 2.0]), TypeError, r'^ids are float64, needs integers or strings; .*\.astype\("int64"\)$'),
        (pd.Series([1, None]), TypeError, r"^ids are float64, needs .*; \[1\] is missing, drop it, and convert whole"),
        (pa.array([1.0]), TypeError, "^ids are double"),
        (np.array([True, False]), TypeError, r"^ids are booleans, .*mask\? np\.flatnonzero\(mask\)"),
        (pd.array([True]), TypeError, "^ids are booleans"),
        (pa.array([True]), TypeError, "^ids are booleans"),
        (np.array(3), TypeError, r"^ids must have one dimension, got an array of shape \(\)$"),
        (np.zeros((2, 2), int), TypeError, r"^ids must have one dimension, got an array of shape \(2, 2\)$"),
        (np.ma.array([1, 2], mask=[0, 1]), TypeError, "^ids is a masked array with 1 masked entry"),
        (pd.DataFrame({"a": [1]}), TypeError, "^ids is a pandas DataFrame"),
        ("abc", TypeError, "^ids must be a list of ids, got str$"),
        ({"a"}, TypeError, "^ids must be a list of ids, got set$"),
        (3, TypeError, "^ids must be a list of ids, got int$"),
        ([1, True], TypeError, r"^ids\[1\] is True, a boolean; ids are integers or strings$"),
        ([1, 2.0], TypeError, r"^ids\[1\] is 2.0, a float"),
        ([1, np.float32(2)], TypeError, r"^ids\[1\] is 2.0, a float"),
        (["a", None], ValueError, r"^ids\[1\] is missing \(None\), every item needs an id$"),
        (["a", float("nan")], ValueError, r"^ids\[1\] is missing \(nan\)"),
        (pd.array([1, None]), ValueError, r"^ids\[1\] is missing \(<NA>\)"),
        (pa.array([1, None]), ValueError, r"^ids\[1\] is missing \(None\)"),
        (["a", []], TypeError, r"^ids\[1\] is a list, which cannot be an id$"),
    ],
)
def test_ids_that_cannot_be_ids_are_refused(ids, error, message):
    with pytest.raises(error, match=message):
        plain_ids(ids, "ids")


@pytest.mark.parametrize("module", ["polars", "xarray"])
def test_the_installed_package_is_recognized(module):
    package = pytest.importorskip(module)
    importlib.invalidate_caches()
    if module == "xarray":
        array = package.DataArray([1, 2], coords={"id": ["a", "b"]}, dims="id")
        assert labelled_kind(array) == labelled_kind(array.to_dataset(name="x")) == "xarray"
        return
    frame = package.DataFrame({"id": ["a", "b"], "items": [[1, 2], [3]]})
    assert labelled_kind(frame) == labelled_kind(frame.lazy()) == "frame"
    assert plain_items(frame["items"], "predictions") == [[1, 2], [3]]
    assert plain_ids(frame["id"], "ids") == ["a", "b"]


def test_an_index_of_one_level_of_tuples_is_refused_with_the_way_to_its_level():
    index = pd.MultiIndex.from_arrays([["a", "b"]])
    with pytest.raises(TypeError, match=r"a MultiIndex of 1 level, .*predictions\.index\.get_level_values\(0\)"):
        plain_items(pd.Series(["x", "y"], index=index), "predictions")


@pytest.mark.parametrize(("ids", "kind"), [([1.0, 2.0], "a float"), ([True, False], "a boolean")])
def test_floats_and_booleans_in_an_index_of_objects_are_refused_as_others_are(ids, kind):
    with pytest.raises(TypeError, match=rf"the index of predictions\[0\] is {ids[0]}, {kind}; ids are integers"):
        plain_items(pd.Series(["x", "y"], index=pd.Index(ids, dtype=object)), "predictions")


@pytest.mark.parametrize("ids", [{0: "a", 1: "b"}, {"a": 0}, types.MappingProxyType({0: "a"})])
def test_a_mapping_as_a_list_of_ids_is_refused_because_its_values_may_be_the_ids(ids):
    with pytest.raises(TypeError, match=r"item_ids must be a list of ids, .*; pass list\(x\) or list\(x\.values\(\)\)"):
        plain_ids(ids, "item_ids")


def test_scalars_of_arrow_are_ids():
    assert plain_ids(list(pa.array([3, 1])), "ids") == [3, 1]
    assert plain_ids(list(pa.array(["a", "b"])), "ids") == ["a", "b"]
    with pytest.raises(ValueError, match=r"ids\[1\] is missing"):
        plain_ids(list(pa.array(["a", None])), "ids")
