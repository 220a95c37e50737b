"""A client's program on the package that openapi-python-client makes of the served document: `edit.py ADDRESS TOKEN`.

It lists instances, reads and edits one, and is told what others changed when its version is stale.
"""

import json
import sys
from http import HTTPStatus

from procvars_client import AuthenticatedClient
from procvars_client.api.events import read_events
from procvars_client.api.reading import list_instances
from procvars_client.api.variables import patch_variables, read_variables, replace_variables
from procvars_client.models import (
    Edit,
    EventPage,
    InstancePage,
    InstanceStatus,
    MergePatch,
    Problem,
    ProcessVariablesModifiedEvent,
    Variables,
)

BANK = "bank"


def main(address: str, token: str) -> None:
    with AuthenticatedClient(base_url=address, token=token) as client:
        page = list_instances.sync(BANK, client=client, status=[InstanceStatus.STARTED])
        assert isinstance(page, InstancePage)
        instance = page.items[0]
        read = read_variables.sync_detailed(BANK, instance.id, client=client)
        assert read.status_code == HTTPStatus.OK and isinstance(read.parsed, Variables)
        seen = read.headers["ETag"]

        document = Variables.from_dict({**read.parsed.additional_properties, "income": 75000})
        edit = replace_variables.sync(
            BANK, instance.id, client=client, body=document, if_match=seen, reason="typing error"
        )
        assert isinstance(edit, Edit) and edit.changed

        patch = MergePatch.from_dict({"income": 1})
        stale = patch_variables.sync_detailed(BANK, instance.id, client=client, body=patch, if_match=seen)
        assert stale.status_code == HTTPStatus.PRECONDITION_FAILED and isinstance(stale.parsed, Problem)

        feed = read_events.sync(BANK, client=client, after=edit.position - 1)
        assert isinstance(feed, EventPage)
        modified = ProcessVariablesModifiedEvent.from_dict(feed.items[0].to_dict())
        told = {
            "before": read.parsed.additional_properties,
            "version": edit.version,
            "patch": [operation.to_dict() for operation in edit.patch],
            "current_version": stale.parsed.current_version,
            "changed_paths": stale.parsed.changed_paths,
            "reason": modified.payload.reason,
        }
        print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
