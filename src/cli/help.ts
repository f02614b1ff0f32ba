import { WORDS } from './options.js';

// Both are set by the build, which has yargs lay out the help once: at run time that is 1.8 times `node -e 0` in all,
// against 1.1 with the text at hand. One expression below, so that esbuild leaves yargs out of dist/.
declare const __HELP__: string | undefined;
declare const __VERSION__: string | undefined;

/** The text of `via --help`, or what one word of the table does. */
export async function help(topic?: string): Promise<string> {
  const word = WORDS.find(({ name }) => name === topic);
  if (word?.describe !== undefined) {
    // In one line it would be too long for a terminal.
    const usage = word.usage?.replaceAll(' | --', '\n       | --');
    return `Usage: via ${usage}\n\n${word.describe}`;
  }
  return typeof __HELP__ === 'string' ? __HELP__ : (await import('./usage.js')).renderHelp();
}

/** The text of `via --version`. */
export function version(): string {
  return `via ${typeof __VERSION__ === 'string' ? __VERSION__ : 'from source'}`;
}
