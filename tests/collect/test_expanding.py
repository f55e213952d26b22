import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from unpaired.collect import expanding
from unpaired.collect.expanding import expand
from unpaired.errors import Problem

PICTURE = bytes(range(256)) * 8


def a_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def a_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            else:
                info.type, info.linkname = data.encode(), "/etc/passwd"
                archive.addfile(info)
    return path


def a_plain_tar(path, members):
    return a_tar(path, members, "w")


def found(path, folder="."):
    return {member.name: member.reason or member.data for member in expand(path, folder)}


MAKERS = pytest.mark.parametrize("make", [a_zip, a_tar, a_plain_tar])


@MAKERS
def test_the_pictures_of_a_folder(make, tmp_path):
    members = {
        "horse/trainA/1.jpg": PICTURE,
        "horse/trainA/ä b.PNG": PICTURE[:9],
        "horse/trainB/2.jpg": PICTURE[:8],
        "horse/trainA/list.txt": b"1",
        "horse/trainA/.hidden.jpg": b"1",
        "__MACOSX/horse/trainA/._1.jpg": b"1",
        "horse/trainA/inner.zip": b"PK",
    }
    path = make(tmp_path / "no.name", members)
    wanted = {"horse/trainA/1.jpg": PICTURE, "horse/trainA/ä b.PNG": PICTURE[:9]}
    assert found(path, "trainA") == wanted
    assert found(path) == wanted | {"horse/trainB/2.jpg": PICTURE[:8]}
    assert found(path, "testA") == {}


@MAKERS
@pytest.mark.parametrize(
    "name", ["../a.jpg", "x/../../a.jpg", "/a.jpg", "C:/a.jpg", "x\\..\\a.jpg"]
)
def test_names_that_lead_out_are_refused(make, name, tmp_path):
    path = make(tmp_path / "archive", {name: PICTURE, "good.jpg": PICTURE})
    said = found(path)
    assert said.pop("good.jpg") == PICTURE
    assert list(said.values()) == ["unsafe: the name leads out of the archive"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(kind, tmp_path):
    path = a_tar(tmp_path / "archive", {"a.jpg": kind.decode(), "good.jpg": PICTURE})
    assert found(path) == {"a.jpg": "unsafe: a link or device", "good.jpg": PICTURE}


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("a.jpg")
    link.external_attr = 0o120777 << 16
    path = a_zip(tmp_path / "archive", {link: b"/etc/passwd", "good.jpg": PICTURE})
    assert found(path) == {"a.jpg": "unsafe: a link or device", "good.jpg": PICTURE}


@MAKERS
def test_a_member_that_is_too_large_is_refused_unread(make, tmp_path, monkeypatch):
    monkeypatch.setattr(expanding, "MAX_PICTURE", 100)
    path = make(tmp_path / "archive", {"a.jpg": b"-" * 101, "b.jpg": b"-" * 100})
    assert found(path) == {"a.jpg": "too_large: 101 bytes", "b.jpg": b"-" * 100}


@pytest.mark.parametrize("make", [a_zip, a_tar])
def test_what_unpacks_to_far_more_than_it_is_is_refused(make, tmp_path):
    path = make(tmp_path / "archive", {"zeros.bin": bytes(30_000_000), "a.jpg": PICTURE})
    assert path.stat().st_size < 50_000
    with pytest.raises(Problem, match="bomb: unpacks to 3"):
        found(path)


@MAKERS
def test_too_many_members_are_refused(make, tmp_path, monkeypatch):
    monkeypatch.setattr(expanding, "MAX_MEMBERS", 3)
    path = make(tmp_path / "archive", {f"{number}.txt": b"" for number in range(4)})
    with pytest.raises(Problem, match="bomb: more than 3 members"):
        found(path)


def test_a_zip_whose_list_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    path = a_zip(tmp_path / "archive", {f"{number}.jpg": b"" for number in range(200)})
    monkeypatch.setattr(expanding, "MAX_DIRECTORY", 4096)
    with pytest.raises(Problem, match=r"bomb: .* bytes of names"):
        found(path)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_whose_names_would_fill_the_memory_is_refused(kind, tmp_path):
    header = tarfile.TarInfo("name")
    header.type, header.size = kind, 50_000_000
    path = tmp_path / "archive"
    with gzip.open(path, "wb") as file:
        file.write(header.tobuf() + bytes(50_000_000))
    with pytest.raises(Problem, match=r"bomb: .* between two members"):
        found(path)


def test_a_zip_that_understates_a_member_gives_no_more_than_it_said(tmp_path):
    path = a_zip(tmp_path / "archive", {"a.jpg": bytes(40_000)})
    data = path.read_bytes()
    assert data.count(struct.pack("<I", 40_000)) == 2
    path.write_bytes(data.replace(struct.pack("<I", 40_000), struct.pack("<I", 10)))
    assert found(path)["a.jpg"].startswith("broken: Bad CRC")


def test_a_damaged_member_of_a_zip_costs_itself_alone(tmp_path):
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("b.jpg", b"second")
    path.write_bytes(path.read_bytes().replace(b"first", b"fisrt"))
    said = found(path)
    assert said["a.jpg"].startswith("broken: Bad CRC") and said["b.jpg"] == b"second"


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", b"\x1f\x8b\x08", b"<html>" * 200, b"PK" + b"\0" * 999]
)
def test_what_is_no_archive_is_a_problem(data, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(data)
    with pytest.raises(Problem, match="broken: "):
        found(path)


def test_a_tar_that_ends_early_gives_what_is_whole_and_says_so(tmp_path):
    path = a_plain_tar(tmp_path / "archive", {"a.jpg": PICTURE, "b.jpg": PICTURE * 9})
    path.write_bytes(path.read_bytes()[:6000])
    names = []
    with pytest.raises(Problem, match="broken: unexpected end"):
        names.extend(member.name for member in expand(path, "."))
    members = expand(path, ".")
    assert next(members).name == "a.jpg"
