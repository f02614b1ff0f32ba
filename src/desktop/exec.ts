/**
 * Words as the beginning of an Exec key's value, as bytes: each quoted where it has to be, then escaped as every value is
 * (Desktop Entry Specification 1.5, "The Exec key").
 */
export const execWords = (words: readonly string[]): string =>
  Buffer.from(words.map(execWord).join(' '), 'utf8').toString('latin1');

function execWord(word: string): string {
  // A field code begins with %.
  const text = word.replaceAll('%', '%%');
  if (/^[\w%+=:,./-]+$/.test(text)) return text;
  const quoted = `"${text.replace(/["`$\\]/g, '\\$&')}"`;
  return quoted.replaceAll('\\', '\\\\');
}

/**
 * Whether a path can be the program of an Exec key: the specification forbids = there, and desktops look for the program
 * before they have read %% as %.
 */
export const isProgramPath = (path: string): boolean => !/[=%\u0000-\u001f\u007f\ufffd]/.test(path);
