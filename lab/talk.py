"""Plain connections between two namespaces that are there already: `talk.py CLIENT SERVER ADDRESS PORT [--count N] [--bytes N] [--hold S]`."""

import argparse
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import net


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('client', help='namespace')
    parser.add_argument('server', help='namespace')
    parser.add_argument('address', help='of the server')
    parser.add_argument('port', type=int)
    parser.add_argument('--count', type=int, default=1, help='connections, one after the other')
    parser.add_argument('--bytes', type=int, default=100, help='that the server sends on each')
    parser.add_argument('--hold', type=float, default=0, help='seconds that one more connection stays open at the end')
    options = parser.parse_args()
    with net.inside(options.server):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.address, options.port))
        listener.listen(128)

    def connect():
        with net.inside(options.client):
            client = socket.socket()
        client.connect((options.address, options.port))
        server, _ = listener.accept()
        return client, server

    for _ in range(options.count):
        client, server = connect()
        client.sendall(b'q' * 50)
        server.recv(50)
        left = options.bytes
        while left > 0:
            piece = min(left, 32768)
            server.sendall(b'r' * piece)
            got = 0
            while got < piece:
                got += len(client.recv(65536))
            left -= piece
        client.close()
        while server.recv(4096):
            pass
        server.close()
    if options.hold > 0:
        held = connect()
        time.sleep(options.hold)
        for s in held:
            s.close()


if __name__ == '__main__':
    main()
