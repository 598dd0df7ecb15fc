from pathlib import Path

import pytest

from deployments.strict_yaml import read_yaml
from schemas.faults import PlanError


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("scalar", "meant"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("010", 10),
        ("-1", -1),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x1F", "0x1F"),
        (".inf", ".inf"),
        ("'7'", "7"),
        ('"true"', "true"),
        ("9" * 400, "9" * 400),
    ],
)
def test_scalars_mean_what_they_look_like(written, scalar, meant):
    found = read_yaml(written(f"key: {scalar}")).tree
    assert found == {"key": meant}
    assert type(found["key"]) is type(meant)


def test_every_place_knows_its_line(written):
    document = read_yaml(written("a: 1\nb:\n  - c: 2\n    d: 3\n  - 4\n"))
    assert document.line(("b", 0, "d")) == 4
    assert document.line(("b", 1)) == 5
    assert document.line(("b", 0, "missing", "deeper")) == 3
    assert document.line(()) == 1


def test_a_byte_order_mark_is_no_part_of_the_first_key(written):
    assert read_yaml(written(b"\xef\xbb\xbfname: x")).tree == {"name": "x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2", r"a: stands twice, first in line 1; keep one \(.*:2\)"),
        ("a:\n  b: 1\n  b: 2", r"a\.b: stands twice"),
        ("1: x", "expected text as a key, got 1; put it in quotes"),
        ("? [a]\n: x", "expected text as a key"),
        ("a: &x 1\nb: *x", "anchors and aliases are refused"),
        ("a: &x [*x]", "anchors and aliases are refused"),
        ("a: !thing 1", "the tag !thing is refused"),
        ("a: !!python/name:os.system x", "python/name:os.system is refused"),
        ("a: !!python/object/apply:os.system [x]", "python/object/apply:os.system is refused"),
        ("a: !thing {b: 1}", "the tag !thing is refused"),
        ("!thing a: 1", "the tag !thing is refused"),
        ("a: [1\nb: 2", r"is not YAML: .* \(.*:2\)"),
        ("a: \x01", "is not YAML"),
        ("", "is empty; expected a plan"),
        ("# a comment", "is empty; expected a plan"),
        (b"a: \xff\xfe", "is not UTF-8"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "[" * 40 + "]" * 40, "nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(written, text, told):
    with pytest.raises(PlanError, match=told):
        read_yaml(written(text))


def test_all_faults_of_form_are_told_at_once(written):
    with pytest.raises(PlanError, match=r"(?s)a: stands twice.*got 1.*!x is refused"):
        read_yaml(written("a: 1\na: 2\n1: 2\nb: !x 3"))


def test_billions_of_laughs_are_refused_before_they_are_counted(written):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(PlanError, match="anchors and aliases are refused"):
        read_yaml(written("\n".join(lines)))


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(PlanError, match=r"There is no plan .*nope\.yaml"):
        read_yaml(tmp_path / "nope.yaml")
    with pytest.raises(PlanError, match="can't be read"):
        read_yaml(tmp_path)
