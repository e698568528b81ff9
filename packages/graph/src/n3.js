// n3 has no types of its own: n3.d.ts beside this file declares what is used of it.
export { Parser } from 'n3';
