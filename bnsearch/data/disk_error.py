"""What the system says when it cannot read or write, and what helps."""

import errno
import os

ROOM = "make room on its disk"
RIGHTS = "mend its rights or choose another place"
DISK = "have a look at its disk, which fails"
REMEDIES = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: "make room within the quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EROFS: RIGHTS,
    errno.EIO: DISK,
}


def cause_and_remedy(error: OSError) -> str:
    """Such as "No space left on device: make room on its disk", for use inside a message."""
    cause = os.strerror(error.errno) if error.errno is not None else str(error)
    return f"{cause}: {REMEDIES.get(error.errno or 0, 'choose another place or mend this one')}"
