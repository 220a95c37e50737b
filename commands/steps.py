"""One step of a process: based on the version that the engine has seen, and taken once, however often it is asked for."""

from typing import NamedTuple

from procvars.commands.decision_loop import Decide, Decision, DecisionLoop
from procvars.commands.messages import Step
from procvars.commands.ports import EarlierRequest, EventStore, KeyedRequest
from procvars.domain import execution
from procvars.domain.documents.values import Document
from procvars.domain.editing import require_version
from procvars.domain.errors import IdempotencyKeyReused
from procvars.domain.events import Event
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance


class Done(NamedTuple):
    """What became of a step, the first time that it was asked for."""

    instance: Instance
    event: Event | None
    """None where it changed nothing."""
    version: int
    """Of the instance after the step."""
    position: int
    status: InstanceStatus
    repeated: bool


class Steps:
    """The way of all the engine's calls on an instance that is there."""

    def __init__(self, store: EventStore, loop: DecisionLoop) -> None:
        self._store = store
        self._loop = loop

    async def run(self, command: Step, decide: Decide[Event | None], *, checks_version: bool = False) -> Done:
        """Take the step, or find that it was taken. `checks_version`: `decide` looks at the expected version itself.

        Raises VersionConflict, IdempotencyKeyReused, as the loop does, and what `decide` raises.
        """
        terms = command.terms

        async def once(instance: Instance, provenance: Provenance) -> Decision[EarlierRequest | Event | None]:
            earlier = await self.earlier(instance.id, provenance.caller.user, terms.request)
            if earlier is not None:
                return Decision((), earlier)
            if not checks_version:
                require_version(instance, terms.base_version, await self.base(instance, terms.base_version))
            decision = await decide(instance, provenance)
            return Decision(decision.events, decision.result, request=terms.request)

        decided = await self._loop.run(command.caller, command.instance_id, once)
        instance, result = decided.instance, decided.result
        if isinstance(result, EarlierRequest):
            return await self._repeated(instance, result)
        if result is not None and decided.positions:
            status = execution.status_after(instance, result)
            return Done(instance, result, result.originator_version, decided.positions[0], status, repeated=False)
        if terms.request is not None and result is None:
            await self._store.keep_unchanged(instance.id, instance.version, command.caller.user, terms.request)
        return await self._unchanged(instance, instance.version, repeated=False)

    async def base(self, instance: Instance, base_version: int | None) -> Document | None:
        """Return the variables that a call is based on, where that is not the instance's version."""
        if base_version in (None, instance.version):
            return None
        return await self._store.variables_at(instance.id, base_version)

    async def earlier(self, instance_id: str, user: str, request: KeyedRequest | None) -> EarlierRequest | None:
        """Return what became of the same call. Raises IdempotencyKeyReused where it was another one."""
        if request is None:
            return None
        found = await self._store.earlier_request(instance_id, user, request.idempotency_key)
        if found is not None and found.fingerprint != request.fingerprint:
            raise IdempotencyKeyReused()
        return found

    async def _repeated(self, instance: Instance, earlier: EarlierRequest) -> Done:
        if earlier.recorded is None:
            return await self._unchanged(instance, earlier.version, repeated=True)
        event = earlier.recorded.event
        status = await self._store.status_at(instance.id, event.originator_version)
        return Done(instance, event, event.originator_version, earlier.recorded.position, status, repeated=True)

    async def _unchanged(self, instance: Instance, version: int, *, repeated: bool) -> Done:
        position = await self._store.position_of(instance.id, version)
        status = instance.status if version == instance.version else await self._store.status_at(instance.id, version)
        return Done(instance, None, version, position, status, repeated)
