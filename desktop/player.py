"""Sound to the loudspeaker on Linux, piece by piece through aplay, and silence at once."""

import contextlib
import fcntl
import os
import signal
import subprocess

from desktop.voice import find_player, no_sound_device

# Little is on its way at any time, so that little is heard after the end: one page in the pipe
# (93 ms of espeak's speech), and as much in the device's buffer as bridges a busy moment.
_PIPE_BYTES = 4096
_BUFFER_MICROSECONDS = 120_000


class Player:
    """One run of aplay, in a process group of its own, which ends when it is killed or finished.

    Args:
        channels: of the sound.
        rate: samples a second.

    Raises:
        VoiceError: if aplay is not installed.
    """

    def __init__(self, channels: int, rate: int) -> None:
        command = [find_player(), "-t", "raw", "-f", "S16_LE", "-c", str(channels), "-r", str(rate)]
        self._process = subprocess.Popen(
            [*command, f"--buffer-time={_BUFFER_MICROSECONDS}", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            process_group=0,
        )
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._sound = self._process.stdin
        self._messages = self._process.stderr
        self._complaint = b""
        fcntl.fcntl(self._sound, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def group(self) -> int:
        """The number of the process group."""
        return self._process.pid

    def wait_until_open(self) -> bool:
        """Return when the sound device takes sound, or with False when it never will."""
        for line in self._messages:
            if line.startswith(b"Playing"):
                return True
            self._complaint += line
        return False

    def feed(self, sound: bytes) -> bool:
        """Play 16-bit samples after those before; blocks until all but the last are played.

        Returns:
            Whether there is still someone to feed; if not, `finish` tells why.
        """
        try:
            self._sound.write(sound)
            self._sound.flush()
        except BrokenPipeError:
            return False
        return True

    def finish(self) -> bool:
        """Wait for the last sound; True if all was played, False if the player was killed.

        Raises:
            VoiceError: if the sound device could not be used.
        """
        with contextlib.suppress(BrokenPipeError):
            self._sound.close()
        self._complaint += self._messages.read()
        self._messages.close()
        status = self._process.wait()
        if status > 0:
            raise no_sound_device(self._complaint.decode(errors="replace"))
        return status == 0

    def kill(self) -> None:
        """Be silent now. Any thread may call it, at any time."""
        # poll() first: the number of a process that is gone may belong to another one.
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
