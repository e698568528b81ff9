// @boundaries-ignore the settings of all packages stand once, at the root
export { default } from '../../vitest.package.js';
