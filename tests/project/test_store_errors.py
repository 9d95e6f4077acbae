from __future__ import annotations

import pytest

from linenotes.project import (
    PromptError,
    StoreError,
    StoreOutageError,
    store_errors,
    without_credentials,
)

POSTGRES = "postgresql://me:secret@db.example/mlflow"


def test_what_mlflow_its_database_and_its_files_raise_are_errors_of_the_store() -> None:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    for error in (
        MlflowException("no such table\n  a long explanation"),
        OperationalError("SELECT", {}, Exception("disk is full")),
        PermissionError(13, "Permission denied"),
    ):
        with (
            pytest.raises(StoreError, match=r"^Could not read the MLflow store 'sqlite:///x'"),
            store_errors("read", "sqlite:///x"),
        ):
            raise error


def test_the_message_is_one_line_without_a_password() -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(StoreError) as told, store_errors("write to", POSTGRES):
        raise MlflowException(f"cannot reach {POSTGRES}\ntraceback")
    assert "secret" not in str(told.value)
    assert "'postgresql://db.example/mlflow': cannot reach" in str(told.value)
    assert "\n" not in str(told.value)


def test_only_what_the_store_refuses_for_good_is_no_outage() -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE

    refused = MlflowException("a name", error_code=INVALID_PARAMETER_VALUE)
    with pytest.raises(StoreError) as told, store_errors("write to", POSTGRES):
        raise refused
    assert not isinstance(told.value, StoreOutageError)
    for error in (
        MlflowException("locked", error_code=TEMPORARILY_UNAVAILABLE),
        ConnectionRefusedError(111, "Connection refused"),
    ):
        with pytest.raises(StoreOutageError), store_errors("write to", POSTGRES):
            raise error


@pytest.mark.parametrize("error", [PromptError("There is no prompt."), ZeroDivisionError()])
def test_other_errors_are_left_as_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)), store_errors("read", "sqlite:///x"):
        raise error


def test_a_password_that_holds_an_at_sign_is_left_out_whole() -> None:
    assert without_credentials("postgresql://me:se@cret@db/mlflow") == "postgresql://db/mlflow"


def test_an_address_without_credentials_stays_as_it_is() -> None:
    for address in ("sqlite:////tmp/a@b/mlflow.db", "http://127.0.0.1:5000"):
        assert without_credentials(address) == address
