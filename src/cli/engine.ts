/** What every analysis needs, as one module to load. */

export { runAnalysis } from '../analyze.ts';
export { openCapture } from '../capture/open.ts';
