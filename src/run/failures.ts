import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import type { Entry } from './entry.js';

/** Not the command's fault: the fork failed, before any command was looked for. */
const OURS = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** The error of a spawn as via's: 127 not found, 126 cannot be run, 125 where no process could be made. */
export function cannotRun(name: string, error: NodeJS.ErrnoException, { environment }: Entry): ViaError {
  const object = JSON.stringify(name);
  const failed = (why: string, status: number) => new ViaError('command', object, why, { cause: error, status });
  if (name === '') return failed('not found', 127);
  if (OURS.has(error.code ?? '')) return failed(wordsOf(error), 125);
  if (error.code !== 'ENOENT') return failed(wordsOf(error), 126);
  return found(name, environment['PATH']) ? failed('its interpreter is not there', 126) : failed('not found', 127);
}

/** A script whose first line names a program that is not there gives the same error as a missing command. */
function found(name: string, path = '/bin:/usr/bin'): boolean {
  if (name.includes('/')) return existsSync(name);
  return path.split(':').some((directory) => isProgram(`${directory === '' ? '.' : directory}/${name}`));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
