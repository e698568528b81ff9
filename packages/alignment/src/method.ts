/**
 * What a method is to the shared parts: its name and config, a learner for a task, and what it adds
 * to reports.
 */
import type { ConfigDefinition, Random, ResolvedConfig } from '@lab/core';
import type { Section } from '@lab/report';
import type { AblationGroup } from './experiment/cell.js';
import type { AlignmentConfig, Modality } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import type { EpochRecord } from './epoch-record.js';
import type { Encoding, Learner } from './learner.js';
import type { MemoryExpectation } from './memory-expectation.js';
import type { TrainingState } from './training-state.js';

/** What the sections of a method are made of. */
export interface SectionInput<C extends AlignmentConfig> {
  readonly epochs: readonly EpochRecord[];
  readonly config: ResolvedConfig<C>;
  readonly state: TrainingState;
  /** The trained model's encoding; null where nothing is judged. */
  readonly encoding: Encoding | null;
}

/** What an experiment's groups depend on. */
export interface GroupInput {
  /** Modalities of the data; groups that need another are left out. */
  readonly present: readonly Modality[];
  /** Share of the links that are seeds: the most that "few seeds" can start from. */
  readonly seedShare: number;
  /** Entities a side of the made-up pairs on which an epoch is timed. */
  readonly sizes?: readonly number[] | undefined;
}

/** A method of entity alignment. */
export interface AlignmentMethod<
  C extends AlignmentConfig = AlignmentConfig,
  L extends Learner = Learner,
> {
  /** Of the program and of the runs, in lower case. */
  readonly name: string;
  /** As papers write it, e.g. `IBMEA`. */
  readonly title: string;
  /** npm package and its version. */
  readonly packageName: string;
  readonly version: string;
  readonly config: ConfigDefinition<C>;
  /** Entries `path=value` for two generated graphs of 800 entities. */
  readonly demoSettings: readonly string[];
  /** A learner with fresh parameters on the current backend; `random` is the run's stream. */
  createLearner(task: AlignmentTask, config: C, random: Random): L;
  /** The memory that a training will need on the selected backend. */
  expectedMemory(task: AlignmentTask, config: C): MemoryExpectation;
  /**
   * The settings with what `auto` means for this task, so that parts of it are timed as the whole
   * will be trained; without it they are as given.
   */
  settle?(task: AlignmentTask, config: C): C;
  /** Sections of the run page that only this method has. */
  sections(input: SectionInput<C>): Promise<Section[]>;
  /** Ablations and sweeps, group by group. */
  groups(input: GroupInput): readonly AblationGroup[];
}
