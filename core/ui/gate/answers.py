"""The gate's own answers: a refusal in one sentence, and the way from the printed address into the app."""

from html import escape

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>SonoKi</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 1.1rem/1.5 sans-serif; max-width: 38rem; margin: 15vh auto; padding: 0 1rem;
color-scheme: light dark; background: light-dark(#FFFFFF, #14181D); color: light-dark(#1D252C, #E8ECEF) }}
</style></head>
<body><main><p>{sentence}</p></main></body></html>
"""


async def refuse(scope: Scope, receive: Receive, send: Send, sentence: str, status: int = 403) -> None:
    """Answer with a sentence; a websocket is closed before it opens."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    wants_page = scope["method"] == "GET" and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
    kind: type[Response] = HTMLResponse if wants_page else PlainTextResponse
    body = PAGE.format(sentence=escape(sentence)) if wants_page else sentence
    await kind(body, status, headers={"cache-control": "no-store"})(scope, receive, send)


def redirect(address: str, cookie: str, value: str, *, has_tls: bool) -> Response:
    """Lead to an address and let the browser keep a cookie that no script reads and no other site sends."""
    answer = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    answer.set_cookie(cookie, value, httponly=True, samesite="strict", secure=has_tls, path="/")
    return answer
