"""How a test cell ended, in words that give no hidden source and no expected value away."""

import json

import numpy as np
import pytest
import torch

from autograder import verdict
from autograder.verdict import Verdict, explain, run_cell, tells


def run(source, **namespace):
    namespace.setdefault("__name__", "__main__")
    return run_cell(source, "test-x", namespace)


SECRET = [3.125, 14.75, 92.5]


def test_a_cell_that_runs_to_its_end_is_ok_whatever_it_warns_and_prints():
    with pytest.warns(UserWarning, match="old"):
        got = run("import warnings, sys\nwarnings.warn('old')\nprint('hello')\nassert True")
    assert (got.status, got.value, got.message) == ("ok", None, "")
    assert {o["name"]: o["text"] for o in got.outputs}["stdout"] == "hello\n"
    got = run("import sys\nprint('careful', file=sys.stderr)")
    assert got.status == "ok" and got.outputs[0]["name"] == "stderr"


@pytest.mark.parametrize(
    "expression, value",
    [
        ("2", 2.0),
        ("1.5", 1.5),
        ("-1", -1.0),
        ("np.float64(0.5)", 0.5),
        ("np.int64(3)", 3.0),
        ("float('nan')", 0.0),
        ("float('inf')", 0.0),
        ("True", None),
        ("np.bool_(True)", None),
        ("'5'", None),
        ("None", None),
        ("[1]", None),
        ("np.ones(1)", None),
        ("x = 3", None),
    ],
)
def test_partial_credit_is_a_finite_number_at_the_end(expression, value):
    got = run(f"assert True\n{expression}", np=np)
    assert (got.status, got.value) == ("ok", value)
    json.dumps(got.to_dict(), allow_nan=False)


def test_an_empty_cell_is_ok():
    assert run("").status == run("# nothing").status == "ok"


TELLING = {
    "numpy allclose": "np.testing.assert_allclose(got, secret)",
    "numpy equal": "np.testing.assert_array_equal(np.array(got), np.array(secret))",
    "numpy almost": "np.testing.assert_almost_equal(got, secret)",
    "numpy one number": "np.testing.assert_allclose(1.0, 14.75)",
    "numpy less": "np.testing.assert_array_less(secret, got)",
    "numpy scalar": "np.testing.assert_equal(1, 14.75)",
    "torch close": "torch.testing.assert_close(torch.tensor(got), torch.tensor(secret))",
    "torch one number": "torch.testing.assert_close(1.0, 14.75)",
    "unittest": "unittest.TestCase().assertEqual(got, secret)",
    "unittest list": "unittest.TestCase().assertListEqual(got, secret)",
    "unittest almost": "unittest.TestCase().assertAlmostEqual(1.0, 14.75)",
    "inside a helper": "def helper():\n    np.testing.assert_allclose(got, secret)\nhelper()",
    "plain assert": "assert got == secret",
    "plain allclose": "assert np.allclose(got, secret)",
}


@pytest.mark.parametrize("source", TELLING.values(), ids=TELLING.keys())
def test_a_failed_comparison_tells_no_expected_value_and_no_source(source):
    import unittest

    got = run(source, np=np, torch=torch, unittest=unittest, got=[1.0, 2.0, 3.0], secret=SECRET)
    assert (got.status, got.error) == ("error", "AssertionError")
    for telling in ("3.125", "14.75", "13.75", "92.5", "89.5", "secret", "assert", "helper"):
        assert telling not in got.message, got.message
    assert got.message.startswith(("not the expected value", "not the expected result"))


def test_how_many_elements_differ_is_told():
    got = run("np.testing.assert_allclose([1.0, 2.0], [1.0, 5.0])", np=np)
    assert "Mismatched elements: 1 / 2" in got.message


def test_the_authors_own_message_is_told():
    assert run("assert False, 'the shape is wrong'").message == "the shape is wrong"


@pytest.mark.parametrize(
    "source, told",
    [
        ("undefined", "did the cell that defines it run"),
        ("{'answer': 1}['answer is 42']", "lacks a key"),
        ("None.shape", "could not use your result: AttributeError"),
        ("1 / 0", "could not use your result: ZeroDivisionError"),
        ("raise SystemExit(0)", "ended itself"),
        ("exit()", "ended itself"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import pytest\npytest.fail('no')", "no"),
        ("raise ConnectionError", "kernel had stopped"),
        ("def f(): f()\nf()", "RecursionError"),
        ("def broken(", "SyntaxError"),
        ("await something", "could not use"),
        ("assert False, 10 ** 5000", "not the expected result"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "could not use"),
    ],
)
def test_every_end_is_a_verdict(source, told):
    got = run(source)
    assert got.status == "error" and got.value is None
    assert told in got.message and "answer is 42" not in got.message
    json.dumps(got.to_dict())


def test_an_interrupt_is_the_engines_and_passes_through():
    with pytest.raises(KeyboardInterrupt):
        run("raise KeyboardInterrupt")


def test_what_the_students_code_raised_is_told_as_theirs():
    error = ValueError("mine")
    error.remote_traceback = 'File "<cell>", line 1\n'
    assert explain(error) == "your code raised ValueError: mine"


def test_a_print_without_end_is_cut():
    got = run("for i in range(10**5): print('x' * 100)")
    text = got.outputs[0]["text"]
    assert got.status == "ok" and len(text) == verdict.MAX_OUTPUT


def test_messages_are_cut():
    got = run("assert False, 'x' * 10**6")
    assert len(got.message) <= verdict.MAX_MESSAGE
    assert len(json.dumps(got.outputs)) < 10 * verdict.MAX_MESSAGE


def test_half_a_character_cannot_stop_the_grading():
    got = run("print('\\ud800')\nassert False, '\\udcff'")
    json.dumps(got.to_dict(), ensure_ascii=False).encode()


def test_magics_run_their_cell_and_are_ignored_otherwise():
    assert run("%matplotlib inline\n!false\nx = 1\nassert x").status == "ok"
    assert run("%%time\nassert False, 'seen'").message == "seen"
    assert run("%%capture\nassert x == 1", x=1).status == "ok"
    assert run("%time y = 1").status == "ok"
    assert run("display(1)\nget_ipython()").status == "ok"


def test_a_submissions_get_ipython_is_not_asked():
    def theirs():
        raise AssertionError("asked")

    assert run("%matplotlib inline", get_ipython=theirs).status == "ok"


def test_the_instructors_copy_has_the_traceback_and_not_our_own_frames():
    got = run("def check():\n    assert 1 == 2\ncheck()")
    text = "\n".join(got.outputs[0]["traceback"])
    assert "assert 1 == 2" in text and "verdict.py" not in text


def test_names_persist_from_cell_to_cell():
    namespace = {}
    run_cell("x = 1", "a", namespace)
    assert run_cell("assert x == 1", "b", namespace).status == "ok"


def test_a_lost_connection_is_a_verdict():
    got = Verdict.of_connection(ConnectionError("\ud800"))
    assert got.status == "error"
    json.dumps(got.to_dict(), ensure_ascii=False).encode()


def test_only_assertions_of_testing_libraries_tell():
    assert not tells(AssertionError("x")) and not tells(ValueError("x"))
