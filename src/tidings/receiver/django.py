"""A receiver as a view of Django, under WSGI and under ASGI. It is exempt from Django's CSRF check: senders have no cookie.

urlpatterns = [path("hooks", endpoint(hooks))]
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tidings.receiver import wsgi
from tidings.receiver.receiver import Receiver


def endpoint(receiver: Receiver) -> Callable[[HttpRequest], HttpResponse]:
    """The view that hands its requests to `receiver`."""

    def receive_delivery(request: HttpRequest) -> HttpResponse:
        whole = "wsgi.input" not in request.META  # under ASGI, Django has read the body to its end
        said = wsgi.answer(receiver, {"wsgi.input_terminated": whole, **request.META}, stream=request)
        return HttpResponse(said.body, status=said.status, headers=said.headers)

    receive_delivery.csrf_exempt = True  # type: ignore[attr-defined]  # what Django's own decorator sets
    return receive_delivery
