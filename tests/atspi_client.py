"""Reads a program through AT-SPI, as screen readers do; run by the system's Python, which has gi.

Commands come as JSON lines on standard input, answers and events go out as JSON lines:
``["tree"]`` gives every widget, ``["act", path, action]`` does an accessible action.
"""

import contextlib
import json
import sys
from typing import Any

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

EVENTS = ("object:announcement", "object:state-changed:focused")
STATES = ("FOCUSABLE", "FOCUSED", "SHOWING", "VISIBLE", "ENABLED", "CHECKED")


def tell(kind: str, value: Any) -> None:
    print(json.dumps([kind, value]), flush=True)


def program() -> Any:
    desktop = Atspi.get_desktop(0)
    for number in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(number)
        if child is not None and child.get_name() == "Seesay":
            # What changed since the last look must not come from memory.
            child.set_cache_mask(Atspi.Cache.NONE)
            child.clear_cache()
            return child
    return None


def text_of(node: Any) -> str | None:
    text = node.get_text_iface()
    return Atspi.Text.get_text(text, 0, -1) if text is not None else None


def describe(node: Any, path: list[int]) -> dict[str, Any]:
    states = node.get_state_set()
    action = node.get_action_iface()
    count = Atspi.Action.get_n_actions(action) if action is not None else 0
    return {
        "path": path,
        "role": node.get_role_name(),
        "name": node.get_name(),
        "description": node.get_description(),
        "text": text_of(node),
        "states": [name for name in STATES if states.contains(getattr(Atspi.StateType, name))],
        "actions": [Atspi.Action.get_action_name(action, number) for number in range(count)],
    }


def walk(node: Any, path: list[int], found: list[dict[str, Any]]) -> None:
    found.append(describe(node, path))
    for number in range(node.get_child_count()):
        child = node.get_child_at_index(number)
        if child is not None:
            walk(child, [*path, number], found)


def act(path: list[int], name: str) -> bool:
    node = program()
    for number in path:
        node = node.get_child_at_index(number)
    action = node.get_action_iface()
    for number in range(Atspi.Action.get_n_actions(action)):
        if Atspi.Action.get_action_name(action, number) == name:
            return bool(Atspi.Action.do_action(action, number))
    return False


def on_event(event: Any) -> None:
    # The text of an announcement is the event's value.
    value = event.any_data if isinstance(event.any_data, str) else None
    name = role = ""
    with contextlib.suppress(GLib.Error):  # a widget that went away meanwhile
        if event.source is not None:
            name, role = event.source.get_name(), event.source.get_role_name()
    kind = event.type
    if kind.startswith("object:state-changed") and not event.detail1:
        return
    tell("event", {"type": kind, "name": name, "role": role, "value": value})


def on_command(channel: Any, condition: Any) -> bool:
    line = sys.stdin.readline()
    if not line:
        Atspi.event_quit()
        return False
    command, *arguments = json.loads(line)
    try:
        if command == "tree":
            found: list[dict[str, Any]] = []
            root = program()
            if root is not None:
                walk(root, [], found)
            # Events that came before the answers to this are told before it.
            while GLib.MainContext.default().pending():
                GLib.MainContext.default().iteration(False)
            tell("answer", found)
        else:
            tell("answer", act(*arguments))
    except GLib.Error as error:  # a widget that went away while it was read
        tell("answer", str(error))
    return True


def main() -> None:
    Atspi.init()
    Atspi.set_timeout(20_000, 20_000)  # milliseconds; after 800, a busy program is given up
    listener = Atspi.EventListener.new(on_event)
    for event in EVENTS:
        listener.register(event)
    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_command)
    tell("ready", None)
    Atspi.event_main()


main()
