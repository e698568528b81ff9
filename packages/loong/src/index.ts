export { type Config, configSchema, loongConfig } from './config.js';
