export { type LoongConfig, loongConfig } from './config.js';
