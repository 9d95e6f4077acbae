"""The first golden tests of a project: two cases, a test, and a workflow for CI."""
