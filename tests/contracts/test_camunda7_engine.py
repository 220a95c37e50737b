"""The adapter for Camunda 7 against a real engine."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from procvars.adapters.engines.camunda7 import Camunda7
from procvars.adapters.engines.camunda7_http import Camunda7Http
from procvars.domain.documents.documents import encode
from procvars.domain.engine_values import EDITABLE
from procvars.domain.errors import EngineUnavailable
from tests.contracts.engine_contract import EngineContract
from tests.engines.camunda7_desk import Camunda7Desk
from tests.services.camunda7_engine import PASSWORD, USER
from tests.services.free_port import free_port
from tests.services.service import Service


@pytest.fixture
def desk(camunda7: Service) -> Iterator[Camunda7Desk]:
    with Camunda7Desk(camunda7.address) as desk:
        yield desk


@pytest.fixture
async def engine(desk: Camunda7Desk) -> AsyncIterator[Camunda7]:
    async with Camunda7Http(desk.address, USER, lambda: PASSWORD, connections=4) as http:
        yield Camunda7("claims", http, desk.address, desk.definitions)


class TestCamunda7(EngineContract):
    async def test_a_json_variable_keeps_its_numbers(self, engine: Camunda7, desk: Camunda7Desk) -> None:
        """A Json variable is read exactly, an integer beyond 64 bits too, and is written as the text of its value."""
        text = '{"big":123456789012345678901234567890,"list":[1,1.5],"nothing":null}'
        instance = desk.start(j=("Json", text))
        found = (await engine.variables([instance]))[instance]["j"]
        assert encode(found.value).decode() == text

    async def test_what_cannot_be_edited_is_shown_as_what_it_is(self, engine: Camunda7, desk: Camunda7Desk) -> None:
        """Objects, bytes, files and malformed Json have types that are none of the editable ones."""
        listed: Any = {"objectTypeName": "java.util.ArrayList", "serializationDataFormat": "application/json"}
        variables = {
            "bytes": {"type": "Bytes", "value": "AAEC"},
            "file": {"type": "File", "value": "AAEC", "valueInfo": {"filename": "a.txt", "mimeType": "text/plain"}},
            "object": {"type": "Object", "value": "[1]", "valueInfo": listed},
            "malformed": {"type": "Json", "value": "{x"},
        }
        answer = desk.http.post(f"/process-definition/key/waiting-{desk.key}/start", json={"variables": variables})
        instance = answer.raise_for_status().json()["id"]
        found = (await engine.variables([instance]))[instance]
        assert not {variable.type for variable in found.values()} & EDITABLE
        assert found["file"].value == {"type": "File", "filename": "a.txt", "mimeType": "text/plain"}
        assert found["object"].value == {"type": "Object", **listed, "value": "[1]"}
        assert (found["bytes"].value, found["malformed"].value) == ({"type": "Bytes"}, "{x")

    async def test_answers_that_are_too_large_are_read_in_parts(
        self, engine: Camunda7, desk: Camunda7Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Instances with large variables are read a few at a time, whatever was asked for."""
        monkeypatch.setattr("procvars.adapters.engines.camunda7._LARGEST_ANSWER", 20_000)
        large = json.dumps(["x" * 6_000])
        ids = [desk.start(large=("Json", large)) for _ in range(5)]
        assert (await engine.variables(ids)).keys() == set(ids)

    async def test_an_engine_that_is_not_there_is_unavailable(self) -> None:
        """Nobody listens: that passes, and the error has no password in it."""
        address = f"http://127.0.0.1:{free_port()}/engine-rest"
        async with Camunda7Http(address, USER, lambda: "secret", connections=1) as http:
            with pytest.raises(EngineUnavailable) as refusal:
                await Camunda7("claims", http, address, None).count_running()
        assert "secret" not in str(refusal.value)

    async def test_a_wrong_password_is_told_without_it(self, desk: Camunda7Desk) -> None:
        """Whoever reads the log learns that the user is not admitted."""
        # Not of a known user: the engine would lock that one out for a while.
        async with Camunda7Http(desk.address, "nobody", lambda: "wrong-secret", connections=1) as http:
            with pytest.raises(EngineUnavailable, match="does not admit") as refusal:
                await Camunda7("claims", http, desk.address, None).count_running()
        assert "wrong-secret" not in str(refusal.value)
