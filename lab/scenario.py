"""What a scenario is, and the closes that many of them share."""

import time
from dataclasses import dataclass, field

from session import until_end

SCENARIOS = {}
BOTH = {'client': 'pcapng', 'server': 'nano'}
MIDDLE = {'client': 'micro', 'middle': 'nano', 'server': 'nano'}


@dataclass
class Scenario:
    """`limit`: seconds that any blocking call may take; `settle`: seconds of capture after `play`."""

    name: str
    text: str
    play: object
    topology: str = 'cable'
    cable: dict = field(default_factory=dict)
    captures: dict = field(default_factory=lambda: dict(BOTH))
    sysctl: dict = field(default_factory=dict)
    family: int = 4
    snap: int = 262144
    fin_timeout: int = 60
    settle: float = 0.3
    limit: float = 20.0
    late: bool = False


def scenario(name, text, **options):
    def register(play):
        SCENARIOS[name] = Scenario(name, text, play, **options)
        return play

    return register


def delayed(ms, **more):
    return dict({'delay': ms}, **more)


def client_first(lab, client, server, pause=0.15):
    """The client closes, the server reads the end of the stream and closes `pause` seconds later."""
    client.close()
    until_end(server)
    time.sleep(pause)
    server.close()


def ordinary(lab, pause=0.15, **pair):
    client, server = lab.pair(**pair)
    lab.exchange(client, server)
    client_first(lab, client, server, pause)
