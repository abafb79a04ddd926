"""Hotkeys on Wayland, asked for at the desktop's portal for global shortcuts."""

import itertools
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    message_bus,
    new_method_call,
)
from jeepney.io.threading import DBusConnection, DBusRouter, open_dbus_connection

from desktop.actions import ACTIONS
from desktop.keys import Hotkey, title_of

_BUS_NAME = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_SHORTCUTS = DBusAddress(_PATH, _BUS_NAME, "org.freedesktop.portal.GlobalShortcuts")
_MODIFIERS = {"Ctrl": "CTRL", "Alt": "ALT", "Shift": "SHIFT", "Meta": "LOGO"}
# How long the desktop may take to begin, in seconds; it may have to start its portal first.
_PATIENCE = 25

_MISSING = (
    "This desktop lets no program have hotkeys of its own: in its keyboard settings, give keys to "
    "commands such as seesay app --do camera."
)
_REFUSED = (
    "The desktop has given Seesay no hotkeys: allow them in its settings, or there give keys to "
    "commands such as seesay app --do camera."
)
_BUS_GONE = "The desktop's message bus has gone, so that hotkeys do not work: start Seesay again."


class _Router(DBusRouter):  # type: ignore[misc]
    """Tells when the bus has gone, which the library does on standard error alone."""

    def __init__(self, connection: DBusConnection, on_gone: Callable[[], None]) -> None:
        self._on_gone = on_gone
        super().__init__(connection)

    def _receiver(self) -> None:
        try:
            super()._receiver()
        except Exception:  # of the socket, or of a message that was cut short
            self._on_gone()


class PortalHotkeys:
    """Asks the desktop for hotkeys and listens to it.

    The desktop has the last word: it may ask the user, and give other keys.

    Args:
        on_pressed: called in a thread, with the name of the action.
        on_problems: called in a thread after each `set`, once the desktop or the user has answered,
            with one sentence for each problem.
    """

    def __init__(
        self, on_pressed: Callable[[str], None], on_problems: Callable[[list[str]], None]
    ) -> None:
        self._on_pressed = on_pressed
        self._on_problems = on_problems
        self._inbox: SimpleQueue[dict[str, Hotkey] | Message | None] = SimpleQueue()
        self._closed = False
        # A daemon, as the desktop may take its time while Seesay wants to end.
        threading.Thread(target=self._run, name="hotkeys", daemon=True).start()

    def set(self, hotkeys: Mapping[str, Hotkey]) -> None:
        """Ask for these keys, by action, in place of those before."""
        self._inbox.put(dict(hotkeys))

    def close(self) -> None:
        """Give the hotkeys back."""
        self._closed = True
        self._inbox.put(None)

    def _on_bus_gone(self) -> None:
        if not self._closed:
            self._on_problems([_BUS_GONE])

    def _run(self) -> None:
        item = self._inbox.get()
        if item is None:
            return
        try:
            with (
                open_dbus_connection("SESSION") as connection,
                _Router(connection, self._on_bus_gone) as router,
            ):
                session = _Session(router, self._inbox, self._on_pressed, self._on_problems)
                while item is not None:
                    if isinstance(item, Message):
                        session.hear(item)
                    else:
                        session.ask(item)
                    item = self._inbox.get()
        except Exception:  # there is no bus, or it hangs or ends: jeepney meets it in many ways
            while item is not None:
                if not isinstance(item, Message):
                    self._on_problems([_MISSING])
                item = self._inbox.get()


