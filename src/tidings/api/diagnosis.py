"""Why did it not arrive? A hook's diagnosis, made while one waits: Podio has nothing like it."""

from __future__ import annotations

from typing import Annotated, TypedDict, get_args

from tidings.api.call import Call
from tidings.api.shapes import Timestamp, one_of
from tidings.delivery.diagnose import diagnose
from tidings.delivery.findings import CAUSES, Diagnosis, Name, State
from tidings.wire.podio import timestamp


class CheckObject(TypedDict):
    """One thing that was looked at; `cause` where it may be why nothing arrives."""

    name: Annotated[str, one_of(*get_args(Name))]
    state: Annotated[str, one_of(*get_args(State))]
    sentence: str
    cause: str | None


class DiagnosisObject(TypedDict):
    """What is wrong with a hook, in a word and in a sentence that says what to do; and all that was looked at, in order."""

    hook_id: int
    made_on: Timestamp
    cause: Annotated[str, one_of(*CAUSES)]
    conclusion: str
    checks: list[CheckObject]


async def diagnose_hook(call: Call) -> DiagnosisObject:
    """`GET /hook/{hook_id}/diagnosis`: its URL is resolved and connected to, and sent nothing."""
    house = call.house
    found = await diagnose(house.database, house.settings, house.allow, house.guard, call.id("hook_id"), call.caller, clock=house.clock)
    return diagnosis_object(found)


def diagnosis_object(found: Diagnosis) -> DiagnosisObject:
    """A diagnosis, as the API and `tidings diagnose --json` write it."""
    return {
        "hook_id": found.hook_id,
        "made_on": timestamp(found.made_at),
        "cause": found.cause,
        "conclusion": found.conclusion,
        "checks": [{"name": each.name, "state": each.state, "sentence": each.sentence, "cause": each.cause} for each in found.checks],
    }
