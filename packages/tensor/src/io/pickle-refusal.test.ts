import { LabError } from '@lab/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodePickle } from './pickle.js';

const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
  );
const short = (text: string) => `\x8c${String.fromCharCode(text.length)}${text}`;
const stackGlobal = (module: string, name: string) => `${short(module)}${short(name)}\x93`;
const billion = Array.from({ length: 60 }, (_, i) => `]q${String.fromCharCode(i + 1)}`);
const doubling = Array.from(
  { length: 59 },
  (_, i) =>
    `(h${String.fromCharCode(i + 1)}h${String.fromCharCode(i + 1)}l` +
    `q${String.fromCharCode(i + 2)}0`,
);

/** Each pickle, and what the error must say. */
const malicious: Record<string, [Buffer, string]> = {
  'os.system by GLOBAL': [bytesOf("cos\nsystem\n(S'echo pwned'\ntR."), 'asks for os.system'],
  'posix.system by STACK_GLOBAL': [
    bytesOf('\x80\x04', stackGlobal('posix', 'system'), short('id'), '\x85R.'),
    'asks for posix.system',
  ],
  'builtins.eval': [
    bytesOf('\x80\x04', stackGlobal('builtins', 'eval'), short('1+1'), '\x85R.'),
    'asks for builtins.eval',
  ],
  'Python 2 __builtin__.exec': [bytesOf("c__builtin__\nexec\n(S'x'\ntR."), '__builtin__.exec'],
  'builtins.getattr on a module': [bytesOf('cbuiltins\ngetattr\n.'), 'asks for builtins.getattr'],
  'subprocess.Popen by INST': [
    bytesOf("(S'id'\nisubprocess\nPopen\n."),
    'makes an object of subprocess.Popen',
  ],
  'an allowed class by OBJ': [bytesOf('(cnumpy\nndarray\no.'), 'makes an object of numpy.ndarray'],
  'an allowed class by NEWOBJ': [
    bytesOf('\x80\x02cnumpy\ndtype\n)\x81.'),
    'makes an object of numpy.dtype',
  ],
  'a class by NEWOBJ_EX': [
    bytesOf('\x80\x04', stackGlobal('numpy', 'ndarray'), ')}\x92.'),
    'makes an object of numpy.ndarray',
  ],
  'REDUCE inside the arguments of REDUCE': [
    bytesOf("cnumpy\ndtype\n(cos\npopen\n(S'id'\ntRtR."),
    'asks for os.popen',
  ],
  'a call of what is no function': [bytesOf("S'os.system'\n(tR."), "calls 'os.system'"],
  'a memo that smuggles a module in': [
    bytesOf("S'numpy'\np0\n0cos\np1\nsystem\n."),
    'asks for os.p1',
  ],
  'a name built from the memo': [
    bytesOf('\x80\x04', short('os'), '\x940', short('system'), '\x940h\x00h\x01\x93.'),
    'asks for os.system',
  ],
  'a dotted attribute of an allowed module': [
    bytesOf('\x80\x04', stackGlobal('numpy', 'ndarray.__class__'), '.'),
    'asks for numpy.ndarray.__class__',
  ],
  'numpy.core.multiarray.fromfile': [
    bytesOf("cnumpy.core.multiarray\nfromfile\n(S'/etc/passwd'\ntR."),
    'asks for numpy.core.multiarray.fromfile',
  ],
  'numpy.load, which unpickles again': [bytesOf('cnumpy\nload\n.'), 'asks for numpy.load'],
  'a subclass given to _reconstruct': [
    bytesOf("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR."),
    'builds an array of the class numpy.dtype',
  ],
  'another codec': [
    bytesOf("c_codecs\nencode\n(S'x'\nS'zlib_codec'\ntR."),
    "encodes 'x' as 'zlib_codec'",
  ],
  'bytes with a length': [
    bytesOf('cbuiltins\nbytes\n(I99999999999\ntR.'),
    'calls bytes with arguments',
  ],
  'BUILD on a dict': [bytesOf('}}b.'), 'sets the state of a dict'],
  'BUILD on a function': [bytesOf('cnumpy\nndarray\n}b.'), 'sets the state of numpy.ndarray'],
  EXT1: [bytesOf('\x80\x02\x82\x01.'), 'asks for extension code 1 (EXT1)'],
  EXT2: [bytesOf('\x80\x02\x83\x01\x02.'), 'asks for extension code 513 (EXT2)'],
  EXT4: [bytesOf('\x80\x02\x84\x01\x00\x00\x00.'), 'asks for extension code 1 (EXT4)'],
  'a persistent id as text': [bytesOf('Pfile:///etc/passwd\n.'), 'persistent object'],
  'a persistent id': [bytesOf('K\x01Q.'), 'persistent object'],
  'an out-of-band buffer': [bytesOf('\x80\x05\x97.'), 'out-of-band buffers'],
  'a read-only buffer': [bytesOf('\x80\x05N\x98.'), 'out-of-band buffers'],
  'a set': [bytesOf('\x80\x04\x8f.'), 'holds a set'],
  'a byte string of 4 GB': [bytesOf('\x80\x03B\xff\xff\xff\xff.'), 'claims 4294967295 bytes'],
  'a byte string of 2^63 bytes': [
    bytesOf('\x80\x04\x8e\x00\x00\x00\x00\x00\x00\x00\x80.'),
    'claims 9223372036854776000 bytes',
  ],
  'a negative length': [bytesOf('T\xff\xff\xff\xff.'), 'claims -1 bytes'],
  'a text of 4 GB': [bytesOf('X\xff\xff\xff\xff.'), 'claims 4294967295 bytes'],
  'a frame beyond the file': [
    bytesOf('\x80\x04\x95\xff\xff\xff\xff\x00\x00\x00\x00N.'),
    'claims a frame of 4294967295 bytes',
  ],
  'an integer of 2 GB': [bytesOf('\x80\x02\x8b\xff\xff\xff\x7f.'), 'integer of 2147483647 bytes'],
  'an integer of a million digits': [bytesOf(`L${'9'.repeat(1e6)}L\n.`), 'integer that cannot'],
  'a list in itself': [bytesOf(']q\x00h\x00a.'), 'contains itself'],
  'a dict in itself through a tuple': [bytesOf('}q\x00K\x01h\x00\x85s.'), 'contains itself'],
  '200,000 nested lists': [bytesOf(']'.repeat(2e5), 'a'.repeat(2e5 - 1), '.'), 'nested deeper'],
  'a billion laughs': [
    bytesOf(billion[0]!, '0', ...doubling, 'h<.'),
    'unfolds into too many values',
  ],
  'a million empty dicts': [bytesOf('}'.repeat(1e6), '.'), 'makes more objects'],
  'an array shape of billions': [
    bytesOf(
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR",
      "(I1\n(I4294967296\nI4294967296\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntRI0\nS''\ntb.",
    ),
    'with 0 bytes',
  ],
  'an array that is never filled': [
    bytesOf("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR."),
    'an unfinished array',
  ],
  'a function as the result': [bytesOf('(lcnumpy\nndarray\na.'), 'holds a function'],
  'a dtype as a key': [bytesOf("}cnumpy\ndtype\n(S'f8'\nI0\nI1\ntRNs."), 'dict key'],
  'items set on an array': [bytesOf("c_codecs\nencode\n(S'x'\nS'latin1'\ntRNNs."), 'not a dict'],
  'appending to a tuple': [bytesOf('(tNa.'), 'not a list'],
  'a stack that is empty': [bytesOf('R.'), 'empty stack'],
  'a mark that hides the stack': [bytesOf('N(0000.'), 'empty stack'],
  'a mark that was not set': [bytesOf('t.'), 'mark that was not set'],
  'a memo that is not there': [bytesOf('j\xff\xff\xff\xff.'), 'memo 4294967295'],
  'no end': [bytesOf('(((((N'), 'ends before the pickle does'],
  'a line without its end': [bytesOf(`cos${'x'.repeat(1000)}`), 'ends before the pickle does'],
  'no opcode': [bytesOf('\xff.'), 'has 0xff where an opcode belongs'],
  'a protocol of the future': [bytesOf('\x80\x06N.'), 'protocol 6'],
  'an empty file': [bytesOf(''), 'ends before the pickle does'],
};

describe('malicious pickles', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(Object.entries(malicious))('refuses %s', async (_, [bytes, message]) => {
    const read = decodePickle(bytes, 'foreign.pkl');
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toMatchObject({ code: 'LAB_DATA', file: 'foreign.pkl' });
    await expect(read).rejects.toSatisfy(LabError.is);
  });

  it('refuses every one before any of its names could be resolved', async () => {
    const evaluate = vi.spyOn(globalThis, 'eval');
    const construct = vi.spyOn(globalThis, 'Function');
    for (const [bytes] of Object.values(malicious)) {
      await expect(decodePickle(bytes)).rejects.toThrow();
    }
    expect(evaluate).not.toHaveBeenCalled();
    expect(construct).not.toHaveBeenCalled();
  });

  it('takes only the memory that the file has bytes for', async () => {
    const before = process.memoryUsage().arrayBuffers;
    await expect(decodePickle(bytesOf('\x80\x03B\xff\xff\xff\xff.'))).rejects.toThrow('claims');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});
