"""Serves the site by HTTP on a free port, and writes its URL first."""

from socketserver import ThreadingMixIn

from django.core.management.base import BaseCommand
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.wsgi import get_wsgi_application


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # Tests send many requests at once.
    request_queue_size = 200


class QuietHandler(WSGIRequestHandler):
    # The head and the body of a response are two packets; else the second waits for the client's ACK.
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass


class Command(BaseCommand):
    def handle(self, **options):
        server = Server(("127.0.0.1", 0), QuietHandler)
        server.set_app(get_wsgi_application())
        self.stdout.write(f"http://127.0.0.1:{server.server_address[1]}")
        self.stdout.flush()
        server.serve_forever()
