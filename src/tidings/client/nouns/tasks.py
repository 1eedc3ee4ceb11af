"""Tasks (contract section 6.5)."""

from __future__ import annotations

from typing import Any

from tidings.client.calls import Call, D_co, Many, Noun, Pages, changed, many, nothing, one, operation, paging, path, perhaps
from tidings.client.nouns.items import read_count
from tidings.client.objects import Completed, Task

PAGE = 100  # tasks fetched at once, where one iterates


class Tasks(Noun[D_co]):
    """Tasks, on an object or on none.

    `parts` are `description`, `due_date`, `due_time`, `due_on`, `responsible` (a user's id), `private`, `labels`,
    `file_ids`, `external_id`, `reminder`: what is not named is empty, or stays.
    """

    @operation
    def create(self, /, text: str, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[Task]:
        """A new task. For one person: where `responsible` names several, the task of the first is answered."""
        return Call("POST", "/task/", _first, {"text": text, **parts}, changed(hook=hook, silent=silent))

    @operation
    def create_on(
        self, /, ref_type: str, ref_id: int, text: str, *, hook: bool = True, silent: bool = False, **parts: object
    ) -> Call[Task]:
        """The same, on an item, an app, a space or a status."""
        body, query = {"text": text, **parts}, changed(hook=hook, silent=silent)
        return Call("POST", path("/task/{}/{}/", ref_type, ref_id), _first, body, query)

    @operation
    def get(self, task_id: int) -> Call[Task]:
        """The task."""
        return Call("GET", path("/task/{}", task_id), one(Task, "task_id"))

    @operation
    def list(self, /, *, limit: int | None = None, offset: int | None = None, **wanted: object) -> Call[Many[Task]]:
        """Those that one may see; `wanted` as Podio's query has it: `completed`, `responsible`, `space`, `app`, `due_date` ..."""
        return Call("GET", "/task/", many(Task, "task_id"), query={**wanted, "limit": limit, "offset": offset})

    @paging
    def iterate(self, /, *, page: int = PAGE, **wanted: object) -> Pages[Task]:
        """All of them, fetched `page` at a time."""

        def at(offset: int) -> Call[Many[Task]]:
            return Call("GET", "/task/", many(Task, "task_id"), query={**wanted, "limit": page, "offset": offset})

        return Pages(at, page)

    @operation
    def list_on(self, /, ref_type: str, ref_id: int, **wanted: object) -> Call[Many[Task]]:
        """Those on one object."""
        return Call("GET", path("/task/{}/{}/", ref_type, ref_id), many(Task, "task_id"), query=wanted)

    @operation
    def count_on(self, ref_type: str, ref_id: int) -> Call[int]:
        """How many on one object are to be done yet."""
        return Call("GET", path("/task/{}/{}/count", ref_type, ref_id), read_count)

    @operation
    def update(self, /, task_id: int, *, hook: bool = True, silent: bool = False, **parts: object) -> Call[Task | None]:
        """Change what is named, of its `text` as well."""
        query = changed(hook=hook, silent=silent)
        return Call("PUT", path("/task/{}", task_id), perhaps(Task), dict(parts), query, repeatable=not parts.get("file_ids"))

    @operation
    def assign(self, task_id: int, responsible: int | None, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Make somebody responsible, or nobody."""
        body, query = {"responsible": responsible}, changed(hook=hook, silent=silent)
        return Call("POST", path("/task/{}/assign", task_id), nothing, body, query)

    @operation
    def complete(self, task_id: int, *, hook: bool = True, silent: bool = False) -> Call[Completed | None]:
        """It is done."""
        query = changed(hook=hook, silent=silent)
        return Call("POST", path("/task/{}/complete", task_id), perhaps(Completed), {}, query)

    @operation
    def incomplete(self, task_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """It is to be done after all."""
        return Call("POST", path("/task/{}/incomplete", task_id), nothing, {}, changed(hook=hook, silent=silent))

    @operation
    def remove_ref(self, task_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Take it off what it hangs on."""
        return Call("DELETE", path("/task/{}/ref", task_id), nothing, query=changed(hook=hook, silent=silent))

    @operation
    def delete(self, task_id: int, *, hook: bool = True, silent: bool = False) -> Call[None]:
        """Delete the task."""
        return Call("DELETE", path("/task/{}", task_id), nothing, query=changed(hook=hook, silent=silent))


def _first(answer: Any) -> Task:
    """The task that was made; for several people there is a list of them."""
    return one(Task, "task_id")(answer[0] if isinstance(answer, list) and answer else answer)
