"""The comparison of the frameworks, by subject. Each measurement runs in its own process; the page renders the results.

In each subject `worker.py` is the code such a process runs, `section.py` collects its results, and `report.py` renders
them. Nothing here imports a framework: the workers import a module of `backends`.
"""
