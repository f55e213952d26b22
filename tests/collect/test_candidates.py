import pytest

from unpaired.collect.candidates import Candidate, read_candidates, write_candidates
from unpaired.errors import Problem

PLAIN = Candidate(url="synthetic://handbag/3", source="synthetic", query="handbag", rank=1)
FULL = Candidate(
    url="file:data/added/t%C3%BCten/a%20b.jpg#sha256=00",
    source="folder",
    query="tüten",
    rank=2,
    title='two\nlines, "quoted" \u2028 鞄',
    page="https://example.org/?a=1&b=2",
    licence="CC-BY-4.0",
    creator="Zoë",
    set="test",
    labels={"colour": "red", "größe": "12"},
)


def test_candidates_come_back(tmp_path):
    path = tmp_path / "candidates" / "handbag.jsonl"
    write_candidates(path, iter([PLAIN, FULL]))
    assert read_candidates(path) == [PLAIN, FULL]
    assert len(path.read_bytes().splitlines()) == 2
    assert "größe" in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_candidates_are_an_empty_list(tmp_path):
    write_candidates(tmp_path / "none.jsonl", [])
    assert read_candidates(tmp_path / "none.jsonl") == []


def test_a_failure_in_the_middle_leaves_the_old_list(tmp_path):
    def failing():
        yield FULL
        raise Problem("the source is gone")

    write_candidates(tmp_path / "handbag.jsonl", [PLAIN])
    with pytest.raises(Problem, match="the source is gone"):
        write_candidates(tmp_path / "handbag.jsonl", failing())
    assert read_candidates(tmp_path / "handbag.jsonl") == [PLAIN]


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '{"url": "file:a"}', '{"url": "file:a", "colour": 1}', "\n", "\x80"]
)
def test_a_line_that_is_no_candidate_is_a_problem(tmp_path, text):
    path = tmp_path / "handbag.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Problem, match=r"handbag\.jsonl: no readable list"):
        read_candidates(path)


def test_a_missing_list_is_a_problem(tmp_path):
    with pytest.raises(Problem, match=r"handbag\.jsonl"):
        read_candidates(tmp_path / "handbag.jsonl")
