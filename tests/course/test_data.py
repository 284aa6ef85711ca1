"""Pictures and data come out of installed packages that are not imported for it."""

import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import sklearn.datasets
from PIL import Image

from course.data import PHOTOS, digits, faces, photo, texture_patches

SIZES = {
    "china": (427, 640),
    "flower": (427, 640),
    "astronaut": (512, 512),
    "camera": (512, 512),
    "chelsea": (300, 451),
    "coffee": (400, 600),
    "brick": (512, 512),
    "grass": (512, 512),
    "gravel": (512, 512),
}
GRAY = {"camera", "brick", "grass", "gravel"}


@pytest.mark.parametrize("name", PHOTOS)
def test_every_photograph_is_float64_in_unit_range_with_channels_first(name):
    pixels = photo(name)
    assert pixels.shape == (SIZES[name] if name in GRAY else (3, *SIZES[name]))
    assert pixels.dtype == np.float64
    assert pixels.flags.c_contiguous
    assert 0 <= pixels.min() < 0.3 < 0.7 < pixels.max() <= 1


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photographs_are_scikit_learns(name):
    wanted = sklearn.datasets.load_sample_image(f"{name}.jpg")  # (H, W, 3)
    np.testing.assert_array_equal(photo(name).transpose(1, 2, 0) * 255, wanted)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera", "gravel"])
def test_photographs_are_scikit_images(name):
    wanted = np.moveaxis(np.atleast_3d(getattr(skimage.data, name)()), -1, 0)  # (C, H, W)
    np.testing.assert_allclose(np.atleast_3d(photo(name).T).T * 255, wanted, atol=1e-9)


def test_gray_is_the_luma_of_rec_601():
    red, green, blue = photo("chelsea")
    gray = photo("chelsea", gray=True)
    np.testing.assert_allclose(gray, 0.299 * red + 0.587 * green + 0.114 * blue)
    assert gray.shape == (300, 451)


@pytest.mark.parametrize("name", PHOTOS)
def test_gray_stays_in_unit_range_and_leaves_gray_pictures_as_they_are(name):
    gray = photo(name, gray=True)
    assert gray.shape == SIZES[name]
    assert gray.min() >= 0
    assert gray.max() <= 1
    if name in GRAY:
        np.testing.assert_array_equal(gray, photo(name))


def test_step_keeps_every_so_many_pixels_of_both_axes():
    np.testing.assert_array_equal(photo("china", step=3), photo("china")[:, ::3, ::3])
    assert photo("camera", step=8).shape == (64, 64)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(
        KeyError, match="no photograph 'lena'; there are astronaut, brick"
    ) as caught:
        photo("lena")
    assert all(name in str(caught.value) for name in PHOTOS)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(PHOTOS, "nowhere", "no_such_package/picture.png")
    with pytest.raises(FileNotFoundError, match="no_such_package is not installed"):
        photo("nowhere")


def test_a_package_of_which_only_the_pictures_are_there_is_enough(monkeypatch, tmp_path):
    # As in a jail that hides ready-made convolutions: a folder, no code.
    (tmp_path / "pictures_only").mkdir()
    Image.fromarray(np.full((2, 3), 51, np.uint8)).save(tmp_path / "pictures_only" / "plain.png")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(PHOTOS, "plain", "pictures_only/plain.png")
    np.testing.assert_allclose(photo("plain"), np.full((2, 3), 0.2))


@pytest.mark.parametrize("step", [0, -1])
def test_a_step_below_one_is_refused(step):
    with pytest.raises(ValueError, match="step"):
        photo("china", step=step)


def test_writing_into_a_photograph_changes_no_later_one():
    first = photo("brick")
    wanted = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(photo("brick"), wanted)


def test_digits_are_scikit_learns_between_0_and_1_with_a_channel_axis():
    images, labels = digits()
    wanted = sklearn.datasets.load_digits()
    assert images.shape == (1797, 1, 8, 8)
    assert (images.dtype, labels.dtype) == (np.float64, np.int64)
    np.testing.assert_array_equal(images[:, 0] * 16, wanted.images)
    np.testing.assert_array_equal(labels, wanted.target)
    assert (images.min(), images.max()) == (0, 1)


def test_writing_into_the_digits_changes_no_later_ones():
    images, labels = digits()
    images[:], labels[:] = -1, -1
    again, labels_again = digits()
    assert again.min() == 0
    assert labels_again.min() == 0


def test_faces_are_scikit_images_with_labels_and_a_channel_axis():
    images, labels = faces()
    np.testing.assert_array_equal(images[:, 0], skimage.data.lfw_subset())
    assert (images.shape, labels.dtype) == ((200, 1, 25, 25), np.int64)
    np.testing.assert_array_equal(labels, [1] * 100 + [0] * 100)
    images[:] = -1
    assert faces()[0].min() >= 0


def test_texture_patches_are_squares_of_the_photographs_right_halves_held_out():
    images, labels, held_out = texture_patches(64)
    assert images.shape == (3 * 64, 1, 64, 64)
    np.testing.assert_array_equal(np.bincount(labels), [64, 64, 64])
    grass = photo("grass")
    np.testing.assert_array_equal(images[64 + 8 + 3, 0], grass[64:128, 192:256])
    assert not held_out[64 + 8 + 3]
    assert held_out[64 + 8 + 4]
    assert held_out.mean() == 0.5


def test_texture_patches_of_a_size_that_does_not_divide_leave_the_rim_out():
    images, labels, _ = texture_patches(100)
    assert images.shape == (75, 1, 100, 100)
    np.testing.assert_array_equal(images[24, 0], photo("brick")[400:500, 400:500])
    assert labels[25] == 1


def test_no_package_with_a_ready_made_convolution_is_imported():
    code = (
        "import sys; from course.data import digits, photo; photo('china'); photo('coffee');"
        "digits(); print([m for m in ('torch', 'scipy', 'sklearn', 'skimage') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
