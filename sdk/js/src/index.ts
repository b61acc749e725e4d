export { HoldlineError } from './error.js';
export { Holdline } from './holdline.js';
export type * from './types.js';
