/** Which of the files that make up one timeline holds a frame. */

/** A file, and the number of its first frame in the timeline (from 1). */
export interface FileStart {
  file: string;
  firstFrame: number;
}

/** The place in `files` of the one that holds `frame`; `files` are in order and not empty. Several begin at one frame where some are empty: the last counts. */
export function fileIndexOfFrame(files: readonly FileStart[], frame: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((files[middle] as FileStart).firstFrame <= frame) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The name of the file that holds `frame`. */
export function fileOfFrame(files: readonly FileStart[], frame: number): string {
  return (files[fileIndexOfFrame(files, frame)] as FileStart).file;
}
