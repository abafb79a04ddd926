"""The errors that Seesay tells to people: one sentence each, which says what to do."""


class SeesayError(Exception):
    """A problem told to the user in one sentence that says what to do."""


class PictureError(SeesayError):
    """A picture that cannot be looked at: missing, damaged, too large or no picture at all."""


class ModelError(SeesayError):
    """A model that cannot be loaded: missing, damaged or made by another program."""


class DeviceError(SeesayError):
    """A device for computing that this machine does not have."""
