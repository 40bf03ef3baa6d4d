"""A site's own rule of who may log in."""


def admits(user):
    return user is not None and user.is_active
