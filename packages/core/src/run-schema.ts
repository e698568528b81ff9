import { z } from 'zod';

/** Version of `run.json` that this package writes and reads. */
export const runSchemaVersion = 1;

const fileRecord = z.object({ path: z.string(), sha256: z.string(), bytes: z.number() });

const errorRecord = z.object({
  code: z.string(),
  message: z.string(),
  help: z.string().optional(),
});

/** The zod schema of `run.json`, version 1. */
export const runRecordSchema = z.object({
  schemaVersion: z.literal(runSchemaVersion),
  id: z.string().describe('name of the run folder'),
  status: z.enum(['started', 'success', 'error', 'interrupted']),
  method: z.string().describe('name of the method, e.g. ibmea'),
  label: z.string().describe('what the run is about, e.g. the preset'),
  packages: z.record(z.string(), z.string()).describe('versions of the packages in use'),
  command: z.array(z.string()).describe('the command as passed'),
  config: z.object({
    passed: z.unknown().optional().describe('as passed'),
    resolved: z.unknown().describe('every value'),
    origins: z.record(z.string(), z.string()).describe('where each value comes from'),
    mode: z.string().nullable(),
    preset: z.string().nullable(),
  }),
  seed: z.number(),
  git: z
    .object({ revision: z.string(), dirty: z.boolean() })
    .nullable()
    .describe('revision of the folder the command ran in'),
  data: z.array(fileRecord),
  backend: z.unknown().describe('backend report, or null'),
  environment: z.record(z.string(), z.unknown()),
  start: z.string().describe('ISO 8601, UTC'),
  end: z.string().nullable(),
  results: z.record(z.string(), z.unknown()).nullable(),
  usage: z.record(z.string(), z.unknown()).nullable(),
  error: errorRecord.nullable(),
});

/** The content of `run.json`. */
export type RunRecord = z.infer<typeof runRecordSchema>;

/** How a run can end. */
export type RunStatus = RunRecord['status'];
