import { WORDS } from './options.js';

// The build sets both. yargs lays out the help at build time: at run time `via --help` would take 1.8 times `node -e 0`
// instead of 1.1. The expression below is one, so that esbuild leaves yargs out of dist/.
declare const __HELP__: string | undefined;
declare const __VERSION__: string | undefined;

/** The text of `via --help`, or the help of one word. */
export async function help(topic?: string): Promise<string> {
  const word = WORDS.find(({ name }) => name === topic);
  if (word?.describe !== undefined) {
    // Several lines, because one would be too long for a terminal.
    const usage = word.usage?.replaceAll(' | --', '\n       | --');
    return `Usage: via ${usage}\n\n${word.describe}`;
  }
  return typeof __HELP__ === 'string' ? __HELP__ : (await import('./usage.js')).renderHelp();
}

/** The text of `via --version`. */
export function version(): string {
  return `via ${typeof __VERSION__ === 'string' ? __VERSION__ : 'from source'}`;
}
