"""Hotkeys on X11: grabs keys for the whole screen, on a connection and in a thread of its own."""

import contextlib
import itertools
import os
import queue
import select
import threading
from collections.abc import Callable, Mapping
from typing import Any

from Xlib import XK, X, display, error
from Xlib.protocol import rq

from desktop.keys import Hotkey, title_of

_Combination = tuple[int, int]  # keycode and modifiers, without locks
# What each keycode gives, plain, shifted and in other layouts; the keycodes of each modifier bit.
_Layout = tuple[dict[int, tuple[int, ...]], tuple[tuple[int, ...], ...]]
_MODIFIERS = 0xFF
_LOST = "The X server has gone, so that hotkeys do not work: start Seesay again."
_NOT_FOUND = (
    "Hotkeys do not work, because no X server can be reached: start Seesay inside your desktop."
)


class X11Hotkeys:
    """Listens for hotkeys on the X display that DISPLAY names.

    Args:
        on_pressed: called in the thread, with the name of the action.
        on_problems: called in the thread after each `set`, and when the keyboard or the connection
            changes, with one sentence for each problem that there is now.
    """

    def __init__(
        self, on_pressed: Callable[[str], None], on_problems: Callable[[list[str]], None]
    ) -> None:
        self._on_pressed = on_pressed
        self._on_problems = on_problems
        self._orders: queue.SimpleQueue[dict[str, Hotkey] | None] = queue.SimpleQueue()
        self._bell, self._ring = os.pipe()
        self._thread = threading.Thread(target=self._run, name="hotkeys", daemon=True)
        self._thread.start()

    def set(self, hotkeys: Mapping[str, Hotkey]) -> None:
        """Listen for these keys, by action, and for no others; takes effect soon after."""
        self._order(dict(hotkeys))

    def close(self) -> None:
        """Let go of all keys."""
        self._order(None)
        self._thread.join()
        os.close(self._bell)
        os.close(self._ring)

    def _order(self, order: dict[str, Hotkey] | None) -> None:
        self._orders.put(order)
        os.write(self._ring, b"!")

    def _run(self) -> None:
        try:
            keyboard = _Keyboard()
        except Exception:  # Xlib meets a bad DISPLAY, a refusal and a dead server in many ways
            self._refuse(_NOT_FOUND)
            return
        try:
            self._listen(keyboard)
        except (error.ConnectionClosedError, OSError):
            self._on_problems([_LOST])
            self._refuse(_LOST)
        finally:
            keyboard.close()

    def _refuse(self, sentence: str) -> None:
        """Answer every order with a sentence, until told to end."""
        while self._orders.get() is not None:
            self._on_problems([sentence])

    def _listen(self, keyboard: "_Keyboard") -> None:
        held: set[int] = set()  # keycodes; a key that is held sends one press after the other
        while True:
            changed = False
            for event in keyboard.events():
                if keyboard.tells_change(event):
                    changed = True
                elif event.type == X.KeyRelease:
                    held.discard(event.detail)
                elif event.type == X.KeyPress and event.detail not in held:
                    held.add(event.detail)
                    action = keyboard.action(event.detail, event.state)
                    if action:
                        self._on_pressed(action)
            if changed:
                if keyboard.read_layout():
                    self._on_problems(keyboard.grab_again())
                continue  # talking to the server may have brought new events

            ready, _, _ = select.select([keyboard.fileno(), self._bell], [], [])
            if self._bell in ready:
                os.read(self._bell, 1)  # one a order
                order = self._orders.get()
                if order is None:
                    return
                self._on_problems(keyboard.grab(order))


