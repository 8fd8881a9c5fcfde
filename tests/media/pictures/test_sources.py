"""Tests of the values that are taken as a picture, and of those that are refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import IPython.display
import ipywidgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

import qingbo_widgets
from qingbo_widgets.media.pictures import Picture, PictureRules, UnusableMedia, prepare
from tests.pictures import photograph, pixels_of, saved

#: No rule but that it is a picture.
ANY = PictureRules(shortest_side=1, widest=1e9)
JPEG = saved(photograph(), "JPEG")


def as_pixels(picture: Picture) -> Any:
    """Return the pixels of a picture in RGB."""
    return np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("koi.jpg", "koi"),
        ("锦鲤 在 池塘.jpeg", "锦鲤-在-池塘"),
        ("My photo (1) of 50%.JPG", "My-photo-1-of-50"),
        ("no suffix", "no-suffix"),
        ("wrong.png", "wrong"),
        ("wrong.txt", "wrong"),
        ("---", "picture"),
        ("a" * 100 + ".jpg", "a" * 32),
    ],
)
def test_a_file_of_any_name(tmp_path: Path, name: str, stem: str) -> None:
    """The content decides, not the name; the name becomes one that fits everywhere."""
    path = tmp_path / name
    path.write_bytes(JPEG)
    for value in (path, str(path)):
        picture = prepare(value)
        assert (picture.content, picture.format, picture.stem) == (JPEG, "JPEG", stem)


def test_a_file_of_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the home folder, and a link is followed: it is the user's own path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "koi.jpg").write_bytes(JPEG)
    assert prepare("~/koi.jpg").content == JPEG
    monkeypatch.chdir(tmp_path)
    assert prepare("koi.jpg").content == JPEG


@pytest.mark.skipif(os.name == "nt", reason="Windows needs a permission for links")
def test_a_link_to_a_file_elsewhere(tmp_path: Path) -> None:
    """A folder of links to photographs on another disk works."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "koi.jpg").write_bytes(JPEG)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "mine.jpg").symlink_to(tmp_path / "disk" / "koi.jpg")
    picture = prepare(tmp_path / "links" / "mine.jpg")
    assert (picture.content, picture.stem) == (JPEG, "mine")


@pytest.mark.parametrize(
    "path", ["//server/share/koi.jpg", "\\\\server\\share\\koi.jpg", "\\\\?\\UNC\\server\\a"]
)
def test_a_path_on_another_computer_is_not_opened(path: str) -> None:
    """Windows would send the user's login there."""
    with pytest.raises(UnusableMedia, match="is on another computer: copy the file to this one first"):
        prepare(path)


def test_no_such_file(tmp_path: Path) -> None:
    """The message names the path, however odd it is."""
    with pytest.raises(UnusableMedia, match=r"There is no file .*nothing\.jpg here\."):
        prepare(tmp_path / "nothing.jpg")
    for path in ("a\0b", "x" * 5000, "~nobody-of-this-name/a.jpg", ""):
        with pytest.raises(UnusableMedia):
            prepare(path)


