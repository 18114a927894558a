"""Mixed connections in namespaces while programs capture them live: for holding `finwait live` against a file of tcpdump's."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import net
import soup
from scenario import Scenario
from session import Session

import capture

# Not the lab's own: its sweep removes what a killed lab left.
net.PREFIX = 'finwait-live-'
READY_SECONDS = 30
END_SECONDS = 30


class Program:
    """A capturing program in the client's namespace; its output goes to NAME.out and NAME.err in `folder`."""

    def __init__(self, namespace, folder, name, command):
        self.name, self.error_path = name, os.path.join(folder, f'{name}.err')
        with open(os.path.join(folder, f'{name}.out'), 'wb') as out, open(self.error_path, 'wb') as err:
            self.child = subprocess.Popen(
                ['ip', 'netns', 'exec', namespace, 'sh', '-c', f'exec {command}'],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def wait_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.child.poll() is None:
            with open(self.error_path) as f:
                if 'capturing with' in f.read():
                    return
            time.sleep(0.05)
        with open(self.error_path) as f:
            raise RuntimeError(f'{self.name} did not start: {f.read()}')

    def stop(self):
        self.child.send_signal(signal.SIGINT)
        return self.child.wait(END_SECONDS)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def play(lab, count, seed, workers):
    acceptor = soup.Acceptor(lab, lab.listen(backlog=1024))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda i: soup.one(lab, acceptor, f'{seed}-{i}'), range(count)))
    acceptor.done = True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, help='folder for reference.pcap and the output of the programs')
    parser.add_argument('--count', type=int, default=5000, help='connections (default: 5000)')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--workers', type=int, default=soup.WORKERS)
    parser.add_argument('--settle', type=float, default=1.5, help='seconds of capture after the last connection')
    parser.add_argument('programs', nargs='+', metavar='NAME=COMMAND', help='run in the namespace, capturing on a0')
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    lab = Session(Scenario('live', 'live', None, topology='direct'), None)
    lab.net = net.Net('direct')
    # A frame is then no longer than the MTU, and the kernel's buffer of the cap package holds ten times as many.
    net.offload_off(lab.net.client, 'a0')
    net.offload_off(lab.net.server, 'b0')
    with contextlib.ExitStack() as stack:
        stack.callback(lab._clean)
        reference = capture.Capture(lab.net.client, 'a0', os.path.join(options.out, 'reference.pcap'))
        stack.callback(reference.kill)
        programs = []
        for text in options.programs:
            name, command = text.split('=', 1)
            programs.append(Program(lab.net.client, options.out, name, command))
            stack.callback(programs[-1].kill)
        for program in programs:
            program.wait_ready()
        began = time.monotonic()
        play(lab, options.count, options.seed, options.workers)
        played = time.monotonic() - began
        time.sleep(options.settle)
        statuses = {program.name: program.stop() for program in programs}
        reference.stop()
    print(json.dumps({'seconds': round(played, 2), 'statuses': statuses}))


if __name__ == '__main__':
    main()
