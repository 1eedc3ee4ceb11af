"""schemathesis, which asks an operation whatever its document allows, and what it does not. Apart from the test that walks
them all, so that it is imported only where that runs: it takes most of a second, in each of pytest's workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

QUICK = settings(
    max_examples=max(2, settings().max_examples // 10),  # calls as they should be, and as many others; more in the thorough profile
    database=None,
    phases=[Phase.generate],  # a failure names its request; to look for a smaller one takes minutes
    suppress_health_check=list(HealthCheck),
)

Operation = APIOperation[Any, Any, Any, Any]


def operations(document: dict[str, Any]) -> list[Operation]:
    """Those of an OpenAPI document."""
    ours = ProjectConfig(generation=GenerationConfig(with_security_parameters=False))  # Ada's token stands in the header
    config = SchemathesisConfig(projects=ProjectsConfig(default=ours))
    found = schemathesis.openapi.from_dict(document, config=config).get_all_operations()
    return [each.ok() for each in found if isinstance(each, Ok)]


def ask(
    operation: Operation, url: str, session: requests.Session, headers: dict[str, str], ids: dict[str, Any], at_home: Callable[[Any], Any]
) -> None:
    """Ask it in every way: calls as they should be, of the objects in `ids`, and others. What `at_home` answers is sent.

    Raises AssertionError for an answer that is not as the document says.
    """

    @seed(1)  # the same calls every time, as `derandomize` has it, which reads this function's source anew for every operation
    @settings(QUICK)
    @given(st.data())
    def one_call(data: st.DataObject) -> None:
        case = data.draw(calls)
        case.path_parameters, case.query, case.body = at_home(case.path_parameters), at_home(case.query), at_home(case.body)
        case.validate_response(case.call(base_url=url, session=session, headers=headers), checks=CHECKS)

    for mode in _modes(operation):
        known = {each.name: ids[each.name] for each in operation.path_parameters if each.name in ids}
        calls: st.SearchStrategy[Case[Any]] = operation.as_strategy(
            generation_mode=mode, path_parameters=known if mode.is_positive else None
        )
        one_call()


def _modes(operation: Operation) -> Iterator[GenerationMode]:
    yield GenerationMode.POSITIVE
    if [*operation.path_parameters, *operation.query, *operation.body]:
        yield GenerationMode.NEGATIVE  # where there is something to get wrong