class _Keyboard:
    """The connection to the X server, the layout of the keyboard, and the keys held for us."""

    def __init__(self) -> None:
        self._display = display.Display()
        self._root = self._display.screen().root
        self._wanted: dict[str, Hotkey] = {}
        self._actions: dict[_Combination, str] = {}
        self._xkb_event = _use_xkb(self._display)
        self._layout: _Layout = ({}, ())
        self.read_layout()
        self._find_modifiers()

    def fileno(self) -> int:
        """The connection, to wait for with ``select``."""
        return int(self._display.fileno())

    def close(self) -> None:
        """End the connection; the server lets go of its keys."""
        with contextlib.suppress(Exception):  # it may be broken already
            self._display.close()

    def events(self) -> list[Any]:
        """What has arrived, without waiting."""
        return [self._display.next_event() for _ in range(self._display.pending_events())]

    def tells_change(self, event: Any) -> bool:
        """Whether the event says that keys or modifiers have moved."""
        return event.type in (X.MappingNotify, self._xkb_event)

    def action(self, keycode: int, state: int) -> str | None:
        """The action of a key pressed while the modifiers and locks of ``state`` were on."""
        return self._actions.get((keycode, state & _MODIFIERS & ~self._locks))

    def read_layout(self) -> bool:
        """Learn what each key is now; returns whether that is new.

        Often it is not: the server tells of a change whenever another keyboard is used.
        """
        info = self._display.display.info
        rows = self._display.get_keyboard_mapping(
            info.min_keycode, info.max_keycode - info.min_keycode + 1
        )
        modifiers = self._display.get_modifier_mapping()
        layout = (
            dict(enumerate(map(tuple, rows), info.min_keycode)),
            tuple(map(tuple, modifiers)),
        )
        if layout == self._layout:
            return False
        self._layout = layout
        return True

    def grab_again(self) -> list[str]:
        """Hold the keys where they are in a new layout; returns sentences as `grab` does."""
        locks = self._locks
        self._find_modifiers()
        if self._locks != locks:
            for keycode, _ in self._actions:
                self._root.ungrab_key(keycode, X.AnyModifier)
            self._actions = {}
        return self.grab(self._wanted)

    def grab(self, hotkeys: dict[str, Hotkey]) -> list[str]:
        """Hold these keys and no others; returns a sentence for each that cannot be held.

        A key that was held before is never let go in between.
        """
        problems: list[str] = []
        wanted: dict[_Combination, str] = {}
        for action, hotkey in hotkeys.items():
            combinations = self._combinations(hotkey)
            if not combinations:
                problems.append(
                    f"This keyboard has no key for {hotkey.text} ({title_of(action)}): "
                    "choose another in the settings."
                )
            wanted |= dict.fromkeys(combinations, action)

        taken: dict[str, None] = {}  # actions, in order
        for combination, action in wanted.items():
            if combination not in self._actions and not self._take(combination):
                taken[action] = None
        held = {key: action for key, action in wanted.items() if action not in taken}
        for combination in (self._actions.keys() | wanted.keys()) - held.keys():
            self._let_go(combination)
        problems += [
            f"Another program has taken {hotkeys[action].text} ({title_of(action)}): "
            "choose another key in the settings."
            for action in taken
        ]
        self._wanted = hotkeys
        self._actions = held
        self._display.sync()
        return problems

    def _take(self, combination: _Combination) -> bool:
        keycode, modifiers = combination
        refusals = []
        for locks in self._lock_states:
            refusal = error.CatchError(error.BadAccess)
            self._root.grab_key(
                keycode,
                modifiers | locks,
                False,
                X.GrabModeAsync,
                X.GrabModeAsync,
                onerror=refusal,
            )
            refusals.append(refusal)
        self._display.sync()
        if any(refusal.get_error() for refusal in refusals):
            self._let_go(combination)  # some states of the locks may have been free
            return False
        return True

    def _let_go(self, combination: _Combination) -> None:
        keycode, modifiers = combination
        for locks in self._lock_states:
            self._root.ungrab_key(keycode, modifiers | locks)

    def _find_modifiers(self) -> None:
        """Which modifier bits are Alt, Super and locks."""
        rows, modifiers = self._layout
        bits: dict[int, int] = {}  # keysym -> modifier bit
        for index, keycodes in enumerate(modifiers):
            for keysym in itertools.chain(*(rows.get(keycode, ()) for keycode in keycodes)):
                bits.setdefault(keysym, 1 << index)
        self._bits = {
            "Shift": X.ShiftMask,
            "Ctrl": X.ControlMask,
            "Alt": bits.get(XK.XK_Alt_L) or bits.get(XK.XK_Alt_R) or X.Mod1Mask,
            "Meta": bits.get(XK.XK_Super_L) or bits.get(XK.XK_Super_R) or X.Mod4Mask,
        }
        locks = {X.LockMask, bits.get(XK.XK_Num_Lock, 0), bits.get(XK.XK_Scroll_Lock, 0)}
        locks -= {0, *self._bits.values()}
        self._locks = sum(locks)
        # A grab holds for one exact state, so that each hotkey is grabbed in each state of these.
        self._lock_states = [
            sum(on)
            for count in range(len(locks) + 1)
            for on in itertools.combinations(locks, count)
        ]

    def _combinations(self, hotkey: Hotkey) -> list[_Combination]:
        """The keys, nearly always one, that are this hotkey on this keyboard."""
        keysyms = _keysyms(hotkey)
        modifiers = sum(self._bits[name] for name in hotkey.modifiers)
        # A row has the keysyms of the first layout, plain and shifted, then those of the second.
        # A sign may stand on a key that hardly any keyboard has, and shifted on one that all have.
        for layout in (0, 2):
            found = [
                (keycode, modifiers | shift)
                for column, shift in ((layout, 0), (layout + 1, X.ShiftMask))
                for keycode, row in self._layout[0].items()
                if column < len(row)
                and row[column] in keysyms
                # Keys such as F7 are the same with Shift, which is another hotkey.
                and not (shift and row[layout] in keysyms)
            ]
            if found:
                return found
        return []


