import {
  parseFloat0,
  parseInt0,
  parseLong,
  parseString,
  parseUnicode,
  readInteger,
} from './literals.js';
import type { PickleMachine } from './machine.js';
import { GlobalName, isList, isTuple, makeTuple } from './python-values.js';

type Handler = (machine: PickleMachine) => void;

const maxListLength = 50_000_000;
const extension = (name: string, read: (machine: PickleMachine) => number): Handler => {
  return (machine) => {
    throw machine.refusal(`asks for extension code ${read(machine)} (${name})`);
  };
};
const refuse = (what: string): Handler => {
  return (machine) => {
    throw machine.refusal(what);
  };
};

/** Opcodes whose code is a printable character: protocols 0 and 1. */
const early: Readonly<Record<string, Handler>> = {
  '(': (machine) => machine.mark(),
  '0': (machine) => machine.discard(),
  '1': (machine) => void machine.popToMark(),
  '2': (machine) => machine.push(machine.top()),
  F: (machine) => machine.push(parseFloat0(machine, machine.input.line())),
  I: (machine) => machine.push(parseInt0(machine, machine.input.line())),
  J: (machine) => machine.push(machine.input.int32()),
  K: (machine) => machine.push(machine.input.byte()),
  L: (machine) => machine.push(parseLong(machine, machine.input.line())),
  M: (machine) => machine.push(machine.input.uint16()),
  N: (machine) => machine.push(null),
  P: refuse('asks for a persistent object'),
  Q: refuse('asks for a persistent object'),
  R: reduce,
  S: (machine) => machine.pushObject(parseString(machine, machine.input.line())),
  T: (machine) => machine.pushObject(machine.input.text(machine.input.int32(), 'latin1')),
  U: (machine) => machine.pushObject(machine.input.text(machine.input.byte(), 'latin1')),
  V: (machine) => machine.pushObject(parseUnicode(machine, machine.input.line())),
  X: (machine) => machine.pushObject(machine.input.text(machine.input.uint32())),
  a: (machine) => append(machine, [machine.pop()]),
  b: build,
  c: (machine) => {
    const module = machine.input.line();
    machine.push(machine.arrays.global(module, machine.input.line()));
  },
  d: (machine) => machine.pushObject(fill(machine, new Map(), machine.popToMark())),
  '}': (machine) => machine.pushObject(new Map()),
  e: (machine) => append(machine, machine.popToMark()),
  g: (machine) => machine.recall(textKey(machine)),
  h: (machine) => machine.recall(machine.input.byte()),
  i: (machine) => {
    const module = machine.input.line();
    throw refusedInstance(machine, new GlobalName(module, machine.input.line()));
  },
  j: (machine) => machine.recall(machine.input.uint32()),
  l: (machine) => machine.pushObject(machine.popToMark()),
  ']': (machine) => machine.pushObject([]),
  o: (machine) => {
    throw refusedInstance(machine, machine.popToMark()[0]);
  },
  p: (machine) => machine.remember(textKey(machine)),
  q: (machine) => machine.remember(machine.input.byte()),
  r: (machine) => machine.remember(machine.input.uint32()),
  s: (machine) => {
    const value = machine.pop();
    const key = machine.pop();
    setItems(machine, [key, value]);
  },
  t: (machine) => machine.pushObject(makeTuple(machine.popToMark())),
  ')': (machine) => machine.pushObject(makeTuple([])),
  u: (machine) => setItems(machine, machine.popToMark()),
  G: (machine) => machine.push(machine.input.float64()),
  B: (machine) => machine.pushObject(machine.input.bytes(machine.input.uint32())),
  C: (machine) => machine.pushObject(machine.input.bytes(machine.input.byte())),
};

