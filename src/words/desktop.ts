import { resolve } from 'node:path';
import { OPTIONS } from '../cli/options.js';
import { execWords } from '../desktop/exec.js';
import { rewrite } from '../desktop/entry.js';
import { findEntry, folders, SUFFIX, type Found } from '../desktop/find.js';
import { pathOfVia } from '../desktop/program.js';
import { ours, refreshCache, remove, write } from '../desktop/store.js';
import { oneLine, ViaError } from '../failure.js';
import { aligned } from '../plan/columns.js';
import type { LaunchOptions, Request } from '../request.js';
import type { Say } from '../say.js';
import { typed } from './typed.js';

type Desktop = Extract<Request, { word: 'desktop' }>;

/**
 * Writes, removes or lists the user's copies of menu entries, which start applications by a gateway. Prints the files.
 * Throws if any of them cannot be written or removed; nothing is changed then.
 */
export function desktop(request: Desktop, say: Say): void {
  const places = folders();
  const [folder] = places;
  if (request.does === 'list') return say.out(table(ours(folder)));
  const paths = request.does === 'remove' ? removeAll(folder, request.words) : writeAll(places, request, say);
  say.out(paths);
  const problem = refreshCache(folder);
  if (problem !== undefined) say.error(new ViaError('update-desktop-database', folder, problem));
}

function writeAll(places: readonly [string, ...string[]], request: Desktop, say: Say): string[] {
  const [gateway = '', ...names] = request.words;
  const word = typed(gateway);
  const found = [...new Map(names.map((name) => findEntry(name, places)).map((one) => [one.id, one])).values()];
  const mine = request.replace ? found.find(({ path }) => path.startsWith(`${places[0]}/`)) : undefined;
  if (mine !== undefined)
    throw new ViaError('desktop entry', mine.path, "is the user's own, and would be lost", {
      hint: 'leave out --replace',
    });
  const prefix = execWords([pathOfVia(), '--notify', ...given(request.options), '-x', word, '--']);
  const files = found.map(({ id, bytes }) => ({
    id: request.replace ? id : idOfCopy(id, gateway),
    bytes: rewrite(bytes, { prefix, gateway, origin: Buffer.from(id, 'utf8').toString('latin1') }),
  }));
  write(places[0], files);
  for (const { path } of found.filter(({ entry }) => !entry.isShown))
    say.error(new ViaError('desktop entry', path, 'is in no menu, and so its copy is in none (NoDisplay=true)'));
  return files.map(({ id }) => `${places[0]}/${id}`);
}

/** The options of a launch that differ from their defaults, as words. */
function given(options: LaunchOptions): string[] {
  const others = OPTIONS.filter(({ field, default: value }) => field !== undefined && options[field] !== value);
  return others.map(({ name, field, values }) => (values === undefined ? `--${name}` : `--${name}=${options[field!]}`));
}

/** The id of a copy, one for each gateway. File names may have : and %, but menus may not handle them. */
function idOfCopy(id: string, gateway: string): string {
  const text = gateway.replace(/^%/, '').replaceAll(':', '-').replaceAll('%', '_').replaceAll(',', '+');
  return `${id.slice(0, -SUFFIX.length)}-via-${text}${SUFFIX}`;
}

/** Removes all of the named entries or none. */
function removeAll(folder: string, words: readonly string[]): string[] {
  const all = ours(folder);
  const [first, ...rest] = words;
  // The first of several words can be a gateway, as when entries are written.
  const isGateway = rest.length > 0 && all.some(({ entry }) => entry.gateway === first);
  const names = isGateway ? rest : words;
  const some = isGateway ? all.filter(({ entry }) => entry.gateway === first) : all;
  const found = names.flatMap((name) => {
    const meant = some.filter((one) => isMeant(one, name));
    if (meant.length > 0) return meant;
    const by = isGateway ? ` by ${first}` : '';
    throw new ViaError('desktop entry', `"${name}"`, `via has written none of that name${by}`, {
      hint: 'via desktop --list shows them',
    });
  });
  const entries = [...new Set(found)];
  remove(entries);
  return entries.map(({ path }) => path);
}

/** Finds copies by their file, their id, the id of the original, or a name. */
function isMeant({ id, path, entry }: Found, text: string): boolean {
  const ids = [id, entry.origin ?? id].flatMap((one) => [one, one.slice(0, -SUFFIX.length)]);
  const suffix = ` (via ${entry.gateway})`;
  const names = entry.names.flatMap((name) => [name, name.endsWith(suffix) ? name.slice(0, -suffix.length) : name]);
  return (
    path === resolve(text) || ids.includes(text) || names.some((name) => name.toLowerCase() === text.toLowerCase())
  );
}

/** The list with three columns: id, gateway, first name. */
function table(entries: readonly Found[]): string[] {
  const rows = entries.map(({ id, entry }) => [id, entry.gateway ?? '', entry.names[0] ?? ''].map(oneLine));
  return aligned(rows, Infinity);
}
