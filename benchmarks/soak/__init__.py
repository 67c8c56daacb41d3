"""What the server withstands: one file per thing that is demanded of it, with the counts as arguments.

`python benchmarks/soak` runs all of them in full and writes `docs/reliability.md`; the tests in `tests/serving/reliability`
run the same with small counts, and look at order and outcome but not at times.
"""
