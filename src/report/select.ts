/** Which connections to print: the options of docs/specification.md §8, compiled to one predicate. */

import type { CloseKind, FindingCode, HandshakeKind } from '../tcp/verdicts.ts';
import { type Network, networkHolds, parseAddress } from './address.ts';
import type { ConnectionRecord } from './record.ts';

/** Lists match where one of their entries does; the lists given must all match. */
export interface Selection {
  close?: readonly CloseKind[];
  handshake?: readonly HandshakeKind[];
  /** Either endpoint lies in the network. */
  host?: readonly Network[];
  /** Either endpoint has the port. */
  port?: readonly number[];
  stream?: readonly number[];
  finding?: readonly FindingCode[];
}

/** What `--fail-on` names. */
export type FailOn = CloseKind | HandshakeKind | FindingCode;

/** Whether a record is one of those that are wanted. */
export type Predicate = (record: ConnectionRecord) => boolean;

/** The predicate of a selection; an empty selection holds every connection. */
export function compileSelection(selection: Selection): Predicate {
  const tests: Predicate[] = [];
  const { close, handshake, host, port, stream, finding } = selection;
  if (stream) {
    const streams = new Set(stream);
    tests.push((r) => streams.has(r.stream));
  }
  if (port) {
    const ports = new Set(port);
    tests.push((r) => ports.has(r.client.port) || ports.has(r.server.port));
  }
  if (close) {
    const kinds = new Set<string>(close);
    tests.push((r) => kinds.has(r.close.kind));
  }
  if (handshake) {
    const kinds = new Set<string>(handshake);
    tests.push((r) => kinds.has(r.handshake.kind));
  }
  if (finding) {
    const codes = new Set<string>(finding);
    tests.push((r) => r.findings.some((f) => codes.has(f.code)));
  }
  if (host) tests.push((r) => inAny(host, r.client.ip) || inAny(host, r.server.ip));
  return (record) => tests.every((test) => test(record));
}

/** The part of a record that `--fail-on` asks about. */
type Judged = Pick<ConnectionRecord, 'close' | 'findings' | 'handshake'>;

/** Whether a connection was opened or closed in one of these ways, or has one of these findings. */
export function compileFailOn(names: readonly FailOn[]): (record: Judged) => boolean {
  const set = new Set<string>(names);
  return (r) =>
    set.has(r.close.kind) ||
    set.has(r.handshake.kind) ||
    r.findings.some((finding) => set.has(finding.code));
}

function inAny(networks: readonly Network[], ip: string): boolean {
  const groups = parseAddress(ip);
  return groups !== null && networks.some((network) => networkHolds(network, groups));
}