# The older numbers of signs outside Latin-1, which most layouts use: their first byte stands for a
# table, the second is the sign's number in it.
_TABLES = {
    1: "iso8859-2",
    2: "iso8859-3",
    3: "iso8859-4",
    5: "iso8859-6",
    6: "koi8-u",
    7: "iso8859-7",
    12: "iso8859-8",
    13: "tis-620",
    19: "iso8859-15",
}


def _keysyms(hotkey: Hotkey) -> set[int]:
    """X11's numbers for the key, one or more that mean the same; empty for none."""
    if hotkey.keysym_name:
        return {int(XK.string_to_keysym(hotkey.keysym_name))} - {0}
    if len(hotkey.key) != 1:
        return set()
    sign = hotkey.key.lower()
    if ord(sign) < 0x100:
        return {ord(sign)}
    numbers = {0x01000000 | ord(sign)}
    for table, encoding in _TABLES.items():
        with contextlib.suppress(UnicodeEncodeError):
            numbers.add(table << 8 | sign.encode(encoding)[0])
    return numbers


# The X keyboard extension, of which python-xlib has nothing. Without it, a key that is held would
# look like many short presses.
_CORE_KEYBOARD = 0x0100
_DETECTABLE_AUTO_REPEAT = 1
_NEW_KEYBOARD_AND_MAP = 0b11
_ALL_PARTS = 0xFF


class _UseExtension(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(0), rq.RequestLength(), rq.Card16("major"), rq.Card16("minor")
    )
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Bool("supported"),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Pad(24),
    )


class _SelectEvents(rq.Request):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(1),
        rq.RequestLength(),
        rq.Card16("device"),
        rq.Card16("affect"),
        rq.Card16("clear"),
        rq.Card16("select_all"),
        rq.Card16("affect_map"),
        rq.Card16("map"),
    )


class _PerClientFlags(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(21),
        rq.RequestLength(),
        rq.Card16("device"),
        rq.Pad(2),
        rq.Card32("change"),
        rq.Card32("value"),
        rq.Pad(12),
    )
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Card8("device"),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Card32("supported"),
        rq.Card32("value"),
        rq.Pad(16),
    )


def _use_xkb(connection: Any) -> int:
    """Make auto-repeat detectable; returns the type of the events for a changed keyboard."""
    extension = connection.query_extension("XKEYBOARD")
    to = {"display": connection.display, "opcode": extension.major_opcode}
    _UseExtension(**to, major=1, minor=0)
    _PerClientFlags(
        **to,
        device=_CORE_KEYBOARD,
        change=_DETECTABLE_AUTO_REPEAT,
        value=_DETECTABLE_AUTO_REPEAT,
    )
    # A client of this extension hears of other layouts by its events instead of MappingNotify.
    _SelectEvents(
        **to,
        device=_CORE_KEYBOARD,
        affect=_NEW_KEYBOARD_AND_MAP,
        clear=0,
        select_all=_NEW_KEYBOARD_AND_MAP,
        affect_map=_ALL_PARTS,
        map=_ALL_PARTS,
    )
    return int(extension.first_event)
