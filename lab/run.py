"""`npm run lab`: plays the scenarios and writes captures with the kernel's own account of them."""

import argparse
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

PROGRAMS = {
    'ip': 'iproute2',
    'nft': 'nftables',
    'tcpdump': 'tcpdump',
    'dumpcap': 'wireshark-common',
    'tshark': 'tshark',
}
LOCK = '/run/finwait-lab.lock'
HERE = os.path.dirname(os.path.abspath(__file__))
# What `--fixtures` commits: SCENARIO.PLACE, each under 64 KiB.
FIXTURES = (
    '3way-merged.client',
    '3way-merged-data.server',
    'half-close.client',
    'simultaneous.client',
    'simultaneous-fin-lost.server',
    'killed-process.server',
    'fin-lost.client',
    'fin-lost.server',
    'trunk-fin-lost-behind.middle',
    'ack-of-fin-lost.client',
    'last-ack-lost.client',
    'last-ack-lost.server',
    'fin-before-data.client',
    'synack-lost.server',
    'handshake-ack-lost.server',
    'accept-queue-overflow.server',
    'aborted.client',
    'simultaneous-open.client',
    'tfo.client',
    'rst-unread-data.client',
    'rst-data-after-close.client',
    'killed-process-unread.server',
    'rst-forged-ignored.server',
    'fin-wait-2-timer.client',
    'zero-window-close.client',
    'reuse-timewait-server.client',
    'half-open-discovery.server',
    'seq-wrap-fin.client',
    'any.any-middle',
    'qinq.middle',
    'ipv6-simultaneous.server',
    'reorder-and-loss.server',
)
MAX_FIXTURE_BYTES = 64 * 1024
CANNOT = 2


def missing():
    """Why the lab can't run here, or None."""
    if sys.platform != 'linux':
        return 'the lab needs Linux'
    if os.geteuid() != 0:
        return 'the lab needs root: it makes network namespaces and reads tracepoints'
    absent = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    if absent:
        return f'the lab needs the Debian packages {", ".join(absent)}'
    return None


def arguments():
    parser = argparse.ArgumentParser(prog='npm run lab --', description=__doc__)
    parser.add_argument('--out', help='folder for captures and truth (default: a new temporary folder)')
    parser.add_argument('--only', action='append', metavar='NAME', help='play only this scenario (may be repeated)')
    parser.add_argument('--list', action='store_true', help='list the scenarios and exit')
    parser.add_argument('--fixtures', action='store_true', help='renew the committed captures in fixtures/kernel')
    parser.add_argument('--soup', type=int, metavar='N', help='play only a mix of N connections of every kind')
    parser.add_argument('--loss', type=float, default=0.0, metavar='P', help='soup: per cent of frames lost')
    parser.add_argument('--dup', type=float, default=0.0, metavar='P', help='soup: per cent of frames doubled')
    parser.add_argument(
        '--reorder', type=float, default=0.0, metavar='P', help='soup: per cent of frames held back 12 ms'
    )
    parser.add_argument('--delay', type=float, default=8.0, metavar='MS', help='soup: delay each way')
    parser.add_argument('--seed', type=int, default=1, help='seed of everything random')
    return parser.parse_args()


def stop(_signal, _frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    from scenarios import SCENARIOS

    if options.list:
        for scenario in SCENARIOS.values():
            print(f'{scenario.name:30}{scenario.text}')
        return 0
    reason = missing()
    if reason:
        print(f'lab: {reason}', file=sys.stderr)
        return CANNOT
    chosen = list(SCENARIOS.values())
    if options.only:
        unknown = [name for name in options.only if name not in SCENARIOS]
        if unknown:
            print(f'lab: no scenario named {", ".join(unknown)} (--list shows them)', file=sys.stderr)
            return CANNOT
        chosen = [SCENARIOS[name] for name in options.only]
    if options.fixtures:
        chosen = [SCENARIOS[name] for name in dict.fromkeys(f.split('.')[0] for f in FIXTURES)]
    if options.soup:
        from soup import soup

        chosen = [soup(options)]
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    with open(LOCK, 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('lab: another lab is running on this machine', file=sys.stderr)
            return CANNOT
        return play(chosen, options)


def keep_fixtures(out):
    """Copies the chosen captures and their truth into the project, in place of those there."""
    from capture import without_machine

    folder = os.path.join(os.path.dirname(HERE), 'fixtures', 'kernel')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in FIXTURES:
        for ending in ('.pcap', '.pcapng', '.truth.json'):
            source = os.path.join(out, name + ending)
            if not os.path.exists(source):
                continue
            if os.path.getsize(source) > MAX_FIXTURE_BYTES:
                raise ValueError(f'{name}{ending} is longer than {MAX_FIXTURE_BYTES} bytes')
            with open(source, 'rb') as f:
                data = without_machine(f.read())
            with open(os.path.join(folder, name + ending), 'wb') as f:
                f.write(data)


def play(chosen, options):
    from net import sweep
    from session import Session
    from tracing import Trace, TraceError

    out = options.out or tempfile.mkdtemp(prefix='finwait-lab-')
    os.makedirs(out, exist_ok=True)
    sweep()
    try:
        trace = Trace()
    except (TraceError, OSError) as error:
        print(f'lab: {error}', file=sys.stderr)
        return CANNOT
    failed = []
    try:
        for scenario in chosen:
            began = time.monotonic()
            try:
                with tempfile.TemporaryDirectory(prefix='finwait-lab-') as scratch:
                    written = Session(scenario, trace, options.seed).run(out, scratch)
                print(f'{scenario.name:30}{time.monotonic() - began:6.1f} s  {len(written)} captures', flush=True)
            except Exception as error:  # one scenario's failure must not take the others along
                failed.append(scenario.name)
                print(f'{scenario.name:30}failed: {type(error).__name__}: {error}', file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print('lab: interrupted', file=sys.stderr)
        return 130
    finally:
        trace.close()
    print(f'captures and truth in {out}')
    if options.fixtures and not failed:
        keep_fixtures(out)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
