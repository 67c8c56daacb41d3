"""The name of a case is blotted out in logs, and other words are left."""

from umaddpm_core.serving.cases.logs import blot_out


def test_a_name_is_blotted_out_wherever_it_is_a_word_of_its_own(tmp_path):
    log, other = tmp_path / "app.log", tmp_path / "app.log.1"
    log.write_text('"GET /datastore/image?image=Doe%20J-1 HTTP/1.1" 200\nDoe J-1.nii.gz, XDoe J-1, Doe J-12, image=Doe+J-1&x\n')
    other.write_text("nothing\n")
    (tmp_path / "app.log.2").touch()
    size = log.stat().st_size
    assert blot_out(sorted(tmp_path.iterdir()), "Doe J-1") == (["app.log"], [])
    assert log.read_text() == '"GET /datastore/image?image=********* HTTP/1.1" 200\n*******.nii.gz, XDoe J-1, Doe J-12, image=*******&x\n'
    assert log.stat().st_size == size and other.read_text() == "nothing\n"


def test_a_log_that_is_being_written_goes_on(tmp_path):
    log = tmp_path / "app.log"
    with log.open("w") as stream:
        print("case-1 begins", file=stream, flush=True)
        assert blot_out([log], "case-1") == (["app.log"], [])
        print("next line", file=stream, flush=True)
    assert log.read_text() == "****** begins\nnext line\n"


def test_a_log_that_cannot_be_written_to_is_told_and_the_others_are_done(tmp_path, unwritable):
    kept, log, gone = unwritable(tmp_path / "app.log"), tmp_path / "app.log.1", tmp_path / "app.log.2"
    log.write_text("case-1\n")
    assert blot_out([kept, gone, log], "case-1") == (["app.log.1"], ["app.log"])
    assert log.read_text() == "******\n"
