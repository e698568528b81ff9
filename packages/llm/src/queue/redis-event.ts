/** Whether a Redis has gone away, or has come back. */
export type RedisEvent = 'away' | 'back';
