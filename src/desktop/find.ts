import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import { nearest } from '../cli/nearest.js';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { readEntry, type Entry } from './entry.js';

/** A desktop entry's file: its id (with .desktop) and its bytes, each as one character. */
export interface Found {
  readonly id: string;
  readonly path: string;
  readonly bytes: string;
  readonly entry: Entry;
}

/** The user's own folder of entries, and all there are, his first (XDG Base Directory Specification). */
export function folders(env: Readonly<Record<string, string | undefined>> = process.env): [string, ...string[]] {
  // What is not absolute is to be ignored, as if it were not set.
  const home = isAbsolute(env['XDG_DATA_HOME'] ?? '')
    ? env['XDG_DATA_HOME']!
    : `${env['HOME'] || homedir()}/.local/share`;
  const others = (env['XDG_DATA_DIRS'] || '/usr/local/share:/usr/share').split(':').filter(isAbsolute);
  const [own, ...rest] = [home, ...others].map((path) => `${path.replace(/\/+$/, '')}/applications`);
  return [own!, ...new Set(rest)];
}

/**
 * The entry that a user means: by its id, with or without .desktop, by its file, or by a name that it has in any language.
 * Those that via has written are none. Throws where there is none, or more than one, or it starts no program.
 */
export function findEntry(text: string, places: readonly string[]): Found {
  const found = text.includes('/') ? byPath(text, places) : (byId(text, places) ?? byName(text, places));
  const fail = (why: string, hint?: string): ViaError =>
    new ViaError('desktop entry', found.path, why, hint === undefined ? {} : { hint });
  const { type, exec, isHidden, gateway } = found.entry;
  if (gateway !== undefined) throw fail("is via's own", 'name the application');
  if (isHidden) throw fail('is marked as deleted (Hidden=true)');
  if (type !== 'Application') throw fail(`is no application (Type=${type ?? ''})`);
  if (exec === undefined || exec.trim() === '')
    throw fail('has no command (Exec)', 'it is started by D-Bus only, which via cannot steer');
  return found;
}

/** Every entry of a folder, those of folders in it too, whose names are part of the id: `foo/bar.desktop` is foo-bar.desktop. */
export function filesIn(folder: string, prefix = '', depth = 0): { readonly id: string; readonly path: string }[] {
  const names = ignoring(NONE, () => readdirSync(folder).sort()) ?? [];
  return names.flatMap((name) => {
    const path = `${folder}/${name}`;
    const stat = ignoring(NONE, () => statSync(path));
    if (stat?.isDirectory() === true && depth < DEEPEST) return filesIn(path, `${prefix}${name}-`, depth + 1);
    return stat?.isFile() === true && name.endsWith(SUFFIX) ? [{ id: `${prefix}${name}`, path }] : [];
  });
}

/** A file's entry; undefined where it is none. */
export function readFound(id: string, path: string): Found | undefined {
  const bytes = ignoring(NONE, () => {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LARGEST ? readFileSync(path, 'latin1') : '';
  });
  const entry = bytes === undefined ? undefined : readEntry(bytes);
  return entry === undefined ? undefined : { id, path, bytes: bytes!, entry };
}

export const SUFFIX = '.desktop';
const NONE = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'];
const DEEPEST = 8;
const LARGEST = 1 << 20;

function byPath(text: string, places: readonly string[]): Found {
  const path = resolve(text);
  const fail = (why: string): ViaError => new ViaError('desktop entry', text, why);
  let found;
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isFile()) found = readFound(idOf(path, places), path);
  } catch (error) {
    throw fail(wordsOf(error));
  }
  if (found === undefined) throw fail('is no desktop entry');
  return found;
}

/** By the folder it is in, if that is one of those that are looked through. */
function idOf(path: string, places: readonly string[]): string {
  const place = places.find((one) => path.startsWith(`${one}/`));
  return place === undefined ? basename(path) : path.slice(place.length + 1).replaceAll('/', '-');
}

function byId(text: string, places: readonly string[]): Found | undefined {
  return all(places, (id) => id === text || id === `${text}${SUFFIX}`)[0];
}

/** A name that several have means the one that menus show. */
function byName(text: string, places: readonly string[]): Found {
  const wanted = text.toLowerCase();
  const every = all(places);
  const named = every.filter(({ entry }) => entry.names.some((name) => name.toLowerCase() === wanted));
  const usable = named.filter(({ entry }) => !entry.isHidden && entry.type === 'Application');
  const shown = usable.filter(({ entry }) => entry.isShown);
  const meant = [shown, usable, named].find((list) => list.length > 0) ?? [];
  const [found, another] = meant;
  if (another !== undefined)
    throw new ViaError('desktop entry', `"${text}"`, 'more than one', {
      hint: `say which: ${meant.map(({ id }) => id).join(' or ')}`,
    });
  if (found !== undefined) return found;
  const names = every.flatMap(({ id, entry }) => [
    id.slice(0, -SUFFIX.length),
    ...entry.names.map((name) => name.toLowerCase()),
  ]);
  const near = nearest(text.replace(/\.desktop$/, ''), names);
  throw new ViaError('desktop entry', `"${text}"`, 'not found', {
    hint: near === undefined ? `looked in ${places.join(', ')}` : `did you mean ${near}?`,
  });
}

/** Those of an id, the first of each: it hides the others. via's own hide nothing. */
function all(places: readonly string[], isMeant: (id: string) => boolean = () => true): Found[] {
  const found = new Map<string, Found>();
  for (const { id, path } of places.flatMap((place) => filesIn(place))) {
    if (found.has(id) || !isMeant(id)) continue;
    const one = readFound(id, path);
    if (one !== undefined && one.entry.gateway === undefined) found.set(id, one);
  }
  return [...found.values()];
}
