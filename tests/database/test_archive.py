"""The archive of a backup: resumable on the way out, suspicious on the way in."""

import io
import tarfile
from dataclasses import replace

import pytest

from proman.base.errors import Refused
from proman.database import archive, catalogue
from proman.database import manifest as manifests
from proman.database.manifest import Manifest

MANIFEST = Manifest(
    name="proman-20261122-020000.sqlite",
    sequence=1,
    created_at="2026-11-22T02:00:00Z",
    reason="manual",
    by="Alice",
    revision="r1",
    rows={"t": 3},
    size_bytes=5000,
    sha256="0" * 64,
    schema_fingerprint="f" * 64,
    page_size=4096,
    checks=("integrity",),
)


@pytest.fixture
def backup(tmp_path):
    path = tmp_path / MANIFEST.name
    path.write_bytes(bytes(range(250)) * 20)
    manifests.write(path.with_suffix(".json"), MANIFEST)
    return catalogue.backup_named(tmp_path, MANIFEST.name)


def test_the_archive_is_a_tar_with_the_manifest_first(backup):
    content = archive.archive_of(backup).read_all()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert tar.getnames() == ["proman-20261122-020000.json", MANIFEST.name]
        assert tar.extractfile(MANIFEST.name).read() == backup.path.read_bytes()


def test_any_part_of_it_is_the_same_part_of_the_whole(backup):
    whole = archive.archive_of(backup).read_all()
    pieces = archive.archive_of(backup)
    assert pieces.size == len(whole)
    for start in range(0, len(whole), 397):
        pieces.seek(start)
        assert pieces.read_all() == whole[start:]


def test_unpacking_gives_the_same_file_and_manifest(backup, tmp_path):
    tar = tmp_path / "up.bin"
    tar.write_bytes(archive.archive_of(backup).read_all())
    assert archive.is_archive(tar)
    assert archive.unpack(tar, tmp_path / "out.sqlite") == backup.manifest
    assert (tmp_path / "out.sqlite").read_bytes() == backup.path.read_bytes()


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"x") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
    info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return info


@pytest.mark.parametrize(
    "members",
    [
        [member("../evil.sqlite")],
        [member("/etc/evil.sqlite")],
        [member("a.sqlite", tarfile.SYMTYPE)],
        [member("a.sqlite", tarfile.LNKTYPE)],
        [member("a.sqlite", tarfile.FIFOTYPE)],
        [member("a.sqlite"), member("b.sqlite")],
        [member("run.sh")],
        [member("a.json")],
        [],
    ],
)
def test_anything_but_one_database_and_its_manifest_is_refused(tmp_path, members):
    tar = tmp_path / "up.bin"
    with tarfile.open(tar, "w") as out:
        for one in members:
            out.addfile(one, io.BytesIO(b"x") if one.isreg() else None)
    with pytest.raises(Refused):
        archive.unpack(tar, tmp_path / "out.sqlite")


def test_a_truncated_archive_is_refused(backup, tmp_path):
    content = archive.archive_of(backup).read_all()
    tar = tmp_path / "up.bin"
    for length in (300, 700, 3000, len(content) - 3000):
        tar.write_bytes(content[:length])
        (tmp_path / "out.sqlite").unlink(missing_ok=True)
        with pytest.raises(Refused):
            archive.unpack(tar, tmp_path / "out.sqlite")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format": "proman-backup-1"}', b"\xff\xfe", b"[" * 100_000],
)
def test_a_manifest_that_is_none_is_none(content):
    assert manifests.parse(content) is None


def test_fields_of_a_later_version_are_passed_over(tmp_path):
    path = tmp_path / "m.json"
    manifests.write(path, replace(MANIFEST, pinned=True))
    later = path.read_bytes().replace(b'"pinned"', b'"colour": "blue", "pinned"')
    assert manifests.parse(later) == replace(MANIFEST, pinned=True)
