"""What workers count is one sum, of the dead, too."""

from replearn.service.http.counts import Counts

SERIES = 'replearn_requests_total{path="/embed",status="200"}'


def values(counts):
    lines = [line for line in counts.text().splitlines() if not line.startswith("#")]
    return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines)}


def test_a_sum_of_all_workers(tmp_path):
    first, second = (Counts(tmp_path / f"{i}.json") for i in range(2))
    first.add(SERIES)
    first.add("replearn_request_seconds_total", 0.25)
    first.write()
    second.add(SERIES, 2)
    second.write()
    del first  # its file stays
    assert values(second) == {
        SERIES: 3,
        "replearn_request_seconds_total": 0.25,
        "replearn_worker_starts_total": 2,
    }
    assert second.text().count("# TYPE replearn_requests_total counter") == 1


def test_one_alone_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alone = Counts()
    alone.add(SERIES)
    alone.write()
    assert values(alone) == {SERIES: 1}
    assert not list(tmp_path.iterdir())


def test_counts_that_can_not_be_written_are_told_and_answers_go_on(tmp_path, caplog):
    counts = Counts(tmp_path / "gone" / "0.json")
    counts.add(SERIES)
    counts.write()
    assert len(caplog.records) == 1
    assert "missing in /metrics" in caplog.text
    assert values(counts)[SERIES] == 1
