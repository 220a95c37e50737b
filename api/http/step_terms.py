"""What every call of the engine may say outside its body: the version that it is based on, and its idempotency key."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

from procvars.api.http.edit_terms import KEY_CHARACTERS
from procvars.api.http.preconditions import optional_version
from procvars.commands.messages import StepTerms
from procvars.commands.ports import KeyedRequest
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Json


@dataclass(frozen=True, slots=True)
class StepParameters:
    """Headers of a call."""

    if_match: str | None
    idempotency_key: str | None

    def of(self, call: str, sent: Json, *, rebase: bool = False) -> StepTerms:
        """Return the terms of a call that asks for `sent`. Raises InvalidArgument where If-Match is no version."""
        request = None
        if self.idempotency_key is not None:
            request = KeyedRequest(self.idempotency_key, fingerprint([call, sent]))
        return StepTerms(optional_version(self.if_match), rebase, request)


async def _declared(
    if_match: Annotated[
        str | None, Header(description='The version that the call is based on, in quotes: `"7"`. Without it: any.')
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=KEY_CHARACTERS, description="The same call again changes nothing more."),
    ] = None,
) -> StepParameters:
    return StepParameters(if_match, idempotency_key)


StepHeaders = Annotated[StepParameters, Depends(_declared)]
