import type { Lab } from './lab.js';
import { viaBin } from './paths.js';

/**
 * The programs that a via with these words runs, itself and Node among them; by strace(1), which splits a call in two lines
 * (`<unfinished ...>`, `<... execve resumed>`) where another process does something in between.
 */
export async function programsOf(lab: Lab, words: readonly string[], by: readonly string[] = []): Promise<string[]> {
  const trace = [...by, 'strace', '-f', '-qq', '-e', 'trace=execve', '-o', '/run/calls', viaBin, ...words].join(' ');
  // Whoever it is may write there.
  const calls = (
    await lab.sh('client', `touch /run/calls; chmod 666 /run/calls; ${trace} >/dev/null; cat /run/calls; rm /run/calls`)
  ).split('\n');
  const begun = new Map<string, string>();
  return calls.flatMap((line) => {
    const [, pid = '', call = '', words] = /^(\d+) +(execve\(|<\.\.\. execve resumed>)(.*)$/.exec(line) ?? [];
    if (words === undefined) return [];
    const file = call === 'execve(' ? (/^"([^"]*)"/.exec(words)?.[1] ?? '') : (begun.get(pid) ?? '');
    begun.set(pid, file);
    return line.endsWith(' = 0') ? [file.slice(file.lastIndexOf('/') + 1)] : [];
  });
}
