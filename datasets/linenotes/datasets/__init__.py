"""What is asked: cases, golden files, the datasets that a project knows, and MLflow's copy."""

from linenotes.datasets._cases import Case, Dataset
from linenotes.datasets._catalogue import dataset_names, load_dataset
from linenotes.datasets._golden_files import read_golden_file
from linenotes.datasets._registry import register_dataset
from linenotes.datasets._schema import golden_schema, golden_schema_file

__all__ = [
    "Case",
    "Dataset",
    "dataset_names",
    "golden_schema",
    "golden_schema_file",
    "load_dataset",
    "read_golden_file",
    "register_dataset",
]
