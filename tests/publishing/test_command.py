"""``python -m qingbo_widgets publish`` prints what it did and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from qingbo_widgets.__main__ import main

FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(1_200_000)


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "koi.ipynb",
        "--to site",
        "--source .",
        "--execute",
        "koi.ipynb --to site --built site",
        "koi.ipynb --to site --source .",
        "koi.ipynb --built site",
        "--built site --execute",
    ],
)
def test_a_mixture_prints_both_usages(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Options of one form without its others, or with those of the other form, exit with status 2."""
    with pytest.raises(SystemExit) as ended:
        main(["publish", *arguments.split()])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert "NOTEBOOK... --to FOLDER" in printed
    assert "--built FOLDER" in printed


def test_built_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All pages are completed; the exit status is 1 while a file is missing."""
    source, built = tmp_path / "source", tmp_path / "built"
    for name in ("koi", "a/crane", "a/owl"):
        page = built / name / "index.html" if name == "a/owl" else built / f"{name}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f'<video src="./videos/{Path(name).name}.mp4"></video>', encoding="utf-8")
    for name in ("videos/koi.mp4", "a/videos/crane.mp4"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(FILM)
    assert main(["publish", "--built", str(built), "--source", str(source)]) == 1
    printed = capsys.readouterr()
    assert printed.out == "Videos and pictures copied: 2 (2.4 MB).\n"
    assert printed.err == (
        "a/owl/index.html: ./videos/owl.mp4 is missing: there is no such file; run the notebook to its end, "
        "with its videos finished.\n"
    )
    (source / "a/videos/owl.mp4").write_bytes(FILM)
    assert main(["publish", "--built", str(built), "--source", str(source)]) == 0
    printed = capsys.readouterr()
    assert printed.out == "Videos and pictures copied: 1 (1.2 MB). Already there: 2.\n"
    assert (built / "a/owl/index.html").read_text(encoding="utf-8").count("../videos/owl.mp4") == 1


def test_wrong_paths_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notebook or folder that does not exist, and a folder without pages, give a sentence and status 1."""
    monkeypatch.chdir(tmp_path)
    for arguments, text in (
        (["koi.ipynb", "--to", "site"], f"There is no notebook {tmp_path / 'koi.ipynb'}."),
        (["--built", "site"], "There is no folder site."),
        (["--built", ".", "--source", "nowhere"], "There is no folder nowhere."),
        (["--built", "."], "There are no pages in ."),
    ):
        assert main(["publish", *arguments]) == 1
        assert capsys.readouterr().err.startswith(text)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_read_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One page that is none, here a folder's link out of the site, does not keep others from their videos."""
    built = tmp_path / "built"
    built.mkdir()
    (tmp_path / "koi.mp4").write_bytes(FILM)
    (built / "b.html").write_text('<video src="koi.mp4">', encoding="utf-8")
    try:
        (built / "a.html").symlink_to(tmp_path / "elsewhere.html")
    except OSError:
        pytest.skip("links need a privilege here")
    (tmp_path / "elsewhere.html").write_text("", encoding="utf-8")
    assert main(["publish", "--built", str(built), "--source", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "a.html cannot be read or written: it leads out of the folder." in printed.err
    assert (built / "koi.mp4").is_file()
    assert printed.out.startswith("Videos and pictures copied: 1")


def test_ctrl_c_ends_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupt gives the exit status that shells expect."""
    (tmp_path / "koi.html").write_text("", encoding="utf-8")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("qingbo_widgets.publishing.site.Site.complete", interrupted)
    assert main(["publish", "--built", str(tmp_path)]) == 130
    assert "Traceback" not in capsys.readouterr().err
