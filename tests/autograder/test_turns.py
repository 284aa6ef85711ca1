"""Turns, taken by processes that wait, end and are killed."""

import multiprocessing
import time

from autograder.turns import Turns


def hold(folder, number, taken, seconds):
    turns = Turns(folder, number)
    turns.take()
    taken.put((time.monotonic(), turns.waited))
    time.sleep(seconds)
    turns.give()
    time.sleep(60)


def start(folder, number, taken, seconds):
    process = multiprocessing.get_context("spawn").Process(
        target=hold, args=(folder, number, taken, seconds), daemon=True
    )
    process.start()
    return process


def test_whoever_comes_too_many_waits_until_one_is_given(tmp_path):
    taken = multiprocessing.get_context("spawn").Queue()
    processes = [start(tmp_path, 2, taken, 1.0) for _ in range(3)]
    first, second, third = sorted(taken.get(timeout=60) for _ in range(3))
    assert third[0] - first[0] >= 1.0
    assert second[1] < 0.5
    for process in processes:
        process.kill()


def test_a_killed_process_gives_its_turn_back(tmp_path):
    taken = multiprocessing.get_context("spawn").Queue()
    process = start(tmp_path, 1, taken, 60)
    taken.get(timeout=60)
    process.kill()
    process.join()
    turns = Turns(tmp_path, 1)
    turns.take()
    assert turns.waited < 10


def test_one_worker_holds_one_turn_however_often_it_asks(tmp_path):
    mine, other = Turns(tmp_path, 2), Turns(tmp_path, 2)
    mine.take()
    mine.take()
    other.take()  # would wait for ever
    mine.give()
    mine.give()
    mine.take()
    assert mine.waited < 1
