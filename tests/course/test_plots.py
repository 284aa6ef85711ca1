"""Figures hold what they were given: each picture, its title, its range, its numbers."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from course.plots import annotate_grid, contact_sheet, layer_bars, show_images


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def drawn(figure):
    """The pictures of a figure, in order, as arrays."""
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]


def test_pictures_stand_in_one_row_in_order_with_their_titles():
    images = [np.full((4, 6), value) for value in (0.0, 0.5, 1.0)]
    figure = show_images(images, ["black", "gray", "white"])
    for got, wanted in zip(drawn(figure), images, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert [axis.get_title() for axis in figure.axes] == ["black", "gray", "white"]
    assert figure.axes[0].get_gridspec().get_geometry() == (1, 3)


def test_columns_break_the_row_and_empty_places_stay_blank():
    figure = show_images([np.eye(3)] * 5, columns=2)
    assert figure.axes[0].get_gridspec().get_geometry() == (3, 2)
    assert len(drawn(figure)) == 5
    assert not any(axis.axison for axis in figure.axes)


def test_colour_comes_channels_first_and_is_cut_to_unit_range():
    image = np.random.default_rng(0).normal(size=(3, 4, 5))
    (got,) = drawn(show_images([image]))
    np.testing.assert_allclose(got, image.transpose(1, 2, 0).clip(0, 1))


def test_one_channel_is_drawn_as_gray_and_keeps_its_range():
    image = np.arange(6.0).reshape(1, 2, 3) - 2
    (got,) = drawn(show_images([image]))
    np.testing.assert_array_equal(got, image[0])


def test_a_tensor_is_a_picture():
    (got,) = drawn(show_images([torch.eye(3)]))
    np.testing.assert_array_equal(got, np.eye(3))


def test_limits_hold_for_every_picture_and_without_them_each_has_its_own():
    images = [np.array([[0.0, 1.0]]), np.array([[-5.0, 5.0]])]
    ranges = [axis.images[0].get_clim() for axis in show_images(images).axes]
    assert ranges == [(0, 1), (-5, 5)]
    ranges = [axis.images[0].get_clim() for axis in show_images(images, limits=(-1, 2)).axes]
    assert ranges == [(-1, 2), (-1, 2)]


def test_a_wide_picture_gets_a_wide_place():
    wide = show_images([np.zeros((10, 40))], size=2).get_size_inches()
    assert wide[0] == pytest.approx(8)
    assert wide[1] == pytest.approx(2.3)


def test_some_titles_may_be_left_out():
    figure = show_images([np.eye(2)] * 3, ["first"])
    assert [axis.get_title() for axis in figure.axes] == ["first", "", ""]


@pytest.mark.parametrize(
    ("images", "titles", "said"),
    [
        ([], [], "0 pictures for 0 titles"),
        ([np.eye(2)], ["a", "b"], "1 pictures for 2 titles"),
        ([np.zeros(4)], [], r"shape \(4,\), expected \(H, W\)"),
        ([np.zeros((4, 4, 3))], [], r"shape \(4, 4, 3\), expected"),
        ([np.zeros((2, 3, 4, 4))], [], r"shape \(2, 3, 4, 4\), expected"),
    ],
)
def test_what_cannot_be_drawn_is_refused(images, titles, said):
    with pytest.raises(ValueError, match=said):
        show_images(images, titles)


def test_the_callers_array_is_left_alone():
    image = np.random.default_rng(1).normal(size=(3, 4, 4))
    before = image.copy()
    show_images([image])
    np.testing.assert_array_equal(image, before)


def test_a_grid_carries_each_number_in_its_cell():
    _, axis = plt.subplots()
    annotate_grid(axis, np.array([[1.0, 0.2, -3.0], [40.0, 0.0, 6.5]]))
    written = {text.get_position(): text.get_text() for text in axis.texts}
    assert written == {
        (0, 0): "1",
        (1, 0): "0.2",
        (2, 0): "-3",
        (0, 1): "40",
        (1, 1): "0",
        (2, 1): "6.5",
    }


def test_a_grid_takes_lists_and_a_format():
    _, axis = plt.subplots()
    annotate_grid(axis, [[1 / 3]], format_spec=".2f")
    assert [text.get_text() for text in axis.texts] == ["0.33"]


def test_a_grids_lines_run_between_the_cells():
    figure, axis = plt.subplots()
    annotate_grid(axis, np.zeros((2, 3)))
    figure.canvas.draw()
    assert list(axis.get_xticks()) == [-0.5, 0.5, 1.5, 2.5]
    assert list(axis.get_yticks()) == [-0.5, 0.5, 1.5]


def test_a_contact_sheet_holds_each_pixel_and_a_white_gap():
    sheet = contact_sheet([[[0.0, 1.0]], [[0.5, 0.2]]], width=2)
    assert sheet.pixels.tolist() == [[0, 255, *[255] * 6, 128, 51]]


def test_a_contact_sheet_breaks_rows_and_enlarges_by_whole_numbers():
    images = [np.zeros((2, 4)), np.zeros((1, 2)), np.zeros((2, 4))]
    sheet = contact_sheet(images, columns=2, width=9)
    assert sheet.pixels.shape == (2 * 4 + 6, 2 * 8 + 6)
    assert (sheet.pixels == 0).sum() == 3 * 4 * 8


def test_limits_of_a_contact_sheet_hold_for_gray_pictures_alone():
    colour = np.zeros((3, 1, 1))
    colour[1] = 1.0
    sheet = contact_sheet([np.array([[-0.5]]), np.array([[9.0]]), colour], limits=(-1, 1), width=1)
    assert [sheet.pixels[0, x].tolist() for x in (0, 7, 14)] == [[64] * 3, [255] * 3, [0, 255, 0]]


def test_titles_of_a_contact_sheet_stand_above_and_leave_the_picture_alone():
    bare, titled = (contact_sheet([np.eye(40)], titles, width=40) for titles in ([], ["eye"]))
    np.testing.assert_array_equal(titled.pixels[18:], bare.pixels)
    assert titled.pixels[:18].min() < 128


def test_a_notebook_gets_a_contact_sheet_as_png():
    sheet = contact_sheet([np.random.default_rng(0).random((3, 5, 4))], ["noise"])
    shown = np.asarray(Image.open(io.BytesIO(sheet._repr_png_())))
    np.testing.assert_array_equal(shown, sheet.pixels)


@pytest.mark.parametrize(
    ("images", "titles"), [([], []), ([np.eye(2)], "ab"), ([np.eye(2)[0]], [])]
)
def test_what_cannot_stand_on_a_contact_sheet_is_refused(images, titles):
    with pytest.raises(ValueError, match=r"pictures for|no picture"):
        contact_sheet(images, titles)


def test_layer_bars_have_a_panel_a_quantity_and_a_bar_a_layer_from_the_top():
    columns = {"memory, KB": [784, 182.25, 3.90625], "MACs, millions": [72.9, 0, 4.1]}
    figure = layer_bars(["conv1", "pool1", "fc"], columns, title="a network")
    assert [axis.get_title() for axis in figure.axes] == [
        "memory, KB: 970 in all",
        "MACs, millions: 77 in all",
    ]
    for axis, values in zip(figure.axes, columns.values(), strict=True):
        assert [bar.get_width() for bar in axis.patches] == values
        assert axis.get_ylim()[0] > axis.get_ylim()[1]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "conv1",
        "pool1",
        "fc",
    ]
    assert [text.get_text() for text in figure.axes[0].texts] == ["784", "182", "3.9"]
    assert figure.get_suptitle() == "a network"


def test_layer_bars_take_a_colour_a_layer():
    figure = layer_bars(["conv", "fc"], {"MACs": [3, 1]}, colors=["red", "blue"])
    assert [bar.get_facecolor()[:3] for bar in figure.axes[0].patches] == [(1, 0, 0), (0, 0, 1)]


def test_layers_without_cost_make_no_bar_and_no_trouble():
    figure = layer_bars(["relu", "pool"], {"parameters": [0, 0]})
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0, 0]


@pytest.mark.parametrize("columns", [{}, {"MACs": [1]}, {"MACs": [1, 2], "KB": [1, 2, 3]}])
def test_layer_bars_need_one_number_a_layer(columns):
    with pytest.raises(ValueError, match="2 names"):
        layer_bars(["conv", "fc"], columns)


def test_layer_bars_need_one_colour_a_layer():
    with pytest.raises(ValueError, match="2 names"):
        layer_bars(["conv", "fc"], {"MACs": [1, 2]}, colors=["red"])
