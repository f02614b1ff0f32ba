import { accessSync, closeSync, constants as files, existsSync, openSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import type { Entry } from './entry.js';

/** The errors of a failed fork, which do not concern the command. */
const OURS = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** The error of a spawn as via's own: 127 not found, 126 cannot be run, 125 if no process could be made. */
export function cannotRun(name: string, error: NodeJS.ErrnoException, { environment }: Entry): ViaError {
  const object = JSON.stringify(name);
  const failed = (why: string, status: number) => new ViaError('command', object, why, { cause: error, status });
  if (name === '') return failed('not found', 127);
  if (OURS.has(error.code ?? '')) return failed(wordsOf(error), 125);
  if (error.code !== 'ENOENT') return failed(wordsOf(error), 126);
  return found(name, environment['PATH']) ? failed('its interpreter is not there', 126) : failed('not found', 127);
}

/** The error that running the command would give, for `-x`, where a shell becomes the command; undefined if none is seen. */
export function cannotBecome(name: string, entry: Entry): ViaError | undefined {
  // Not UTF-8: only the shell has the exact bytes.
  if (name.includes('\ufffd')) return undefined;
  const error = (code: 'ENOENT' | 'EACCES') =>
    cannotRun(name, Object.assign(new Error(), { code, errno: -constants.errno[code] }), entry);
  const path = name.includes('/') ? name : (locate(name, entry.environment['PATH']) ?? name);
  if (name === '' || !path.includes('/')) return error('ENOENT');
  try {
    accessSync(path, files.X_OK);
    if (!statSync(path).isFile()) return error('EACCES');
    const [, interpreter] = /^#![ \t]*([^\s]+)/.exec(beginning(path)) ?? [];
    return interpreter === undefined || existsSync(interpreter) ? undefined : error('ENOENT');
  } catch (failure) {
    return cannotRun(name, failure as NodeJS.ErrnoException, entry);
  }
}

function beginning(path: string): string {
  const fd = ignoring(['EACCES'], () => openSync(path, 'r'));
  if (fd === undefined) return '';
  try {
    const bytes = Buffer.alloc(256);
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** A script with a missing interpreter gives the same error as a missing command. */
const found = (name: string, path?: string): boolean =>
  name.includes('/') ? existsSync(name) : isProgram(locate(name, path) ?? '');

/** The file that execvp(3) finds: the first executable one, else the first that exists. */
function locate(name: string, path = '/bin:/usr/bin'): string | undefined {
  const places = path.split(':').map((directory) => `${directory === '' ? '.' : directory}/${name}`);
  return places.find(isProgram) ?? places.find((place) => existsSync(place));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, files.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
