"""Files of the MNIST format: read, refused, downloaded; every file here is made by the test."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from harness.cli import main
from harness.errors import UsageError
from harness.images import idx, published
from harness.images.published import Published

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 2, 3) * 10
LABELS = np.array([3, 1, 4, 1], dtype=np.uint8)
NAMES = {"t10k-images-idx3-ubyte": PIXELS, "t10k-labels-idx1-ubyte": LABELS}


def file_of(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def tiny(tmp_path):
    """A published set of four images, and the folder that is its source."""
    source = tmp_path / "source"
    source.mkdir()
    for name, array in NAMES.items():
        (source / f"{name}.gz").write_bytes(gzip.compress(file_of(array)))
    digests = {name: hashlib.sha256(file_of(array)).hexdigest() for name, array in NAMES.items()}
    return Published("tiny", f"{source.as_uri()}/", digests)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", [True, False])
def test_a_set_is_read_packed_or_not_from_the_folder_or_one_of_its_name(
    tiny, tmp_path, packed, below
):
    folder = tmp_path / "data" / ("tiny" if below else "")
    folder.mkdir(parents=True)
    for name, array in NAMES.items():
        content = file_of(array)
        # packed in another way than the published file, as Debian does
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content, 1, mtime=7) if packed else content)
    images = published.read(tiny, "test", tmp_path / "data")
    assert np.array_equal(images.pixels, PIXELS / 255)
    assert images.labels.tolist() == LABELS.tolist()


def test_what_is_downloaded_is_read_and_not_got_again(tiny, tmp_path):
    written = published.download(tiny, "test", tmp_path / "data")
    assert [path.name for path in written] == [f"{name}.gz" for name in NAMES]
    assert len(published.read(tiny, "test", tmp_path / "data")) == 4
    assert published.download(tiny, "test", tmp_path / "data") == []


def test_what_is_not_published_is_not_kept(tiny, tmp_path):
    changed = gzip.compress(file_of(PIXELS + 1))
    (tmp_path / "source" / "t10k-images-idx3-ubyte.gz").write_bytes(changed)
    with pytest.raises(UsageError, match="SHA-256"):
        published.download(tiny, "test", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_without_the_internet_the_address_is_named(tiny, tmp_path):
    (tmp_path / "source" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UsageError, match=r"t10k-labels-idx1-ubyte\.gz: it cannot be had.*--data"):
        published.download(tiny, "test", tmp_path / "data")


def test_a_missing_file_is_named_with_the_command_that_gets_it(tiny, tmp_path):
    with pytest.raises(UsageError) as caught:
        published.read(tiny, "test", tmp_path)
    for words in (str(tmp_path), "t10k-images-idx3-ubyte.gz", tiny.source, "--download tiny"):
        assert words in str(caught.value)


def test_another_file_of_the_format_is_told_by_its_digest(tiny, tmp_path):
    published.download(tiny, "test", tmp_path)
    path = tmp_path / "tiny" / "t10k-labels-idx1-ubyte.gz"
    content = file_of(LABELS[::-1])
    path.write_bytes(gzip.compress(content))
    with pytest.raises(UsageError) as caught:
        published.read(tiny, "test", tmp_path)
    digests = (hashlib.sha256(content).hexdigest(), tiny.sha256["t10k-labels-idx1-ubyte"])
    for words in (str(path), *digests, tiny.source):
        assert words in str(caught.value)


def header(*words):
    return struct.pack(f">HBB{len(words)}I", 0, 8, len(words), *words)


PACKED = gzip.compress(file_of(PIXELS))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"PK\x03\x04" + bytes(40), "begins with 50 4b 03 04"),
        (struct.pack(">HBBI", 0, 0x0D, 1, 1) + bytes(4), "type 0x0d on 1 axes"),
        (struct.pack(">HBB", 0, 8, 0) + bytes(4), "on 0 axes"),
        (struct.pack(">HBB", 0, 8, 255) + bytes(2000), "on 255 axes"),
        (header(4, 2, 3)[:11], "ends in its header, at byte 11"),
        (header(4, 2, 3) + bytes(23), "23 bytes follow the header, which says 4 x 2 x 3 = 24"),
        (header(4, 2, 3) + bytes(25), "25 bytes follow the header, which says 4 x 2 x 3 = 24"),
        (header(*[2**32 - 1] * 3) + bytes(8), "says 4294967295 x 4294967295 x 4294967295"),
        (header(0, 2**32 - 1, 2**32 - 1), "so it is empty"),
        (PACKED[:-9], "cut off at byte"),
        (PACKED[:40] + b"\xff" * 9 + PACKED[49:], "is damaged"),
        (PACKED + b"more", "4 bytes follow the end of its gzip"),
        (PACKED + PACKED, "bytes follow the end of its gzip"),
        (gzip.compress(bytes(idx.MOST_BYTES + 1)), "more than 64 MiB"),
        (bytes(idx.MOST_BYTES + 1), "more than 64 MiB"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_file_that_is_none_is_refused_with_its_name(content, words):
    with pytest.raises(UsageError) as caught:
        idx.parse(idx.unpacked(content, "some/file"), "some/file")
    assert str(caught.value).startswith("some/file: ")
    assert words in str(caught.value)


def test_doctor_says_which_sets_lie_in_a_folder(tmp_path, capsys):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(file_of(PIXELS))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(file_of(LABELS))
    assert main(["doctor", "--data", str(tmp_path), "--results", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "mnist, train: not there" in out
    assert f"mnist, test: problem: {tmp_path}" in out


def test_what_is_downloaded_needs_a_folder(tmp_path, capsys):
    assert main(["doctor", "--download", "mnist", "--results", str(tmp_path)]) == 2
    assert "--data DIR" in capsys.readouterr().err