/** Opcodes from 0x80 on: protocols 2 to 5. */
const late: readonly Handler[] = [
  /* 80 PROTO */ (machine) => {
    const protocol = machine.input.byte();
    if (protocol > 5) throw machine.failure(`has pickle protocol ${protocol}, 0 to 5 are known`);
  },
  /* 81 NEWOBJ */ newObject(1),
  /* 82 EXT1 */ extension('EXT1', (machine) => machine.input.byte()),
  /* 83 EXT2 */ extension('EXT2', (machine) => machine.input.uint16()),
  /* 84 EXT4 */ extension('EXT4', (machine) => machine.input.int32()),
  /* 85 TUPLE1 */ tuple(1),
  /* 86 TUPLE2 */ tuple(2),
  /* 87 TUPLE3 */ tuple(3),
  /* 88 NEWTRUE */ (machine) => machine.push(true),
  /* 89 NEWFALSE */ (machine) => machine.push(false),
  /* 8a LONG1 */ (machine) => machine.push(readInteger(machine, machine.input.byte())),
  /* 8b LONG4 */ (machine) => machine.push(readInteger(machine, machine.input.int32())),
  /* 8c SHORT_BINUNICODE */ (machine) =>
    machine.pushObject(machine.input.text(machine.input.byte())),
  /* 8d BINUNICODE8 */ (machine) => machine.pushObject(machine.input.text(machine.input.uint64())),
  /* 8e BINBYTES8 */ (machine) => machine.pushObject(machine.input.bytes(machine.input.uint64())),
  /* 8f EMPTY_SET */ refuse('holds a set'),
  /* 90 ADDITEMS */ refuse('holds a set'),
  /* 91 FROZENSET */ refuse('holds a frozenset'),
  /* 92 NEWOBJ_EX */ newObject(2),
  /* 93 STACK_GLOBAL */ stackGlobal,
  /* 94 MEMOIZE */ (machine) => machine.memoize(),
  /* 95 FRAME */ (machine) => {
    const length = machine.input.uint64();
    if (length <= machine.input.bytesLeft) return;
    throw machine.failure(`claims a frame of ${length} bytes, ${machine.input.bytesLeft} are left`);
  },
  /* 96 BYTEARRAY8 */ (machine) => machine.pushObject(machine.input.bytes(machine.input.uint64())),
  /* 97 NEXT_BUFFER */ refuse('keeps its arrays outside of the file (out-of-band buffers)'),
  /* 98 READONLY_BUFFER */ refuse('keeps its arrays outside of the file (out-of-band buffers)'),
];

/** What to do for each opcode but STOP; undefined for codes that do not exist. */
export const handlers: readonly (Handler | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  code < 0x80 ? early[String.fromCharCode(code)] : late[code - 0x80],
);

function tuple(length: number): Handler {
  return (machine) => {
    const items: unknown[] = [];
    for (let i = 0; i < length; i += 1) items.unshift(machine.pop());
    machine.pushObject(makeTuple(items));
  };
}

function newObject(argumentCount: number): Handler {
  return (machine) => {
    for (let i = 0; i < argumentCount; i += 1) machine.pop();
    throw refusedInstance(machine, machine.pop());
  };
}

function refusedInstance(machine: PickleMachine, kind: unknown): Error {
  const name = kind instanceof GlobalName ? kind : 'something that is not a class';
  return machine.refusal(`makes an object of ${name}`);
}

function reduce(machine: PickleMachine): void {
  const args = machine.pop();
  machine.pushObject(machine.arrays.call(machine.pop(), args));
}

function build(machine: PickleMachine): void {
  const state = machine.pop();
  machine.push(machine.arrays.build(machine.pop(), state));
}

function stackGlobal(machine: PickleMachine): void {
  const attribute = machine.pop();
  const module = machine.pop();
  if (typeof module !== 'string' || typeof attribute !== 'string') {
    throw machine.refusal('asks for a global whose name is no text');
  }
  machine.push(machine.arrays.global(module, attribute));
}

function append(machine: PickleMachine, items: readonly unknown[]): void {
  const list = machine.top();
  if (!isList(list)) {
    throw machine.refusal('appends to something that is not a list');
  }
  if (list.length + items.length > maxListLength) {
    throw machine.failure(`has a list of more than ${maxListLength} values`, 'Save arrays.');
  }
  for (const item of items) list.push(item);
}

function setItems(machine: PickleMachine, items: readonly unknown[]): void {
  const dict = machine.top();
  if (!(dict instanceof Map)) throw machine.refusal('sets items of something that is not a dict');
  fill(machine, dict, items);
}

function fill(machine: PickleMachine, dict: Map<unknown, unknown>, items: readonly unknown[]) {
  if (items.length % 2 !== 0) throw machine.failure('has a dict key without a value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i];
    const isPlain = key === null || typeof key !== 'object' || key instanceof Uint8Array;
    if (!isPlain && !isTuple(key)) throw machine.failure('has a dict key that cannot be one');
    dict.set(key, items[i + 1]);
  }
  return dict;
}

function textKey(machine: PickleMachine): number {
  const line = machine.input.line();
  if (!/^\d{1,15}$/.test(line)) throw machine.failure('has a memo key that is no number');
  return Number(line);
}
