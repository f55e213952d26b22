import hashlib
import zipfile
from pathlib import Path

import pytest

from unpaired.collect.sources.archive import PAGE, SETS, Archive, find, parse, wanted
from unpaired.errors import Problem
from unpaired.params import Domain

HORSE = Domain(name="horse", queries=["trainA", "testA"], train=3, test=2)


@pytest.fixture
def rules(tiny_params, tmp_path):
    """rules(archive) → the search section, its watched folder empty."""
    (tmp_path / "my #1 sets").mkdir()

    def changed(archive, watch=tmp_path / "my #1 sets"):
        return tiny_params({"search.watch": str(watch), "search.archive": archive}).search

    return changed


def packed(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("horse2zebra/trainA/1.jpg", b"a horse")
    return path


def test_a_set_known_by_name_keeps_its_sides(rules):
    one, other = find(HORSE, rules("horse2zebra"))
    assert one.url == f"archive+{PAGE}horse2zebra.zip#trainA" and one.page == PAGE
    assert (one.query, one.set, one.source, one.title) == (
        ("trainA", "train", "archive", "horse2zebra.zip")
    )
    assert (other.query, other.set) == ("testA", "test")
    assert parse(other.url) == Archive(f"{PAGE}horse2zebra.zip", None, "", "testA")


def test_the_known_sets_are_those_of_the_paper_s_page():
    assert {"horse2zebra", "monet2photo", "maps", "facades"} <= set(SETS)
    assert "cityscapes" not in SETS and list(SETS) == sorted(SETS)


@pytest.mark.parametrize(
    ("address", "query", "url"),
    [
        ("https://host/x.zip", "a b/ü", "archive+https://host/x.zip#a%20b/%C3%BC"),
        ("http://host/get?id=3&f=x.tar.gz#top", ".", "archive+http://host/get?id=3&f=x.tar.gz#."),
        ("HTTPS://host/x.zip", "100%#1/", "archive+HTTPS://host/x.zip#100%25%231"),
    ],
)
def test_an_address_and_what_is_asked_of_it_come_back(rules, address, query, url):
    domain = Domain(name="any", queries=[query], train=1, test=1)
    (found,) = find(domain, rules(address))
    assert found.url == url and found.url.isascii()
    again = parse(found.url)
    assert again.address.lower() == address.partition("#")[0].lower()
    assert again.folder == query.rstrip("/") and again.path is None


def test_a_local_one_is_named_with_what_it_holds(rules, tmp_path):
    path = packed(tmp_path / "my #1 sets" / "a b?.zip")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for named in ("a b?.zip", str(path)):
        one, _ = find(HORSE, rules(named))
        assert one.url.startswith("archive+file:/") and one.url.isascii()
        assert parse(one.url) == Archive(None, path, digest, "trainA")
        assert one.title == "a b?.zip"
    path.write_bytes(b"another")
    assert find(HORSE, rules("a b?.zip"))[0].url != one.url


def test_a_local_one_below_the_working_directory_does_not_name_it(rules, tmp_path, monkeypatch):
    packed(tmp_path / "my #1 sets" / "x.zip")
    monkeypatch.chdir(tmp_path)
    one, _ = find(HORSE, rules("x.zip", watch="my #1 sets"))
    assert one.url.startswith("archive+file:my%20%231%20sets/x.zip?sha256=")
    assert parse(one.url).path == Path("my #1 sets/x.zip")
    whole, _ = find(HORSE, rules("my #1 sets/x.zip", watch="my #1 sets"))
    assert whole == one


@pytest.mark.parametrize(
    ("archive", "line"),
    [
        ("", r"search\.archive is empty.*horse2zebra.*vangogh2photo"),
        ("horse2zebras", r"'horse2zebras' is no archive that is known.*horse2zebra,"),
        ("cityscapes", r"'cityscapes' is no archive"),
        ("x.rar", r"'x\.rar' is no archive that is known"),
        ("ftp://host/x.zip", r"ftp"),
        ("https:///x.zip", r"'https:///x\.zip' names no host"),
        ("none.zip", r"none\.zip: No such file"),
        ("../x.zip", r"search\.archive \.\./x\.zip: lies outside search\.watch"),
        ("/etc/x.zip", r"/etc/x\.zip: lies outside search\.watch"),
    ],
)
def test_what_is_no_archive_is_a_problem(rules, archive, line):
    with pytest.raises(Problem, match=line) as caught:
        find(HORSE, rules(archive))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("query", ["../x", "/trainA", "a/../../b"])
def test_a_query_stays_inside(rules, query):
    domain = Domain(name="any", queries=[query], train=1, test=1)
    with pytest.raises(Problem, match="names no folder inside the archive"):
        find(domain, rules("maps"))


@pytest.mark.parametrize(
    ("member", "folder", "is_one"),
    [
        ("horse2zebra/trainA/1.jpg", "trainA", True),
        ("trainA/deep/1.JPEG", "trainA", True),
        ("./trainA/1.png", "trainA", True),
        ("x/bags/red/1.jpg", "bags/red", True),
        ("1.jpg", ".", True),
        ("trainAB/1.jpg", "trainA", False),
        ("traina/1.jpg", "trainA", False),
        ("bags/old/red/1.jpg", "bags/red", False),
        ("trainA.jpg", "trainA", False),
        ("horse2zebra/trainA/notes.txt", "trainA", False),
        ("horse2zebra/trainA/", "trainA", False),
        ("__MACOSX/trainA/._1.jpg", "trainA", False),
    ],
)
def test_which_members_are_wanted(member, folder, is_one):
    assert wanted(member, folder) is is_one
