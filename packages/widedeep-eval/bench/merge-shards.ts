/** Merges the shards of `whole-set.ts`: `tsx merge-shards.ts DATA FOLDER OUT`. */
import { mergeShards } from '@lab/llm';
import { readSamples } from '../src/index.js';

const [data = '', folder = '', out = ''] = process.argv.slice(2);
const samples = await readSamples({ data });

async function* rows() {
  yield* samples;
}

const { gaps } = await mergeShards({ folders: [folder], out, rows: rows() });
if (gaps > 0) process.exitCode = 1;
