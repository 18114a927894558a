/** Short connections that differ in one thing each, as text for `segments`; each also with the ends of the key the other way round. */

const open = 'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 1\n';
const request = 'C > S P. 1:11(10) ack 1\n';
const early = 'S > C P. 1:21(20) ack 1\n';
const late = 'S > C P. 1:21(20) ack 2\n';
const answer = 'S > C P. 1:21(20) ack 11\n';
const closes = (wait: string) =>
  `C > S F. 1:1(0) ack 1\nS > C F. 1:1(0) ack 2 ${wait}\nC > S . 2:2(0) ack 2\n`;
const again = (wait: string) => `isn C 900000\nC > S S 0:0(0) ${wait}\n`;
const variants = [
  // A second FIN at once, or held back.
  open + closes('+0.0001'),
  open + closes('+0.02'),
  // The same ports again: never, in TIME_WAIT, after it.
  open + closes('+0.0001') + again('+5'),
  open + closes('+0.0001') + again('+59.999'),
  open + closes('+0.0001') + again('+61'),
  // A RST after data of one side, the other, none.
  `${open}S > C R. 1:1(0) ack 1\n`,
  `${open}C > S P. 1:11(10) ack 1\nS > C R. 1:1(0) ack 11\n`,
  `${open}${request}${answer}S > C R. 21:21(0) ack 11\n`,
  `${open}${request}${answer}C > S R. 11:11(0) ack 21\n`,
  `${open}${request}${answer}C > S R. 11:11(0) ack 1\n`,
  `${open}${request}${answer}C > S . 11:11(0) ack 21\nC > S P. 11:21(10) ack 21\nS > C R. 21:21(0) ack 21\n`,
  `${open}${request}${answer}C > S . 11:11(0) ack 21\nS > C P. 21:31(10) ack 11\nS > C R. 31:31(0) ack 11\n`,
  // A RST that came from somewhere else.
  `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C . 1:1(0) ack 11 ttl 57\nS > C R. 1:1(0) ack 11 ttl 57\n`,
  `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C . 1:1(0) ack 11 ttl 57\nS > C R. 1:1(0) ack 11 ttl 200\n`,
  // The last number of an end was seen, or only what lies behind it.
  `${open}C > S . 1:1(0) ack 1\nS > C . 1:1(0) ack 1\n`,
  `${open}C > S . 2:2(0) ack 1\nS > C . 1:1(0) ack 2\n`,
  `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C P. 1:21(20) ack 11 ttl 57\nS > C R. 21:21(0) ack 11 ttl 57\n`,
  `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C P. 1:21(20) ack 11 ttl 57\nS > C R. 21:21(0) ack 11 ttl 200\n`,
  // The same after keep-alives that nobody answered.
  `${open}${request}S > C . 1:1(0) ack 11\nC > S R. 11:11(0) ack 1\n`,
  `${open}${request}S > C . 1:1(0) ack 11\n${'C > S . 10:10(0) ack 1 +1\n'.repeat(2)}C > S R. 11:11(0) ack 1\n`,
  // Refused; answered with the wrong number; by a RST without ACK.
  'C > S S 0:0(0)\nS > C R. 0:0(0) ack 1\n',
  'C > S S 0:0(0)\nS > C R. 0:0(0) ack 7\n',
  'C > S S 0:0(0)\nS > C R 0:0(0)\n',
  // The passive side sends on, or has its FIN behind data, or acknowledges late.
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2\nC > S . 2:2(0) ack 2\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:6(5) ack 2\nC > S . 2:2(0) ack 7\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C F. 1:6(5) ack 2\nC > S . 2:2(0) ack 7\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C F. 1:1(0) ack 1\nC > S . 2:2(0) ack 2\nS > C . 2:2(0) ack 2\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2 +11\nC > S . 2:2(0) ack 2\n`,
  // The other side's FIN never comes, and the capture goes on: not long, so long that it says something.
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +9\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +11\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +61\n`,
  // The same where the FIN was acknowledged late, where something is still sent, where the other FIN came late, and not as late.
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2 +2\nS > C udp len 10 +9\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2 +2\nS > C udp len 10 +59\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\n${late}C > S . 2:2(0) ack 21\nS > C udp len 10 +11\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\n${late}C > S . 2:2(0) ack 21\nS > C F. 21:21(0) ack 2\nC > S . 2:2(0) ack 22\n`,
  `${open}C > S F. 1:1(0) ack 1\n${late}C > S . 2:2(0) ack 21\nS > C F. 21:26(5) ack 2\nC > S . 2:2(0) ack 27\n`,
  `${open}C > S F. 1:1(0) ack 1\n${late}C > S . 2:2(0) ack 21\nS > C R. 21:21(0) ack 2\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2 +11\nS > C udp len 10 +12\n`,
  `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2 +5\nS > C udp len 10 +12\n`,
  // More than one behind a FIN, data behind it, an ACK that goes back, more than a story keeps before anyone answers.
  `${open}C > S F. 1:1(0) ack 1\nC > S P. 2:12(10) ack 1\nS > C . 1:1(0) ack 12\n`,
  `${open}C > S F. 1:1(0) ack 1\nC > S F. 2:2(0) ack 1\nS > C F. 1:1(0) ack 3\nC > S . 3:3(0) ack 2\n`,
  `${open}${early}C > S . 1:1(0) ack 21\nC > S P. 1:11(10) ack 1\nS > C . 21:21(0) ack 11\n`,
  `${open}${Array.from({ length: 40 }, (_, i) => `C > S P. ${i + 1}:${i + 2}(1) ack 1\n`).join('')}`,
  // Options that say more: bytes that came twice, a cookie, in a SYN and in its answer.
  `${open}${early}C > S . 1:1(0) ack 21 <nop,nop,sack 1:11>\nS > C P. 21:31(10) ack 1\n`,
  `C > S S 0:0(0) <mss 1460,tfo 0102030405060708>\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 1\n`,
  `C > S S 0:0(0) <mss 1460>\nS > C S. 0:0(0) ack 1 <mss 1460,tfo 0102030405060708>\nC > S . 1:1(0) ack 1\n`,
  // The handshake's ACK came with data, or not at all.
  `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${request}`,
  'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n',
  'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S R 1:1(0)\n',
  'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 0\n',
  `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${early}C > S . 1:1(0) ack 21\n`,
  `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${early}C > S . 1:1(0) ack 0\n`,
  'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nS > C . 1:21(20) ack 1\nS > C R 21:21(0)\n',
  'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nS > C . 1:1(0) ack 1\nS > C R 1:1(0)\n',
];

/** Each twice, so that whoever remembers one has it for the others and for itself. */
export const ALIKE: readonly string[] = [...variants, ...variants].flatMap((text) => {
  const swapped = text.replaceAll('C >', 'X >').replaceAll('S >', 'C >').replaceAll('X >', 'S >');
  const other = swapped.replaceAll('> C', '> X').replaceAll('> S', '> C').replaceAll('> X', '> S');
  return [text, other.replaceAll('isn C', 'isn S')];
});
