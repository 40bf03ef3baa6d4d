from django.apps import AppConfig
from django.db.backends.signals import connection_created


class Population(AppConfig):
    name = "population"

    def ready(self):
        connection_created.connect(without_waiting_for_the_disk)


def without_waiting_for_the_disk(connection, **_):
    if connection.vendor == "sqlite":
        connection.cursor().execute("pragma synchronous = off")