def test_a_folder_and_an_empty_file(tmp_path: Path) -> None:
    """Each is refused for what it is."""
    with pytest.raises(UnusableMedia, match="cannot be read"):
        prepare(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnusableMedia, match="The file is empty"):
        prepare(tmp_path / "empty.jpg")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_and_a_device_are_not_read(tmp_path: Path) -> None:
    """A pipe would block the kernel for ever, /dev/zero has no end."""
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(UnusableMedia, match="it is not a file"):
            prepare(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """The size is checked before the content; the limit is in the message."""
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(50_000_000_000)
    with pytest.raises(UnusableMedia, match=r"The file has 50000 MB; the limit is 100 MB\."):
        prepare(path)


# ---------------------------------------------------------------- values in memory


def test_bytes_of_every_kind() -> None:
    """bytes, bytearray and memoryview are the content of a file."""
    for value in (JPEG, bytearray(JPEG), memoryview(JPEG)):
        picture = prepare(value)
        assert (picture.content, picture.stem) == (JPEG, "picture")
    for value in (b"", memoryview(b"")):
        with pytest.raises(UnusableMedia, match="The file is empty"):
            prepare(value)


def test_an_open_file(tmp_path: Path) -> None:
    """A buffer that was just written stands at its end; it can be used once more afterwards."""
    buffer = io.BytesIO()
    buffer.write(JPEG)
    for _ in range(2):
        assert prepare(buffer).content == JPEG
        assert buffer.tell() == len(JPEG)
    path = tmp_path / "koi.jpg"
    path.write_bytes(JPEG)
    with path.open("rb") as file:
        assert (prepare(file).content, prepare(file).stem) == (JPEG, "koi")
    with pytest.raises(UnusableMedia, match="cannot be read"):
        prepare(file)
    with path.open(encoding="latin-1") as text, pytest.raises(UnusableMedia, match='open it with "rb"'):
        prepare(text)


class Endless(io.RawIOBase):
    """A stream without an end."""

    count = 0

    def read(self, size: int = -1) -> bytes:
        self.count += size
        return bytes(min(size, 2**20))


def test_an_endless_stream_is_given_up() -> None:
    """No more is read than could be a picture."""
    with pytest.raises(UnusableMedia, match="limit is 100 MB"):
        prepare(Endless())


def test_an_image_of_ipython(tmp_path: Path) -> None:
    """An Image that a cell shows can be used, from a file and from bytes; a URL is none."""
    path = tmp_path / "koi.jpg"
    path.write_bytes(JPEG)
    picture = prepare(IPython.display.Image(filename=str(path)))
    assert (picture.content, picture.stem) == (JPEG, "koi")
    assert prepare(IPython.display.Image(data=JPEG)).content == JPEG
    assert prepare(ipywidgets.Image(value=JPEG)).content == JPEG
    with pytest.raises(UnusableMedia, match="has no content, only a URL"):
        prepare(IPython.display.Image(url="https://example.com/koi.jpg"))


@pytest.mark.parametrize("value", [3, None, object(), [1, 2], {"a": 1}, lambda: 0, ValueError, Image])
def test_a_value_that_is_no_picture(value: object) -> None:
    """The message names the type and what works."""
    with pytest.raises(UnusableMedia, match=rf"type {type(value).__name__} is not a picture: use a path"):
        prepare(value)


class ShownAsPicture:
    """An object of a library that draws, as Jupyter asks for its picture."""

    def __init__(self, content: object) -> None:
        self.content = content

    def _repr_png_(self) -> object:
        return self.content


def test_an_object_that_a_notebook_shows_as_a_picture() -> None:
    """Graphviz, SymPy, PyVista and many others are pictures in a notebook, and so they are here."""
    import base64

    content = saved(photograph(), "PNG")
    text = base64.b64encode(content).decode()
    shown: object
    for shown in (content, text, (content, {"width": 10}), (text, {})):
        assert prepare(ShownAsPicture(shown)).content == content
    for shown in (None, "not base64!", ()):
        with pytest.raises(UnusableMedia, match="ShownAsPicture is not a picture"):
            prepare(ShownAsPicture(shown))


# ---------------------------------------------------------------- arrays


SHAPES = st.one_of(
    st.tuples(st.integers(5, 20), st.integers(5, 20)),
    st.tuples(st.integers(5, 20), st.integers(5, 20), st.sampled_from((1, 3))),
)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, SHAPES))
def test_bytes_in_an_array_are_the_pixels(array: Any) -> None:
    """Grey and RGB, with and without a third dimension; channels first, as in torch, as well."""
    expected = np.broadcast_to(array.reshape(*array.shape[:2], -1), (*array.shape[:2], 3))
    assert np.array_equal(as_pixels(prepare(array, ANY)), expected)
    if array.ndim == 3:
        assert np.array_equal(as_pixels(prepare(array.transpose(2, 0, 1), ANY)), expected)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from((np.float16, np.float32, np.float64)), (6, 7), elements=st.floats(0, 1, width=16)
    )
)
def test_floats_are_brightness(array: Any) -> None:
    """0 is black, 1 is white, and each value is rounded to the nearest step."""
    shown = as_pixels(prepare(array, ANY))[:, :, 0].astype(float)
    assert abs(shown - array.astype(float) * 255).max() <= 0.51


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(st.sampled_from((np.dtype("<u2"), np.dtype(">u2"))), (6, 7)))
def test_sixteen_bits_are_scaled(array: Any) -> None:
    """65535 is white."""
    shown = as_pixels(prepare(array, ANY))[:, :, 0].astype(float)
    assert abs(shown - array / 257).max() <= 0.51