class _Session:
    """What was asked of the portal, and how far it has come."""

    def __init__(
        self,
        router: DBusRouter,
        inbox: SimpleQueue[Any],
        on_pressed: Callable[[str], None],
        on_problems: Callable[[list[str]], None],
    ) -> None:
        self._router = router
        self._on_pressed = on_pressed
        self._on_problems = on_problems
        self._wanted: dict[str, Hotkey] = {}
        self._path: str | None = None
        self._tokens = (f"seesay{number}" for number in itertools.count())
        # The step that goes on when the portal answers, by the path of the request.
        self._awaited: tuple[str, Callable[[dict[str, Any]], None]] | None = None
        answers = MatchRule(
            type="signal", interface="org.freedesktop.portal.Request", member="Response"
        )
        presses = MatchRule(type="signal", interface=_SHORTCUTS.interface, member="Activated")
        restarts = MatchRule(type="signal", sender=message_bus.bus_name, member="NameOwnerChanged")
        restarts.add_arg_condition(0, _BUS_NAME)
        for rule in (answers, presses, restarts):
            router.filter(rule, queue=inbox).__enter__()
            router.send_and_get_reply(message_bus.AddMatch(rule), timeout=_PATIENCE)

    def ask(self, hotkeys: dict[str, Hotkey]) -> None:
        """Begin anew with these keys: a session can be given its keys only once."""
        self._wanted = hotkeys
        if self._path is not None:
            address = DBusAddress(self._path, _BUS_NAME, "org.freedesktop.portal.Session")
            self._router.send(new_method_call(address, "Close"))
            self._path = None
        self._awaited = None
        if not hotkeys:
            self._on_problems([])
            return
        options = {"session_handle_token": ("s", next(self._tokens))}
        self._request("CreateSession", "", (), options, self._bind)

    def hear(self, signal: Message) -> None:
        """Go on with what a signal tells."""
        fields = signal.header.fields
        match fields[HeaderFields.member], signal.body:
            case "Response", (code, results):
                self._on_response(fields[HeaderFields.path], code, results)
            case "Activated", (session, action, _, _) if session == self._path:
                self._on_pressed(action)
            case "NameOwnerChanged", (_, _, owner) if owner and self._path is not None:
                self._path = None  # it went with the portal that has just been replaced
                self.ask(self._wanted)

    def _request(
        self,
        method: str,
        signature: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        then: Callable[[dict[str, Any]], None],
    ) -> None:
        """Call a method of the portal, whose answer comes later, as a signal."""
        token = next(self._tokens)
        sender = self._router.unique_name.lstrip(":").replace(".", "_")
        # The path is known beforehand, so that an answer cannot come before it is awaited.
        self._awaited = f"{_PATH}/request/{sender}/{token}", then
        body = (*arguments, {**options, "handle_token": ("s", token)})
        call = new_method_call(_SHORTCUTS, method, f"{signature}a{{sv}}", body)
        try:
            reply = self._router.send_and_get_reply(call, timeout=_PATIENCE)
        except Exception:  # the bus has gone, or nobody answers
            reply = None
        if reply is None or reply.header.message_type == MessageType.error:
            self._awaited = None
            self._on_problems([_MISSING])

    def _on_response(self, request: str, code: int, results: dict[str, Any]) -> None:
        if self._awaited is None or self._awaited[0] != request:
            return  # to something that is no longer wanted
        _, then = self._awaited
        self._awaited = None
        if code == 0:
            then(results)
        else:
            self._on_problems([_REFUSED])

    def _bind(self, results: dict[str, Any]) -> None:
        self._path = str(results["session_handle"][1])
        helps = {action.name: action.help for action in ACTIONS}
        shortcuts = []
        for action, hotkey in self._wanted.items():
            details = {"description": ("s", f"{title_of(action)}: {helps[action]}")}
            if hotkey.keysym_name:  # others cannot be asked for; the user still can choose them
                keys = [*(_MODIFIERS[name] for name in hotkey.modifiers), hotkey.keysym_name]
                details["preferred_trigger"] = ("s", "+".join(keys))
            shortcuts.append((action, details))
        self._request("BindShortcuts", "oa(sa{sv})s", (self._path, shortcuts, ""), {}, self._bound)

    def _bound(self, results: dict[str, Any]) -> None:
        given = {action for action, _ in results.get("shortcuts", ("", []))[1]}
        self._on_problems(
            [
                f"The desktop has given no key to {title_of(action)}: "
                "choose one in its keyboard settings."
                for action in self._wanted
                if action not in given
            ]
        )
