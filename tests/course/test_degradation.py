"""The measured curves of lesson 08 hold what the lesson says, and one command makes them again."""

import json

import numpy as np
import pytest

from course import degradation

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": ["seed = 5\n", "quick = True"],
        },
        {"cell_type": "markdown", "metadata": {}, "source": ["not = code"]},
        {
            "cell_type": "code",
            "metadata": {"nbgrader": {"grade": True}},
            "source": ["raise AssertionError('tests are not run')"],
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": [
                "run = {'loss': [2.0, 1 / 3], 'train_loss': [1.0, 1.0], 'extra': [0.0]}\n",
                "run |= {'train_error': [0.5, seed + 0.25], 'test_error': [0.5, 0.25]}\n",
                "RESULTS = {'records': {'a': [run]}, 'surfaces': {'a': [[1e6 / 7, 2.0]]}}\n",
                "assert not quick",
            ],
        },
    ]
}


@pytest.fixture(scope="module")
def measured():
    return degradation.load()


def last(measured, name, key):
    """The last epoch of each seed's run."""
    return np.array([run[key][-1] for run in measured["records"][name]])


@pytest.mark.parametrize("kind", ["plain", "residual"])
@pytest.mark.parametrize("depth", [8, 20, 56])
def test_each_net_of_the_experiment_has_three_runs_of_eight_epochs(measured, kind, depth):
    runs = measured["records"][f"{kind}-{depth}"]
    assert len(runs) == 3
    for run in runs:
        assert set(run) == {"loss", "train_loss", "train_error", "test_error"}
        assert all(len(numbers) == 8 for numbers in run.values())
        assert np.all((np.array(run["test_error"]) >= 0) & (np.array(run["test_error"]) <= 1))


def test_the_deep_plain_net_fails_on_the_training_images_in_every_run(measured):
    assert last(measured, "plain-56", "loss").min() > 1.2
    assert last(measured, "plain-56", "train_error").min() > 0.5
    for depth in (8, 20):
        shallow = last(measured, f"plain-{depth}", "train_error")
        assert last(measured, "plain-56", "train_error").min() > shallow.max() + 0.3
    assert last(measured, "plain-8", "loss").max() < 0.06
    assert last(measured, "plain-8", "test_error").max() < 0.05


def test_the_residual_nets_learn_at_every_depth(measured):
    for depth in (8, 20, 56):
        assert last(measured, f"residual-{depth}", "loss").max() < 0.15
        assert last(measured, f"residual-{depth}", "test_error").max() < 0.1


def test_a_shortcut_around_one_layer_does_worse_than_around_two_or_three(measured):
    one = last(measured, "span 1", "loss").min()
    assert one > last(measured, "residual-56", "loss").max()
    assert one > last(measured, "span 3", "loss").max()
    assert last(measured, "span 1", "loss").max() < last(measured, "plain-56", "loss").min()


def test_the_residual_nets_landscape_is_lower_everywhere(measured):
    plain, residual = (
        np.array(measured["surfaces"][f"{kind}-56"]) for kind in ("plain", "residual")
    )
    assert plain.shape == residual.shape == (21, 21)
    assert residual[10, 10] == residual.min() < 0.1 < 1 < plain.min()
    assert residual.max() < 1e3 < plain.max()


def test_origin_names_processor_threads_torch_and_time():
    line = degradation.origin()
    assert "thread" in line and "torch" in line and "minutes" in line


def test_the_command_runs_a_notebook_in_full_and_keeps_its_results(tmp_path, capsys):
    notebook, file = tmp_path / "lesson.ipynb", tmp_path / "curves.json"
    notebook.write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    degradation.main([str(notebook), "--file", str(file)])
    kept = degradation.load(file)
    assert kept["records"] == {
        "a": [
            {
                "loss": [2.0, 0.3333],
                "train_loss": [1.0, 1.0],
                "train_error": [0.5, 0.25],
                "test_error": [0.5, 0.25],
            }
        ]
    }
    assert kept["surfaces"] == {"a": [[142900.0, 2.0]]}
    assert degradation.origin(file).endswith(kept["origin"])
    assert f"wrote {file}" in capsys.readouterr().out


def test_a_notebook_that_measures_nothing_is_refused_and_the_file_stays(tmp_path):
    notebook, file = tmp_path / "other.ipynb", tmp_path / "curves.json"
    notebook.write_text(json.dumps({"cells": []}), encoding="utf-8")
    file.write_text("kept", encoding="utf-8")
    with pytest.raises(SystemExit, match="measured nothing"):
        degradation.main([str(notebook), "--file", str(file)])
    assert file.read_text(encoding="utf-8") == "kept"


def test_a_missing_notebook_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="No such file"):
        degradation.main([str(tmp_path / "none.ipynb"), "--file", str(tmp_path / "curves.json")])
