import { isBuilt, WORDS } from './options.js';

// Set by the build. Rendering by yargs takes 13 ms, of the 10 that --help may cost beyond Node itself, so the build
// does that once.
declare const __HELP__: string | undefined;
declare const __VERSION__: string | undefined;

/** The text of `via --help`, or what one word of the table does. */
export async function help(topic?: string): Promise<string> {
  const word = WORDS.find(({ name }) => name === topic);
  if (word !== undefined && !isBuilt(word)) return `via ${word.name}: not built yet`;
  if (word !== undefined) return `Usage: via ${word.usage}\n\n${word.describe}`;
  if (typeof __HELP__ === 'string') return __HELP__;
  const { renderHelp } = await import('./usage.js');
  return renderHelp();
}

/** The text of `via --version`. */
export function version(): string {
  return `via ${typeof __VERSION__ === 'string' ? __VERSION__ : 'from source'}`;
}
