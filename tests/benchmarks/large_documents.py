"""One value changed in a document of 1 MB: parsed strictly, compared and patched, against the bare `json.loads`."""

import json
import time

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import parse_document
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import as_json, megabyte


async def measure() -> list[Measurement]:
    before = parse_document(as_json(megabyte(50_000)))
    raw = as_json(megabyte(75_000))

    async def edit() -> float:
        started = time.perf_counter()
        patch = json_patch.diff(before, parse_document(raw))
        json_patch.apply(before, patch)
        seconds = time.perf_counter() - started
        assert len(patch) == 1
        return 1000 * seconds

    async def loads() -> float:
        started = time.perf_counter()
        json.loads(raw)
        return 1000 * (time.perf_counter() - started)

    ours, standard = await medians(edit, loads, rounds=15)
    return [Measurement("1 MB: parse, diff and apply / json.loads", ours, standard, "ms", 4, at_least=False)]