def test_other_arrays() -> None:
    """Booleans are black and white; an alpha is transparent; rounding is no error; slices work."""
    mask = np.arange(42).reshape(6, 7) % 2 == 0
    assert np.array_equal(as_pixels(prepare(mask, ANY))[:, :, 0], mask * 255)
    rgba = np.zeros((6, 7, 4), np.uint8)
    assert as_pixels(prepare(rgba, ANY)).min() == 255
    assert prepare(np.full((6, 7), 1.0000001, np.float32), ANY).format == "PNG"
    wide = np.asarray(photograph())
    assert np.array_equal(as_pixels(prepare(wide[::-1, ::2], ANY)), wide[::-1, ::2])
    assert np.array_equal(as_pixels(prepare(wide.view(np.ma.MaskedArray), ANY)), wide)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((5, 6, 7)), r"shape 5 × 6 × 7 and type float64 is not a picture"),
        (np.zeros((5, 6, 2), np.uint8), r"shape 5 × 6 × 2 and type uint8"),
        (np.zeros((1, 3, 20, 20)), r"shape 1 × 3 × 20 × 20"),
        (np.zeros(9), r"shape 9 "),
        (np.array(1.0), r"shape \(\) "),
        (np.zeros((0, 5)), r"shape 0 × 5"),
        (np.zeros((5, 6), int), r"type int64 \(shape 5 × 6\) is not a picture: use uint8, uint16"),
        (np.zeros((5, 6), complex), "type complex128"),
        (np.array([["a", "b"]] * 5), "type <U1"),
        (np.array([[None] * 5] * 5), "type object"),
        (np.full((5, 6), 255.0), r"values from 255 to 255, but floats must be from 0 to 1"),
        (np.full((5, 6), -1.0), r"values from -1 to -1"),
        (np.full((5, 6), np.nan), "not finite"),
        (np.full((5, 6), np.inf), "not finite"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000, 3)), "limit is 80 million"),
    ],
)
def test_an_array_that_is_no_picture(array: Any, reason: str) -> None:
    """The message names shape and type, and what works."""
    with pytest.raises(UnusableMedia, match=reason):
        prepare(array, ANY)


class Tensor:
    """A tensor of torch on a GPU: NumPy can read it only after both calls."""

    def __init__(self, array: Any, *, is_here: bool = False) -> None:
        self._array, self._is_here = array, is_here

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self._array, is_here=True)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if not self._is_here:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self._array


class Foreign:
    """An array of another library that NumPy cannot read."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


def test_a_tensor() -> None:
    """An array that NumPy can read is a picture, with its channels first."""
    wide = np.asarray(photograph())
    shown = as_pixels(prepare(Tensor(wide.transpose(2, 0, 1) / np.float32(255)), ANY))
    assert np.array_equal(shown, wide)
    with pytest.raises(UnusableMedia, match="The Foreign cannot be read as an array: Implicit conversion"):
        prepare(Foreign())


# ---------------------------------------------------------------- figures


def test_a_figure_of_matplotlib() -> None:
    """A figure, its axes, and a part of a figure are the whole figure."""
    figures = pytest.importorskip("matplotlib.figure")
    figure = figures.Figure(figsize=(6.4, 4.8), dpi=100)
    axes = figure.subplots()
    axes.imshow(np.asarray(photograph()))
    for value in (figure, axes, figure.subfigures()):
        picture = prepare(value)
        assert (picture.format, picture.width, picture.height) == ("PNG", 640, 480)
        assert b"matplotlib" not in picture.content.lower()
    assert as_pixels(picture).std() > 20, "the figure is empty"
    with pytest.raises(UnusableMedia, match="limit is 80 million"):
        prepare(figures.Figure(figsize=(200, 200), dpi=100))


def test_a_figure_of_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its exporter, the message names the package."""
    graphs = pytest.importorskip("plotly.graph_objects")
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(UnusableMedia, match="export of a plotly figure"):
        prepare(graphs.Figure())


