"""The guard of each worker begins before the first request."""


def post_fork(server, worker):  # type: ignore[no-untyped-def]
    from sallyport.drf import guard

    guard().start()
