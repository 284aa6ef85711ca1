"""What a submission may see, worked out from what is installed here."""

import importlib.metadata

from packaging.requirements import Requirement

from autograder import allowed


def holds(requirement):
    return requirement.marker is None or requirement.marker.evaluate()


def test_names_are_those_that_importlib_finds():
    mine = {name: sorted(owners) for name, owners in allowed._distributions().items()}
    theirs = importlib.metadata.packages_distributions()
    assert mine == {name: sorted(owners) for name, owners in theirs.items()}


def test_requirements_that_hold_here_are_those_that_importlib_reads():
    seen = 0
    for distribution in importlib.metadata.distributions():
        found = [r for r in map(Requirement, allowed._requires(distribution)) if holds(r)]
        wanted = [r for r in map(Requirement, distribution.requires or ()) if holds(r)]
        assert found == wanted, distribution.name
        seen += len(found)
    assert seen > 100


def test_a_requirement_of_an_extra_alone_is_left_out_and_one_with_another_reason_is_kept(tmp_path):
    folder = tmp_path / "odd-1.0.dist-info"
    folder.mkdir()
    folder.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n"
        "Requires-Dist: numpy>=1\n"
        'Requires-Dist: pytest ; extra == "test"\n'
        'Requires-Dist: typer ; python_version >= "3" or extra == "cli"\n'
        "\nRequires-Dist: of the description\n"
    )
    (odd,) = importlib.metadata.distributions(path=[str(tmp_path)])
    assert [Requirement(line).name for line in allowed._requires(odd)] == ["numpy", "typer"]
