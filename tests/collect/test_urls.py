import pytest

from unpaired.collect.sources.urls import find
from unpaired.errors import Problem
from unpaired.params import Domain


@pytest.fixture
def listed(tiny_params, tmp_path):
    """listed({file: text}, *queries) → the candidates of a domain with these lists; by default
    all of them are its queries."""

    def found(files, *queries):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        domain = Domain(name="bag", queries=list(queries or files), train=1, test=1)
        return find(domain, tiny_params({"search.watch": str(tmp_path)}).search)

    return found


def test_a_text_has_an_address_a_line(listed):
    text = "# mine\nhttps://a.org/1.jpg#top\n\n  http://b.org/2?x=1&y=2  \n#https://no.org/3\n"
    found = listed({"bags/list.txt": text})
    assert [one.url for one in found] == ["https://a.org/1.jpg#top", "http://b.org/2?x=1&y=2"]
    assert [one.rank for one in found] == [1, 2]
    told = {(one.source, one.query, one.licence, one.set) for one in found}
    assert told == {("urls", "bags/list.txt", "unknown", "")}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_table_tells_more(listed, ends):
    rows = [
        "url,colour,title,page,licence,creator,set",
        'https://a.org/1.jpg,red,"A bag, old",https://a.org/1,CC BY-SA 4.0,Anna,test',
        "https://a.org/2.jpg, ,,,,,",
    ]
    first, second = listed({"list.CSV": "\ufeff" + ends.join(rows)})
    assert (first.title, first.page, first.creator) == ("A bag, old", "https://a.org/1", "Anna")
    assert (first.licence, first.set, first.labels) == ("CC-BY-SA-4.0", "test", {"colour": "red"})
    assert (second.licence, second.set, second.labels) == ("unknown", "", {"colour": ""})


def test_of_an_address_that_comes_twice_the_first_stays(listed):
    files = {
        "one.csv": "url,licence\nhttps://a.org/1,CC0\nhttps://a.org/1,\nhttps://a.org/2,\n",
        "two.txt": "https://a.org/3\nhttps://a.org/1\n",
    }
    found = listed(files)
    assert [(one.url[-1], one.query, one.rank) for one in found] == [
        ("1", "one.csv", 1),
        ("2", "one.csv", 3),
        ("3", "two.txt", 1),
    ]
    assert found[0].licence == "CC0-1.0"


NONSENSE = ["www.a.org/1.jpg", "ftp://a.org/1", "file:///etc/passwd", "https:///1", "http://[a"]


@pytest.mark.parametrize("nonsense", [*NONSENSE, "https://a.org/1.jpg https://a.org/2.jpg"])
def test_nonsense_is_named_with_its_line(listed, nonsense):
    with pytest.raises(Problem, match=r"list\.txt, line 3: .* is no address") as caught:
        listed({"list.txt": f"# mine\nhttps://a.org/1\n{nonsense}\n"})
    assert repr(nonsense) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.csv", "link\nhttps://a.org/1\n", r"a\.csv: has no column `url`"),
        ("a.csv", "", r"a\.csv: has no column `url`"),
        ("a.csv", 'url,title\n\nhttps://a.org/1,"a\nb"\nx,\n', r"line 5: 'x' is no address"),
        ("a.csv", "url,title\nhttps://a.org/1,a,b\n", r"line 2: 3 values for 2 columns"),
        ("a.csv", "url,set\nhttps://a.org/1,val\n", r"line 2: set 'val' is neither train nor"),
        ("a.csv", 'url\n"https://a.org/1\n', r"a\.csv: is no CSV"),
        ("a.csv", "url\n", r"a\.csv: holds no address"),
        ("a.txt", "# nothing\n", r"a\.txt: holds no address"),
        ("a.txt", b"https://a.org/\xff\n", r"a\.txt: is no text in UTF-8"),
    ],
)
def test_a_list_that_is_none_is_a_problem(listed, name, text, line):
    with pytest.raises(Problem, match=line) as caught:
        listed({name: text})
    assert "\n" not in str(caught.value)


def test_a_list_is_one_that_dvc_watches(listed):
    with pytest.raises(Problem, match=r"query \.\./list\.txt: lies outside search\.watch"):
        listed({}, "../list.txt")
    with pytest.raises(Problem, match=r"none\.txt: No such file"):
        listed({}, "none.txt")
