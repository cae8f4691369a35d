"""Reasons for which a test of plenoptic does not end here; no test can catch them."""


class NotOffered(BaseException):
    """Raised where a test asks for a name that this project does not have."""


class NotAtHand(BaseException):
    """Raised where a test asks for a file or package that cannot be had without a network."""


class TooLong(BaseException):
    """Raised where a test takes longer than its limit."""
