"""Every error that vrsdk raises.

VrsdkError
├─ CardError         .path .field      a character's card can't be used
├─ SessionFileError  .path             a saved session can't be used
├─ BundleError       .path             a model on disk can't be used
├─ EngineError                         the model failed while it ran
│  └─ ContextFull                      the tokens don't fit the slot
├─ UsageError                          a call that can't be meant, such as say() on a closed runtime
└─ XrError           .result           .result is OpenXR's own code
   ├─ SessionLost
   └─ CallOrderError
"""


class VrsdkError(Exception):
    """The root: catch it to catch all of vrsdk's."""


class CardError(VrsdkError):
    """`field` of the card at `path` is wrong; the message says how to mend it."""

    def __init__(self, path: str, field: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.field = path, field


class SessionFileError(VrsdkError):
    """The saved session at `path` can't be read or written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class BundleError(VrsdkError):
    """The bundle's file or folder at `path` can't be used."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class EngineError(VrsdkError):
    """The model failed while it ran."""


class ContextFull(EngineError):
    """The tokens don't fit the slot; the slot is unchanged."""


class UsageError(VrsdkError):
    """A call that can't be meant: the message says what to call instead."""


class XrError(VrsdkError):
    """`result` is OpenXR's own code, such as XR_ERROR_TIME_INVALID."""

    def __init__(self, result: str, problem: str) -> None:
        super().__init__(problem)
        self.result = result


class SessionLost(XrError):
    """The runtime has lost the session: open a new one."""


class CallOrderError(XrError):
    """A call that OpenXR's order of calls doesn't allow here."""
