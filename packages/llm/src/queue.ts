export type { RedisEvent } from './queue/redis-event.js';
export {
  createQueueClient,
  type QueueClient,
  type QueueClientOptions,
} from './queue/queue-client.js';
export { parseQueueRate, type QueueRate } from './queue/queue-rate.js';
export { workOnQueue, type WorkOptions, type WorkSummary } from './queue/work-on-queue.js';