def test_a_chart_of_altair(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its exporter it is a picture; without, the message names the package."""
    altair = pytest.importorskip("altair")
    pandas = pytest.importorskip("pandas")
    chart = altair.Chart(pandas.DataFrame({"a": [1, 2, 3]})).mark_bar().encode(x="a:Q")
    chart = chart.properties(width=400, height=400)
    if "vl_convert" in sys.modules or pytest.importorskip("vl_convert"):
        assert prepare(chart).width > 400
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UnusableMedia, match="pip install vl-convert-python"):
        prepare(chart)


def figure_of(module: str, method: str, result: Any) -> Any:
    """Return an object of a class of this module, whose method returns a file or raises an error."""

    def export(self: Any, file: Any = None, format: str = "") -> Any:
        assert format == "png"
        if isinstance(result, Exception):
            raise result
        return result if file is None else file.write(result)

    base = type("Base", (), {"__module__": module, method: export})
    return type("Mine", (base,), {"__module__": "__main__"})()


@pytest.mark.parametrize(
    ("module", "method", "package"),
    [
        ("plotly.basedatatypes", "to_image", "kaleido"),
        ("altair.vegalite.v6.api", "save", "vl-convert-python"),
    ],
)
def test_the_export_of_a_figure(module: str, method: str, package: str) -> None:
    """The library's own export is used; what it lacks is named, and any other error is passed on."""
    content = saved(photograph(), "PNG")
    assert prepare(figure_of(module, method, content)).content == content
    library = module.partition(".")[0]
    for error in (
        ImportError("x"),
        ValueError(f"Image export requires the {package.replace('-', '_')} package"),
    ):
        with pytest.raises(UnusableMedia, match=rf"export of a {library} figure .* pip install {package}"):
            prepare(figure_of(module, method, error))
    with pytest.raises(UnusableMedia, match=rf"The {library} figure could not be exported: no Chrome"):
        prepare(figure_of(module, method, RuntimeError("no Chrome\nand much more")))


def test_no_library_is_imported_to_look_at_a_value() -> None:
    """A file that needs no change costs neither the import of NumPy nor of a drawing library."""
    code = (
        "import sys; from qingbo_widgets.media.pictures import prepare; "
        "prepare(sys.stdin.buffer.read()); "
        "libraries = {'numpy', 'matplotlib', 'plotly', 'altair', 'IPython', 'torch', 'pandas'}; "
        "print(sorted(libraries & {*sys.modules}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=JPEG,
        capture_output=True,
        check=True,
        cwd=Path(qingbo_widgets.__file__).parent.parent,
    )
    assert run.stdout.decode().strip() == "[]"


def test_the_values_of_the_caller_are_unchanged() -> None:
    """An image or array that was sent is the same afterwards."""
    image = photograph().convert("RGBA")
    image.info["icc_profile"] = b"x"
    array = np.asarray(photograph()).copy()
    before = image.tobytes(), dict(image.info), image.mode, array.copy()
    prepare(image)
    prepare(array)
    assert before[:3] == (image.tobytes(), dict(image.info), image.mode)
    assert np.array_equal(array, before[3])
    assert pixels_of(saved(image, "PNG")).shape == (360, 480, 4)
