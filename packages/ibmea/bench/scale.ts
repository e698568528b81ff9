// Memory at scale on SYNTHETIC pairs: node --conditions=@lab/source --import tsx
// packages/ibmea/bench/scale.ts ENTITIES_PER_SIDE... Prints one JSON line: per size the largest
// single allocation against its limit of 64 MB + 8 kB per entity and edge, and the peak of the
// backend.
import { settingsOf } from '@lab/alignment';
import { createRandom, LabError } from '@lab/core';
import { neighbourGraph, splitLinks, syntheticPair } from '@lab/graph';
import { memoryReport, resetAllocationRecord, selectBackend } from '@lab/tensor';
import { ibmea, train } from '../src/index.js';
import { estimateTensorBytes, isRecomputed } from '../src/memory-estimate.js';

const EPOCHS = 2;

async function measure(entities: number): Promise<Record<string, unknown>> {
  const random = createRandom(1).fork(`scale/${entities}`);
  const data = syntheticPair({ entities, random });
  const split = await splitLinks(data, { share: 0.3 });
  const edges = neighbourGraph(data, { selfLoops: true }).columns.length;
  const limitBytes = 64e6 + 8e3 * (data.entityCount + edges);
  const settings = {
    'evaluation.enabled': false,
    'training.recompute': process.env['RECOMPUTE'] ?? 'auto',
  };
  const config = settingsOf(ibmea, { epochs: EPOCHS, settings });
  const layers = isRecomputed({ data, split }, config.config) ? 'recomputed' : 'kept';
  const estimate = estimateTensorBytes({ data, split }, config.config, layers);
  const estimateBytes = Math.round(estimate);
  const size = { entitiesPerSide: entities, edges, graphLayers: layers, estimateBytes };
  resetAllocationRecord();
  const cpu = process.cpuUsage();
  try {
    const { state } = await train({ data: { data, split }, config });
    state.dispose();
  } catch (error) {
    if (!LabError.is(error) || error.code !== 'LAB_BACKEND') throw error;
    const isRefused = error.message.startsWith('ibmea/train');
    const outcome = isRefused ? 'refused before training' : 'out of memory while training';
    return { ...size, outcome, message: error.message };
  }
  const used = process.cpuUsage(cpu);
  const { largestAllocationBytes, peakHeapBytes } = memoryReport();
  return {
    ...size,
    outcome: largestAllocationBytes <= limitBytes ? 'trained' : 'allocation above the limit',
    largestAllocationBytes,
    limitBytes,
    peakHeapBytes,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
    cpuSecondsPerEpoch: Number(((used.user + used.system) / 1e6 / EPOCHS).toFixed(1)),
  };
}

await selectBackend();
const rows: Record<string, unknown>[] = [];
for (const text of process.argv.slice(2)) {
  const row = await measure(Number(text));
  rows.push(row);
  console.error(JSON.stringify(row));
}
console.log(JSON.stringify(rows));
const isBad = (row: Record<string, unknown>) =>
  row['outcome'] !== 'trained' && row['outcome'] !== 'refused before training';
if (rows.some(isBad)) process.exitCode = 1;
