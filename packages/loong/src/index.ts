export { type Annotation, answersToGrade, readAnnotations } from './annotations.js';
export { type AnswerSource, promptOf, type PromptSource } from './answer-record.js';
export { type LoongAnswer, isJudged, responseOf } from './answers.js';
export {
  type AssembledPrompt,
  type AssembleOptions,
  assemblePrompt,
  questionText,
} from './assemble.js';
export { type DocumentBlock, blocksOf } from './blocks.js';
export {
  benchmarkFiles,
  factsOfTables,
  type OwnBenchmark,
  unsaidFacts,
  writeBenchmark,
} from './build/benchmark.js';
export { type Fact, readFacts, writeFacts } from './build/fact.js';
export { type MadeQuestions, makeQuestions } from './build/make-questions.js';
export type { MakeQuestionsOptions } from './build/make-questions.js';
export { changedValue, type Construction, goldOf, type Operation } from './build/operations.js';
export { labelledFacts, proposeFacts, readDecidedFacts, writeFactReview } from './build/propose.js';
export { type OwnDocument, readOwnDocuments } from './build/read-documents.js';
export { tableFacts } from './build/table-facts.js';
export { proposeTextQuestions, readDecidedQuestions } from './build/text-questions.js';
export { type TextQuestion, textRecords } from './build/text-questions.js';
export { type Comparison, compareScores, type PairedScores, type RunPair } from './compare.js';
export type { RunFacts } from '@lab/llm';
export { type LoongConfig, loongConfig } from './config.js';
export { type Estimate, evaluateScores, type Evaluation, type GroupScores } from './evaluate.js';
export { generateAnswers, type GenerateOptions } from './generate.js';
export { type AnsweredRecord, judgeAnswers, type JudgeOptions, judgePrompt } from './judge.js';
export { type JudgeAgreement, judgeAgreement } from './judge-agreement.js';
export { type Judgement, type ParsedScore, parseScore } from './judgement.js';
export { type Fitted, fitBlocks, promptLimit, type Sized, type Window } from './length.js';
export {
  type DocumentLibrary,
  type LoongDocument,
  missingDocuments,
  namedLibrary,
  openLibrary,
} from './library.js';
export { planAnswers, type RunPlan } from './plan.js';
export { publishedElsewhere, publishedModels } from './published.js';
export { publishedRecall, publishedRetrieval } from './published.js';
export { publishedCells, publishedGains } from './published-details.js';
export { createRetriever, retrievalRecall, type Retriever } from './rag.js';
export { readAnswers, readJudgements } from './read-run.js';
export { type Answer, type LoongRecord, readRecords } from './record.js';
export { writeReport } from './report/run-page.js';
export { scoreByRule } from './rules/score-by-rule.js';
export { type ScoredRecord, scoreRecords } from './scored-record.js';
export { type Selection, selectRecords } from './select.js';
export { type LengthStatistics, lengthStatistics } from './statistics.js';
export { createServerCounter } from './server-tokens.js';
export { makeCorpus } from './synthetic/corpus.js';
export { createRuleJudge, createTableReader } from './synthetic/scripted-reader.js';
export { setOfLength, type Subtask, subtaskOf, taskNames } from './tasks.js';
export { countTokens, type TokenCounter } from './tokens.js';
