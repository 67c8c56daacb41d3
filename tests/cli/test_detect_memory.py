"""`umaddpm detect` where the memory is too small."""


def test_a_scan_that_does_not_fit_ends_in_a_sentence_with_both_figures(here, small_scan, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("UMADDPM_MEMORY", "1500M")
    ended = here("detect", small_scan, "-o", tmp_path / "out", "--model", tiny_model)
    assert ended.status == 2 and ended.err.startswith(f"umaddpm: {small_scan.name} has ")
    assert "0.8 GB of memory are needed, and this computer has 0.4 GB for one" in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
